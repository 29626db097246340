//! What is made of a refused proof, and in which order.

use rollkey_core::{
    Algorithm, AppId, Evidence, KeyId, ObjectId, Registration, Span, Suspicion, Timestamp, diagnose,
};

const NOW: Timestamp = Timestamp(1_800_000_000);

fn key_id(n: u8) -> KeyId {
    KeyId::from_bytes([n; 16])
}

/// Nothing is suspicious.
fn innocent() -> Evidence {
    Evidence {
        object: ObjectId::from_bytes([1; 16]),
        app: Some(AppId::from_bytes([2; 16])),
        algorithm: Algorithm::Rs256,
        clocks: Some((NOW, NOW)),
        signer_not_after: NOW + Span(1),
        signer_registration: Registration::Present(key_id(1)),
        signer_sent_at: Some(NOW - Span::minutes(30)),
        signer_signs_in: Some(true),
        removing: Some((key_id(2), Some(key_id(1)))),
        propagation: Span::minutes(30),
    }
}

fn check(change: impl FnOnce(&mut Evidence), expected: &[Suspicion]) {
    let mut evidence = innocent();
    change(&mut evidence);
    assert_eq!(diagnose(&evidence, NOW), expected, "{evidence:?}");
}

#[test]
fn each_suspicion_has_its_evidence() {
    use Suspicion::*;
    let clocks = |theirs, ours| move |e: &mut Evidence| e.clocks = Some((theirs, ours));
    check(|_| (), &[Unexplained]);
    check(|e| e.app = Some(AppId::from_bytes([1; 16])), &[AppIdForObjectId]);
    check(|e| e.app = None, &[Unexplained]);
    check(|e| e.removing = Some((key_id(1), Some(key_id(1)))), &[RemovesItself]);
    check(|e| e.removing = Some((key_id(1), None)), &[Unexplained]);
    check(|e| e.removing = None, &[Unexplained]);
    check(clocks(NOW, NOW + Span(151)), &[ClockAhead(Span(151))]);
    check(clocks(NOW, NOW + Span(150)), &[Unexplained]);
    check(clocks(NOW, NOW - Span(151)), &[ClockBehind(Span(151))]);
    check(clocks(NOW, NOW - Span(150)), &[Unexplained]);
    check(|e| e.clocks = None, &[Unexplained]);
    check(|e| e.signer_not_after = NOW, &[SignerExpired]);
    check(|e| e.signer_sent_at = Some(NOW - Span(1799)), &[SignerTooFresh(Span(1799))]);
    check(|e| e.signer_sent_at = None, &[Unexplained]);
    check(|e| e.algorithm = Algorithm::Ps256, &[UnusualAlgorithm]);
    check(|e| e.signer_registration = Registration::Unknown, &[OtherObject]);
    check(|e| e.signer_registration = Registration::Absent, &[SignerNotRegistered, OtherObject]);
    for signs_in in [Some(false), None] {
        check(
            |e| (e.signer_registration, e.signer_signs_in) = (Registration::Absent, signs_in),
            &[SignerNotRegistered],
        );
    }
}

#[test]
fn the_likeliest_comes_first() {
    use Suspicion::*;
    let everything = |e: &mut Evidence| {
        *e = Evidence {
            app: Some(AppId::from_bytes([1; 16])),
            algorithm: Algorithm::Ps256,
            clocks: Some((NOW, NOW + Span::minutes(4))),
            signer_not_after: NOW - Span(1),
            signer_registration: Registration::Absent,
            signer_sent_at: Some(NOW),
            removing: Some((key_id(1), Some(key_id(1)))),
            ..e.clone()
        };
    };
    check(
        everything,
        &[
            AppIdForObjectId,
            RemovesItself,
            ClockAhead(Span::minutes(4)),
            SignerExpired,
            SignerNotRegistered,
            SignerTooFresh(Span(0)),
            UnusualAlgorithm,
            OtherObject,
        ],
    );
}

#[test]
fn each_suspicion_says_what_to_look_at() {
    use Suspicion::*;
    let check = |suspicion: Suspicion, says: &str| assert_eq!(suspicion.to_string(), says);
    check(
        AppIdForObjectId,
        "the application ID stands where the object ID belongs: use `id`, not `appId`",
    );
    check(RemovesItself, "the proof is signed by the key that it removes: sign with another key");
    check(ClockAhead(Span(200)), "this machine's clock is 3m20s ahead: the proof is not valid yet");
    check(
        ClockBehind(Span(200)),
        "this machine's clock is 3m20s behind: the proof had already expired",
    );
    check(SignerExpired, "the signing certificate has expired");
    check(SignerNotRegistered, "the signing key is not registered on this object");
    check(
        SignerTooFresh(Span(60)),
        "the signing key was registered only 1m ago: not every replica knows it yet",
    );
    check(
        UnusualAlgorithm,
        "proofs are known to be accepted with RS256 only: set `proof-algorithm = \"RS256\"`",
    );
    check(
        OtherObject,
        "the signing key signs in, so it is registered, but perhaps on the service principal \
         instead of the application or the other way round",
    );
    check(Unexplained, "nothing on this side explains it");
}
