//! The driver with real adapters against the emulator: whole rotations, on the emulator's clock.

mod scene;
mod troubles;

use rollkey_core::{Decision, Reason, Span};
use rollkey_emulator::{Lags, ObjectKind, Operation};
use scene::{Scene, Wanted};

#[tokio::test]
async fn a_rotation_replaces_one_key_and_leaves_the_foreign_one() {
    let scene = Scene::set(Wanted::default()).await;
    let old = scene.current().await;
    scene.until_healthy().await;
    let new = scene.current().await;
    assert_ne!(old, new);
    assert_eq!(scene.registered(), vec![new.sha1.to_string(), scene.foreign.clone()]);
    assert_eq!(scene.sink.history().last().map(|d| d.key), Some(new));
    assert_eq!(scene.app.lockouts(), []);
}

#[tokio::test]
async fn a_service_principal_rolls_its_own_key() {
    let wanted = Wanted { kind: ObjectKind::ServicePrincipal, ..Wanted::default() };
    let scene = Scene::set(wanted).await;
    let old = scene.current().await;
    scene.until_healthy().await;
    assert_ne!(scene.current().await, old);
    assert_eq!(scene.registered().len(), 2);
}

#[tokio::test]
async fn an_object_may_be_addressed_by_its_application_id() {
    let scene = Scene::set(Wanted { by_app_id: true, ..Wanted::default() }).await;
    let old = scene.current().await;
    scene.until_healthy().await;
    assert_ne!(scene.current().await, old);
}

/// What a rotation asks for, and what for. More would be no error, but nobody has needed more.
#[tokio::test]
async fn a_rotation_makes_no_more_round_trips_than_it_needs() {
    let scene = Scene::set(Wanted { lags: Lags::none(), ..Wanted::default() }).await;
    scene.until_healthy().await;
    let count = |operation| scene.entra.log().iter().filter(|e| e.operation == operation).count();
    // To read the directory; whether the new key works; whether it still does after `settle`, which
    // also serves to read on; to read the directory after the overlap, the first having expired.
    let tokens = count(Operation::Token);
    // Before and after `addKey`; after `settle`; after the overlap; after `removeKey`, once it shows.
    let reads = count(Operation::Read);
    assert_eq!((count(Operation::AddKey), count(Operation::RemoveKey)), (1, 1));
    assert!(tokens <= 5, "{tokens} tokens");
    assert!(reads <= 6, "{reads} reads");
    assert_eq!(count(Operation::Discovery) + count(Operation::Other), 0);
}

#[tokio::test]
async fn every_scope_must_accept_the_new_key_before_consumers_get_it() {
    let outlook = "https://outlook.office365.com";
    let lags = Lags { token: 60, token_for: [(outlook.to_owned(), 900)].into(), ..Lags::none() };
    let scope = format!("{outlook}/.default");
    let scene = Scene::set(Wanted { lags, scopes: vec![scope], ..Wanted::default() }).await;
    scene.until_healthy().await;
    let new = scene.current().await;
    let der = scene.certificate_of(new).await;
    let registered = scene.app.keys().into_iter().find(|key| key.certificate_der == der);
    let registered = registered.and_then(|key| key.registered).expect("we registered it");
    let delivered = scene.sink.history().last().expect("it was delivered").at;
    assert!(900 <= delivered.0 - u64::try_from(registered).expect("after 1970"));
}

#[tokio::test]
async fn a_look_changes_nothing() {
    let scene = Scene::set(Wanted::default()).await;
    let before = scene.journal.notes();
    let look = scene.rotation().peek().await.expect("a look");
    // It saw the current key work just now, as far as anybody knows for the first time.
    assert!(matches!(look.decision, Decision::Act(_, Reason::RenewalDue)), "{:?}", look.decision);
    assert_eq!(scene.journal.notes(), before);
    assert_eq!(scene.app.keys().len(), 2);
}

#[tokio::test]
async fn a_key_that_is_not_due_is_rolled_when_it_is_to_be_retired() {
    let scene = Scene::set(Wanted { days_left: 80, ..Wanted::default() }).await;
    scene.until_healthy().await;
    let old = scene.current().await;
    let rotation = scene.rotation().retiring(old);
    scene.drive(&rotation).await;
    let new = scene.current().await;
    assert_ne!(new, old);
    // A level and no event: the same wish does not roll the next key.
    scene.drive(&rotation).await;
    assert_eq!(scene.current().await, new);
}

#[tokio::test]
async fn a_rotation_that_is_dropped_at_any_moment_is_carried_on_by_the_next() {
    // Each await is a moment: polled so many times and no further.
    for polls in 1..40 {
        let scene = Scene::set(Wanted { lags: Lags::none(), ..Wanted::default() }).await;
        for _ in 0..4 {
            let rotation = scene.rotation();
            let mut pass = Box::pin(rotation.reconcile());
            for _ in 0..polls {
                let waker = std::task::Waker::noop();
                let mut cx = std::task::Context::from_waker(waker);
                if pass.as_mut().poll(&mut cx).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(pass);
            scene.advance(Span::minutes(1));
        }
        scene.until_healthy().await;
        assert_eq!(scene.registered().len(), 2, "after {polls} polls");
    }
}
