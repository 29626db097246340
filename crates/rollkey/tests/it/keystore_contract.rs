//! What every keystore promises, whatever it keeps its keys in. A new keystore joins the list at
//! the end of this file and passes, or is none.
//!
//! It is long because it is a list: whoever writes a keystore reads all of it.

use crate::import::import_files;
use rollkey::certificate::{self, CommonName};
use rollkey::core::{Algorithm, Generation, Held, Slot, Span, Thumbprint, Timestamp};
use rollkey::import::Imported;
use rollkey::keystore::signing::RsaKey;
use rollkey::keystore::{CustodyError, FileKeystore, KeySize, KeySpec, MemoryKeystore};
use rollkey::ports::{Keystore, KeystoreError};
use std::time::Duration;
use verify::verifies;

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);
pub(crate) const LATER: Timestamp = Timestamp(1_800_000_777);
pub(crate) const NOT_BEFORE: Timestamp = Timestamp(1_800_000_000 - 300);
pub(crate) const NOT_AFTER: Timestamp = Timestamp(1_807_776_001);

/// A place where keys are kept, which can be opened more than once.
trait Place {
    type Store: Keystore;
    fn new(bits: KeySize) -> Self;
    /// One more handle, as another process would have.
    fn open(&self) -> Self::Store;
    async fn import(store: &Self::Store, key: &Imported) -> Result<Held, CustodyError>;
    async fn replace(store: &Self::Store, key: &Imported) -> Result<Held, CustodyError>;
}

struct Folder(tempfile::TempDir, KeySpec);

impl Place for Folder {
    type Store = FileKeystore;

    fn new(bits: KeySize) -> Self {
        Self(tempfile::tempdir().unwrap(), spec(bits))
    }

    fn open(&self) -> FileKeystore {
        let folder = self.0.path().join("billing");
        FileKeystore::create_or_open(folder, self.1.clone()).unwrap().with_patience(Duration::ZERO)
    }

    async fn import(store: &FileKeystore, key: &Imported) -> Result<Held, CustodyError> {
        store.import(key, NOW).await
    }

    async fn replace(store: &FileKeystore, key: &Imported) -> Result<Held, CustodyError> {
        store.replace(key, LATER).await
    }
}

impl Place for MemoryKeystore {
    type Store = Self;

    fn new(bits: KeySize) -> Self {
        Self::new(spec(bits))
    }

    fn open(&self) -> Self {
        self.clone()
    }

    async fn import(store: &Self, key: &Imported) -> Result<Held, CustodyError> {
        store.import(key, NOW).await
    }

    async fn replace(store: &Self, key: &Imported) -> Result<Held, CustodyError> {
        store.replace(key, LATER).await
    }
}

pub(crate) fn spec(bits: KeySize) -> KeySpec {
    KeySpec { bits, common_name: CommonName::new("billing").unwrap() }
}

pub(crate) async fn stage(keystore: &dyn Keystore) -> Held {
    let (generation, _) = keystore.held().await.unwrap();
    keystore.stage(NOT_BEFORE, NOT_AFTER, generation, NOW).await.unwrap()
}

pub(crate) async fn promote(keystore: &dyn Keystore, key: Held) {
    let (generation, _) = keystore.held().await.unwrap();
    keystore.promote(key.thumbprint, generation, LATER).await.unwrap();
}

pub(crate) async fn discard(keystore: &dyn Keystore, key: Held) {
    let (generation, _) = keystore.held().await.unwrap();
    keystore.discard(key.thumbprint, generation).await.unwrap();
}

pub(crate) async fn slots(keystore: &dyn Keystore) -> Vec<(Thumbprint, Slot)> {
    let (_, held) = keystore.held().await.unwrap();
    held.iter().map(|key| (key.thumbprint, key.slot)).collect()
}

/// Whether the keystore can sign with this key, both ways, so that its certificate says yes.
pub(crate) async fn assert_signs(keystore: &dyn Keystore, key: Thumbprint) {
    let leaf = keystore.certificates(key).await.unwrap().remove(0);
    assert_eq!(certificate::thumbprint(&leaf.0), key);
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        let signature = keystore.sign(key, algorithm, b"to whom it may concern").await.unwrap();
        assert!(verifies(&leaf.0, algorithm, b"to whom it may concern", &signature));
        assert!(!verifies(&leaf.0, algorithm, b"to somebody else", &signature));
    }
}

