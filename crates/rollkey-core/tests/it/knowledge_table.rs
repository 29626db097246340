//! How well a key is known: what the directory's list and the journal's notes add up to, in words.
//! The rows are a part of `docs/decision-table.md`.

use crate::words::{NOW, span, thumbprint};
use rollkey_core::{
    Audience, Facts, Held, KeyId, Listed, Listing, Note, Observed, Policy, Reading, Registration,
    Sha256Thumbprint, Slot, Standing, Terms, Thumbprint,
};

/// What the list shows; the journal's notes and their age, oldest first; what follows.
pub(crate) type Row = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    // A key that a list shows is there, however old the list.
    ("listed",               "",                                                  "present, unproven, ask 0 now"),
    ("listed",               "staged 1d, sent 1m, refused by 0 20s",              "present, unproven, ask 0 in 40s"),
    ("listed",               "seen 1d, accepted by 0 10m",                        "present, settling, ask 0 in 20m"),
    ("listed",               "seen 1d, accepted by 0 40m, accepted by 0 11m",     "present, settling, ask 0 now"),
    ("listed",               "seen 1d, accepted by 0 40m, accepted by 0 10m",     "present, proven"),
    ("listed twice",         "seen 1d",                                           "present, unproven, ask 0 now"),
    ("listed by identifier", "seen 1d",                                           "present, unproven, ask 0 now"),
    ("listed by certificate","seen 1d",                                           "present, unproven, ask 0 now"),
    ("listed, expired 0s",   "seen 1d, accepted by 0 40m, accepted by 0 10m",     "present, expired"),
    // One that it does not show is gone only if no lag can explain it.
    ("not listed",           "",                                                  "unknown, unproven, ask 0 now"),
    ("not listed",           "seen 29m",                                          "unknown, unproven, ask 0 now"),
    ("not listed",           "seen 30m",                                          "absent, local"),
    ("not listed",           "staged 1m",                                         "absent, local"),
    ("not listed",           "staged 1d, sent 29m",                               "unknown, unproven, ask 0 now"),
    ("not listed",           "staged 1d, sent 30m",                               "absent, local"),
    ("not listed",           "staged 1d, sent 2m, not taken 2m",                  "absent, local"),
    ("not listed",           "staged 1d, sent 20m, sent 2m, not taken 2m",        "unknown, unproven, ask 0 now"),
    ("not listed",           "staged 1d, sent 29m, accepted by 0 20m",            "unknown, settling, ask 0 in 10m"),
    ("not listed",           "staged 1d, sent 29m59s, accepted by 0 31m, accepted by 0 0s", "absent, local"),
    ("other certificate",    "seen 1d",                                           "absent, local"),
    ("not ours",             "seen 1d",                                           "absent, local"),
    // Without a list, the journal's word, and that of the token endpoint.
    ("unreadable",           "",                                                  "unknown, unproven, ask 0 now"),
    ("unreadable",           "seen 1d",                                           "unknown, unproven, ask 0 now"),
    ("unreadable",           "staged 1d",                                         "absent, local"),
    ("unreadable",           "staged 1d, accepted by 0 10m",                      "unknown, settling, ask 0 in 20m"),
    ("unreadable",           "staged 1d, sent 1h",                                "unknown, unproven, ask 0 now"),
    ("unreadable",           "staged 1d, sent 1h, id known",                      "present, unproven, ask 0 now"),
    ("unreadable",           "staged 1d, sent 31m, refused by 0 1m",              "unknown, unproven, ask 0 now"),
    ("unreadable",           "staged 1d, sent 31m, refused by 0 59s",             "absent, local"),
    ("unreadable",           "staged 1d, sent 30m, refused by 0 1s",              "unknown, unproven, ask 0 in 59s"),
    ("unreadable",           "staged 1d, sent 31m, id known, refused by 0 59s",   "absent, local"),
    ("unreadable",           "seen 31m, refused by 0 59s",                        "absent, local"),
    ("unreadable",           "seen 1d, accepted by 0 40m, accepted by 0 10m, refused by 0 20s", "absent, local"),
    ("unreadable",           "seen 1d, refused by 0 40s, accepted by 0 20s",      "unknown, settling, ask 0 in 29m40s"),
    // What was said before the last call was said of another registration.
    ("listed",               "seen 1d, accepted by 0 2h, accepted by 0 1h, sent 5m", "present, unproven, ask 0 now"),
    ("listed, previous",     "seen 1d, sent 10m, accepted by 0 5m",               "present, unproven, ask 0 in 20m"),
    ("listed, previous",     "seen 1d, sent 30m, accepted by 0 5m",               "present, settling, ask 0 in 25m"),
    // To an expired key everybody says no, and nobody registers it.
    ("unreadable, expired 1d", "seen 9d, id known, refused by 0 30s",             "present, expired"),
    ("unreadable, left 4m2s",  "seen 9d, id known, refused by 0 59s",             "absent, local"),
    ("unreadable, left 4m1s",  "seen 9d, id known, refused by 0 59s",             "present, unproven, ask 0 in 1s"),
    ("unreadable, expired 1d", "seen 9d, id known, sent 2d",                      "present, expired"),
    ("unreadable, expired 1d", "seen 9d, id known, sent 1d",                      "absent, expired"),
    ("unreadable, expired 1h", "seen 9d, id known, sent 29m",                     "present, expired"),
];

