//! `rollkey rotate`: passes until nothing is left to do now.

use crate::args::{Arguments, RotateArgs};
use crate::clock::TICK;
use crate::error::CommandError;
use crate::output::Output;
use crate::progress::Progress;
use crate::report::{self, Next, StepTaken};
use crate::{config, explain, wire, words};
use rollkey::rotation::{Look, Pass, Rotation, Unreadable};
use rollkey_core::{Decision, Reason, Slot, Step, Timestamp};
use std::process::ExitCode;

/// A rotation takes about ten steps. Many times more without rest means that our picture of the
/// world does not change with what we do to it: stop, rather than hammer the service.
const STEPS_WITHOUT_REST: usize = 100;

pub(crate) async fn run(
    arguments: &Arguments,
    args: &RotateArgs,
    output: &Output,
) -> Result<ExitCode, CommandError> {
    let loaded = config::load::load(arguments.config.as_deref())?;
    let rotation = wire::rotation(&loaded, &args.application)?;
    let rotation = if args.now { retiring(rotation).await? } else { rotation };
    if args.dry_run {
        let look = rotation.peek().await.map_err(|e| explain::explain(e, &args.application))?;
        report_rest(&rotation, &look, output);
        return Ok(ExitCode::SUCCESS);
    }
    until_rest(&rotation, args.wait, output).await
}

/// The same rotation, under which the key that is current now is due.
async fn retiring(rotation: Rotation) -> Result<Rotation, CommandError> {
    let name = rotation.parts().name.clone();
    let held = rotation.parts().keystore.held().await;
    let (_, held) = held.map_err(|error| explain::explain(error.into(), &name))?;
    let current = held.iter().find(|key| key.slot == Slot::Current).map(|key| key.thumbprint);
    Ok(match current {
        Some(key) => rotation.retiring(key),
        None => rotation,
    })
}

async fn until_rest(
    rotation: &Rotation,
    wait: bool,
    output: &Output,
) -> Result<ExitCode, CommandError> {
    let name = &rotation.parts().name;
    let mut failed_delivery = None;
    let mut steps = 0;
    loop {
        let pass = match pass(rotation, output).await {
            Ok(pass) => pass,
            // Whoever waits for days does not give up for an answer that was lost.
            Err(error) if wait && explain::passes(&error) => {
                output.warn(explain::causes(&error).join(": "));
                let poll = rotation.parts().policy.terms().poll;
                let until = rotation.parts().clock.now() + poll;
                sleep_until(rotation, until, "trying again", output).await;
                continue;
            }
            Err(error) => return Err(explain::explain(error, name)),
        };
        match &pass.look.decision {
            Decision::Act(step, _) => {
                steps += 1;
                if STEPS_WITHOUT_REST < steps {
                    return Err(CommandError::failed(format!(
                        "{STEPS_WITHOUT_REST} steps and no rest: what we do does not show"
                    ))
                    .hint(format!("look at it: rollkey status {name}")));
                }
                match pass.failed_delivery {
                    Some(error) => failed_delivery = Some(error),
                    None if matches!(step, Step::Deliver { .. }) => failed_delivery = None,
                    None => (),
                }
            }
            Decision::Wait(_, why) if !wait => {
                report_rest(rotation, &pass.look, output);
                if *why == Reason::SinkFailing && failed_delivery.is_none() {
                    return Err(still_failing(rotation).await);
                }
                break;
            }
            Decision::Wait(_, Reason::Healthy) => {
                report_rest(rotation, &pass.look, output);
                break;
            }
            Decision::Wait(until, why) => {
                steps = 0;
                report_rest(rotation, &pass.look, output);
                sleep_until(rotation, *until, words::reason(*why), output).await;
            }
            Decision::Blocked(why) => return Err(explain::blocked(*why, name, &pass.look)),
        }
    }
    match failed_delivery {
        None => Ok(ExitCode::SUCCESS),
        Some(error) => Err(CommandError::failed("a delivery failed; the next run tries again")
            .cause(error)
            .hint("the old key stays registered until every sink has the new one")),
    }
}

/// A delivery that failed in an earlier run, or a sink that cannot even be looked at. It is no rest
/// until it is mended, so it is no success either.
async fn still_failing(rotation: &Rotation) -> CommandError {
    let mut failed = CommandError::failed(
        "an earlier delivery failed, and was not tried again yet",
    )
    .hint("mend what it named; it is tried again after `poll`, and nothing is removed meanwhile");
    for sink in &rotation.parts().sinks {
        if let Err(error) = sink.delivered().await {
            failed = failed.cause(error);
        }
    }
    failed
}

async fn pass(
    rotation: &Rotation,
    output: &Output,
) -> Result<Pass, rollkey::rotation::ReconcileError> {
    let progress = Progress::start(output, "looking");
    let parts = rotation.parts();
    let pass = rotation
        .reconcile_watched(&mut |look: &Look| {
            if let Decision::Act(step, why) = &look.decision {
                let what = words::step(step, parts);
                progress.say(&what);
                if !output.watched() {
                    output.line(format!("{what}: {}", words::reason(*why)));
                }
            }
        })
        .await?;
    drop(progress);
    if let Decision::Act(step, why) = &pass.look.decision {
        if output.watched() {
            output.line(format!("{}: {}", words::step(step, parts), words::reason(*why)));
        }
        let refusal = pass.probe_refused.as_ref().map(ToString::to_string);
        if let Some(refusal) = &pass.probe_refused {
            output.line(format!("  not yet: {}", words::refusal(refusal)));
        }
        let failure = pass.failed_delivery.as_ref().map(ToString::to_string);
        if let Some(failure) = &failure {
            output.warn(failure);
        }
        output.json(&StepTaken {
            event: "step",
            application: parts.name.clone(),
            at: words::instant(pass.look.now),
            step: words::step_name(step),
            reason: format!("{why:?}"),
            thumbprint: words::step_key(step).map(|key| key.to_string()),
            sink: match step {
                Step::Deliver { to, .. } => Some(parts.sinks[usize::from(to.0)].name().to_owned()),
                _ => None,
            },
            accepted: match step {
                Step::Probe { .. } => Some(refusal.is_none()),
                Step::Deliver { .. } => Some(failure.is_none()),
                _ => None,
            },
            refusal: refusal.or(failure),
        });
    }
    Ok(pass)
}

fn report_rest(rotation: &Rotation, look: &Look, output: &Output) {
    // That the directory may not be read is usual; that no key is accepted is not.
    if let Some(why @ Unreadable::NoToken(_)) = &look.unreadable {
        output.warn(report::unreadable(why));
    }
    output.line(words::decision(look, rotation.parts()));
    output.json(&Next::of(look, rotation.parts()));
}

/// Sleeps by the clock, not by the length of the wait: the clock may be set meanwhile.
async fn sleep_until(rotation: &Rotation, until: Timestamp, why: &str, output: &Output) {
    let clock = &rotation.parts().clock;
    let progress = Progress::start(output, why);
    while clock.now() < until {
        let left = until.since(clock.now());
        progress.say(&format!("{why}; at most {} more", words::about(left)));
        tokio::time::sleep(TICK.min(std::time::Duration::from_secs(left.0))).await;
    }
}
