//! Two processes at once on one application: one acts, the other waits or says so. Never two keys.

use crate::scene::{NAME, Ran, Scene};
use rollkey_emulator::Operation;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A rotation of its own, which is in the midst of addKey when this returns.
fn slow_rotation(scene: &Scene, by: Duration) -> Child {
    scene.import().succeeded();
    scene.emulator.next(Operation::AddKey).is_slow(by);
    let mut command = scene.program(env!("CARGO_BIN_EXE_rollkey"));
    command.args(["rotate", NAME]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    let began = Instant::now();
    let sent = || scene.application.keys().len() == 3;
    while !sent() {
        assert!(began.elapsed() < Duration::from_secs(60), "addKey was never sent");
        std::thread::yield_now();
    }
    child
}

fn ended(child: Child) -> Ran {
    Ran::of(&child.wait_with_output().expect("it ends"))
}

fn one_new_key(scene: &Scene) {
    assert_eq!(scene.application.keys().len(), 3, "the old one, the new one, the foreign one");
    assert_eq!(scene.keys_held(), 2);
    let added = scene.emulator.log().into_iter().filter(|e| e.operation == Operation::AddKey);
    assert_eq!(added.count(), 1, "addKey was sent once");
    assert!(scene.application.lockouts().is_empty());
}

#[test]
fn a_second_process_waits_for_the_first_and_goes_on_from_what_it_did() {
    let scene = Scene::new();
    let first = slow_rotation(&scene, Duration::from_secs(1));
    let second = scene.rotate().succeeded();
    let first = ended(first).succeeded();
    assert!(first.out.contains("\nregister "), "{first:#?}");
    // Whichever takes the next step: nobody takes one twice.
    assert!(!second.out.contains("register ") && !second.out.contains("make a new"), "{second:#?}");
    assert!(second.out.contains("nothing to do before"), "{second:#?}");
    one_new_key(&scene);
}

#[test]
fn a_second_process_that_has_waited_long_enough_says_so_and_changes_nothing() {
    let scene = Scene::new();
    let first = slow_rotation(&scene, Duration::from_secs(9));
    let pid = first.id();
    let second = scene.rotate();
    let busy = format!("cause: another process is at work on this keystore (process {pid})\n");
    let second = second.failed(1, &["error: nothing was done\n", &busy, "hint: it is safe to run"]);
    assert_eq!(second.out, "");
    ended(first).succeeded();
    one_new_key(&scene);
}

#[test]
fn looking_does_not_wait_for_whoever_acts() {
    let scene = Scene::new();
    let first = slow_rotation(&scene, Duration::from_secs(3));
    let seen = scene.run(&["status", NAME]).succeeded();
    assert!(seen.out.contains("pending"), "{seen:#?}");
    ended(first).succeeded();
    one_new_key(&scene);
}
