//! The sink that hands keys to a command, and what holds of every command.

use crate::sink_bench::{
    AMPLE, FULL_DISK, T0, T1, alone, delivery, key_in, key_lines, leftovers, shell, thumbprint,
    told_folder,
};
use rollkey::ports::{CertificateDer, Delivery, Sink, SinkError};
use rollkey::sink::SinkConfigError;
use rollkey::sink::command::CommandLine;
use rollkey::sink::exec::{ExecFormat, ExecSettings, ExecSink};
use rollkey::sink::notify::Notify;
use rollkey_core::{Delivered, Generation};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What is short for a person is long for a command that is not to end.
const SHORT: Duration = Duration::from_millis(300);

fn settings(folder: &Path, script: &str, time: Duration) -> ExecSettings {
    ExecSettings {
        name: "app".to_owned(),
        command: shell(folder, script, time),
        format: ExecFormat::CombinedPem,
        state_file: folder.join("app.json"),
        notify: None,
    }
}

fn sink(folder: &TempDir, script: &str) -> ExecSink {
    ExecSink::new(settings(folder.path(), script, AMPLE)).unwrap()
}

/// What a command failed with: outcome, and the last line of standard error.
async fn failure(sink: &ExecSink, delivery: &Delivery) -> (String, String) {
    match sink.deliver(delivery, T0).await.unwrap_err() {
        SinkError::Command { sink, role: "exec", outcome, stderr } if sink == "app" => {
            (outcome, stderr)
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_key_comes_over_standard_input_and_never_otherwise() {
    let folder = TempDir::new().unwrap();
    let script = "cat > got; env > environment; tr '\\0' '\\n' < /proc/$$/cmdline > arguments";
    let script = if cfg!(target_os = "linux") { script } else { "cat > got; env > environment" };
    let delivery = delivery(1, 7);
    sink(&folder, script).deliver(&delivery, T0).await.unwrap();

    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    assert_eq!(key_in(read("got").as_bytes()), 1);
    let elsewhere = read("environment") + &read("arguments");
    assert!(!elsewhere.contains("PRIVATE KEY"));
    for line in key_lines(&delivery) {
        assert!(!elsewhere.contains(&line), "{line}");
    }

    let environment = read("environment");
    let mut names: Vec<_> = environment
        .lines()
        .map(|line| line.split('=').next().unwrap())
        // The shell's own.
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    names.sort_unstable();
    // Nothing of ours is inherited: tests run with many variables of Cargo's.
    assert_eq!(names, ["PATH", "ROLLKEY_APPLICATION", "ROLLKEY_GENERATION", "ROLLKEY_THUMBPRINT"]);
    assert!(environment.contains("ROLLKEY_APPLICATION=billing\n"));
    assert!(environment.contains("ROLLKEY_GENERATION=7\n"));
    assert!(environment.contains(&format!("ROLLKEY_THUMBPRINT={}\n", thumbprint(1))));
}

#[tokio::test]
async fn the_envelope_is_one_line_of_json() {
    let folder = TempDir::new().unwrap();
    let settings =
        ExecSettings { format: ExecFormat::Json, ..settings(folder.path(), "cat > got", AMPLE) };
    let delivery = Delivery { application: "a \"b\"\n\\".to_owned(), ..delivery(1, 7) };
    ExecSink::new(settings).unwrap().deliver(&delivery, T0).await.unwrap();

    let text = fs::read_to_string(folder.path().join("got")).unwrap();
    assert_eq!(text.matches('\n').count(), 1);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pem = [&json["certificate_pem"], &json["private_key_pem"]].map(|v| v.as_str().unwrap());
    assert_eq!(key_in(pem.concat().as_bytes()), 1);
    assert_eq!(json["thumbprint"], thumbprint(1).to_string());
    assert_eq!(json["generation"], 7);
    assert_eq!(json["application"], delivery.application);
    assert_eq!(json.as_object().unwrap().len(), 5);
}

#[tokio::test]
async fn a_command_fails_by_its_exit_status_and_its_last_words_are_told() {
    let folder = TempDir::new().unwrap();
    let sink =
        sink(&folder, "cat > /dev/null; echo first >&2; echo 'no such vault' >&2; echo; exit 3");
    let failure = failure(&sink, &delivery(1, 4)).await;
    assert_eq!(failure, ("exited with 3".to_owned(), "no such vault".to_owned()));
    assert_eq!(sink.delivered().await.unwrap(), None);
}

#[tokio::test]
async fn a_command_that_says_the_key_back_is_not_quoted() {
    let folder = TempDir::new().unwrap();
    let left_out = "(a line was left out: it contains key material)";
    for script in ["cat >&2; exit 1", "sed -n '/PRIV/{n;p;q;}' | cut -c 9-50 >&2; exit 1"] {
        let sink = sink(&folder, script);
        let (_, stderr) = failure(&sink, &delivery(1, 4)).await;
        assert_eq!(stderr, left_out, "{script}");
    }
}

#[tokio::test]
async fn what_a_command_says_is_bounded() {
    let folder = TempDir::new().unwrap();
    let endless = "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1";
    let (_, stderr) = failure(&sink(&folder, endless), &delivery(1, 4)).await;
    assert_eq!(stderr.len(), 512);
}

#[tokio::test]
async fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
    let folder = TempDir::new().unwrap();
    let script = "sleep 30 & echo $! > pid; echo waiting >&2; wait";
    let sink = ExecSink::new(settings(folder.path(), script, SHORT)).unwrap();
    let failure = failure(&sink, &delivery(1, 4)).await;
    assert_eq!(failure, ("did not end in 300ms".to_owned(), "waiting".to_owned()));
    assert_gone(folder.path());
}

#[tokio::test]
async fn a_delivery_that_is_dropped_ends_its_command() {
    let folder = TempDir::new().unwrap();
    let script = "sleep 30 & echo $! > pid; wait";
    let sink = sink(&folder, script);
    let delivery = delivery(1, 4);
    let dropped = tokio::time::timeout(SHORT, sink.deliver(&delivery, T0)).await;
    assert!(dropped.is_err());
    assert_gone(folder.path());
}

/// Whatever wrote its number to `pid` no longer runs.
fn assert_gone(folder: &Path) {
    let pid = fs::read_to_string(folder.join("pid")).unwrap();
    let stat = || fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    // Ended and not yet taken notice of (Z) is ended; a signal takes a moment.
    let is_gone = || stat().is_empty() || stat().contains(") Z ");
    let until = Instant::now() + AMPLE;
    while !is_gone() {
        assert!(Instant::now() < until, "{}", stat());
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_command_that_leaves_something_running_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let started = Instant::now();
    sink(&folder, "cat > /dev/null; sleep 20 & exit 0").deliver(&delivery(1, 4), T0).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_command_that_is_killed_says_by_which_signal() {
    let folder = TempDir::new().unwrap();
    let (outcome, _) = failure(&sink(&folder, "kill -9 $$"), &delivery(1, 4)).await;
    assert_eq!(outcome, "was killed by signal 9");
}

#[tokio::test]
async fn a_command_that_is_not_there_did_not_start() {
    let folder = TempDir::new().unwrap();
    let command = CommandLine::new(["/nowhere/at-all".to_owned()], AMPLE).unwrap();
    let settings = ExecSettings { command, ..settings(folder.path(), "", AMPLE) };
    let (outcome, _) = failure(&ExecSink::new(settings).unwrap(), &delivery(1, 4)).await;
    assert!(outcome.starts_with("did not start: /nowhere/at-all: "), "{outcome}");
}

#[tokio::test]
async fn a_command_that_closes_its_input_early_is_judged_by_its_status_alone() {
    let folder = TempDir::new().unwrap();
    // More than a pipe holds.
    let long = Delivery { certificates: vec![CertificateDer(vec![1; 400_000])], ..delivery(1, 4) };
    sink(&folder, "exec <&-; exit 0").deliver(&long, T0).await.unwrap();
    let (outcome, _) = failure(&sink(&TempDir::new().unwrap(), "exec <&-; exit 4"), &long).await;
    assert_eq!(outcome, "exited with 4");
}

#[tokio::test]
async fn a_failed_command_leaves_what_was_known() {
    let folder = TempDir::new().unwrap();
    sink(&folder, "cat > got").deliver(&delivery(1, 4), T0).await.unwrap();
    sink(&folder, "exit 1").deliver(&delivery(2, 6), T1).await.unwrap_err();
    let sink = sink(&folder, "cat > got");
    let delivered = Delivered { key: thumbprint(1), since: T0 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
    // And the next generation is not refused.
    sink.deliver(&delivery(2, 6), T1).await.unwrap();
}

#[tokio::test]
async fn a_failed_notification_does_not_hand_the_key_over_again() {
    let folder = TempDir::new().unwrap();
    let with = |notify| ExecSettings {
        notify: Some(Notify::new(shell(folder.path(), notify, AMPLE))),
        ..settings(folder.path(), "cat > /dev/null; echo once >> count", AMPLE)
    };
    let failing = ExecSink::new(with("exit 1")).unwrap();
    failing.deliver(&delivery(1, 4), T0).await.unwrap_err();
    let succeeding = ExecSink::new(with("test ! -t 0 && test -z \"$(cat)\"")).unwrap();
    succeeding.deliver(&delivery(1, 4), T1).await.unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("count")).unwrap(), "once\n");
}

#[tokio::test]
async fn the_state_is_closed_to_others_and_read_by_people() {
    let folder = TempDir::new().unwrap();
    sink(&folder, "cat > got").deliver(&delivery(1, 4), T0).await.unwrap();
    let state = folder.path().join("app.json");
    assert_eq!(state.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    assert_eq!(json["generation"], 4);
    assert_eq!(json["delivered_at"], "2026-11-23T15:00:00Z");
    assert_eq!(json["notified"], true);
}

#[tokio::test]
async fn a_state_that_is_not_ours_is_left_alone_and_nothing_is_run() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("app.json");
    let later = r#"{"format":"rollkey-delivery","version":2}"#;
    for text in ["", "{}", "something else", later] {
        fs::write(&state, text).unwrap();
        let sink = sink(&folder, "cat > got");
        for error in [
            sink.delivered().await.unwrap_err(),
            sink.deliver(&delivery(1, 4), T0).await.unwrap_err(),
        ] {
            assert!(matches!(error, SinkError::Foreign { .. }), "{error}");
        }
        assert_eq!(fs::read_to_string(&state).unwrap(), text);
        assert!(!folder.path().join("got").exists());
    }
}

#[tokio::test]
async fn two_deliveries_at_once_come_one_after_the_other() {
    let folder = TempDir::new().unwrap();
    let script = "test ! -e busy || exit 9; touch busy; cat > got; rm busy";
    let (one, other) = (sink(&folder, script), sink(&folder, script));
    let (first, second) = (delivery(1, 4), delivery(2, 6));
    let (older, newer) = tokio::join!(one.deliver(&first, T0), other.deliver(&second, T0));
    newer.unwrap();
    // Whichever came first, the newer one stays.
    assert!(matches!(older, Ok(()) | Err(SinkError::Newer { holds: Generation(6), .. })));
    assert_eq!(key_in(&fs::read(folder.path().join("got")).unwrap()), 2);
}

#[test]
fn with_a_full_disk_the_delivery_fails_and_is_not_remembered() {
    let folder = TempDir::new().unwrap();
    let output = alone("sink_exec::on_a_full_disk", folder.path(), FULL_DISK, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!folder.path().join("app.json").exists());
    assert!(leftovers(folder.path()).is_empty());
}

/// Run by the test above, alone.
#[tokio::test]
async fn on_a_full_disk() {
    let Some(folder) = told_folder() else { return };
    let sink = ExecSink::new(settings(&folder, "cat > /dev/null", AMPLE)).unwrap();
    let error = sink.deliver(&delivery(1, 4), T0).await.unwrap_err();
    assert!(matches!(error, SinkError::Io { action: "write", .. }), "{error}");
    assert_eq!(sink.delivered().await.unwrap(), None);
}

#[test]
fn what_cannot_run_is_refused_when_it_is_configured() {
    let command = |argv: &[&str], time| CommandLine::new(argv.iter().map(|&a| a.to_owned()), time);
    assert!(matches!(command(&[], AMPLE), Err(SinkConfigError::NoProgram)));
    assert!(matches!(command(&[""], AMPLE), Err(SinkConfigError::NoProgram)));
    assert!(matches!(command(&["true"], Duration::ZERO), Err(SinkConfigError::NoTime)));
    let nameless = ExecSettings { name: String::new(), ..settings(Path::new("."), "", AMPLE) };
    assert!(matches!(ExecSink::new(nameless), Err(SinkConfigError::NoName)));
}
