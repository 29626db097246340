//! One seed, one world: identifiers, replicas and answers repeat exactly.

use crate::client::{Entra, Key};
use rollkey_emulator::{Exchange, Lags};

/// A short life with an uncertain course.
async fn life(seed: u64) -> (Vec<String>, Vec<Exchange>) {
    let lags = Lags { token: 300, read: 20, flapping: true, ..Lags::none() };
    let entra = Entra::with(|builder| builder.seed(seed).lags(lags).replicas(3)).await;
    assert_eq!(entra.emulator.seed(), seed);
    let (old, new) = (Key::number(0), Key::number(1));
    let app = entra.emulator.application("billing").with_key(&old.certificate).create();
    let token = entra.token(&app, &old).await;
    let added = entra.add(&app, &new, &old, &token).await.expect(200);
    for _ in 0..10 {
        entra.ask(&app, &new).await;
    }
    let ids = [
        entra.emulator.tenant_id(),
        app.app_id(),
        app.object_id(),
        app.service_principal_id(),
        &app.keys()[0].key_id,
        added.json["keyId"].as_str().unwrap(),
    ];
    (ids.map(str::to_owned).into(), entra.emulator.log())
}

#[tokio::test]
async fn one_seed_is_one_world() {
    let (one, again, other) = (life(7).await, life(7).await, life(8).await);
    assert_eq!(one, again);
    assert_ne!(one.0, other.0);
    let replicas = |life: &[Exchange]| life.iter().map(|it| it.replica).collect::<Vec<_>>();
    assert_ne!(replicas(&one.1), replicas(&other.1));
    for id in &one.0 {
        assert!(uuid::Uuid::try_parse(id).is_ok_and(|id| id.get_version_num() == 4), "{id}");
    }
}

#[tokio::test]
async fn without_a_seed_every_world_is_new() {
    let one = rollkey_emulator::Emulator::start().await.unwrap();
    let other = rollkey_emulator::Emulator::start().await.unwrap();
    assert_ne!(one.seed(), other.seed());
    assert_ne!(one.tenant_id(), other.tenant_id());
}
