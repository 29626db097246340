//! Tells a history to people, turn by turn.

use super::effects::Fate;
use super::look::{Answer, Login, Read};
use super::run::{Run, Turn};
use super::world::{World, number};
use rollkey_core::{Decision, Span, Step, Thumbprint};
use std::fmt::Write as _;

/// The history that led to a broken promise.
pub(super) fn tell(run: &Run, path: &[Turn], broken: &str) -> String {
    let mut story = String::new();
    let mut world = run.start.clone();
    for turn in path {
        let at = world.now.since(run.start.now);
        _ = writeln!(story, "  {:>10}  {}", at.to_string(), describe(run, &world, *turn));
        match run.take(&world, *turn) {
            Ok(Some(next)) => world = next,
            Ok(None) | Err(_) => break,
        }
    }
    let at = world.now.since(run.start.now);
    _ = writeln!(story, "  {:>10}  {broken}", at.to_string());
    _ = writeln!(story, "{}", quietly(run, world.clone()));
    _ = write!(story, "{world:?}");
    story
}

/// What would happen if nothing else went wrong.
fn quietly(run: &Run, mut world: World) -> String {
    let mut story = String::from("left alone, it would go on like this:\n");
    for _ in 0..40 {
        world.mend_sinks();
        let at = world.now.since(run.start.now);
        let turn = Turn::Look(run.read(), run.login(), Fate::Done, Answer::Quick);
        _ = writeln!(story, "  {:>10}  {}", at.to_string(), describe(run, &world, turn));
        match run.take(&world, turn) {
            Ok(Some(next)) if next != world && !story.contains("Healthy") => world = next,
            _ => break,
        }
    }
    story
}

fn describe(run: &Run, world: &World, turn: Turn) -> String {
    match turn {
        Turn::Look(read, login, fate, answer) => {
            let decision = run.decide(&mut world.clone(), read, login);
            let mut line = match read {
                Read::Fresh => String::new(),
                Read::Stale => "the list is stale; ".into(),
                Read::Unreadable => "the list is unreadable; ".into(),
            };
            if login == Login::New(Answer::Slow) {
                line += "a slow replica lets us sign in, or does not; ";
            }
            line += &show(decision, world);
            if fate != Fate::Done {
                _ = write!(line, ", but {fate:?}");
            }
            if answer == Answer::Slow {
                line += " (a slow replica answers)";
            }
            line
        }
        Turn::Wake(answer) => {
            let step = world.stalled.map(|stalled| step(stalled.step));
            format!("the stalled worker goes on: {} ({answer:?})", step.unwrap_or_default())
        }
        other => format!("*** {other:?}"),
    }
}

fn show(decision: Decision, world: &World) -> String {
    match decision {
        Decision::Act(todo, why) => format!("{} [{why:?}]", step(todo)),
        Decision::Wait(until, why) => format!("waits {} [{why:?}]", until.since(world.clock())),
        Decision::Blocked(why) => format!("blocked [{why:?}]"),
    }
}

fn step(step: Step) -> String {
    let key = |thumbprint: Thumbprint| format!("key {}", number(thumbprint));
    match step {
        Step::Stage { not_before, not_after, after } => {
            let lifetime: Span = not_after.since(not_before);
            format!("stages a key for {lifetime}, after generation {}", after.0)
        }
        Step::Register { key: new, prove_with } => {
            format!("registers {}, proven by {}", key(new), key(prove_with))
        }
        Step::Probe { key: which, audience } => format!("probes {} at {audience:?}", key(which)),
        Step::Promote { key: which, after } => {
            format!("promotes {}, after generation {}", key(which), after.0)
        }
        Step::Deliver { key: which, to, of } => {
            format!("delivers {} to sink {}, of generation {}", key(which), to.0, of.0)
        }
        Step::Remove { key: old, key_id, prove_with } => {
            format!("removes {} ({key_id:?}), proven by {}", key(old), key(prove_with))
        }
        Step::Discard { key: old, after } => {
            format!("discards {}, after generation {}", key(old), after.0)
        }
    }
}
