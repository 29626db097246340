//! Test only: kills this process, as a power cut would, at the n-th point between two effects.
//!
//! `ROLLKEY_CRASH_TRACE` names a file to which each point that is passed is appended, across runs;
//! with `ROLLKEY_CRASH_AT`, the process dies when that many points have been passed.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// Arms every point of the library.
pub(crate) fn arm() {
    let Some(trace) = std::env::var_os("ROLLKEY_CRASH_TRACE") else { return };
    let at: Option<usize> = std::env::var("ROLLKEY_CRASH_AT").ok().and_then(|n| n.parse().ok());
    for point in rollkey::crash::POINTS {
        let trace = trace.clone();
        let passed = move || pass(Path::new(&trace), point, at);
        if let Err(error) = fail::cfg_callback(*point, passed) {
            panic!("{point}: {error}");
        }
    }
}

fn pass(trace: &Path, point: &str, at: Option<usize>) {
    let appended = OpenOptions::new()
        .append(true)
        .create(true)
        .open(trace)
        .and_then(|mut file| writeln!(file, "{point}"))
        .and_then(|()| std::fs::read_to_string(trace));
    let passed = appended.map_or(0, |text| text.lines().count());
    if at == Some(passed) {
        // Not `abort`: nothing may run any more, no handler, no flush.
        _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
