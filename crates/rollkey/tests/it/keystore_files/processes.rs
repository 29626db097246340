//! Other processes at the same folder: they wait, they are named, and they may die.

use super::{create, folder, open};
use crate::keystore_contract::{
    LATER, NOT_AFTER, NOT_BEFORE, NOW, assert_signs, promote, slots, stage,
};
use rollkey::core::{Generation, Slot};
use rollkey::ports::{Keystore as _, KeystoreError};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_short_wait_is_enough_where_the_other_is_quick() {
    let (_root, folder) = folder();
    let (ours, theirs) = (create(&folder), create(&folder));
    let ours = ours.with_patience(Duration::from_secs(10));
    let lease = theirs.lease().await.unwrap();
    let begun = Instant::now();
    let (staged, ()) = tokio::join!(stage(&ours), async {
        tokio::time::sleep(Duration::from_millis(120)).await;
        drop(lease);
    });
    assert!(begun.elapsed() >= Duration::from_millis(120));
    assert_eq!(slots(&theirs).await, [(staged.thumbprint, Slot::Pending)]);
}

#[tokio::test]
async fn patience_ends() {
    let (_root, folder) = folder();
    let (ours, theirs) = (create(&folder), create(&folder));
    let ours = ours.with_patience(Duration::from_millis(120));
    let _lease = theirs.lease().await.unwrap();
    let begun = Instant::now();
    let refused = ours.stage(NOT_BEFORE, NOT_AFTER, Generation(0), NOW).await;
    assert!(matches!(refused, Err(KeystoreError::Busy { by: Some(_) })), "{refused:?}");
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

/// Where the process that is to hold the lock is told which keystore is meant.
const ELSEWHERE: &str = "ROLLKEY_TEST_KEYSTORE";

/// The other process of the next test: this very program, with another environment.
#[tokio::test]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it is spoken to in this way")]
async fn another_process_holds_the_lease_if_it_is_told_where() {
    let Ok(folder) = std::env::var(ELSEWHERE) else { return };
    let keystore = open(Path::new(&folder)).unwrap();
    let _lease = keystore.lease().await.unwrap();
    println!("\nleased");
    // Until the pipe is closed, or we are killed.
    _ = std::io::stdin().read_line(&mut String::new());
}

#[tokio::test]
async fn a_second_process_is_named_while_it_is_at_work_and_forgotten_when_it_is_killed() {
    let (_root, folder) = folder();
    let keystore = create(&folder);
    let key = stage(&keystore).await;
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["another_process_holds_the_lease", "--nocapture", "--test-threads=1"])
        .env(ELSEWHERE, &folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "leased"), "the other process began its work");

    let refused = keystore.promote(key.thumbprint, Generation(1), LATER).await;
    let Err(KeystoreError::Busy { by }) = refused else { panic!("{refused:?}") };
    assert_eq!(by, Some(other.id()));
    assert_signs(&keystore, key.thumbprint).await;

    other.kill().unwrap();
    other.wait().unwrap();
    promote(&keystore, key).await;
    assert_eq!(slots(&keystore).await, [(key.thumbprint, Slot::Current)]);
}
