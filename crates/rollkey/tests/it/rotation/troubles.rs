//! What goes wrong around a rotation, and what the driver makes of it.

use super::scene::{Scene, Wanted};
use rollkey::ports::{Clock, DirectoryError};
use rollkey::rotation::{ReconcileError, Unreadable};
use rollkey_core::{Algorithm, Blocker, Decision, Note, Reason, Span, Step, Suspicion, Timestamp};
use rollkey_emulator::{Lags, Operation};
use std::sync::Arc;

/// A clock that is wrong by so much, against the emulator's.
struct Wrong(rollkey_emulator::Clock, i64);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        Timestamp((self.0.now() + self.1).try_into().expect("after 1970"))
    }
}

#[tokio::test]
async fn a_lost_answer_registers_nothing_twice() {
    let scene = Scene::set(Wanted::default()).await;
    scene.entra.next(Operation::AddKey).loses_its_answer();
    scene.entra.next(Operation::RemoveKey).loses_its_answer();
    scene.until_healthy().await;
    let asked = |operation| scene.entra.log().iter().filter(|e| e.operation == operation).count();
    assert_eq!(asked(Operation::AddKey), 1);
    assert_eq!(asked(Operation::RemoveKey), 1);
    assert_eq!(scene.registered().len(), 2);
}