async fn a_new_keystore_holds_nothing<P: Place>(place: P) {
    assert_eq!(place.open().held().await.unwrap(), (Generation(0), Vec::new()));
}

async fn a_staged_key_is_pending_and_has_exactly_the_dates_asked_for<P: Place>(place: P) {
    let keystore = place.open();
    let held = stage(&keystore).await;
    assert_eq!((held.slot, held.since, held.not_after), (Slot::Pending, NOW, NOT_AFTER));
    assert_eq!(keystore.held().await.unwrap(), (Generation(1), vec![held]));

    let certificates = keystore.certificates(held.thumbprint).await.unwrap();
    let info = certificate::describe(&certificates[0].0).unwrap();
    assert_eq!(certificates.len(), 1);
    assert_eq!(info.thumbprint, held.thumbprint);
    assert_eq!((info.not_before, info.not_after), (NOT_BEFORE, NOT_AFTER));
    assert_eq!((info.subject.as_str(), info.key.bits), ("CN=billing", Some(2048)));
    assert!(info.self_signed);
}

async fn a_key_signs_both_ways<P: Place>(place: P) {
    let keystore = place.open();
    let held = stage(&keystore).await;
    assert_signs(&keystore, held.thumbprint).await;
}

async fn there_is_only_one_pending_key<P: Place>(place: P) {
    let keystore = place.open();
    let held = stage(&keystore).await;
    let second = keystore.stage(NOT_BEFORE, NOT_AFTER, Generation(1), NOW).await;
    assert!(matches!(second, Err(KeystoreError::SlotTaken)), "{second:?}");
    assert_eq!(keystore.held().await.unwrap(), (Generation(1), vec![held]));
}

async fn of_two_stages_at_once_one_wins<P: Place>(place: P) {
    let keystore = place.open();
    let attempt = || keystore.stage(NOT_BEFORE, NOT_AFTER, Generation(0), NOW);
    let (first, second) = tokio::join!(attempt(), attempt());
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    assert_eq!(slots(&keystore).await.len(), 1);
}

async fn a_stage_that_is_given_up_leaves_nothing<P: Place>(place: P) {
    let keystore = place.open();
    let attempt = keystore.stage(NOT_BEFORE, NOT_AFTER, Generation(0), NOW);
    assert!(futures_util::FutureExt::now_or_never(attempt).is_none(), "it waits for its key");
    assert_eq!(keystore.held().await.unwrap(), (Generation(0), Vec::new()));
    stage(&keystore).await;
}

async fn promotion_moves_every_key_one_slot_on<P: Place>(place: P) {
    let keystore = place.open();
    let first = stage(&keystore).await;
    promote(&keystore, first).await;
    let second = stage(&keystore).await;
    promote(&keystore, second).await;
    let (generation, held) = keystore.held().await.unwrap();
    assert_eq!(generation, Generation(4));
    let expected = [
        Held { slot: Slot::Previous, since: LATER, ..first },
        Held { slot: Slot::Current, since: LATER, ..second },
    ];
    assert_eq!(held, expected);
    assert_signs(&keystore, first.thumbprint).await;
    assert_signs(&keystore, second.thumbprint).await;
}

async fn only_a_pending_key_is_promoted<P: Place>(place: P) {
    let keystore = place.open();
    let key = stage(&keystore).await;
    promote(&keystore, key).await;
    let again = keystore.promote(key.thumbprint, Generation(2), LATER).await;
    assert!(matches!(again, Err(KeystoreError::NoSuchKey(k)) if k == key.thumbprint), "{again:?}");
    assert_eq!(slots(&keystore).await, [(key.thumbprint, Slot::Current)]);
}

async fn the_current_key_is_never_discarded<P: Place>(place: P) {
    let keystore = place.open();
    let key = stage(&keystore).await;
    promote(&keystore, key).await;
    let refused = keystore.discard(key.thumbprint, Generation(2)).await;
    assert!(matches!(refused, Err(KeystoreError::NoSuchKey(_))), "{refused:?}");
    assert_signs(&keystore, key.thumbprint).await;
}

