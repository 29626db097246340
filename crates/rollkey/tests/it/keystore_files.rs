//! What a folder promises beyond what every keystore does.

#[cfg(target_os = "linux")]
mod disks;
mod processes;

use crate::keystore_contract::{NOW, assert_signs, brought, discard, promote, slots, spec, stage};
use rollkey::core::{Generation, Held, Slot};
use rollkey::keystore::{FileKeystore, KeySize};
use rollkey::ports::{Keystore, KeystoreError};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("apps/billing");
    (root, folder)
}

fn create(folder: &Path) -> FileKeystore {
    FileKeystore::create_or_open(folder, spec(KeySize::Rsa2048))
        .unwrap()
        .with_patience(Duration::ZERO)
}

fn open(folder: &Path) -> Result<FileKeystore, KeystoreError> {
    FileKeystore::open(folder, spec(KeySize::Rsa2048))
}

fn key_file(folder: &Path, key: Held) -> PathBuf {
    folder.join(format!("keys/{}.pem", key.thumbprint.sha1))
}

/// The names of all files below a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => names.extend(files(&path)),
            false => names.push(path.file_name().unwrap().to_string_lossy().into_owned()),
        }
    }
    names.sort();
    names
}

/// Says, where nobody can overlook it, that a test did not take place.
#[expect(clippy::print_stderr, reason = "a test that did not take place must not look like one")]
pub(crate) fn not_run(why: &str) {
    eprintln!("not run: {why}");
}

#[cfg(unix)]
#[tokio::test]
async fn everything_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_root, folder) = folder();
    let keystore = create(&folder);
    let key = stage(&keystore).await;
    let _lease = keystore.lease().await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for (path, expected) in [
        (folder.clone(), 0o700),
        (folder.parent().unwrap().to_owned(), 0o700),
        (folder.join("keys"), 0o700),
        (folder.join("state.json"), 0o600),
        (folder.join("lock"), 0o600),
        (key_file(&folder, key), 0o600),
    ] {
        assert_eq!(mode(&path), expected, "{path:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_others_can_read_is_refused_with_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_root, folder) = folder();
    let keystore = create(&folder);
    let key = stage(&keystore).await;
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (path, right, wrong) in [
        (folder.clone(), 0o700, 0o750),
        (folder.join("keys"), 0o700, 0o701),
        (folder.join("state.json"), 0o600, 0o644),
        (key_file(&folder, key), 0o600, 0o640),
    ] {
        set(&path, wrong);
        let seen = keystore.held().await;
        let Err(KeystoreError::Exposed { place, mode, expected }) = seen else {
            panic!("{path:?}: {seen:?}")
        };
        assert_eq!((Path::new(&place), mode, expected), (&*path, wrong, right));
        assert!(matches!(open(&folder), Err(KeystoreError::Exposed { .. })));
        assert!(matches!(keystore.lease().await, Err(KeystoreError::Exposed { .. })));
        let promoted = keystore.promote(key.thumbprint, Generation(1), NOW).await;
        assert!(matches!(promoted, Err(KeystoreError::Exposed { .. })));
        set(&path, right);
    }
    assert_eq!(slots(&keystore).await, [(key.thumbprint, Slot::Pending)]);
    assert_signs(&keystore, key.thumbprint).await;
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_there_and_open_to_others_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_root, folder) = folder();
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let refused = FileKeystore::create_or_open(&folder, spec(KeySize::Rsa2048));
    assert!(matches!(refused, Err(KeystoreError::Exposed { mode: 0o755, .. })), "{refused:?}");
    assert_eq!(files(&folder), Vec::<String>::new());
}

#[test]
fn a_keystore_that_is_not_there_is_not_made_by_opening() {
    let (_root, folder) = folder();
    let missing = open(&folder).unwrap_err();
    assert!(matches!(&missing, KeystoreError::Io { action: "read", .. }), "{missing:?}");
    assert!(!folder.exists());
    create(&folder);
    create(&folder);
    open(&folder).unwrap();
}

