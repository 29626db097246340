//! The process dies between any two effects of a delivery: a copy of this test is made to, at each
//! point that has a name. Whatever it left, consumers read one whole version, and the next delivery
//! puts everything right.

use crate::sink_bench::{
    AMPLE, T0, T1, T2, alone, delivery, key_in, leftovers, shell, thumbprint, told_folder,
};
use rollkey::ports::Sink;
use rollkey::sink::exec::{ExecFormat, ExecSettings, ExecSink};
use rollkey::sink::folder::{FolderAccess, FolderSettings, FolderSink, Layout};
use rollkey::sink::notify::Notify;
use rollkey_core::Delivered;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use tempfile::TempDir;

const FOLDER_POINTS: &[&str] = &[
    "sink::folder::created",
    "sink::folder::version_begun",
    "sink::folder::file_written",
    "sink::folder::version_written",
    "sink::folder::version_named",
    "sink::folder::link_switched",
    "sink::folder::notified",
    "durable::replace::written",
    "sink::folder::notification_noted",
    "sink::folder::version_removed",
];

const EXEC_POINTS: &[&str] = &[
    "sink::exec::handed_over",
    "durable::replace::written",
    "sink::exec::remembered",
    "sink::exec::notified",
];

fn folder_sink(folder: &Path) -> FolderSink {
    FolderSink::new(FolderSettings {
        name: "app".to_owned(),
        folder: folder.join("tls"),
        layout: Layout { combined_pem: true, separate_pem: true, pfx: None },
        access: FolderAccess::default(),
        notify: Some(Notify::new(shell(folder, "echo told >> told", AMPLE))),
    })
    .unwrap()
}

fn exec_sink(folder: &Path) -> ExecSink {
    ExecSink::new(ExecSettings {
        name: "app".to_owned(),
        command: shell(folder, "cat > new && mv new got", AMPLE),
        format: ExecFormat::CombinedPem,
        state_file: folder.join("app.json"),
        notify: Some(Notify::new(shell(folder, "echo told >> told", AMPLE))),
    })
    .unwrap()
}

/// Lets a copy of this process run `test` in `folder`, and die at `point`.
pub(crate) fn die(test: &str, folder: &Path, point: &str) {
    let output = alone(test, folder, "ulimit -c 0", &[("FAILPOINTS", &format!("{point}=panic"))]);
    // SIGABRT
    assert_eq!(output.status.signal(), Some(6), "{point} was not reached: {output:?}");
}

/// In such a copy: prepares to die where it was told to, without any clean-up.
pub(crate) fn prepare_to_die() -> fail::FailScenario<'static> {
    std::panic::set_hook(Box::new(|_| std::process::abort()));
    fail::FailScenario::setup()
}

#[tokio::test]
async fn a_folder_survives_a_crash_at_every_point() {
    for point in FOLDER_POINTS {
        let folder = TempDir::new().unwrap();
        let (sink, tls) = (folder_sink(folder.path()), folder.path().join("tls"));
        // Three versions, so that the third removes the first.
        sink.deliver(&delivery(1, 1), T0).await.unwrap();
        sink.deliver(&delivery(2, 2), T0).await.unwrap();
        die("sink_crash::in_a_folder", folder.path(), point);

        let read = key_in(&fs::read(tls.join("current/bundle.pem")).unwrap());
        let delivered = sink.delivered().await.unwrap();
        match delivered {
            Some(Delivered { key, since: T0 }) => {
                assert_eq!((key, read), (thumbprint(2), 2), "{point}")
            }
            Some(Delivered { key, .. }) => assert_eq!((key, read), (thumbprint(3), 3), "{point}"),
            None => assert_eq!(read, 3, "{point}: switched, and perhaps nobody was told"),
        }

        sink.deliver(&delivery(3, 3), T2).await.unwrap();
        assert_eq!(key_in(&fs::read(tls.join("current/bundle.pem")).unwrap()), 3, "{point}");
        assert_eq!(sink.delivered().await.unwrap().unwrap().key, thumbprint(3), "{point}");
        assert!(leftovers(&tls).is_empty(), "{point}");
        assert_eq!(fs::read_dir(tls.join("versions")).unwrap().count(), 2, "{point}");
        // Told once, twice, and of the third at least once.
        let told = fs::read_to_string(folder.path().join("told")).unwrap().lines().count();
        assert!((3..=4).contains(&told), "{point}: {told}");
    }
}

/// Run by the test above, alone.
#[tokio::test]
async fn in_a_folder() {
    let Some(folder) = told_folder() else { return };
    let _scenario = prepare_to_die();
    folder_sink(&folder).deliver(&delivery(3, 3), T1).await.unwrap();
}

#[tokio::test]
async fn a_first_delivery_to_a_folder_survives_a_crash() {
    for point in
        ["sink::folder::created", "sink::folder::file_written", "sink::folder::version_named"]
    {
        let folder = TempDir::new().unwrap();
        die("sink_crash::in_a_folder", folder.path(), point);
        let sink = folder_sink(folder.path());
        assert_eq!(sink.delivered().await.unwrap(), None, "{point}");
        assert!(!folder.path().join("tls/current").exists(), "{point}");
        sink.deliver(&delivery(3, 3), T2).await.unwrap();
        assert_eq!(fs::read_dir(folder.path().join("tls/versions")).unwrap().count(), 1, "{point}");
    }
}

#[tokio::test]
async fn a_command_survives_a_crash_at_every_point() {
    for point in EXEC_POINTS {
        let folder = TempDir::new().unwrap();
        let sink = exec_sink(folder.path());
        sink.deliver(&delivery(1, 1), T0).await.unwrap();
        die("sink_crash::in_a_command", folder.path(), point);

        match sink.delivered().await.unwrap() {
            // It cannot be known that the command has run: it will run again.
            Some(Delivered { key, since }) => {
                assert_eq!((key, since), (thumbprint(1), T0), "{point}")
            }
            None => assert_eq!(key_in(&fs::read(folder.path().join("got")).unwrap()), 2, "{point}"),
        }
        sink.deliver(&delivery(2, 2), T2).await.unwrap();
        let delivered = Delivered { key: thumbprint(2), since: T2 };
        assert_eq!(sink.delivered().await.unwrap(), Some(delivered), "{point}");
        assert_eq!(key_in(&fs::read(folder.path().join("got")).unwrap()), 2, "{point}");
        assert!(leftovers(folder.path()).is_empty(), "{point}");
    }
}

/// Run by the test above, alone.
#[tokio::test]
async fn in_a_command() {
    let Some(folder) = told_folder() else { return };
    let _scenario = prepare_to_die();
    exec_sink(&folder).deliver(&delivery(2, 2), T1).await.unwrap();
}
