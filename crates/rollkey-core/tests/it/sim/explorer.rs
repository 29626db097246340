//! Walks every history. It does not draw lots: at every look it tries each answer, at every step
//! each fate, and at every moment each accident, as long as there are faults left to spend.
//!
//! States that were seen before, with as many faults left, are not walked again. They are kept as
//! hashes of 64 bits: among two million states, some two are taken for each other, and a fault
//! behind them is overlooked, with odds of one to nine million.

use super::accidents::{Base, Outage};
use super::effects::Fate;
use super::fingerprint::{Fingerprints, fingerprint};
use super::promises::Broken;
use super::world::{Answer, Clock, Login, Read, World, number};
use rollkey_core::{Decision, Observed, Policy, Reason, SinkId, Slot, Span, Step, Timestamp};
use std::collections::{HashMap, HashSet};

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

#[derive(Debug)]
pub(super) struct Stats {
    pub(super) states: usize,
    pub(super) turns: u64,
}

struct Explorer<'a> {
    run: &'a Run,
    /// With how many faults left a state was walked.
    walked: HashMap<u64, u8, Fingerprints>,
    /// States from which the quiet way is known to end well.
    ends_well: HashSet<u64, Fingerprints>,
    path: Vec<Turn>,
    turns: u64,
}

/// How many turns it may take to come to rest, once nothing goes wrong any more.
const MOST_TURNS_TO_REST: usize = 60;

/// How many steps may follow each other at one instant.
const MOST_STEPS_AT_ONCE: usize = 16;

impl Run {
    /// Walks all histories with up to so many faults.
    ///
    /// Panics with the history that breaks a promise, one with the fewest faults.
    #[expect(clippy::print_stderr, reason = "how much was walked is worth a line")]
    #[expect(clippy::disallowed_methods, reason = "and how long it took")]
    pub(super) fn explore(&self, faults: u8) {
        let started = std::time::Instant::now();
        match self.walk(faults) {
            Ok(Stats { states, turns }) => eprintln!(
                "{}, {faults} faults: {states} states, {turns} turns, {:.1} s",
                self.name,
                started.elapsed().as_secs_f32(),
            ),
            Err(story) => {
                let fewer = (0..faults).find_map(|fewer| self.walk(fewer).err());
                panic!("{}\n{}", self.name, fewer.unwrap_or(story));
            }
        }
    }