async fn a_discarded_key_is_gone<P: Place>(place: P) {
    let keystore = place.open();
    let other_handle = place.open();
    let old = stage(&keystore).await;
    promote(&keystore, old).await;
    let new = stage(&keystore).await;
    promote(&keystore, new).await;
    let abandoned = stage(&keystore).await;
    assert_signs(&other_handle, old.thumbprint).await;

    discard(&keystore, abandoned).await;
    discard(&keystore, old).await;
    assert_eq!(slots(&keystore).await, [(new.thumbprint, Slot::Current)]);
    for keystore in [&keystore, &other_handle] {
        for gone in [old.thumbprint, abandoned.thumbprint] {
            assert_knows_nothing_of(keystore, gone).await;
        }
        assert_signs(keystore, new.thumbprint).await;
    }
}

async fn an_unknown_key_is_refused_by_name<P: Place>(place: P) {
    let keystore = place.open();
    stage(&keystore).await;
    let unknown = certificate::thumbprint(b"no certificate");
    assert_knows_nothing_of(&keystore, unknown).await;
    let promoted = keystore.promote(unknown, Generation(1), NOW).await;
    assert!(matches!(promoted, Err(KeystoreError::NoSuchKey(k)) if k == unknown));
    let discarded = keystore.discard(unknown, Generation(1)).await;
    assert!(matches!(discarded, Err(KeystoreError::NoSuchKey(k)) if k == unknown));
}

async fn assert_knows_nothing_of(keystore: &dyn Keystore, key: Thumbprint) {
    let signature = keystore.sign(key, Algorithm::Rs256, b"").await;
    assert!(matches!(signature, Err(KeystoreError::NoSuchKey(k)) if k == key), "{signature:?}");
    let certificates = keystore.certificates(key).await;
    assert!(matches!(certificates, Err(KeystoreError::NoSuchKey(k)) if k == key));
    let export = keystore.export(key).await;
    assert!(matches!(export, Err(KeystoreError::NoSuchKey(k)) if k == key));
}

async fn who_decided_on_an_older_generation_is_refused<P: Place>(place: P) {
    let keystore = place.open();
    let key = stage(&keystore).await;
    let before = keystore.held().await.unwrap();
    for stale in [Generation(0), Generation(7)] {
        let refusals = [
            keystore.stage(NOT_BEFORE, NOT_AFTER, stale, NOW).await.map(drop),
            keystore.promote(key.thumbprint, stale, NOW).await,
            keystore.discard(key.thumbprint, stale).await,
        ];
        for refusal in refusals {
            let Err(KeystoreError::MovedOn { after, now }) = refusal else {
                panic!("{refusal:?}");
            };
            assert_eq!((after, now), (stale, Generation(1)));
        }
    }
    assert_eq!(keystore.held().await.unwrap(), before);
}

async fn a_lease_keeps_others_from_changing_and_not_from_looking<P: Place>(place: P) {
    let (ours, theirs) = (place.open(), place.open());
    let key = stage(&ours).await;
    let lease = ours.lease().await.unwrap();
    assert_signs(&theirs, key.thumbprint).await;
    let refusals = [
        theirs.lease().await.map(drop),
        theirs.stage(NOT_BEFORE, NOT_AFTER, Generation(1), NOW).await.map(drop),
        theirs.promote(key.thumbprint, Generation(1), NOW).await,
        theirs.discard(key.thumbprint, Generation(1)).await,
    ];
    let ourselves = Some(std::process::id());
    for refusal in refusals {
        assert!(
            matches!(refusal, Err(KeystoreError::Busy { by }) if by == ourselves),
            "{refusal:?}"
        );
    }
    promote(&ours, key).await;
    drop(lease);
    stage(&theirs).await;
}

async fn a_lease_is_given_once<P: Place>(place: P) {
    let keystore = place.open();
    let lease = keystore.lease().await.unwrap();
    assert!(matches!(keystore.lease().await, Err(KeystoreError::Busy { .. })));
    drop(lease);
    drop(keystore.lease().await.unwrap());
    drop(keystore.lease().await.unwrap());
}

