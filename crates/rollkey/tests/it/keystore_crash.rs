//! A folder after a crash at every point between two effects on disk, at every time that it is
//! passed. Run with `--features crash-points`.

use crate::keystore_contract::{assert_signs, brought, discard, promote, slots, spec, stage};
use rollkey::core::Slot;
use rollkey::keystore::{FileKeystore, KeySize};
use rollkey::ports::Keystore as _;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

/// All points that a keystore in a folder passes.
const POINTS: &[&str] = &[
    "durable::replace::written",
    "durable::replace::renamed",
    "keystore::create::folder_made",
    "keystore::create::keys_made",
    "keystore::create::state_written",
    "keystore::import::key_written",
    "keystore::import::state_switched",
    "keystore::stage::key_made",
    "keystore::stage::key_written",
    "keystore::stage::state_switched",
    "keystore::promote::decided",
    "keystore::promote::state_switched",
    "keystore::discard::decided",
    "keystore::discard::state_switched",
    "keystore::discard::key_removed",
    "keystore::sweep::key_removed",
];

thread_local! {
    /// At which point this thread dies, after how many more times that it is passed.
    static DIES: Cell<Option<(&'static str, usize)>> = const { Cell::new(None) };
}

/// Points belong to the process; whoever dies at them is one thread, so that other tests go on.
fn arm() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for point in POINTS {
            let die = move || match DIES.get() {
                Some((at, 0)) if at == *point => {
                    DIES.set(None);
                    panic!("crash at {point}");
                }
                Some((at, n)) if at == *point => DIES.set(Some((at, n - 1))),
                _ => (),
            };
            fail::cfg_callback(*point, die).unwrap();
        }
    });
}

/// Looks at how things stand and takes the next step, until the imported key was rolled.
async fn roll(folder: &Path) {
    let keystore = FileKeystore::create_or_open(folder, spec(KeySize::Rsa2048)).unwrap();
    let imported = brought();
    loop {
        let (_, held) = keystore.held().await.unwrap();
        let of = |slot| held.iter().find(|key| key.slot == slot).copied();
        match (of(Slot::Pending), of(Slot::Current), of(Slot::Previous)) {
            (None, None, None) => {
                keystore.import(&imported, crate::import::NOW).await.map(drop).unwrap();
            }
            (Some(pending), ..) => promote(&keystore, pending).await,
            (None, Some(_), Some(previous)) => discard(&keystore, previous).await,
            (None, Some(current), None) if current.thumbprint == imported.info().thumbprint => {
                stage(&keystore).await;
            }
            (None, Some(_), None) => return,
            (None, None, Some(_)) => panic!("a previous key without a current one: {held:?}"),
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// Whatever the crash left, every key that is named can sign, and what is not named goes.
async fn assert_whole(folder: &Path) {
    let keystore = FileKeystore::create_or_open(folder, spec(KeySize::Rsa2048)).unwrap();
    drop(keystore.lease().await.unwrap());
    let mut expected = Vec::new();
    for (key, _) in slots(&keystore).await {
        assert_signs(&keystore, key).await;
        expected.push(format!("{}.pem", key.sha1));
    }
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    expected.sort();
    assert_eq!(names(&folder.join("keys")), expected);
    assert_eq!(names(folder), ["keys", "lock", "state.json"]);
}

#[test]
fn a_crash_at_any_point_leaves_a_keystore_that_carries_on() {
    arm();
    for point in POINTS {
        let mut crashes = 0;
        loop {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("billing");
            if *point == "keystore::sweep::key_removed" {
                // Something must be there to sweep up.
                block_on(async {
                    stage(&FileKeystore::create_or_open(&folder, spec(KeySize::Rsa2048)).unwrap())
                        .await;
                });
                let state = r#"{ "format": 1, "generation": 0, "keys": [] }"#;
                std::fs::write(folder.join("state.json"), state).unwrap();
            }
            DIES.set(Some((point, crashes)));
            let crashed = catch_unwind(AssertUnwindSafe(|| block_on(roll(&folder)))).is_err();
            DIES.set(None);
            block_on(assert_whole(&folder));
            block_on(roll(&folder));
            block_on(assert_whole(&folder));
            match crashed {
                true => crashes += 1,
                false => break,
            }
        }
        assert!(crashes > 0, "{point} is passed");
    }
}
