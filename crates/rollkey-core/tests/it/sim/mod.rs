//! Every history, not a lucky one.

mod accidents;
mod effects;
mod explorer;
mod fingerprint;
mod promises;
mod story;
mod world;

use explorer::{EVERYTHING, Run};
use rollkey_core::{MAX_CLOCK_ERROR, Policy, Span, Terms};
use world::{LAG, World};

fn terms() -> Terms {
    let patience = LAG + MAX_CLOCK_ERROR.twice();
    Terms {
        renew_before: Span::days(30),
        lifetime: Span::days(90),
        propagation: patience,
        settle: patience,
        overlap: Span::days(1),
        poll: Span::minutes(10),
        audiences: 1,
    }
}

#[test]
fn try_it() {
    let policy = Policy::new(Terms { audiences: 1, ..terms() }).unwrap();
    let start = World::new(&policy, 1, Span::days(20));
    let faults = std::env::var("FAULTS").map_or(1, |f| f.parse().unwrap());
    Run { name: "everything", policy, start, rotations: 1, may: EVERYTHING, most_keys: 3 }
        .explore(faults);
}
