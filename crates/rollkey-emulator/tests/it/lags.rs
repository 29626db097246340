//! Replicas that lag, on a clock that the tests move. Nobody sleeps.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::{Entra, Key, NOW};
use rollkey_emulator::{Application, Lags};

async fn scene(lags: Lags) -> (Entra, Application, Key, Key) {
    let entra = Entra::with(|builder| builder.lags(lags)).await;
    let (old, new) = (Key::number(0), Key::number(1));
    let app = entra.emulator.application("billing").with_key(&old.certificate).create();
    (entra, app, old, new)
}

async fn shows(entra: &Entra, app: &Application, token: &str, key: &Key) -> bool {
    let path = format!("/v1.0/applications/{}", app.object_id());
    let seen = entra.get(&path, token).await.expect(200);
    let keys = seen.json["keyCredentials"].as_array().unwrap();
    keys.iter().any(|entry| entry["customKeyIdentifier"] == key.thumbprint())
}

#[tokio::test]
async fn each_use_of_a_new_key_has_a_lag_of_its_own() {
    let lags = Lags { read: 20, token: 300, proof: 1200, ..Lags::none() };
    let (entra, app, old, new) = scene(lags).await;
    let token = entra.token(&app, &old).await;
    entra.add(&app, &new, &old, &token).await.expect(200);
    let third = Key::number(2);

    // At, and just before, each of the three.
    for (at, read, accepted, proves) in [
        (0, false, false, false),
        (19, false, false, false),
        (20, true, false, false),
        (299, true, false, false),
        (300, true, true, false),
        (1199, true, true, false),
        (1200, true, true, true),
    ] {
        entra.emulator.clock().set(NOW + at);
        assert_eq!(shows(&entra, &app, &token, &new).await, read, "read at {at}");
        assert_eq!(app.accepts(&new.certificate), accepted, "truth at {at}");
        let asked = entra.ask(&app, &new).await;
        match accepted {
            true => drop(asked.expect(200)),
            false => drop(asked.refused_by("AST-10")),
        }
        let added = entra.add(&app, &third, &new, &token).await;
        match proves {
            true => drop(added.expect(200)),
            false => drop(added.refused_by("POP-6")),
        }
    }
}

#[tokio::test]
async fn audiences_differ() {
    let outlook = "https://outlook.office365.com";
    let token_for = BTreeMap::from([(outlook.to_owned(), 600)]);
    let (entra, app, old, new) = scene(Lags { token: 300, token_for, ..Lags::none() }).await;
    let token = entra.token(&app, &old).await;
    entra.add(&app, &new, &old, &token).await.expect(200);
    entra.emulator.clock().advance(Duration::from_secs(300));
    entra.ask(&app, &new).await.expect(200);
    entra.ask_for(&app, &new, outlook).await.refused_by("AST-10");
    assert!(app.accepts_for(&new.certificate, "https://graph.microsoft.com"));
    assert!(!app.accepts_for(&new.certificate, outlook));
    assert!(!app.accepts(&new.certificate), "not everywhere yet");
    assert!(app.any_accepts(&new.certificate));
    entra.emulator.clock().advance(Duration::from_secs(300));
    entra.ask_for(&app, &new, &format!("{outlook}/")).await.expect(200);
    assert!(app.accepts(&new.certificate));
}

#[tokio::test]
async fn a_removed_key_lingers_on_slow_replicas() {
    let (entra, app, old, new) = scene(Lags { removal: 60, ..Lags::none() }).await;
    let token = entra.token(&app, &old).await;
    entra.add(&app, &new, &old, &token).await.expect(200);
    let old_id = app.keys()[0].key_id.clone();
    entra.remove(&app, &old_id, &new, &token).await.expect(204);
    assert!(!app.accepts(&old.certificate) && app.any_accepts(&old.certificate));
    assert!(shows(&entra, &app, &token, &old).await);
    entra.ask(&app, &old).await.expect(200);
    // But it proves nothing any more.
    entra.add(&app, &new, &old, &token).await.refused_by("POP-12");

    entra.emulator.clock().advance(Duration::from_secs(60));
    assert!(!app.any_accepts(&old.certificate));
    assert!(!shows(&entra, &app, &token, &old).await);
    entra.ask(&app, &old).await.refused_by("AST-9");
}