async fn a_change_is_seen_by_every_handle<P: Place>(place: P) {
    let (one, other) = (place.open(), place.open());
    let key = stage(&one).await;
    assert_eq!(other.held().await.unwrap(), (Generation(1), vec![key]));
    promote(&other, key).await;
    assert_eq!(slots(&one).await, [(key.thumbprint, Slot::Current)]);
    assert_signs(&one, key.thumbprint).await;
}

async fn an_exported_key_is_the_one_that_signs<P: Place>(place: P) {
    let keystore = place.open();
    let key = stage(&keystore).await;
    let exported = keystore.export(key.thumbprint).await.unwrap().unwrap();
    let leaf = keystore.certificates(key.thumbprint).await.unwrap().remove(0);
    let spki = certificate::describe(&leaf.0).unwrap().spki;
    assert_eq!(RsaKey::from_pkcs8(exported.expose()).unwrap().spki(), spki);
}

async fn larger_keys_are_made_and_sign<P: Place>(_: P) {
    for size in [KeySize::Rsa3072, KeySize::Rsa4096] {
        let place = P::new(size);
        let keystore = place.open();
        let key = stage(&keystore).await;
        let leaf = keystore.certificates(key.thumbprint).await.unwrap().remove(0);
        assert_eq!(certificate::describe(&leaf.0).unwrap().key.bits, Some(size.bits()));
        let signature = keystore.sign(key.thumbprint, Algorithm::Ps256, b"").await.unwrap();
        assert_eq!(signature.len(), size.bits() as usize / 8);
        assert_signs(&keystore, key.thumbprint).await;
    }
}

async fn dates_that_no_certificate_can_bear_are_refused<P: Place>(place: P) {
    let keystore = place.open();
    let beyond = Timestamp(253_402_300_800);
    for (from, until) in [(NOW, beyond), (NOW, NOW - Span::seconds(1))] {
        let refused = keystore.stage(from, until, Generation(0), NOW).await;
        assert!(matches!(refused, Err(KeystoreError::Crypto { .. })), "{refused:?}");
    }
    assert_eq!(keystore.held().await.unwrap(), (Generation(0), Vec::new()));
}

/// A key that people have, with two issuers.
pub(crate) fn brought() -> Imported {
    import_files(&["leaf-bundle.pem"], None).unwrap()
}

/// Another key that people have.
pub(crate) fn brought_another() -> Imported {
    import_files(&["leaf-again.crt", "leaf.key"], None).unwrap()
}

async fn an_imported_key_is_current_and_signs<P: Place>(place: P) {
    let keystore = place.open();
    let brought = brought();
    let held = P::import(&keystore, &brought).await.unwrap();
    let info = brought.info();
    assert_eq!((held.slot, held.since, held.not_after), (Slot::Current, NOW, info.not_after));
    for handle in [&keystore, &place.open()] {
        assert_eq!(handle.held().await.unwrap(), (Generation(1), vec![held]));
        let certificates = handle.certificates(held.thumbprint).await.unwrap();
        assert_eq!(certificates, brought.certificates());
        assert_eq!(certificates.len(), 3);
        assert_signs(handle, held.thumbprint).await;
    }
}

async fn importing_twice_changes_nothing<P: Place>(place: P) {
    let keystore = place.open();
    let first = P::import(&keystore, &brought()).await.unwrap();
    assert_eq!(P::import(&keystore, &brought()).await.unwrap(), first);
    assert_eq!(keystore.held().await.unwrap(), (Generation(1), vec![first]));
}

async fn an_imported_key_never_takes_the_place_of_another<P: Place>(place: P) {
    let keystore = place.open();
    let first = P::import(&keystore, &brought()).await.unwrap();
    let refused = P::import(&keystore, &brought_another()).await;
    assert!(
        matches!(refused, Err(CustodyError::CurrentTaken { current }) if current == first.thumbprint)
    );
    let staged = stage(&keystore).await;
    promote(&keystore, staged).await;
    let refused = P::import(&keystore, &brought()).await;
    let Err(CustodyError::HeldElsewhere { key, slot }) = refused else { panic!("{refused:?}") };
    assert_eq!((key, slot), (first.thumbprint, Slot::Previous));
    assert_eq!(keystore.held().await.unwrap().0, Generation(3));
}

