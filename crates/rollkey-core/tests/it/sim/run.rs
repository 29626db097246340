//! One run: from where, how far, and what may go wrong on the way; and what each turn of it does.

use super::accidents::{Base, Outage};
use super::effects::Fate;
use super::look::{Answer, Login, Read};
use super::promises::Broken;
use super::world::{Clock, World, number};
use rollkey_core::{Decision, Observed, Policy, Reason, SinkId, Slot, Span, Timestamp};

/// What may go wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A stale or unreadable list.
    Reads,
    Crashes,
    Stalls,
    Journal,
    Administrator,
    /// Another writer on the same object.
    Foreign,
    Clock,
    Sinks,
    /// Nobody looks for a while.
    Absence,
}

/// One run: from where, how far, and what may go wrong on the way.
pub(super) struct Run {
    pub(super) name: &'static str,
    pub(super) policy: Policy,
    pub(super) start: World,
    pub(super) rotations: u8,
    pub(super) may: &'static [Fault],
    /// Whether each look signs in anew, or a token is kept.
    pub(super) signs_in: bool,
    /// Whether we may never read the list.
    pub(super) unreadable: bool,
    pub(super) most_keys: usize,
}

/// One turn of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Look(Read, Login, Fate, Answer),
    /// The stalled worker goes on.
    Wake(Answer),
    JournalLost,
    CurrentRemoved,
    Patched(Base),
    ForeignWrite,
    ClockSet(Clock),
    SinkBreaks(SinkId, Outage),
    NobodyLooks(Span),
}

impl Run {
    /// The next turn is a look: what would we do?
    pub(super) fn decide(&self, world: &mut World, read: Read, login: Login) -> Decision {
        let reading = world.look(read, login, &self.policy);
        let now = world.clock();
        let seen = Observed::assemble(reading, &world.journal, &self.policy, now);
        rollkey_core::decide(&seen, &self.policy, now)
    }

    /// Lets the time pass until our clock shows the end of a wait. While a sink is out of order,
    /// nobody looks in between.
    pub(super) fn wait(&self, world: &mut World, decision: Decision) -> Result<(), Broken> {
        let Decision::Wait(until, why) = decision else { return Ok(()) };
        if until <= world.clock() {
            return Err(format!("waits for the past: {why:?}"));
        }
        let due = self.due(world);
        let rotating = world.held.iter().any(|h| h.slot == Slot::Pending);
        if !rotating && due.is_some_and(|due| world.clock() < due && due < until) {
            return Err(format!("waits beyond the renewal: {why:?}"));
        }
        let mut then = world.when_clock_shows(until);
        if !rotating
            && why == Reason::SinkFailing
            && world
                .current()
                .is_some_and(|held| world.accepted_everywhere(number(held.thumbprint)))
            && let Some(mended) = world.next_mended()
        {
            let due = due.map(|due| world.when_clock_shows(due)).filter(|due| world.now < *due);
            then = then.max(due.map_or(mended, |due| mended.min(due)));
        }
        self.pass(world, then)
    }

    /// Lets time pass, and looks at the promises whenever a certificate expires meanwhile.
    fn pass(&self, world: &mut World, then: Timestamp) -> Result<(), Broken> {
        let mut expiries: Vec<_> = world.certificates.iter().map(|c| c.not_after).collect();
        expiries.retain(|at| world.now < *at && *at < then);
        for at in expiries {
            let mut meanwhile = world.clone();
            meanwhile.pass(at);
            self.keeps_promises(&meanwhile)
                .map_err(|broken| format!("{broken}, {} later", at.since(world.now)))?;
        }
        world.pass(then);
        Ok(())
    }

    pub(super) fn keeps_promises(&self, world: &World) -> Result<(), Broken> {
        world.keeps_promises(self.policy.terms().overlap, self.most_keys)
    }

