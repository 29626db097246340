//! What every journal promises, asked of all of them.

use rollkey::journal::file::FileJournal;
use rollkey::journal::memory::MemoryJournal;
use rollkey::ports::Journal;
use rollkey_core::{
    Audience, Facts, KeyId, Note, Sha1Thumbprint, Sha256Thumbprint, SinkId, Thumbprint, Timestamp,
};
use tempfile::TempDir;

trait Bench {
    /// Opens the journal, as after a restart: always the same place.
    fn open(&self) -> Box<dyn Journal>;
}

struct File(TempDir);
struct Memory(MemoryJournal);

impl Bench for File {
    fn open(&self) -> Box<dyn Journal> {
        let scopes = vec!["graph".to_owned(), "vault".to_owned()];
        let sinks = vec!["app".to_owned(), "web".to_owned()];
        Box::new(FileJournal::new(self.0.path().join("notes.jsonl"), scopes, sinks))
    }
}

impl Bench for Memory {
    fn open(&self) -> Box<dyn Journal> {
        Box::new(self.0.clone())
    }
}

macro_rules! contract {
    ($($promise:ident)*) => {
        mod file {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(&super::File(super::TempDir::new().unwrap())).await;
            })*
        }
        mod memory {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(&super::Memory(super::MemoryJournal::new())).await;
            })*
        }
    };
}

contract! {
    an_empty_journal_knows_nothing
    every_note_is_added_up_as_the_core_does
    notes_are_there_after_a_restart
    after_each_note_the_sum_is_that_of_all_so_far
    a_clock_that_was_set_back_is_on_record
    notes_of_several_hands_are_all_kept
}

fn key(n: u8) -> Thumbprint {
    Thumbprint { sha1: Sha1Thumbprint([n; 20]), sha256: Sha256Thumbprint([0xF0 | n; 32]) }
}

/// One note of each kind, in an order in which each leaves a trace.
fn all_kinds() -> Vec<(Note, Timestamp)> {
    let notes = [
        Note::Seen(key(1)),
        Note::Staged(key(2)),
        Note::Staged(key(3)),
        Note::Sent(key(2)),
        Note::Registered(key(2), KeyId::from_bytes([0x6b; 16])),
        Note::Refused(key(2), Audience(0)),
        Note::Accepted(key(2), Audience(1)),
        Note::Sent(key(3)),
        Note::Sent(key(3)),
        Note::NotTaken(key(3)),
        Note::Discarded(key(1)),
        Note::DeliveryFailed(SinkId(0)),
        Note::DeliveryFailed(SinkId(1)),
        Note::DeliveryDone(SinkId(0)),
    ];
    notes.into_iter().zip((1_795_446_000..).map(Timestamp)).collect()
}

fn sum(notes: &[(Note, Timestamp)]) -> Facts {
    let mut facts = Facts::default();
    notes.iter().for_each(|(note, at)| facts.add(*note, *at));
    facts
}

async fn an_empty_journal_knows_nothing(bench: &impl Bench) {
    assert_eq!(bench.open().facts().await.unwrap(), Facts::default());
}

async fn every_note_is_added_up_as_the_core_does(bench: &impl Bench) {
    let journal = bench.open();
    for (note, at) in all_kinds() {
        journal.note(note, at).await.unwrap();
    }
    let facts = journal.facts().await.unwrap();
    assert_eq!(facts, sum(&all_kinds()));
    assert_eq!(facts.keys.len(), 2);
    assert_eq!(facts.failed_deliveries.len(), 1);
}

async fn notes_are_there_after_a_restart(bench: &impl Bench) {
    for (note, at) in all_kinds() {
        bench.open().note(note, at).await.unwrap();
    }
    assert_eq!(bench.open().facts().await.unwrap(), sum(&all_kinds()));
}

async fn after_each_note_the_sum_is_that_of_all_so_far(bench: &impl Bench) {
    let notes = all_kinds();
    for (n, (note, at)) in notes.iter().enumerate() {
        bench.open().note(*note, *at).await.unwrap();
        assert_eq!(bench.open().facts().await.unwrap(), sum(&notes[..=n]));
    }
}

async fn a_clock_that_was_set_back_is_on_record(bench: &impl Bench) {
    let (ahead, back) = (Timestamp(2_000_000_000), Timestamp(1_795_446_000));
    let notes = [
        (Note::Staged(key(1)), ahead),
        (Note::Accepted(key(1), Audience(0)), ahead),
        (Note::DeliveryFailed(SinkId(1)), ahead),
        (Note::ClockSetBack, back),
        (Note::Refused(key(1), Audience(1)), Timestamp(back.0 + 60)),
    ];
    for (note, at) in notes {
        bench.open().note(note, at).await.unwrap();
    }
    let facts = bench.open().facts().await.unwrap();
    assert_eq!(facts, sum(&notes));
    assert_eq!(facts.keys[&key(1)].since, back);
    assert_eq!(facts.latest(), Some(Timestamp(back.0 + 60)));
}

async fn notes_of_several_hands_are_all_kept(bench: &impl Bench) {
    let hands: Vec<_> = (0..4).map(|n| (n, bench.open())).collect();
    let hands = hands.into_iter().map(|(n, journal)| {
        tokio::spawn(async move {
            for m in 0..10 {
                journal
                    .note(Note::Staged(key(10 * n + m)), Timestamp(1_795_446_000))
                    .await
                    .unwrap();
                tokio::task::yield_now().await;
            }
        })
    });
    for hand in hands.collect::<Vec<_>>() {
        hand.await.unwrap();
    }
    assert_eq!(bench.open().facts().await.unwrap().keys.len(), 40);
}
