//! `rollkey demo`: the main job with nothing to install, told as it happens.
//!
//! The client is the real one, with its files, over real TLS; the service is the emulator, on a
//! clock that the demo moves. Nothing of the client is told about the emulator but its addresses.

mod consumer;
mod stage;
mod story;

use crate::args::DemoArgs;
use crate::config::load;
use crate::error::CommandError;
use crate::output::Output;
use crate::{explain, wire, words};
use consumer::Consumer;
use rollkey::rotation::{Look, Pass, ReconcileError, Rotation};
use rollkey_core::{Decision, Reason, Slot, Step, Timestamp};
use rollkey_emulator::Operation;
use stage::Stage;
use std::process::ExitCode;
use std::time::Duration;
use story::Story;

/// How often the consumer signs in, in the demo's time.
const CONSUMER_SIGNS_IN_EVERY: u64 = 10 * 60;

/// More looks than any rotation takes: a demo that does not come to rest has failed.
const LOOKS: usize = 200;

pub(crate) async fn run(args: &DemoArgs, output: &Output) -> Result<ExitCode, CommandError> {
    let stage = Stage::set(args).await?;
    let mut consumer = Consumer::new(&stage);
    let story = Story::new(output, stage.start());
    story.opening(&stage);

    let mut rotation = open(&stage)?;
    let before = rotation.peek().await.map_err(|e| explain::explain(e, stage::NAME))?;
    story.table("Before", &before, rotation.parts());

    // The fault of the day: the first addKey takes effect, and its answer is lost.
    stage.emulator.next(Operation::AddKey).loses_its_answer();

    story.chapter("What happens");
    let mut after = None;
    for _ in 0..LOOKS {
        let look = match pass(&rotation, &story).await {
            Ok(pass) => {
                tell(&pass, &rotation, &stage, &story);
                pass.look
            }
            Err(error @ ReconcileError::Directory(_)) => {
                story.lost_answer(&explain::one_line(&error));
                // And a crash: everything in memory is gone. What is on disk must do.
                drop(rotation);
                rotation = open(&stage)?;
                advance(&stage, &mut consumer, stage.now() + rollkey_core::Span::minutes(1))
                    .await?;
                continue;
            }
            Err(error) => return Err(explain::explain(error, stage::NAME)),
        };
        match look.decision {
            // Between two steps, the world goes on.
            Decision::Act(..) => advance(&stage, &mut consumer, stage.now() + stage::STEP).await?,
            Decision::Wait(_, Reason::Healthy) => {
                after = Some(look);
                break;
            }
            Decision::Wait(until, why) => {
                story.waits(stage.now(), until, why);
                advance(&stage, &mut consumer, until).await?;
            }
            Decision::Blocked(why) => return Err(explain::blocked(why, stage::NAME, &look)),
        }
    }
    let after =
        after.ok_or_else(|| CommandError::failed(format!("no rest after {LOOKS} looks")))?;
    story.table("After", &after, rotation.parts());
    prove(&stage, &consumer, &before, &after, &story).await?;
    story.files(&stage);
    Ok(ExitCode::SUCCESS)
}

/// The rotation as `rollkey rotate` would open it, from the same files.
fn open(stage: &Stage) -> Result<Rotation, CommandError> {
    let loaded = load::load(Some(&stage.config))?;
    wire::rotation_by(&loaded, stage::NAME, stage.clock())
}

async fn pass(rotation: &Rotation, story: &Story<'_>) -> Result<Pass, ReconcileError> {
    let mut watch = |look: &Look| {
        if let Decision::Act(step, why) = look.decision {
            story.step(look.now, &step, why, rotation.parts());
        }
    };
    rotation.reconcile_watched(&mut watch).await
}

/// What came of a step, and what the replicas say of the new key.
fn tell(pass: &Pass, rotation: &Rotation, stage: &Stage, story: &Story<'_>) {
    if let Some(refusal) = &pass.probe_refused {
        story.refused(refusal);
    }
    let Decision::Act(step, _) = pass.look.decision else { return };
    if matches!(step, Step::Probe { .. } | Step::Register { .. }) {
        let pending = pass.look.seen.pending.as_ref().map(|c| c.held.thumbprint);
        if let Some(pending) = pending {
            story.replicas(&stage.replicas(pending));
        }
    }
    if let Step::Deliver { .. } = step {
        story.delivered(rotation.parts());
    }
}

/// Moves the clock, in steps at which the consumer signs in.
async fn advance(
    stage: &Stage,
    consumer: &mut Consumer,
    until: Timestamp,
) -> Result<(), CommandError> {
    while stage.now() < until {
        let next = consumer.next_sign_in().max(stage.now()).min(until);
        let by = next.since(stage.now());
        stage.emulator.clock().advance(Duration::from_secs(by.0));
        if consumer.next_sign_in() <= stage.now() {
            consumer.sign_in(stage).await?;
        }
    }
    Ok(())
}

/// What the demo promises, asked of the emulator and of the consumer, not of rollkey.
async fn prove(
    stage: &Stage,
    consumer: &Consumer,
    before: &Look,
    after: &Look,
    story: &Story<'_>,
) -> Result<(), CommandError> {
    let current = |look: &Look| {
        let found = look.seen.credentials().find(|c| c.held.slot == Slot::Current);
        found.map(|c| c.held.thumbprint).ok_or_else(|| CommandError::failed("no current key"))
    };
    let (old, new) = (current(before)?, current(after)?);
    story.chapter("Proof");
    let mut kept = true;
    kept &= story.check(
        old != new && consumer.refused() == 0 && consumer.used(new),
        &format!(
            "the consumer signed in {} times, first with {}, now with {}, and was never refused",
            consumer.signed_in(),
            old.sha1.short(),
            new.sha1.short()
        ),
    );
    kept &= story.check(
        stage.application.lockouts().is_empty(),
        "at no second was there no key of ours that every replica accepts",
    );
    let refusal = stage.try_original_key().await?;
    let refused = refusal.as_ref().is_some_and(|refusal| refusal.code == "AADSTS700027");
    kept &= story.check(
        refused,
        &match &refusal {
            Some(refusal) => {
                format!("the old certificate is refused: {} {}", refusal.status, refusal.code)
            }
            None => "the old certificate is refused".to_owned(),
        },
    );
    kept &=
        story.check(stage.foreign_key_is_untouched(), "the foreign key is where it was, untouched");
    let keys = stage.application.keys();
    let ours = keys.iter().filter(|key| key.key_id != stage.foreign_key_id).count();
    kept &= story.check(
        ours == 1,
        "one key of ours is registered, although addKey was sent once and answered never",
    );
    // The last one is ours: with the old key, above.
    let requests = stage.requests(consumer.signed_in() + consumer.refused() + 1);
    story.line(&format!(
        "    requests of the rotation: {} for tokens, {} reads, {} addKey, {} removeKey",
        requests.tokens, requests.reads, requests.add_key, requests.remove_key
    ));
    match kept {
        true => Ok(()),
        false => Err(CommandError::failed("the demo broke a promise; this is a bug")
            .hint(format!("repeat it: rollkey demo --seed {}", stage.emulator.seed()))),
    }
}

/// The demo's time of day.
fn clock_face(at: Timestamp) -> String {
    words::instant(at).get(11..19).unwrap_or_default().to_owned()
}
