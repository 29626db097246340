//! Troubles that do not end. Whatever keeps failing, the next rotation begins in time, reaches
//! every consumer that can be reached, and locks nobody out.

use super::effects::Fate;
use super::histories::one_of_each;
use super::look::Read;
use super::run::Run;
use super::world::World;
use rollkey_core::{Decision, SinkId, Slot, Span, Step};

/// What happens to each step of some kind, for ever.
type Trouble = fn(Step) -> Option<Fate>;

/// Lives through three rotations. A step that fails is tried again a minute later, as after a restart.
fn live_with(trouble: Trouble, read: Read) -> World {
    let run = Run { most_keys: usize::MAX, ..one_of_each() };
    let mut world = World::new(&run.policy, 2, Span::days(40)).knowing_its_entry();
    // What its consumers hold may expire when it cannot be served.
    world.sinks[0].was_down = true;
    let end = world.now + Span::days(180);
    let overlap = run.policy.terms().overlap;
    while world.now < end {
        match run.decide(&mut world, read, run.login()) {
            Decision::Act(step, _) => match trouble(step) {
                None => world.carry_out(step, Fate::Done, false),
                Some(fate) => {
                    world.carry_out(step, fate, false);
                    world.pass(world.now + Span::minutes(1));
                }
            },
            Decision::Blocked(why) => panic!("blocked: {why:?}\n{world:?}"),
            wait => pass(&run, &mut world, wait),
        }
        world.forget(overlap);
        if let Err(broken) = run.keeps_promises(&world) {
            panic!("{broken}\n{world:?}");
        }
    }
    assert_eq!(world.promotions, 3, "{world:?}");
    world
}

/// No wait is longer than until the renewal: that is checked here.
fn pass(run: &Run, world: &mut World, wait: Decision) {
    run.wait(world, wait).unwrap_or_else(|broken| panic!("{broken}\n{world:?}"));
}

fn previous_keys(world: &World) -> usize {
    world.held.iter().filter(|held| held.slot == Slot::Previous).count()
}

#[test]
fn a_list_that_is_never_read_leaves_nothing_behind() {
    let world = live_with(|_| None, Read::Unreadable);
    assert!(previous_keys(&world) <= 1);
}

#[test]
fn a_list_that_is_always_old_leaves_nothing_behind() {
    let world = live_with(|_| None, Read::Stale);
    assert!(previous_keys(&world) <= 1);
}

#[test]
fn removals_that_are_refused_do_not_keep_us_from_renewing() {
    let refused = |step| matches!(step, Step::Remove { .. }).then_some(Fate::Conflict);
    live_with(refused, Read::Fresh);
}

#[test]
fn removals_that_are_lost_do_not_keep_us_from_renewing() {
    let lost = |step| matches!(step, Step::Remove { .. }).then_some(Fate::CrashMidway);
    live_with(lost, Read::Fresh);
    live_with(lost, Read::Unreadable);
}

#[test]
fn private_keys_that_cannot_be_destroyed_do_not_keep_us_from_renewing() {
    let fails = |step| matches!(step, Step::Discard { .. }).then_some(Fate::StallBefore);
    live_with(fails, Read::Fresh);
}

#[test]
fn a_sink_that_fails_holds_back_neither_renewals_nor_the_other_sink() {
    for fate in [Fate::FailBefore, Fate::FailMidway] {
        let fails: Trouble = match fate {
            Fate::FailBefore => |step| to_the_first(step).then_some(Fate::FailBefore),
            _ => |step| to_the_first(step).then_some(Fate::FailMidway),
        };
        let world = live_with(fails, Read::Fresh);
        // Those that have expired go all the same.
        assert!(previous_keys(&world) <= 2);
    }
}

#[test]
fn a_sink_that_kills_us_holds_back_no_renewals() {
    // The other sink comes after it, and cannot be reached.
    let run = Run { most_keys: usize::MAX, ..one_of_each() };
    let mut world = World::new(&run.policy, 1, Span::days(40)).knowing_its_entry();
    let end = world.now + Span::days(180);
    while world.now < end {
        match run.decide(&mut world, Read::Fresh, run.login()) {
            Decision::Act(step @ Step::Deliver { .. }, _) => {
                world.carry_out(step, Fate::CrashMidway, false);
                world.pass(world.now + Span::minutes(1));
            }
            Decision::Act(step, _) => world.carry_out(step, Fate::Done, false),
            wait => pass(&run, &mut world, wait),
        }
        world.forget(run.policy.terms().overlap);
    }
    assert_eq!(world.promotions, 3);
}

fn to_the_first(step: Step) -> bool {
    matches!(step, Step::Deliver { to: SinkId(0), .. })
}