    fn due(&self, world: &World) -> Option<Timestamp> {
        world.current().map(|held| held.not_after - self.policy.terms().renew_before)
    }

    /// One turn, in which anything may go wrong. `None` where it cannot be taken.
    pub(super) fn take(&self, world: &World, turn: Turn) -> Result<Option<World>, Broken> {
        let next = match turn {
            Turn::Look(read, login, fate, answer) => {
                let mut next = world.clone();
                match self.decide(&mut next, read, login) {
                    Decision::Act(step, _) => next.carry_out(step, fate, answer.is_slow()),
                    decision => self.wait(&mut next, decision)?,
                }
                Some(next)
            }
            Turn::Wake(answer) => {
                let mut next = world.clone();
                next.wake(answer.is_slow());
                Some(next)
            }
            Turn::JournalLost => world.lose_journal(),
            Turn::CurrentRemoved => world.remove_current(),
            Turn::Patched(base) => world.patch(base),
            Turn::ForeignWrite => {
                let mut next = world.clone();
                next.foreign_write();
                Some(next)
            }
            Turn::ClockSet(clock) => world.set_clock(clock),
            Turn::SinkBreaks(id, outage) => world.break_sink(id, outage, &self.policy),
            Turn::NobodyLooks(span) => {
                let mut next = world.clone();
                next.was_away = true;
                self.pass(&mut next, world.now + span)?;
                Some(next)
            }
        };
        Ok(next.map(|mut next| {
            next.forget(self.policy.terms().overlap);
            next
        }))
    }

    /// What can go wrong at this moment, besides at the next look.
    pub(super) fn accidents(&self, world: &World) -> Vec<Turn> {
        let mut turns = Vec::new();
        let sinks = (0..).map(SinkId).take(world.sinks.len());
        for fault in self.may {
            match fault {
                Fault::Journal => turns.push(Turn::JournalLost),
                Fault::Administrator => turns.push(Turn::CurrentRemoved),
                Fault::Foreign => turns.extend([
                    Turn::ForeignWrite,
                    Turn::Patched(Base::Lagging),
                    Turn::Patched(Base::JustBefore),
                ]),
                Fault::Clock => {
                    turns.extend([Clock::Behind, Clock::Right, Clock::Ahead].map(Turn::ClockSet));
                }
                Fault::Sinks => turns.extend(sinks.clone().flat_map(|id| {
                    [Outage::Minutes, Outage::LongerThanARotation]
                        .map(|outage| Turn::SinkBreaks(id, outage))
                })),
                Fault::Absence => {
                    turns.extend([Span::minutes(7), Span::days(2)].map(Turn::NobodyLooks));
                }
                Fault::Reads | Fault::Crashes | Fault::Stalls => (),
            }
        }
        turns
    }

    /// How a look begins when nothing goes wrong.
    pub(super) fn login(&self) -> Login {
        match self.signs_in {
            true => Login::New(Answer::Quick),
            false => Login::Kept,
        }
    }

    pub(super) fn may(&self, fate: Fate) -> bool {
        let needs = match fate {
            Fate::Done => return true,
            Fate::CrashMidway | Fate::CrashAfter => Fault::Crashes,
            Fate::Conflict => Fault::Foreign,
            Fate::FailBefore | Fate::FailMidway => Fault::Sinks,
            Fate::StallBefore | Fate::StallMidway => Fault::Stalls,
        };
        self.may.contains(&needs)
    }

    pub(super) fn reads(&self, faults: u8) -> &'static [Read] {
        match self.may.contains(&Fault::Reads) && 0 < faults {
            _ if self.unreadable => &[Read::Unreadable],
            true => &[Read::Fresh, Read::Stale, Read::Unreadable],
            false => &[Read::Fresh],
        }
    }

    /// How the list is read when nothing goes wrong.
    pub(super) fn read(&self) -> Read {
        match self.unreadable {
            true => Read::Unreadable,
            false => Read::Fresh,
        }
    }
}
