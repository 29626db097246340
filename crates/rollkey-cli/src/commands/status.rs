//! `rollkey status`: where the keys stand, and what is to be done next.

use crate::args::{Arguments, StatusArgs};
use crate::error::CommandError;
use crate::output::Output;
use crate::report::{self, Status};
use crate::{config, explain, wire, words};
use comfy_table::{Table, TableStyle};
use rollkey::rotation::{Look, Parts};
use rollkey_core::{Decision, Registration};
use std::process::ExitCode;

pub(crate) async fn run(
    arguments: &Arguments,
    args: &StatusArgs,
    output: &Output,
) -> Result<ExitCode, CommandError> {
    let loaded = config::load::load(arguments.config.as_deref())?;
    let names = match args.applications.is_empty() {
        true => loaded.config.applications.keys().cloned().collect(),
        false => args.applications.clone(),
    };
    let mut worst = None;
    for (n, name) in names.iter().enumerate() {
        if n != 0 {
            output.line("");
        }
        let answer = match wire::rotation(&loaded, name) {
            Ok(rotation) => match rotation.peek().await {
                Ok(look) => {
                    show(&look, rotation.parts(), output);
                    match look.decision {
                        Decision::Blocked(why) => Err(explain::blocked(why, name, &look)),
                        _ => Ok(()),
                    }
                }
                Err(error) => Err(explain::explain(error, name)),
            },
            Err(error) => Err(error),
        };
        // One application's trouble must not hide how the others are.
        if let Err(error) = answer
            && let Some(earlier) = worst.replace(error)
        {
            output.failure(&earlier);
        }
    }
    worst.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Prints one application's standing.
pub(crate) fn show(look: &Look, parts: &Parts, output: &Output) {
    let status = Status::of(look, parts);
    output.json(&status);
    output.line(format!("{} ({})", parts.name, parts.app));
    for line in keys(look, parts).to_string().lines() {
        output.line(line.trim_end());
    }
    if let Some(why) = &look.unreadable {
        output.line(format!("directory: {}", report::unreadable(why)));
    }
    for sink in &status.sinks {
        let holds = match (&sink.holds, &sink.since) {
            (Some(key), Some(since)) => format!("holds {} since {since}", &key[..8]),
            _ => "holds nothing of ours".to_owned(),
        };
        let failed = sink.failed_at.as_ref().map(|at| format!("; a delivery failed at {at}"));
        output.line(format!("sink {}: {holds}{}", sink.name, failed.unwrap_or_default()));
    }
    if let Some(ahead) = status.clock_ahead.filter(|ahead| 30 < ahead.unsigned_abs()) {
        output.line(format!("clock: {ahead:+} s against the service's"));
    }
    output.line(format!("next: {}", words::decision(look, parts)));
}

/// The keys as a table: ours, then the directory's others.
pub(crate) fn keys(look: &Look, parts: &Parts) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    table.set_header(["", "thumbprint", "standing", "directory", "expires"]);
    for key in look.seen.credentials() {
        let directory = match key.registration {
            Registration::Present(id) => id.to_string(),
            Registration::Absent => "absent".to_owned(),
            Registration::Unknown => "unknown".to_owned(),
        };
        let left = key.held.not_after.since(look.now);
        let expires = match key.held.not_after <= look.now {
            true => format!("{} (expired)", words::date(key.held.not_after)),
            false => format!("{} (in {})", words::date(key.held.not_after), words::about(left)),
        };
        table.add_row([
            words::slot(key.held.slot).to_owned(),
            key.held.thumbprint.sha1.short(),
            words::standing(key.standing(&parts.policy, look.now)).to_owned(),
            directory,
            expires,
        ]);
    }
    let ours: Vec<_> = look.seen.credentials().map(|c| c.held.thumbprint).collect();
    for entry in look.listed.iter().flatten() {
        if !ours.iter().any(|key| entry.is(*key)) {
            let thumbprint = entry.sha1.map_or("?".to_owned(), |sha1| sha1.short());
            let row = ["foreign".to_owned(), thumbprint, String::new(), entry.key_id.to_string()];
            table.add_row(row);
        }
    }
    table
}
