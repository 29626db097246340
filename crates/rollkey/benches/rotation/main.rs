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
use stage::{Rolled, Stage};
use support::{Samples, goal, measured, time};

/// Keys take an exponentially distributed time to make: many, or the mean says nothing.
const ROTATIONS: usize = 150;

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

async fn own_cost() {
    let stage = Stage::set(Lags::none(), None).await;
    // The first one also waits for the imported key to prove itself.
    stage.roll().await;
    let [mut key, mut alone, mut own, mut doors, mut wall, mut rest] =
        [const { Samples(Vec::new()) }; 6];
    for _ in 0..ROTATIONS {
        alone.push(support::seconds(|| {
            _ = std::hint::black_box(RsaKey::generate(KeySize::Rsa2048).expect("a key"));
        }));
        let Rolled { wall: all, doors: waited, main, keys, .. } = stage.roll().await;
        let Some((main, keys)) = main.zip(keys) else { continue };
        own.push(main);
        key.push(keys);
        doors.push(waited);
        wall.push(all);
        rest.push(all - waited - keys);
    }
    measured("making an RSA 2048 key by itself, mean", time(alone.mean()), "");
    measured("a whole rotation, from due to rest, mean", time(wall.mean()), "");
    if own.0.is_empty() {
        measured("its own cost", "not measured: this system keeps no accounts of threads", "");
        return;
    }
    measured("— of which processor time of making the key, mean", time(key.mean()), "");
    measured("— of which waiting for the service (TLS included), median", time(doors.median()), "");
    measured(
        "— of which everything else (files, flushes, signatures), median",
        time(rest.median()),
        "",
    );
    let share = own.median() / (key.mean() + doors.median());
    measured(
        "processor time of the client without the key, TLS included, median",
        time(own.median()),
        "",
    );
    measured(
        "— as a share of key and round trips",
        format!("{:.1} %", share * 100.0),
        goal("at most 5 %", share <= 0.05),
    );
    let share = rest.median() / (key.mean() + doors.median());
    measured(
        "everything else, as a share of key and round trips, disk included",
        format!("{:.1} %", share * 100.0),
        "",
    );
}

/// Counts what one rotation asks, and the connections that it opens.
async fn round_trips(what: &str, lags: Lags) {
    let stage = Stage::set(lags, Some(relay::start())).await;
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
    measured(
        &format!("round trips of a rotation, {what}"),
        format!(
            "{}: {} tokens, {} reads, {} addKey, {} removeKey",
            log.len(),
            count(Operation::Token),
            count(Operation::Read),
            count(Operation::AddKey),
            count(Operation::RemoveKey)
        ),
        "",
    );
    measured(
        &format!("connections of a rotation without pauses, {what}"),
        (relay::connections() - connections).to_string(),
        "",
    );
    measured(
        &format!("connections in real time, {what}: to login, to Graph"),
        format!(
            "{}, {}",
            in_real_time(&log, |asked| asked.operation == Operation::Token),
            in_real_time(&log, |asked| asked.operation != Operation::Token)
        ),
        "",
    );
}

/// How many connections there would be if each were closed after its idle time.
fn in_real_time(log: &[Exchange], to: impl Fn(&Exchange) -> bool) -> usize {
    let times: Vec<_> = log.iter().filter(|asked| to(asked)).map(|asked| asked.at).collect();
    usize::from(!times.is_empty())
        + times.windows(2).filter(|pair| pair[1] - pair[0] > IDLE).count()
}
