//! One whole rotation, with files, over real TLS, against the emulator on a clock that is moved:
//! what it costs beside the key that it makes, and what it asks of the service.
//!
//! The client runs on the main thread, makes keys on threads named `client`, and the emulator on
//! threads of its own; so the system's own accounts tell who used the processor.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod relay;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use rollkey::keystore::KeySize;
use rollkey::keystore::signing::RsaKey;
use rollkey_emulator::{Exchange, Lags, Operation};
use stage::{Rolled, Spent, Stage};
use std::path::Path;
use support::{Samples, goal, measured, time};

/// How often the world is made anew, and how many rotations each lives through: two years of them,
/// so that journals have a length that they have in life. Keys take an exponentially distributed
/// time to make: all in all there must be many, or their mean says nothing.
const WORLDS: usize = 12;
const ROTATIONS: usize = 12;

/// How long an idle connection is kept.
const IDLE: i64 = rollkey::http::IDLE_TIMEOUT.as_secs() as i64;

fn main() {
    if !support::asked_for() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("client")
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        own_cost().await;
        round_trips("no lag", Lags::none()).await;
        round_trips("lags as people report them", Lags::realistic()).await;
    });
}

/// What was measured of many rotations.
#[derive(Default)]
struct Costs {
    wall: Samples,
    key: Samples,
    doors: Samples,
    own: Samples,
}

async fn own_cost() {
    let disk = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let memory = Path::new("/dev/shm");
    let places = [Some(disk), memory.is_dir().then_some(memory)];
    let mut alone = Samples::default();
    let mut costs = [Costs::default(), Costs::default()];
    for _ in 0..WORLDS {
        let mut stages = Vec::new();
        for place in places.into_iter().flatten() {
            let stage = Stage::set(place, Lags::none(), None).await;
            // The first one also waits for the imported key to prove itself.
            stage.roll().await;
            stages.push(stage);
        }
        for _ in 0..ROTATIONS {
            alone.push(support::seconds(|| {
                _ = std::hint::black_box(RsaKey::generate(KeySize::Rsa2048).expect("a key"));
            }));
            for (stage, costs) in stages.iter().zip(&mut costs) {
                let Rolled { wall, spent, .. } = stage.roll().await;
                costs.wall.push(wall);
                let Some(Spent { key, doors, own }) = spent else { continue };
                costs.key.push(key);
                costs.doors.push(doors);
                costs.own.push(own);
            }
        }
    }
    measured("making an RSA 2048 key by itself, mean", time(alone.mean()), "");
    for (costs, place) in costs.iter().zip(["on a disk", "in memory"]) {
        if !costs.wall.0.is_empty() {
            tell(costs, place);
        }
    }
}

/// Of processor time, because on a busy machine every wait is longer than it need be. Keys are
/// compared by their mean, everything else by its median.
fn tell(Costs { wall, key, doors, own }: &Costs, place: &str) {
    measured(
        &format!("files {place}: a rotation, from due to rest, median"),
        time(wall.median()),
        "",
    );
    if own.0.is_empty() {
        measured("— processor time", "not measured: this system keeps no accounts of threads", "");
        return;
    }
    let share = own.median() / (key.mean() + doors.median());
    measured("— processor time of making the key, mean", time(key.mean()), "");
    measured("— of the round trips (TLS, HTTP, JSON)", time(doors.median()), "");
    measured("— of everything else (files, signatures, deciding)", time(own.median()), "");
    measured(
        "— everything else, on top of key and round trips",
        format!("{:.1} %", share * 100.0),
        goal("at most 5 %", share <= 0.05),
    );
}

/// Counts what one rotation asks, and the connections that it opens.
async fn round_trips(what: &str, lags: Lags) {
    let disk = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let stage = Stage::set(disk, lags, Some(relay::start())).await;
    stage.roll().await;
    let (before, connections) = (stage.emulator.log().len(), relay::connections());
    let rolled = stage.roll().await;
    let log = stage.emulator.log().split_off(before);
    let count = |wanted: Operation| log.iter().filter(|asked| asked.operation == wanted).count();
    let began = log.first().map_or(0, |asked| asked.at);
    println!("{what}: what was asked when, in seconds since the rotation was due");
    for line in &rolled.story {
        println!("  {line}");
    }
    for asked in &log {
        println!("  {:>7} {:?} {}", asked.at - began, asked.operation, asked.status);
    }
    measured(&format!("round trips of a rotation, {what}"), log.len().to_string(), "");
    for (operation, purpose) in [
        (Operation::Token, "tokens: to begin, each time the new key is asked, after the overlap"),
        (Operation::Read, "reads: a look before each step that may rest on the list"),
        (Operation::AddKey, "addKey"),
        (Operation::RemoveKey, "removeKey"),
    ] {
        measured(&format!("— {purpose}"), count(operation).to_string(), "");
    }
    let opened = relay::connections() - connections;
    measured("— connections opened, if no time passes between them", opened.to_string(), "");
    let login = in_real_time(&log, |asked| asked.operation == Operation::Token);
    let graph = in_real_time(&log, |asked| asked.operation != Operation::Token);
    measured(
        &format!("— in real time, where one is kept for {IDLE} s"),
        format!("{login} to login, {graph} to Graph"),
        "",
    );
}

/// How many connections there would be if each were closed after its idle time.
fn in_real_time(log: &[Exchange], to: impl Fn(&Exchange) -> bool) -> usize {
    let times: Vec<_> = log.iter().filter(|asked| to(asked)).map(|asked| asked.at).collect();
    usize::from(!times.is_empty())
        + times.windows(2).filter(|pair| pair[1] - pair[0] > IDLE).count()
}
