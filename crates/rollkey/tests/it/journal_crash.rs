//! The process dies between any two effects of a note: a copy of this test is made to, at each
//! point that has a name.

use crate::sink_bench::{leftovers, told_folder};
use crate::sink_crash::{die, prepare_to_die};
use rollkey::journal::file::FileJournal;
use rollkey::ports::Journal;
use rollkey_core::{
    Audience, Facts, Note, Sha1Thumbprint, Sha256Thumbprint, Thumbprint, Timestamp,
};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use tempfile::TempDir;

const KEY: Thumbprint =
    Thumbprint { sha1: Sha1Thumbprint([1; 20]), sha256: Sha256Thumbprint([2; 32]) };
const AT: Timestamp = Timestamp(1_795_446_000);
const LATER: Timestamp = Timestamp(1_795_446_060);

fn journal(folder: &Path) -> FileJournal {
    FileJournal::new(folder.join("notes.jsonl"), vec!["graph".to_owned()], Vec::new())
}

fn sum(notes: &[(Note, Timestamp)]) -> Facts {
    let mut facts = Facts::default();
    notes.iter().for_each(|(note, at)| facts.add(*note, *at));
    facts
}

const BEFORE: (Note, Timestamp) = (Note::Staged(KEY), AT);
const NOTE: (Note, Timestamp) = (Note::Accepted(KEY, Audience(0)), LATER);

#[tokio::test]
async fn a_note_is_there_or_not_and_never_in_between() {
    // Name of the point, and whether a torn line is there to begin with.
    for (point, torn) in [
        ("journal::file::opened", false),
        ("journal::file::torn_line_cut", true),
        ("journal::file::line_written", false),
        ("journal::file::line_written", true),
    ] {
        let folder = TempDir::new().unwrap();
        journal(folder.path()).note(BEFORE.0, BEFORE.1).await.unwrap();
        if torn {
            let path = folder.path().join("notes.jsonl");
            let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"{\"at\":\"2026").unwrap();
        }
        die("journal_crash::in_a_note", folder.path(), point);
        let facts = journal(folder.path()).facts().await.unwrap();
        assert!([sum(&[BEFORE]), sum(&[BEFORE, NOTE])].contains(&facts), "{point}");
        journal(folder.path()).note(NOTE.0, NOTE.1).await.unwrap();
        let facts = journal(folder.path()).facts().await.unwrap();
        assert_eq!(facts, sum(&[BEFORE, NOTE]), "{point}");
    }
}

#[tokio::test]
async fn a_journal_that_is_being_made_short_is_the_old_one_or_the_new() {
    for point in ["durable::replace::written", "journal::file::compacted"] {
        let folder = TempDir::new().unwrap();
        journal(folder.path()).note(BEFORE.0, BEFORE.1).await.unwrap();
        let path = folder.path().join("notes.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().nth(1).unwrap();
        fs::write(&path, text.clone() + &format!("{line}\n").repeat(1_098)).unwrap();
        die("journal_crash::in_a_note", folder.path(), point);
        let facts = journal(folder.path()).facts().await.unwrap();
        assert_eq!(facts, sum(&[BEFORE, NOTE]), "{point}: the note was safe before");
        // Whatever was left unfinished is swept up when it is made short the next time.
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines < 1_000 {
            assert_eq!((lines, leftovers(folder.path()).len()), (3, 0), "{point}");
            continue;
        }
        fs::write(&path, text.clone() + &format!("{line}\n").repeat(1_098)).unwrap();
        journal(folder.path()).note(NOTE.0, NOTE.1).await.unwrap();
        assert!(leftovers(folder.path()).is_empty(), "{point}");
    }
}

/// Run by the tests above, alone.
#[tokio::test]
async fn in_a_note() {
    let Some(folder) = told_folder() else { return };
    let _scenario = prepare_to_die();
    journal(&folder).note(NOTE.0, NOTE.1).await.unwrap();
}