#[tokio::test]
async fn the_state_is_written_so_that_people_can_read_it() {
    let (_root, folder) = folder();
    let keystore = create(&folder);
    let key = stage(&keystore).await;
    promote(&keystore, key).await;
    let expected = format!(
        r#"{{
  "format": 1,
  "generation": 2,
  "keys": [
    {{
      "sha1": "{}",
      "sha256": "{}",
      "slot": "current",
      "since": "2027-01-15T08:12:57Z",
      "not_after": "2027-04-15T08:00:01Z"
    }}
  ]
}}
"#,
        key.thumbprint.sha1, key.thumbprint.sha256
    );
    assert_eq!(fs::read_to_string(folder.join("state.json")).unwrap(), expected);
    let text = fs::read_to_string(key_file(&folder, key)).unwrap();
    assert!(text.starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(text.ends_with("-----END PRIVATE KEY-----\n"));
    assert!(text.lines().all(|line| line.len() <= 64));
    assert_eq!(pem::parse_many(&text).unwrap().len(), 2);
}

#[tokio::test]
async fn a_handle_that_is_opened_later_finds_everything() {
    let (_root, folder) = folder();
    let (old, new) = {
        let keystore = create(&folder);
        let old = keystore.import(&brought(), NOW).await.unwrap();
        (old, stage(&keystore).await)
    };
    let keystore = open(&folder).unwrap();
    assert_eq!(keystore.held().await.unwrap(), (Generation(2), vec![old, new]));
    assert_eq!(keystore.certificates(old.thumbprint).await.unwrap(), brought().certificates());
    assert_signs(&keystore, old.thumbprint).await;
    assert_signs(&keystore, new.thumbprint).await;
}

#[tokio::test]
async fn leftovers_of_a_crash_are_swept_up_and_nothing_else() {
    let (_root, folder) = folder();
    let keystore = create(&folder);
    let key = stage(&keystore).await;
    let orphan = folder.join(format!("keys/{}.pem", "AB".repeat(20)));
    fs::copy(key_file(&folder, key), &orphan).unwrap();
    fs::write(folder.join("keys/.rollkey-tmp-1"), "half").unwrap();
    fs::write(folder.join(format!(".rollkey-tmp-state.json-{}", "0".repeat(32))), "half").unwrap();
    fs::write(folder.join(".rollkey-tmp-2"), "of somebody").unwrap();
    fs::write(folder.join("keys/notes.txt"), "of somebody").unwrap();
    fs::write(folder.join("keys/mine.pem"), "of somebody").unwrap();

    keystore.held().await.unwrap();
    assert!(orphan.exists(), "looking changes nothing");
    drop(keystore.lease().await.unwrap());
    let own = key_file(&folder, key).file_name().unwrap().to_string_lossy().into_owned();
    let mut expected =
        [own.as_str(), ".rollkey-tmp-2", "lock", "mine.pem", "notes.txt", "state.json"];
    expected.sort_unstable();
    assert_eq!(files(&folder), expected);
    assert_signs(&keystore, key.thumbprint).await;
}

#[tokio::test]
async fn a_discarded_key_leaves_the_disk() {
    let (_root, folder) = folder();
    let keystore = create(&folder);
    let key = stage(&keystore).await;
    assert!(key_file(&folder, key).exists());
    discard(&keystore, key).await;
    assert_eq!(files(&folder), ["lock", "state.json"]);
}

