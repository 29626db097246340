//! One look: how readings and facts are joined.

use crate::words::{NOW, thumbprint};
use rollkey_core::{
    Delivered, Facts, Generation, Held, KeyFacts, Note, Observed, Policy, Reading, SinkId,
    SinkState, Slot, Span,
};

fn held(n: u8, slot: Slot) -> Held {
    let since = NOW - Span::days(n.into());
    Held { thumbprint: thumbprint(n), slot, since, not_after: NOW + Span::days(n.into()) }
}

#[test]
fn every_key_comes_to_its_slot() {
    let all = [
        held(1, Slot::Previous),
        held(2, Slot::Current),
        held(3, Slot::Pending),
        held(4, Slot::Previous),
    ];
    let reading = Reading { generation: Generation(7), held: all.to_vec(), ..Reading::default() };
    let seen = Observed::assemble(reading, &Facts::default(), &Policy::default(), NOW);
    assert_eq!(seen.generation, Generation(7));
    assert_eq!(seen.pending.as_ref().map(|c| c.held), Some(all[2]));
    assert_eq!(seen.current.as_ref().map(|c| c.held), Some(all[1]));
    assert!(seen.previous.iter().map(|c| c.held).eq([all[0], all[3]]));
    assert!(seen.credentials().map(|c| c.held).eq([all[1], all[2], all[0], all[3]]));
    assert!(seen.provers().map(|c| c.held).eq([all[1], all[0], all[3]]));
}

#[test]
fn of_a_key_that_the_journal_has_not_heard_of_nothing_is_known_before_now() {
    let mut facts = Facts::default();
    facts.add(Note::Staged(thumbprint(1)), NOW - Span::days(1));
    let all = vec![held(1, Slot::Current), held(2, Slot::Previous)];
    let reading = Reading { held: all, ..Reading::default() };
    let seen = Observed::assemble(reading, &facts, &Policy::default(), NOW);
    let staged = KeyFacts { staged: true, ..KeyFacts::new(NOW - Span::days(1)) };
    assert_eq!(seen.current.map(|c| c.facts), Some(staged));
    assert_eq!(seen.previous[0].facts, KeyFacts::new(NOW));
}

#[test]
fn each_sink_is_joined_with_its_own_failure() {
    let mut facts = Facts::default();
    facts.add(Note::DeliveryFailed(SinkId(1)), NOW);
    let delivered = Some(Delivered { key: thumbprint(1), since: NOW - Span::days(1) });
    let reading = Reading { delivered: vec![delivered, None, delivered], ..Reading::default() };
    let seen = Observed::assemble(reading, &facts, &Policy::default(), NOW);
    let fine = SinkState { delivered, failed_at: None };
    assert_eq!(seen.sinks, [fine, SinkState { delivered: None, failed_at: Some(NOW) }, fine]);
}
