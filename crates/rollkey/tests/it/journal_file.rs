//! The journal in a file.

use crate::sink_bench::{FULL_DISK, alone, leftovers, told_folder};
use rollkey::journal::file::{FileJournal, MAX_NOTES};
use rollkey::ports::{Journal, JournalError};
use rollkey_core::{
    Audience, Facts, KeyId, Note, Sha1Thumbprint, Sha256Thumbprint, SinkId, Thumbprint, Timestamp,
};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const GRAPH: &str = "https://graph.microsoft.com/.default";
const T0: Timestamp = Timestamp(1_795_446_000);
const T1: Timestamp = Timestamp(1_795_446_060);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn journal(path: &Path) -> FileJournal {
    FileJournal::new(path, names(&[GRAPH, "vault"]), names(&["app", "web"]))
}

fn key(n: u8) -> Thumbprint {
    Thumbprint { sha1: Sha1Thumbprint([n; 20]), sha256: Sha256Thumbprint([0xF0 | n; 32]) }
}

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notes.jsonl");
    (folder, path)
}

async fn notes(path: &Path, notes: &[Note]) {
    for note in notes {
        journal(path).note(*note, T0).await.unwrap();
    }
}

async fn facts(path: &Path) -> Facts {
    journal(path).facts().await.unwrap()
}