#[tokio::test]
async fn a_stale_replica_denies_a_removal_that_takes_place() {
    let (entra, app, old, new) = scene(Lags { read: 20, ..Lags::none() }).await;
    let token = entra.token(&app, &old).await;
    let added = entra.add(&app, &new, &old, &token).await.expect(200);
    let key_id = added.json["keyId"].as_str().unwrap();
    let reply = entra.remove(&app, key_id, &old, &token).await.refused_by("KEY-10");
    assert_eq!(reply.json["error"]["message"], "No credentials found to be removed.");
    assert_eq!(app.keys().len(), 1, "removed all the same");
}

#[tokio::test]
async fn answers_go_back_and_forth_while_replicas_differ() {
    let (entra, app, old, new) = scene(Lags { token: 300, flapping: true, ..Lags::none() }).await;
    let token = entra.token(&app, &old).await;
    entra.add(&app, &new, &old, &token).await.expect(200);
    let mut answers = Vec::new();
    for _ in 0..32 {
        answers.push(entra.ask(&app, &new).await.status.is_success());
    }
    assert!(answers.contains(&true) && answers.contains(&false), "{answers:?}");
    // What it answers is what the replica that answers makes of the key.
    let views = app.replicas(&new.certificate);
    assert_eq!(views.iter().map(|view| view.accepts).collect::<Vec<_>>(), [true, false]);
    let log = entra.emulator.log();
    for (exchange, answer) in log.iter().rev().zip(answers.iter().rev()) {
        assert_eq!(views[exchange.replica].accepts, *answer);
    }
    entra.emulator.clock().advance(Duration::from_secs(300));
    for _ in 0..8 {
        entra.ask(&app, &new).await.expect(200);
    }
}

#[tokio::test]
async fn more_replicas_are_spread_between_the_fastest_and_the_slowest() {
    let lags = Lags { read: 100, token: 200, proof: 400, ..Lags::none() };
    let entra = Entra::with(|builder| builder.lags(lags).replicas(5)).await;
    let (old, new) = (Key::number(0), Key::number(1));
    let app = entra.emulator.application("billing").with_key(&old.certificate).create();
    app.add_key_out_of_band(&new.certificate).unwrap();
    entra.emulator.clock().advance(Duration::from_secs(100));
    let views = app.replicas(&new.certificate);
    assert_eq!(views.len(), 5);
    assert!(views.iter().all(|view| view.lists));
    let accepting: Vec<_> = views.iter().map(|view| view.accepts).collect();
    assert_eq!(accepting, [true, true, true, false, false]);
    let proving: Vec<_> = views.iter().map(|view| view.accepts_proofs).collect();
    assert_eq!(proving, [true, true, false, false, false]);
}

#[tokio::test]
async fn the_witness_sees_who_was_locked_out_and_when() {
    let (entra, app, old, new) = scene(Lags { token: 300, removal: 60, ..Lags::none() }).await;
    let prudent = entra.emulator.application("prudent").with_key(&old.certificate).create();
    app.add_key_out_of_band(&new.certificate).unwrap();
    entra.emulator.clock().advance(Duration::from_secs(100));
    assert!(app.remove_key_out_of_band(&app.keys()[0].key_id));
    entra.emulator.clock().advance(Duration::from_secs(100));
    let lockouts = app.lockouts();
    assert_eq!((lockouts.len(), lockouts[0].from, lockouts[0].to), (1, NOW + 100, None));
    entra.emulator.clock().advance(Duration::from_secs(200));
    let lockouts = app.lockouts();
    assert_eq!((lockouts[0].from, lockouts[0].to), (NOW + 100, Some(NOW + 300)));
    assert!(prudent.lockouts().is_empty());
    let witness = entra.emulator.witness();
    assert_eq!(witness.len(), 1);
    assert_eq!(witness[0].0.app_id(), app.app_id());
}
