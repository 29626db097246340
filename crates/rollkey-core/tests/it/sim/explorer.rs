//! Walks every history. It does not draw lots: at every look it tries each answer, at every step
//! each fate, and at every moment each accident, as long as there are faults left to spend.
//!
//! States that were seen before, with as many faults left, are not walked again. They are kept as
//! hashes of 64 bits: among two million states, some two are taken for each other, and a fault
//! behind them is overlooked, with odds of one to nine million.

use super::effects::Fate;
use super::fingerprint::{Fingerprints, fingerprint};
use super::look::{Answer, Login, Read};
use super::promises::Broken;
use super::run::{Run, Turn};
use super::world::World;
use rollkey_core::{Decision, Reason, Step};
use std::collections::{HashMap, HashSet};

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