#[tokio::test]
async fn the_file_reads_as_documented() {
    let (_folder, path) = place();
    notes(
        &path,
        &[
            Note::Seen(key(1)),
            Note::Staged(key(1)),
            Note::Sent(key(1)),
            Note::NotTaken(key(1)),
            Note::Registered(key(1), KeyId::from_bytes([0x6b; 16])),
            Note::Accepted(key(1), Audience(0)),
            Note::Refused(key(1), Audience(1)),
            Note::Discarded(key(1)),
            Note::DeliveryFailed(SinkId(0)),
            Note::DeliveryDone(SinkId(1)),
            Note::ClockSetBack,
        ],
    )
    .await;
    let key = format!(r#""key":{{"sha1":"{}","sha256":"{}"}}"#, "01".repeat(20), "F1".repeat(32));
    let line = |rest: &str| format!("{{\"at\":\"2026-11-23T15:00:00Z\",\"note\":{rest}}}\n");
    let id = "6b6b6b6b-6b6b-6b6b-6b6b-6b6b6b6b6b6b";
    let expected = [
        "{\"format\":\"rollkey-journal\",\"version\":1}\n".to_owned(),
        line(&format!(r#""seen",{key}"#)),
        line(&format!(r#""staged",{key}"#)),
        line(&format!(r#""sent",{key}"#)),
        line(&format!(r#""not_taken",{key}"#)),
        line(&format!(r#""registered",{key},"key_id":"{id}""#)),
        line(&format!(r#""accepted",{key},"scope":"{GRAPH}""#)),
        line(&format!(r#""refused",{key},"scope":"vault""#)),
        line(&format!(r#""discarded",{key}"#)),
        line(r#""delivery_failed","sink":"app""#),
        line(r#""delivery_done","sink":"web""#),
        line(r#""clock_set_back""#),
    ];
    assert_eq!(fs::read_to_string(&path).unwrap(), expected.concat());
}

#[tokio::test]
async fn it_is_created_with_the_first_note_and_closed_to_others() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state/billing/notes.jsonl");
    assert_eq!(facts(&path).await, Facts::default());
    assert!(!folder.path().join("state").exists(), "looking creates nothing");
    notes(&path, &[Note::Seen(key(1))]).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[tokio::test]
async fn names_outlive_a_change_of_the_configuration() {
    let (_folder, path) = place();
    notes(&path, &[Note::Accepted(key(1), Audience(1)), Note::DeliveryFailed(SinkId(0))]).await;
    let text = fs::read_to_string(&path).unwrap();

    let reordered = FileJournal::new(&path, names(&["vault", GRAPH]), names(&["new", "app"]));
    let facts = reordered.facts().await.unwrap();
    assert_eq!(facts.keys[&key(1)].answer(Audience(0)).first_accepted, Some(T0));
    assert_eq!(facts.failed_deliveries.keys().collect::<Vec<_>>(), [&SinkId(1)]);

    // Of names that are gone, nothing is known; and nothing is lost.
    let others = FileJournal::new(&path, names(&["mail"]), names(&[]));
    assert_eq!(others.facts().await.unwrap(), Facts::default());
    others.note(Note::Seen(key(2)), T1).await.unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with(&text));
    assert_eq!(journal(&path).facts().await.unwrap().failed_deliveries[&SinkId(0)], T0);
}

#[tokio::test]
async fn what_a_later_version_may_add_is_passed_over() {
    let (_folder, path) = place();
    notes(&path, &[Note::Seen(key(1))]).await;
    let text = fs::read_to_string(&path).unwrap().replace(r#""note""#, r#""by":"me","note""#);
    fs::write(&path, text).unwrap();
    assert_eq!(facts(&path).await.keys.len(), 1);
}

#[tokio::test]
async fn wherever_a_line_is_torn_it_is_passed_over_and_never_merges_with_the_next() {
    let (_folder, path) = place();
    notes(&path, &[Note::Seen(key(1)), Note::Seen(key(2))]).await;
    let whole = fs::read(&path).unwrap();
    let ends: Vec<_> = (1..=whole.len()).filter(|end| whole[end - 1] == b'\n').collect();
    // In the header and in the last line; the one between is like the last.
    for cut in (0..ends[0] + 2).chain(ends[1] - 2..whole.len()) {
        fs::write(&path, &whole[..cut]).unwrap();
        // A line without its end says all that it has to say.
        let known = ends[1..].iter().filter(|end| **end <= cut + 1).count();
        assert_eq!(facts(&path).await.keys.len(), known, "cut at {cut}");
        journal(&path).note(Note::Seen(key(3)), T1).await.unwrap();
        let facts = facts(&path).await;
        assert_eq!(facts.keys.len(), known + 1, "cut at {cut}");
        assert_eq!(facts.keys[&key(3)].since, T1);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("}\n") && text.starts_with(r#"{"format""#), "{text}");
    }
}

#[tokio::test]
async fn a_line_that_is_there_as_zeros_was_torn() {
    let (_folder, path) = place();
    notes(&path, &[Note::Seen(key(1))]).await;
    let whole = fs::read(&path).unwrap();
    for tail in [&b"\0\0\0\0"[..], b"\0\0\0\"}\n"] {
        fs::write(&path, [&whole, tail].concat()).unwrap();
        assert_eq!(facts(&path).await.keys.len(), 1);
        notes(&path, &[Note::Seen(key(2))]).await;
        assert_eq!(facts(&path).await.keys.len(), 2);
        assert!(!fs::read(&path).unwrap().contains(&0));
    }
}

#[tokio::test]
async fn a_damaged_line_in_the_midst_is_reported_and_nothing_is_changed() {
    let (_folder, path) = place();
    notes(&path, &[Note::Seen(key(1)), Note::Seen(key(2))]).await;
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"seen\"", "\"sean\""),
        ("2026-11-23", "yesterday"),
        ("0101", "01"),
        ("\"key\"", "\"cay\""),
        ("\"seen\"", "\"accepted\""),
        ("\"seen\"", "\"registered\""),
        ("\"seen\"", "\"delivery_done\""),
        ("{\"at\"", "{{\"at\""),
        ("2026", "1926"),
    ] {
        let damaged = whole.replacen(from, to, 1);
        fs::write(&path, &damaged).unwrap();
        let read = journal(&path).facts().await.unwrap_err();
        let written = journal(&path).note(Note::Seen(key(3)), T1).await.unwrap_err();
        for error in [read, written] {
            assert!(matches!(error, JournalError::Damaged { line: 2, .. }), "{to}: {error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
}

#[tokio::test]
async fn what_is_not_a_journal_of_ours_is_left_alone() {
    let (_folder, path) = place();
    let later = "{\"format\":\"rollkey-journal\",\"version\":2,\"new\":1}\nwhatever\n";
    for text in
        ["hello", "hello\nworld\n", "\n", "{}\n", "{\"format\":\"x\",\"version\":1}\n", later]
    {
        fs::write(&path, text).unwrap();
        let read = journal(&path).facts().await.unwrap_err();
        let written = journal(&path).note(Note::Seen(key(3)), T1).await.unwrap_err();
        for error in [read, written] {
            let is_right = match &error {
                JournalError::Damaged { line: 1, .. } => text != later,
                JournalError::Version { found: 2, known: 1, .. } => text == later,
                _ => false,
            };
            assert!(is_right, "{text:?}: {error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_written_is_said_with_its_place() {
    let (folder, path) = place();
    fs::write(&path, "").unwrap();
    let below = path.join("below/notes.jsonl");
    let error = journal(&below).note(Note::Seen(key(1)), T0).await.unwrap_err();
    assert!(matches!(error, JournalError::Io { action: "create", .. }), "{error}");
    let error = journal(folder.path()).facts().await.unwrap_err();
    assert!(matches!(error, JournalError::Io { action: "read", .. }), "{error}");
    // Endless, and nothing can be written to it.
    for error in [
        journal(Path::new("/dev/full")).facts().await.unwrap_err(),
        journal(Path::new("/dev/full")).note(Note::Seen(key(1)), T0).await.unwrap_err(),
    ] {
        assert!(matches!(&error, JournalError::Io { .. }), "{error}");
        assert!(error.to_string().contains("/dev/full"));
    }
}

#[tokio::test]
async fn what_has_no_name_or_no_date_is_not_written() {
    let (_folder, path) = place();
    for (note, at) in [
        (Note::Accepted(key(1), Audience(2)), T0),
        (Note::DeliveryDone(SinkId(2)), T0),
        (Note::Seen(key(1)), Timestamp(u64::MAX)),
        (Note::Seen(key(1)), Timestamp(1 << 40)),
    ] {
        let error = journal(&path).note(note, at).await.unwrap_err();
        assert!(matches!(error, JournalError::Io { action: "write", .. }), "{error}");
        assert!(!path.exists());
    }
}

#[test]
fn with_a_full_disk_a_note_fails_and_leaves_no_trace() {
    let (folder, path) = place();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(notes(&path, &[Note::Seen(key(1)); 3]));
    let before = fs::read(&path).unwrap();
    assert!((513..1_000).contains(&before.len()), "the next line crosses a block of the limit");
    // Blocks of 512 bytes, or of 1,024 where the shell is bash: room for half a line, or for none.
    for prelude in [FULL_DISK, "trap '' XFSZ; ulimit -f 2"] {
        let output = alone("journal_file::on_a_full_disk", folder.path(), prelude, &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

/// Run by the test above, alone.
#[tokio::test]
async fn on_a_full_disk() {
    let Some(folder) = told_folder() else { return };
    let journal = FileJournal::new(
        folder.join("notes.jsonl"),
        // Longer than any block.
        vec!["x".repeat(4_096)],
        Vec::new(),
    );
    let error = journal.note(Note::Accepted(key(2), Audience(0)), T1).await.unwrap_err();
    assert!(matches!(error, JournalError::Io { action: "write", .. }), "{error}");
    assert_eq!(journal.facts().await.unwrap().keys.len(), 1);
}

/// A journal of 1,090 notes: of a key long gone, of one that is asked again and again, and of a
/// scope that nobody knows any more.
fn long(path: &Path) {
    let key =
        |n: &str| format!(r#""key":{{"sha1":"{}","sha256":"{}"}}"#, n.repeat(20), n.repeat(32));
    let mut lines = vec![r#"{"format":"rollkey-journal","version":1}"#.to_owned()];
    let mut note = |kind: &str, rest: &str| {
        let (n, comma) = (lines.len(), if rest.is_empty() { "" } else { "," });
        let (hour, minute) = (n / 60, n % 60);
        lines.push(format!(
            r#"{{"at":"2026-11-{:02}T{:02}:{minute:02}:00Z","note":"{kind}"{comma}{rest}}}"#,
            1 + hour / 24,
            hour % 24,
        ));
    };
    note("staged", &key("0A"));
    note("accepted", &format!(r#"{},"scope":"gone","by":"somebody""#, key("0B")));
    (0..40).for_each(|_| note("refused", &format!(r#"{},"scope":"{GRAPH}""#, key("0A"))));
    note("discarded", &key("0A"));
    note("staged", &key("0B"));
    note("delivery_failed", r#""sink":"app""#);
    note("clock_set_back", "");
    (0..1_042).for_each(|_| note("refused", &format!(r#"{},"scope":"{GRAPH}""#, key("0B"))));
    note("delivery_failed", r#""sink":"app""#);
    note("delivery_failed", r#""sink":"old""#);
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

#[tokio::test]
async fn a_long_journal_is_made_short_and_adds_up_to_the_same() {
    let (folder, path) = place();
    long(&path);
    let all = FileJournal::new(&path, names(&["gone", GRAPH]), names(&["old", "app"]));
    let mut expected = [facts(&path).await, all.facts().await.unwrap()];
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(lines(&path), 1 + 1_090);
    fs::write(folder.path().join(".rollkey-tmp-somebody"), "").unwrap();

    for n in 1..=10 {
        let at = Timestamp(T0.0 + n);
        let note = Note::Refused(key(9), Audience(0));
        journal(&path).note(note, at).await.unwrap();
        expected[0].add(note, at);
        expected[1].add(Note::Refused(key(9), Audience(1)), at);
        assert!(n == 10 || MAX_NOTES < lines(&path));
    }
    assert!(lines(&path) < 15, "{}", fs::read_to_string(&path).unwrap());
    assert_eq!([facts(&path).await, all.facts().await.unwrap()], expected);
    // Lines are kept as they were, and a neighbour's unfinished file is a neighbour's.
    assert!(fs::read_to_string(&path).unwrap().contains(r#""scope":"gone","by":"somebody"}"#));
    assert_eq!(leftovers(folder.path()).len(), 1);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn notes_that_wait_while_it_is_made_short_are_not_lost() {
    let (_folder, path) = place();
    long(&path);
    let before = facts(&path).await;
    let hands = (0..8_u8).map(|n| {
        let journal = journal(&path);
        tokio::task::spawn_blocking(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            for m in 0..5 {
                let note = Note::Staged(key(20 + 5 * n + m));
                runtime.block_on(journal.note(note, T0)).unwrap();
                assert!(!runtime.block_on(journal.facts()).unwrap().keys.is_empty());
            }
        })
    });
    for hand in hands.collect::<Vec<_>>() {
        hand.await.unwrap();
    }
    assert_eq!(facts(&path).await.keys.len(), before.keys.len() + 40);
    assert!(fs::read_to_string(&path).unwrap().lines().count() < 60);
}