#[test]
fn every_row_holds() {
    let wrong: Vec<_> = ROWS
        .iter()
        .map(|row @ (list, journal, _)| (row, known(list, journal)))
        .filter(|((_, _, expected), known)| expected != known)
        .map(|((list, journal, expected), known)| {
            format!("{list}; {journal}\n  expected  {expected}\n  known     {known}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn known(list: &str, journal: &str) -> String {
    let key = thumbprint(1);
    let policy = Policy::new(Terms::default()).expect("sound");
    let since = NOW - span("40d");
    let mut held =
        Held { thumbprint: key, slot: Slot::Current, since, not_after: NOW + span("60d") };
    let mut listing = Listing::Unreadable;
    for word in list.split(", ") {
        match word.split_once(' ') {
            Some(("expired", ago)) => held.not_after = NOW - span(ago),
            Some(("left", left)) => held.not_after = NOW + span(left),
            _ if word == "previous" => held.slot = Slot::Previous,
            _ => listing = shown(word, key),
        }
    }
    let reading = Reading { held: vec![held], listing, ..Reading::default() };
    let seen = Observed::assemble(reading, &facts(journal, key), &policy, NOW);
    let credential = seen.credentials().next().expect("held");
    let registration = match credential.registration {
        Registration::Absent => "absent",
        Registration::Present(id) => {
            assert_eq!(id, key_id(1), "the entry of another key");
            "present"
        }
        Registration::Unknown => "unknown",
    };
    let asked = |at: rollkey_core::Timestamp, audience: Audience| match at <= NOW {
        true => format!("ask {} now", audience.0),
        false => format!("ask {} in {}", audience.0, at.since(NOW)),
    };
    let standing = match credential.standing(&policy, NOW) {
        Standing::Expired => "expired".into(),
        Standing::Local => "local".into(),
        Standing::Unproven(at, audience) => format!("unproven, {}", asked(at, audience)),
        Standing::Settling(at, audience) => format!("settling, {}", asked(at, audience)),
        Standing::Proven => "proven".into(),
    };
    format!("{registration}, {standing}")
}

fn key_id(n: u8) -> KeyId {
    KeyId::from_bytes([n; 16])
}

fn shown(word: &str, key: Thumbprint) -> Listing {
    let other = thumbprint(2);
    let entry = |n, sha1, sha256| Listed { key_id: key_id(n), sha1, sha256 };
    let foreign = entry(9, Some(other.sha1), Some(other.sha256));
    let plain = entry(1, Some(key.sha1), None);
    let entries = match word {
        "unreadable" => return Listing::Unreadable,
        "listed" | "listed by identifier" => vec![foreign, plain],
        "listed by certificate" => vec![foreign, entry(1, None, Some(key.sha256))],
        "listed twice" => vec![plain, entry(2, Some(key.sha1), None), foreign],
        "not listed" => vec![foreign],
        // It bears our thumbprint as a name that somebody chose, and is another certificate.
        "other certificate" => vec![entry(9, Some(key.sha1), Some(Sha256Thumbprint([7; 32])))],
        "not ours" => vec![entry(9, None, None)],
        other => panic!("what is {other}?"),
    };
    Listing::Read(entries)
}

fn facts(journal: &str, key: Thumbprint) -> Facts {
    let mut facts = Facts::default();
    for note in journal.split(", ").filter(|note| !note.is_empty()) {
        let words: Vec<_> = note.split(' ').collect();
        let by = |n: &str| Audience(n.parse().expect("a number"));
        let (note, age) = match *words.as_slice() {
            ["seen", age] => (Note::Seen(key), age),
            ["staged", age] => (Note::Staged(key), age),
            ["sent", age] => (Note::Sent(key), age),
            ["not", "taken", age] => (Note::NotTaken(key), age),
            ["id", "known"] => (Note::Registered(key, key_id(1)), "0s"),
            ["accepted", "by", n, age] => (Note::Accepted(key, by(n)), age),
            ["refused", "by", n, age] => (Note::Refused(key, by(n)), age),
            ref other => panic!("what is {other:?}?"),
        };
        facts.add(note, NOW - span(age));
    }
    facts
}
