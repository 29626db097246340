//! What every sink promises, asked of all of them.

use crate::sink_bench::{AMPLE, T0, T1, T2, delivery, key_in, shell, thumbprint};
use rollkey::ports::{Sink, SinkError};
use rollkey::sink::exec::{ExecFormat, ExecSettings, ExecSink};
use rollkey::sink::folder::{FolderAccess, FolderSettings, FolderSink, Layout};
use rollkey::sink::memory::MemorySink;
use rollkey::sink::notify::Notify;
use rollkey_core::{Delivered, Generation};
use std::fs;
use tempfile::TempDir;

/// A sink, its consumers, and whoever tells them.
trait Bench {
    /// Opens the sink, as after a restart: always the same place.
    fn open(&self) -> Box<dyn Sink>;
    /// The key that a consumer reads now.
    fn consumer_reads(&self) -> Option<u8>;
    /// Lets notifications fail, or succeed again.
    fn let_notifications_fail(&self, fail: bool);
    /// How many notifications succeeded.
    fn told(&self) -> usize;
}

struct Folder(TempDir);
struct Exec(TempDir);
struct Memory(MemorySink);

const NOTIFY: &str = "test ! -e fail && echo told >> told";

fn count(folder: &TempDir) -> usize {
    fs::read_to_string(folder.path().join("told")).map_or(0, |text| text.lines().count())
}

fn let_fail(folder: &TempDir, fail: bool) {
    let flag = folder.path().join("fail");
    match fail {
        true => fs::write(flag, "").unwrap(),
        false => fs::remove_file(flag).unwrap(),
    }
}

impl Bench for Folder {
    fn open(&self) -> Box<dyn Sink> {
        let settings = FolderSettings {
            name: "app".to_owned(),
            folder: self.0.path().join("tls"),
            layout: Layout { combined_pem: true, ..Layout::default() },
            access: FolderAccess::default(),
            notify: Some(Notify::new(shell(self.0.path(), NOTIFY, AMPLE))),
        };
        Box::new(FolderSink::new(settings).unwrap())
    }

    fn consumer_reads(&self) -> Option<u8> {
        fs::read(self.0.path().join("tls/current/bundle.pem")).ok().map(|pem| key_in(&pem))
    }

    fn let_notifications_fail(&self, fail: bool) {
        let_fail(&self.0, fail);
    }

    fn told(&self) -> usize {
        count(&self.0)
    }
}

impl Bench for Exec {
    fn open(&self) -> Box<dyn Sink> {
        let settings = ExecSettings {
            name: "app".to_owned(),
            command: shell(self.0.path(), "cat > new && mv new got", AMPLE),
            format: ExecFormat::CombinedPem,
            state_file: self.0.path().join("state/app.json"),
            notify: Some(Notify::new(shell(self.0.path(), NOTIFY, AMPLE))),
        };
        Box::new(ExecSink::new(settings).unwrap())
    }

    fn consumer_reads(&self) -> Option<u8> {
        fs::read(self.0.path().join("got")).ok().map(|pem| key_in(&pem))
    }

    fn let_notifications_fail(&self, fail: bool) {
        let_fail(&self.0, fail);
    }

    fn told(&self) -> usize {
        count(&self.0)
    }
}

impl Bench for Memory {
    fn open(&self) -> Box<dyn Sink> {
        Box::new(self.0.clone())
    }

    fn consumer_reads(&self) -> Option<u8> {
        self.0.history().last().map(|received| received.key.sha1.0[0])
    }

    fn let_notifications_fail(&self, fail: bool) {
        self.0.fail_next(if fail { u32::MAX } else { 0 });
    }

    fn told(&self) -> usize {
        self.0.history().iter().filter(|received| received.notified_at.is_some()).count()
    }
}

macro_rules! contract {
    ($($promise:ident)*) => {
        mod folder {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(&super::Folder(super::TempDir::new().unwrap())).await;
            })*
        }
        mod exec {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(&super::Exec(super::TempDir::new().unwrap())).await;
            })*
        }
        mod memory {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(&super::Memory(super::MemorySink::new("app"))).await;
            })*
        }
    };
}

contract! {
    its_name_is_what_an_operator_calls_it
    a_sink_that_was_never_delivered_to_holds_nothing
    consumers_read_what_was_delivered
    what_was_delivered_is_known_after_a_restart
    a_later_key_takes_the_place_of_an_earlier_one
    delivering_twice_does_no_harm_and_tells_nobody_twice
    an_older_generation_is_refused_and_changes_nothing
    an_older_generation_is_refused_even_if_nobody_was_told_of_the_newer
    a_failed_notification_is_a_failed_delivery
    after_a_failed_notification_consumers_are_told_by_the_next_delivery
    the_same_key_at_a_later_generation_is_a_delivery_of_its_own
    a_key_that_cannot_leave_its_keystore_is_refused_and_changes_nothing
}

async fn its_name_is_what_an_operator_calls_it(bench: &impl Bench) {
    assert_eq!(bench.open().name(), "app");
}

async fn a_sink_that_was_never_delivered_to_holds_nothing(bench: &impl Bench) {
    assert_eq!(bench.open().delivered().await.unwrap(), None);
    assert_eq!(bench.consumer_reads(), None);
}