    /// Walks all histories. The error is the story of one that breaks a promise.
    pub(super) fn walk(&self, faults: u8) -> Result<Stats, String> {
        let mut explorer = Explorer {
            run: self,
            walked: HashMap::default(),
            ends_well: HashSet::default(),
            path: Vec::new(),
            turns: 0,
        };
        match explorer.walk(self.start.clone(), faults) {
            Ok(()) => Ok(Stats { states: explorer.walked.len(), turns: explorer.turns }),
            Err(broken) => Err(super::story::tell(self, &explorer.path, &broken)),
        }
    }

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
    fn accidents(&self, world: &World) -> Vec<Turn> {
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

    fn may(&self, fate: Fate) -> bool {
        let needs = match fate {
            Fate::Done => return true,
            Fate::CrashMidway | Fate::CrashAfter => Fault::Crashes,
            Fate::Conflict => Fault::Foreign,
            Fate::FailBefore | Fate::FailMidway => Fault::Sinks,
            Fate::StallBefore | Fate::StallMidway => Fault::Stalls,
        };
        self.may.contains(&needs)
    }

    fn reads(&self, faults: u8) -> &'static [Read] {
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

impl Explorer<'_> {
    fn walk(&mut self, world: World, faults: u8) -> Result<(), Broken> {
        let id = fingerprint(&world);
        match self.walked.get(&id) {
            Some(left) if faults <= *left => return Ok(()),
            Some(_) => (),
            None => {
                self.run.keeps_promises(&world)?;
                if !self.ends_well.contains(&id) {
                    self.ends_well(&world)?;
                }
            }
        }
        self.walked.insert(id, faults);

        let logins: &[Login] = match self.run.signs_in {
            false => &[Login::Kept],
            true if world.login_varies() => &[Login::New(Answer::Quick), Login::New(Answer::Slow)],
            true => &[Login::New(Answer::Quick)],
        };
        for read in self.run.reads(faults) {
            for login in logins {
                let cost = u8::from(*read != self.run.read());
                self.look(&world, *read, *login, faults - cost)?;
            }
        }
        if let Some(stalled) = world.stalled
            && !world.blind(stalled.step, stalled.decided, Read::Stale)
        {
            for answer in answers(&world, stalled.step) {
                self.turn(&world, Turn::Wake(*answer), faults)?;
            }
        }
        if 0 < faults {
            for accident in self.run.accidents(&world) {
                self.turn(&world, accident, faults - 1)?;
            }
        }
        Ok(())
    }

    fn look(&mut self, world: &World, read: Read, login: Login, faults: u8) -> Result<(), Broken> {
        let done = self.run.rotations <= world.promotions;
        let quietly = Turn::Look(read, login, Fate::Done, Answer::Quick);
        let mut looked = world.clone();
        match self.run.decide(&mut looked, read, login) {
            Decision::Wait(_, Reason::Healthy) if done => Ok(()),
            decision @ Decision::Wait(..) => {
                self.path.push(quietly);
                self.run.wait(&mut looked, decision)?;
                self.follow(looked, faults)
            }
            Decision::Blocked(why) => {
                self.path.push(quietly);
                Err(format!("blocked: {why:?}"))
            }
            Decision::Act(step, _) if world.blind(step, world.now, read) => Ok(()),
            Decision::Act(Step::Register { key, .. } | Step::Remove { key, .. }, _)
                if world.written.iter().any(|(of, _)| *of == key) =>
            {
                self.path.push(quietly);
                Err("writes again before the directory can show what was written".into())
            }
            Decision::Act(step, _) => {
                for fate in Fate::of(step).iter().filter(|fate| self.run.may(**fate)) {
                    let cost = u8::from(*fate != Fate::Done);
                    if faults < cost {
                        continue;
                    }
                    for answer in answers(world, step) {
                        let mut next = looked.clone();
                        next.carry_out(step, *fate, answer.is_slow());
                        self.path.push(Turn::Look(read, login, *fate, *answer));
                        self.follow(next, faults - cost)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// A turn that is no look.
    fn turn(&mut self, world: &World, turn: Turn, faults: u8) -> Result<(), Broken> {
        match self.run.take(world, turn)? {
            Some(next) => {
                self.path.push(turn);
                self.follow(next, faults)
            }
            None => Ok(()),
        }
    }

    /// Goes on from where the last turn of the path led.
    fn follow(&mut self, mut next: World, faults: u8) -> Result<(), Broken> {
        self.turns += 1;
        next.forget(self.run.policy.terms().overlap);
        self.walk(next, faults)?;
        self.path.pop();
        Ok(())
    }

    /// Left alone from here on, the world comes to rest, soon and tidy.
    fn ends_well(&mut self, world: &World) -> Result<(), Broken> {
        let mut world = world.clone();
        let mut passed = Vec::new();
        let mut at_once = 0;
        loop {
            world.mend_sinks();
            let id = fingerprint(&world);
            if self.ends_well.contains(&id) {
                break;
            }
            passed.push(id);
            if MOST_TURNS_TO_REST < passed.len() {
                return Err("then, left alone, it never comes to rest".into());
            }
            let before = world.now;
            match self.run.decide(&mut world, self.run.read(), self.run.login()) {
                Decision::Act(step, _) => world.carry_out(step, Fate::Done, false),
                Decision::Wait(_, Reason::Healthy) => {
                    world.is_tidy().map_err(|what| format!("then, left alone: {what}"))?;
                    break;
                }
                decision @ Decision::Wait(..) => self
                    .run
                    .wait(&mut world, decision)
                    .map_err(|what| format!("then, left alone, it {what}"))?,
                Decision::Blocked(why) => {
                    return Err(format!("then, left alone, blocked: {why:?}"));
                }
            }
            at_once = if world.now == before { at_once + 1 } else { 0 };
            if MOST_STEPS_AT_ONCE < at_once {
                return Err("then, left alone, it spins".into());
            }
            world.forget(self.run.policy.terms().overlap);
        }
        self.ends_well.extend(passed);
        Ok(())
    }
}

/// Both replicas, where they answer differently.
fn answers(world: &World, step: Step) -> &'static [Answer] {
    match World::asked_for(step) {
        Some(key) if world.varies(key) => &[Answer::Quick, Answer::Slow],
        _ => &[Answer::Quick],
    }
}
