//! The decision: how long it takes, and what it asks of the allocator.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod support;

use rollkey_core::{
    Audience, Decision, Delivered, Facts, Generation, Held, KeyId, Listed, Listing, Note, Observed,
    Policy, Reading, Sha1Thumbprint, Sha256Thumbprint, Slot, Span, Thumbprint, Timestamp, decide,
};
use std::hint::black_box;
use support::{measured, take_turns, time};

const NOW: Timestamp = Timestamp(1_800_000_000);
const ROUNDS: usize = 301;
const CALLS: u32 = 10_000;

fn main() {
    if !support::asked_for() {
        return;
    }
    let policy = Policy::default();
    let (resting, resting_facts) = world(&[(Slot::Current, 1)]);
    let (overlapping, facts) = world(&[(Slot::Current, 2), (Slot::Previous, 1)]);
    let at_rest = Observed::assemble(resting, &resting_facts, &policy, NOW);
    let in_overlap = Observed::assemble(overlapping.clone(), &facts, &policy, NOW);
    for (seen, what) in [(&at_rest, "at rest"), (&in_overlap, "in the overlap")] {
        println!("{what}: {:?}", decide(seen, &policy, NOW));
        assert!(matches!(decide(seen, &policy, NOW), Decision::Wait(..)), "a situation that lasts");
    }

    let repeat = |work: &dyn Fn()| (0..CALLS).for_each(|_| work());
    let rest = || _ = black_box(decide(black_box(&at_rest), black_box(&policy), black_box(NOW)));
    let overlap =
        || _ = black_box(decide(black_box(&in_overlap), black_box(&policy), black_box(NOW)));
    let assemble =
        || _ = black_box(Observed::assemble(overlapping.clone(), &facts, &policy, black_box(NOW)));
    let samples = take_turns(
        ROUNDS,
        &mut [&mut || repeat(&rest), &mut || repeat(&overlap), &mut || repeat(&assemble)],
    );
    let works: [(&str, &dyn Fn()); 3] = [
        ("`decide`, one key at rest", &rest),
        ("`decide`, two keys in the overlap", &overlap),
        ("`Observed::assemble` of two keys, its input copied", &assemble),
    ];
    for ((what, work), samples) in works.into_iter().zip(&samples) {
        let allocated = allocation_counter::measure(work).count_total;
        let each = time(samples.median() / f64::from(CALLS));
        let allocations = if allocated == 1 { "allocation" } else { "allocations" };
        measured(what, format!("{each}, {allocated} {allocations}"), "");
    }
}

/// What is seen of these keys, each proven long ago, delivered to one sink a moment ago.
fn world(keys: &[(Slot, u8)]) -> (Reading, Facts) {
    let mut facts = Facts::default();
    let mut held = Vec::new();
    let mut listed = Vec::new();
    for (slot, n) in keys {
        let thumbprint =
            Thumbprint { sha1: Sha1Thumbprint([*n; 20]), sha256: Sha256Thumbprint([*n; 32]) };
        let ago = |days| NOW - Span::days(days);
        facts.add(Note::Staged(thumbprint), ago(9));
        facts.add(Note::Sent(thumbprint), ago(9));
        facts.add(Note::Accepted(thumbprint, Audience(0)), ago(8));
        facts.add(Note::Accepted(thumbprint, Audience(0)), ago(7));
        let not_after = NOW + Span::days(80);
        held.push(Held { thumbprint, slot: *slot, since: ago(6), not_after });
        listed.push(Listed {
            key_id: format!("0f3c5d2e-1111-4222-8333-9444455556{n:02}").parse::<KeyId>().unwrap(),
            sha1: Some(thumbprint.sha1),
            sha256: Some(thumbprint.sha256),
        });
    }
    let key = held[0].thumbprint;
    let delivered = vec![Some(Delivered { key, since: NOW - Span::hours(1) })];
    let listing = Listing::Read(listed);
    (Reading { generation: Generation(5), held, delivered, listing }, facts)
}