async fn consumers_read_what_was_delivered(bench: &impl Bench) {
    let sink = bench.open();
    sink.deliver(&delivery(1, 4), T0).await.unwrap();
    assert_eq!(bench.consumer_reads(), Some(1));
    let delivered = Delivered { key: thumbprint(1), since: T0 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
    assert_eq!(bench.told(), 1);
}

async fn what_was_delivered_is_known_after_a_restart(bench: &impl Bench) {
    bench.open().deliver(&delivery(1, 4), T0).await.unwrap();
    let delivered = Delivered { key: thumbprint(1), since: T0 };
    assert_eq!(bench.open().delivered().await.unwrap(), Some(delivered));
}

async fn a_later_key_takes_the_place_of_an_earlier_one(bench: &impl Bench) {
    let sink = bench.open();
    sink.deliver(&delivery(1, 4), T0).await.unwrap();
    sink.deliver(&delivery(2, 6), T1).await.unwrap();
    assert_eq!(bench.consumer_reads(), Some(2));
    let delivered = Delivered { key: thumbprint(2), since: T1 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
    assert_eq!(bench.told(), 2);
}

async fn delivering_twice_does_no_harm_and_tells_nobody_twice(bench: &impl Bench) {
    bench.open().deliver(&delivery(1, 4), T0).await.unwrap();
    bench.open().deliver(&delivery(1, 4), T1).await.unwrap();
    let delivered = Delivered { key: thumbprint(1), since: T0 };
    assert_eq!(bench.open().delivered().await.unwrap(), Some(delivered));
    assert_eq!(bench.told(), 1);
}

async fn an_older_generation_is_refused_and_changes_nothing(bench: &impl Bench) {
    let sink = bench.open();
    sink.deliver(&delivery(2, 6), T0).await.unwrap();
    let error = sink.deliver(&delivery(1, 5), T1).await.unwrap_err();
    assert!(
        matches!(
            &error,
            SinkError::Newer { sink, holds: Generation(6), offered: Generation(5) } if sink == "app"
        ),
        "{error}"
    );
    assert_eq!(bench.consumer_reads(), Some(2));
    let delivered = Delivered { key: thumbprint(2), since: T0 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
    assert_eq!(bench.told(), 1);
}

async fn an_older_generation_is_refused_even_if_nobody_was_told_of_the_newer(bench: &impl Bench) {
    let sink = bench.open();
    bench.let_notifications_fail(true);
    sink.deliver(&delivery(2, 6), T0).await.unwrap_err();
    bench.let_notifications_fail(false);
    let error = sink.deliver(&delivery(1, 5), T1).await.unwrap_err();
    assert!(matches!(error, SinkError::Newer { .. }), "{error}");
    assert_eq!(bench.told(), 0);
}

async fn a_failed_notification_is_a_failed_delivery(bench: &impl Bench) {
    let sink = bench.open();
    sink.deliver(&delivery(1, 4), T0).await.unwrap();
    bench.let_notifications_fail(true);
    let error = sink.deliver(&delivery(2, 6), T1).await.unwrap_err();
    assert!(
        matches!(&error, SinkError::Command { sink, role: "notify", .. } if sink == "app"),
        "{error}"
    );
    // Consumers read the new key if they look, and nobody may rely on that.
    assert_eq!(bench.consumer_reads(), Some(2));
    assert_eq!(sink.delivered().await.unwrap(), None);
    assert_eq!(bench.open().delivered().await.unwrap(), None);
}

async fn after_a_failed_notification_consumers_are_told_by_the_next_delivery(bench: &impl Bench) {
    bench.let_notifications_fail(true);
    bench.open().deliver(&delivery(1, 4), T0).await.unwrap_err();
    bench.open().deliver(&delivery(1, 4), T1).await.unwrap_err();
    bench.let_notifications_fail(false);
    bench.open().deliver(&delivery(1, 4), T2).await.unwrap();
    let delivered = Delivered { key: thumbprint(1), since: T2 };
    assert_eq!(bench.open().delivered().await.unwrap(), Some(delivered));
    assert_eq!(bench.told(), 1);
}

async fn the_same_key_at_a_later_generation_is_a_delivery_of_its_own(bench: &impl Bench) {
    let sink = bench.open();
    sink.deliver(&delivery(1, 4), T0).await.unwrap();
    sink.deliver(&delivery(1, 9), T1).await.unwrap();
    let delivered = Delivered { key: thumbprint(1), since: T1 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
    let error = sink.deliver(&delivery(2, 8), T2).await.unwrap_err();
    assert!(matches!(error, SinkError::Newer { .. }), "{error}");
}

async fn a_key_that_cannot_leave_its_keystore_is_refused_and_changes_nothing(bench: &impl Bench) {
    let sink = bench.open();
    sink.deliver(&delivery(1, 4), T0).await.unwrap();
    let stays = rollkey::ports::Delivery { private_key: None, ..delivery(2, 6) };
    let error = sink.deliver(&stays, T1).await.unwrap_err();
    assert!(matches!(&error, SinkError::KeyStays { sink } if sink == "app"), "{error}");
    assert_eq!(bench.consumer_reads(), Some(1));
    let delivered = Delivered { key: thumbprint(1), since: T0 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
}
