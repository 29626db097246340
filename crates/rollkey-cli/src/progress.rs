//! Progress of what lasts: what is awaited, how long already, how long at most. On a terminal a
//! line that changes; otherwise nothing, because the answer's own lines tell enough.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A line that changes while something lasts. Gone when dropped.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Something whose end is not known.
    pub(crate) fn start(output: &Output, what: &str) -> Self {
        Self(output.watched().then(|| {
            let bar = ProgressBar::new_spinner().with_message(what.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed} so far") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        }))
    }

    /// Says something else.
    pub(crate) fn say(&self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(what.to_owned());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