#[tokio::test]
async fn damage_is_told_with_its_place_and_nothing_is_changed() {
    let (_root, folder) = folder();
    let keystore = create(&folder);
    let key = stage(&keystore).await;
    let other = {
        promote(&keystore, key).await;
        stage(&keystore).await
    };
    let state = folder.join("state.json");
    let file = key_file(&folder, key);
    let good_state = fs::read_to_string(&state).unwrap();
    let good_file = fs::read_to_string(&file).unwrap();
    let other_file = fs::read_to_string(key_file(&folder, other)).unwrap();
    let (certificate, private) = good_file.split_at(good_file.find("-----BEGIN PRIV").unwrap());
    let (_, other_private) = other_file.split_at(other_file.find("-----BEGIN PRIV").unwrap());

    let state_with = |from: &str, to: &str| good_state.replacen(from, to, 1);
    let cases = [
        (&state, String::new(), "EOF while parsing"),
        (&state, good_state[..good_state.len() / 2].to_owned(), "EOF while parsing"),
        (&state, state_with("\"format\": 1", "\"format\": 2"), "it has format 2"),
        (&state, state_with("pending", "current"), "it names two current keys"),
        (&state, state_with("current", "retired"), "unknown variant `retired`"),
        (&state, state_with("\"generation\"", "\"geneartion\""), "unknown field"),
        (&state, state_with("\"sha1\": \"", "\"sha1\": \"../"), "is not a thumbprint"),
        (&state, state_with("2027-04-15", "2028-04-15"), "expires at another time"),
        (&file, String::new(), "it should hold one private key"),
        (&file, certificate.to_owned(), "it should hold one private key"),
        (&file, private.to_owned(), "it holds no certificate"),
        (&file, good_file[..good_file.len() - 40].to_owned(), "has no end line"),
        (&file, other_file.clone(), "another thumbprint"),
        (&file, format!("{certificate}{other_private}"), "does not belong to its certificate"),
        (&file, good_file.replacen("MIIE", "AAAA", 1), "not a sound RSA key"),
    ];
    for (path, text, problem) in cases {
        fs::write(path, &text).unwrap();
        // Another handle: this one has read its keys, and they never change.
        let seen = open(&folder).unwrap_err();
        let KeystoreError::Damaged { place, problem: told } = &seen else {
            panic!("{problem}: {seen:?}")
        };
        assert!(told.contains(problem), "{told} should say: {problem}");
        assert!(path.ends_with("state.json") || Path::new(place) == *path, "{place}");
        assert!(FileKeystore::create_or_open(&folder, spec(KeySize::Rsa2048)).is_err());
        assert_eq!(fs::read_to_string(path).unwrap(), text, "nothing was changed");
        fs::write(&state, &good_state).unwrap();
        fs::write(&file, &good_file).unwrap();
    }
    open(&folder).unwrap();

    fs::remove_file(&file).unwrap();
    let seen = keystore.held().await.unwrap_err();
    let KeystoreError::Damaged { problem, .. } = seen else { panic!("{seen:?}") };
    assert_eq!(problem, "state.json names this key, and it is not there");
    assert!(matches!(keystore.lease().await, Err(KeystoreError::Damaged { .. })));
    assert!(key_file(&folder, other).exists(), "a damaged keystore is not swept");
}

#[tokio::test]
async fn a_folder_that_lost_its_state_is_not_begun_anew() {
    let (_root, folder) = folder();
    let key = stage(&create(&folder)).await;
    fs::remove_file(folder.join("state.json")).unwrap();
    let refused = FileKeystore::create_or_open(&folder, spec(KeySize::Rsa2048)).unwrap_err();
    let KeystoreError::Damaged { problem, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(problem, "there are keys, and no state.json that says what they are");
    assert!(key_file(&folder, key).exists());
}

#[tokio::test]
async fn a_place_where_no_folder_can_be_is_told_with_its_cause() {
    let (_root, folder) = folder();
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    fs::write(&folder, "a file").unwrap();
    let refused = FileKeystore::create_or_open(&folder, spec(KeySize::Rsa2048)).unwrap_err();
    let KeystoreError::Io { place, source, .. } = refused else { panic!("{refused:?}") };
    assert!(place.starts_with(&*folder.to_string_lossy()), "{place}");
    assert!(source.downcast_ref::<std::io::Error>().is_some(), "{source}");
}