#[tokio::test]
async fn a_write_that_was_refused_for_certain_is_not_doubted() {
    let scene = Scene::set(Wanted { lags: Lags::none(), ..Wanted::default() }).await;
    let rotation = scene.rotation();
    // Longer than anybody waits within one pass.
    scene.entra.next(Operation::AddKey).is_throttled(600);
    let error = loop {
        match rotation.reconcile().await {
            Ok(_) => scene.advance(Span::seconds(20)),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ReconcileError::Directory(DirectoryError::Throttled { .. })));
    let last = scene.journal.notes().last().map(|(note, _)| *note);
    assert!(matches!(last, Some(Note::NotTaken(_))), "{last:?}");
    // So the next pass sends it again, and does not wait for replicas to show what was never done.
    let pass = rotation.reconcile().await.expect("a pass");
    assert!(matches!(pass.look.decision, Decision::Act(Step::Register { .. }, _)));
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_hours_stops_everything_and_one_by_minutes_nothing() {
    for hours in [-3, 3] {
        let scene = Scene::set(Wanted::default()).await;
        let clock = Wrong(scene.entra.clock().clone(), hours * 3_600);
        let error = scene.rotation_by(Arc::new(clock)).reconcile().await.expect_err("wrong");
        assert!(matches!(error, ReconcileError::ClockWrong { .. }), "{error:?}");
        assert_eq!(scene.registered().len(), 2);
    }
    for minutes in [-4, 4] {
        let scene = Scene::set(Wanted::default()).await;
        let old = scene.current().await;
        let clock = Wrong(scene.entra.clock().clone(), minutes * 60);
        scene.drive(&scene.rotation_by(Arc::new(clock))).await;
        assert_ne!(scene.current().await, old);
    }
}

#[tokio::test]
async fn notes_from_the_future_are_brought_back_once_the_service_vouches_for_our_clock() {
    use rollkey::ports::Journal as _;
    let scene = Scene::set(Wanted::default()).await;
    let key = scene.current().await;
    let later = scene.now() + Span::days(400);
    scene.journal.note(Note::Seen(key), later).await.expect("a journal");
    scene.journal.note(Note::Sent(key), later).await.expect("a journal");
    scene.until_healthy().await;
    assert!(scene.journal.notes().iter().any(|(note, _)| *note == Note::ClockSetBack));
    assert_ne!(scene.current().await, key);
}

#[tokio::test]
async fn a_current_key_that_an_administrator_removes_is_registered_again_by_the_previous_one() {
    let scene = Scene::set(Wanted::default()).await;
    let rotation = scene.rotation();
    // Up to the overlap, in which both keys work.
    loop {
        match rotation.reconcile().await.expect("a pass").look.decision {
            Decision::Wait(_, Reason::Overlapping) => break,
            Decision::Wait(until, _) => scene.advance(until.since(scene.now())),
            _ => scene.advance(Span::seconds(20)),
        }
    }
    let current = scene.current().await;
    let entry = |key: &str| scene.app.keys().into_iter().find(|k| k.thumbprint == key);
    let gone = entry(&current.sha1.to_string()).expect("it is registered").key_id;
    assert!(scene.app.remove_key_out_of_band(&gone));
    scene.advance(Span::hours(2));
    scene.drive(&rotation).await;
    let again = entry(&current.sha1.to_string()).expect("it is registered again");
    assert_ne!(again.key_id, gone);
    assert_eq!(scene.registered().len(), 2);
}

#[tokio::test]
async fn when_no_key_is_accepted_any_more_a_person_is_asked_for() {
    let scene = Scene::set(Wanted::default()).await;
    let rotation = scene.rotation();
    rotation.reconcile().await.expect("a pass");
    for key in scene.app.keys() {
        scene.app.remove_key_out_of_band(&key.key_id);
    }
    scene.advance(Span::hours(2));
    let mut last = None;
    for _ in 0..100 {
        let pass = rotation.reconcile().await.expect("a pass");
        match pass.look.decision {
            Decision::Blocked(why) => {
                assert_eq!(why, Blocker::NoUsableKey);
                assert!(matches!(pass.look.unreadable, Some(Unreadable::NoToken(_))));
                return;
            }
            Decision::Wait(until, _) => scene.advance(until.since(scene.now())),
            Decision::Act(..) => scene.advance(Span::minutes(1)),
        }
        last = Some(pass.look.decision);
    }
    panic!("never blocked: {last:?}");
}

#[tokio::test]
async fn a_sink_that_fails_holds_back_the_removal_and_nothing_else() {
    let scene = Scene::set(Wanted { lags: Lags::none(), ..Wanted::default() }).await;
    let old = scene.current().await;
    scene.sink.fail_next(u32::MAX);
    let rotation = scene.rotation();
    let end = scene.now() + Span::days(4);
    let mut failed = 0;
    while scene.now() < end {
        let pass = rotation.reconcile().await.expect("a pass");
        failed += usize::from(pass.failed_delivery.is_some());
        match pass.look.decision {
            // Not each of some thousand retries.
            Decision::Wait(..) => scene.advance(Span::hours(1)),
            _ => scene.advance(Span::seconds(20)),
        }
    }
    assert!(1 < failed);
    assert_ne!(scene.current().await, old, "the rotation went on");
    assert_eq!(scene.registered().len(), 3, "the old key is still there for consumers");
    scene.sink.fail_next(0);
    scene.drive(&rotation).await;
    assert_eq!(scene.registered().len(), 2);
}

#[tokio::test]
async fn a_refused_proof_says_what_is_probably_wrong() {
    let wanted = Wanted { proof_algorithm: Algorithm::Ps256, ..Wanted::default() };
    let scene = Scene::set(wanted).await;
    let rotation = scene.rotation();
    for _ in 0..10 {
        match rotation.reconcile().await {
            Ok(_) => scene.advance(Span::seconds(20)),
            Err(ReconcileError::ProofRefused { refusal, suspicions }) => {
                assert_eq!(refusal.code, "Authentication_MissingOrMalformed");
                assert!(suspicions.contains(&Suspicion::UnusualAlgorithm), "{suspicions:?}");
                assert!(refusal.request_id.is_some());
                return;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("the proof was accepted");
}

#[tokio::test]
async fn a_journal_that_is_lost_costs_time_and_nothing_else() {
    // Lost after so many passes.
    for passes in 0..10 {
        let scene = Scene::set(Wanted::default()).await;
        let (old, start) = (scene.current().await, scene.now());
        let rotation = scene.rotation();
        for _ in 0..passes {
            let look = rotation.reconcile().await.expect("a pass").look;
            match look.decision {
                Decision::Wait(until, _) => scene.advance(until.since(look.now)),
                _ => scene.advance(Span::seconds(20)),
            }
        }
        scene.journal.forget();
        scene.until_healthy().await;
        assert_ne!(scene.current().await, old, "lost after {passes} passes");
        assert_eq!(scene.registered().len(), 2, "lost after {passes} passes");
        assert!(scene.now() < start + Span::days(2), "lost after {passes} passes");
        assert_eq!(scene.app.lockouts(), []);
    }
}