async fn an_imported_key_is_rotated_like_any_other<P: Place>(place: P) {
    let keystore = place.open();
    let old = P::import(&keystore, &brought()).await.unwrap();
    let new = stage(&keystore).await;
    promote(&keystore, new).await;
    assert_signs(&keystore, old.thumbprint).await;
    discard(&keystore, old).await;
    assert_eq!(slots(&keystore).await, [(new.thumbprint, Slot::Current)]);
}

async fn a_key_that_replaces_another_makes_it_a_previous_one<P: Place>(place: P) {
    let keystore = place.open();
    let old = P::replace(&keystore, &brought()).await.unwrap();
    assert_eq!(old.slot, Slot::Current, "there was nothing to replace");
    let pending = stage(&keystore).await;
    let new = P::replace(&keystore, &brought_another()).await.unwrap();
    let expected = [
        (old.thumbprint, Slot::Previous),
        (pending.thumbprint, Slot::Pending),
        (new.thumbprint, Slot::Current),
    ];
    assert_eq!(slots(&keystore).await, expected);
    let (generation, held) = keystore.held().await.unwrap();
    assert_eq!((generation, held[0].since), (Generation(3), LATER));
    for (key, _) in expected {
        assert_signs(&place.open(), key).await;
    }

    assert_eq!(P::replace(&keystore, &brought_another()).await.unwrap(), new);
    let refused = P::replace(&keystore, &brought()).await;
    assert!(matches!(refused, Err(CustodyError::HeldElsewhere { slot: Slot::Previous, .. })));
    assert_eq!(keystore.held().await.unwrap().0, Generation(3), "neither changed anything");
}

async fn an_import_waits_for_no_lease_of_others<P: Place>(place: P) {
    let (ours, theirs) = (place.open(), place.open());
    let lease = theirs.lease().await.unwrap();
    let refused = P::import(&ours, &brought()).await;
    let busy = |error: &CustodyError| {
        matches!(error, CustodyError::Keystore(KeystoreError::Busy { by: Some(_) }))
    };
    assert!(refused.as_ref().is_err_and(busy), "{refused:?}");
    drop(lease);
    P::import(&ours, &brought()).await.unwrap();
}

/// Checks a signature with a certificate, by a road that the keystore does not use.
mod verify {
    use aws_lc_rs::signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    };
    use rollkey::core::Algorithm;
    use x509_parser::prelude::FromDer as _;

    pub(crate) fn verifies(
        leaf: &[u8],
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let (_, leaf) = x509_parser::certificate::X509Certificate::from_der(leaf).unwrap();
        let algorithm: &dyn VerificationAlgorithm = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &leaf.public_key().subject_public_key.data)
            .verify(message, signature)
            .is_ok()
    }
}

macro_rules! contract {
    ($($adapter:ident: $place:ty),+ => $promises:tt) => {
        $(mod $adapter {
            use super::*;
            contract!(@each $place, $promises);
        })+
    };
    (@each $place:ty, { $($promise:ident,)+ }) => {
        $(#[tokio::test]
        async fn $promise() {
            super::$promise(<$place as Place>::new(KeySize::Rsa2048)).await;
        })+
    };
}

contract! {
    files: Folder, memory: MemoryKeystore => {
        a_new_keystore_holds_nothing,
        a_staged_key_is_pending_and_has_exactly_the_dates_asked_for,
        a_key_signs_both_ways,
        there_is_only_one_pending_key,
        of_two_stages_at_once_one_wins,
        a_stage_that_is_given_up_leaves_nothing,
        promotion_moves_every_key_one_slot_on,
        only_a_pending_key_is_promoted,
        the_current_key_is_never_discarded,
        a_discarded_key_is_gone,
        an_unknown_key_is_refused_by_name,
        who_decided_on_an_older_generation_is_refused,
        a_lease_keeps_others_from_changing_and_not_from_looking,
        a_lease_is_given_once,
        a_change_is_seen_by_every_handle,
        an_exported_key_is_the_one_that_signs,
        larger_keys_are_made_and_sign,
        dates_that_no_certificate_can_bear_are_refused,
        an_imported_key_is_current_and_signs,
        importing_twice_changes_nothing,
        an_imported_key_never_takes_the_place_of_another,
        an_imported_key_is_rotated_like_any_other,
        a_key_that_replaces_another_makes_it_a_previous_one,
        an_import_waits_for_no_lease_of_others,
    }
}
