//! What the benchmarks have in common: rounds in which alternatives take turns, and the lines that
//! `cargo xtask bench` makes a page of.
//!
//! A machine is never quite idle, and its clock rate wanders. So alternatives are never measured one
//! after the other: they take turns, round by round, each round is compared within itself, and what
//! is told are medians.

#![allow(dead_code, reason = "no benchmark needs all of it")]

use std::path::Path;
use std::time::{Duration, Instant};

/// Whether to measure at all: `cargo bench` says `--bench`, `cargo test --benches` does not.
pub(crate) fn asked_for() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// A line of the page.
pub(crate) fn measured(what: &str, value: impl AsRef<str>, goal: impl AsRef<str>) {
    println!("measured: {what} | {} | {}", value.as_ref(), goal.as_ref());
}

/// A goal, and whether it was met.
pub(crate) fn goal(says: &str, met: bool) -> String {
    format!("{says}: {}", if met { "met" } else { "**missed**" })
}

/// A goal for an idle machine: a busy one says nothing about it.
pub(crate) fn goal_if_idle(says: &str, met: bool) -> String {
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load: Option<f64> = load.and_then(|text| text.split(' ').next()?.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match load {
        // One of those who want a core is this benchmark.
        Some(load) if load > 1.0 + cores as f64 / 4.0 => {
            let verdict = if met { "met nevertheless" } else { "not judged" };
            format!("{says}: {verdict}, the machine was busy (load {load:.1} on {cores} cores)")
        }
        _ => goal(says, met),
    }
}

/// Many measurements of one thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(pub(crate) Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(crate) fn min(&self) -> f64 {
        self.quantile(0.0)
    }

    /// The value that a share of all others does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1) as f64;
        sorted.get((last * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// Round by round, how many times `other` this is.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect())
    }
}

/// Lets the alternatives take turns for a number of rounds, after one round that does not count.
/// Another one begins each round. Seconds.
pub(crate) fn take_turns<const N: usize>(
    rounds: usize,
    alternatives: &mut [&mut dyn FnMut(); N],
) -> [Samples; N] {
    let mut samples = [const { Samples(Vec::new()) }; N];
    alternatives.iter_mut().for_each(|run| run());
    for round in 0..rounds {
        for turn in 0..N {
            let who = (round + turn) % N;
            samples[who].push(seconds(&mut alternatives[who]));
        }
    }
    samples
}

/// How long it takes.
pub(crate) fn seconds(run: impl FnOnce()) -> f64 {
    let began = Instant::now();
    run();
    began.elapsed().as_secs_f64()
}

/// `3.21 ms`, `840 ns`.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

/// `12,345`.
pub(crate) fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n != 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// CPU time of the threads of this process with a name that is wanted. `None` where the system does
/// not tell.
pub(crate) fn cpu_of_threads(wanted: impl Fn(&str) -> bool) -> Option<Duration> {
    let mut total = 0;
    for thread in std::fs::read_dir("/proc/self/task").ok()? {
        let thread = thread.ok()?.path();
        // A thread may end while we look.
        let Ok(name) = std::fs::read_to_string(thread.join("comm")) else { continue };
        if wanted(name.trim_end()) {
            total += spent(&thread.join("schedstat"))?;
        }
    }
    Some(Duration::from_nanos(total))
}

/// CPU time of this thread, likewise.
pub(crate) fn cpu_of_this_thread() -> Option<Duration> {
    spent(Path::new("/proc/thread-self/schedstat")).map(Duration::from_nanos)
}

/// Nanoseconds on a processor: the first of three numbers.
fn spent(schedstat: &Path) -> Option<u64> {
    std::fs::read_to_string(schedstat).ok()?.split(' ').next()?.parse().ok()
}
