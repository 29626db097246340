//! What goes wrong on an operator's machine: a clear error, nothing lost, and the next run goes on.

use crate::scene::{NAME, Ran, Scene, chmod};
use rollkey_emulator::Emulator;

/// Everything that must survive: who is registered, and what is held.
fn standing(scene: &Scene) -> (usize, usize) {
    (scene.application.keys().len(), scene.keys_held())
}

/// A scene whose key is imported, with nothing sent yet.
fn imported() -> Scene {
    let scene = Scene::new();
    scene.import().succeeded();
    scene
}

/// The next run goes on: a new key is made, registered and accepted.
#[track_caller]
fn goes_on(scene: &Scene) {
    let ran = scene.rotate().succeeded();
    assert!(ran.out.contains("nothing to do before"), "{ran:#?}");
    assert_eq!(standing(scene), (3, 2), "{ran:#?}");
    assert!(scene.application.lockouts().is_empty());
    let left =
        scene.files().into_iter().find(|f| f.display().to_string().contains(".rollkey-tmp-"));
    assert_eq!(left, None, "left behind");
}

/// A shell under which no file may grow beyond so many blocks of 512 bytes: a full disk.
#[cfg(unix)]
fn rotate_on_a_full_disk(scene: &Scene, blocks: u32) -> Ran {
    scene.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec rollkey rotate {NAME}"))
}

#[cfg(unix)]
#[test]
fn a_full_disk_before_the_first_note_changes_nothing() {
    let scene = imported();
    let words = [
        "error: nothing was done: there is no journal",
        "cause: could not write the journal",
        "File too large",
        "hint: ",
    ];
    rotate_on_a_full_disk(&scene, 0).failed(1, &words);
    assert_eq!(standing(&scene), (2, 1));
    goes_on(&scene);
}

#[cfg(unix)]
#[test]
fn a_full_disk_at_any_size_loses_nothing() {
    for blocks in 1..8 {
        let scene = imported();
        let ran = rotate_on_a_full_disk(&scene, blocks);
        assert!(ran.code == Some(0) || ran.code == Some(1), "{blocks}: {ran:#?}");
        if ran.code == Some(1) {
            ran.failed(1, &["File too large"]);
        }
        let bundle = scene.certificate("tls/current/bundle.pem");
        assert!(bundle.is_none_or(|certificate| scene.application.accepts(certificate)));
        goes_on(&scene);
    }
}

#[cfg(unix)]
#[test]
fn a_state_folder_that_is_read_only_changes_nothing() {
    let scene = imported();
    // Modes do not hold back the superuser; a mount of its own does.
    let state = scene.path("state").display().to_string();
    let mount = format!("mount --bind {state} {state} && mount -o remount,ro,bind {state}");
    let ran = if scene.shell(&format!("unshare -m sh -c '{mount}'")).code == Some(0) {
        scene.shell(&format!("unshare -m sh -c '{mount} && exec rollkey rotate {NAME}'"))
    } else {
        chmod(&scene.path("state/billing"), 0o500);
        chmod(&scene.path("state/billing/keystore"), 0o500);
        if std::fs::write(scene.path("state/billing/probe"), "").is_ok() {
            println!("not run: this user may write to folders that are read-only");
            return;
        }
        let ran = scene.rotate();
        chmod(&scene.path("state/billing"), 0o700);
        chmod(&scene.path("state/billing/keystore"), 0o700);
        ran
    };
    assert!(ran.err.contains("Read-only") || ran.err.contains("Permission denied"), "{ran:#?}");
    ran.failed(1, &["error: ", "cause: "]);
    assert_eq!(standing(&scene), (2, 1));
    goes_on(&scene);
}

#[test]
fn a_folder_in_the_place_of_the_journal_is_reported_and_nothing_is_done() {
    let scene = imported();
    let place = scene.path("state/billing/journal.jsonl");
    std::fs::create_dir(&place).expect("a folder");
    let words =
        ["error: nothing was done: there is no journal", "the journal state/billing/journal.jsonl"];
    scene.rotate().failed(1, &words);
    assert_eq!(standing(&scene), (2, 1));
    std::fs::remove_dir(&place).expect("it is empty");
    goes_on(&scene);
}

#[test]
fn a_torn_journal_is_mended_by_itself() {
    let scene = imported();
    scene.rotate().succeeded();
    let mut text = scene.read("state/billing/journal.jsonl");
    text.push_str("{\"at\":\"20");
    scene.write("state/billing/journal.jsonl", text);
    goes_on(&scene);
}

#[test]
fn a_damaged_journal_is_not_guessed_at_and_may_be_moved_away() {
    let scene = imported();
    scene.rotate().succeeded();
    let text = scene.read("state/billing/journal.jsonl");
    let damaged: Vec<_> =
        text.lines().enumerate().map(|(n, line)| if n == 2 { "rubbish" } else { line }).collect();
    scene.write("state/billing/journal.jsonl", damaged.join("\n"));
    let ran =
        scene.rotate().failed(1, &["is damaged in line 3", "hint: losing the journal is safe"]);
    // What the hint says, as it is said.
    let (_, hint) = ran.err.rsplit_once(": mv ").expect("a command");
    scene.shell(&format!("mv {hint}")).succeeded();
    goes_on(&scene);
}

#[cfg(unix)]
#[test]
fn keys_that_are_open_to_others_are_not_used_until_they_are_closed() {
    for (place, mode) in
        [("state/billing/keystore", 0o755), ("state/billing/keystore/state.json", 0o644)]
    {
        let scene = imported();
        chmod(&scene.path(place), mode);
        let ran = scene.rotate().failed(
            1,
            &["nothing was done: the keys are open to others", "is open to others (mode"],
        );
        assert_eq!(standing(&scene), (2, 1));
        let (_, hint) = ran.err.rsplit_once("hint: ").expect("a hint");
        scene.shell(hint).succeeded();
        goes_on(&scene);
    }
}

#[test]
fn without_a_network_nothing_is_done_and_the_next_run_goes_on() {
    let scene = imported();
    let good = scene.read("rollkey.toml");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("https://localhost:{}", closed.local_addr().expect("an address").port());
    drop(closed);
    scene.edit(&scene.emulator.login_url(), &nobody);
    let words = [
        "this pass came to nothing; the next run will try again",
        "could not reach the token endpoint",
        "hint: check the network",
    ];
    scene.rotate().failed(1, &words);
    scene.run(&["status"]).failed(1, &words);
    assert_eq!(standing(&scene), (2, 1));
    scene.write("rollkey.toml", good);
    goes_on(&scene);
}

#[test]
fn a_certificate_authority_that_is_not_the_services_is_refused() {
    let scene = imported();
    let other = crate::scene::block_on(Emulator::start()).expect("another emulator");
    scene.write("ca.pem", other.ca_pem());
    scene.rotate().failed(1, &["could not reach the token endpoint", "certificate", "`ca-file`"]);
    assert_eq!(standing(&scene), (2, 1));
    scene.write("ca.pem", scene.emulator.ca_pem());
    goes_on(&scene);
}

#[test]
fn keys_that_entra_would_not_take_are_refused_before_anything_is_stored() {
    let scene = Scene::new();
    let now = scene.now();
    let expired =
        scene.emulator.application("old").with_generated_key(now - 200, now - 100).create();
    scene.write_private("expired.pem", expired.generated_keys()[0].pem());
    let corpus = crate::scene::root().join("crates/rollkey-pfx/tests/data/key-p256.pfx");
    std::fs::copy(corpus, scene.path("ec.pfx")).expect("a file of the corpus");
    scene.write_private("password", "secret\n");
    scene.run(&["import", NAME, "expired.pem"]).failed(1, &["cannot use expired.pem", "expired"]);
    let ec = ["import", NAME, "ec.pfx", "--password-file", "password"];
    scene.run(&ec).failed(1, &["cannot use ec.pfx", "RSA", "hint: "]);
    assert!(!scene.path("state").exists(), "something was stored");
    scene.import().succeeded();
    goes_on(&scene);
}

#[cfg(feature = "crash-points")]
mod on_a_clock {
    use super::*;

    /// A scene at the point where the new key is to be delivered.
    fn before_delivery() -> Scene {
        let scene = imported();
        let ran = scene.run(&["rotate", NAME, "--json"]).succeeded();
        scene.advance_to(crate::scene::next(&ran).0);
        scene
    }

    #[test]
    fn a_clock_that_was_set_back_or_forward_by_hours_does_nothing_until_it_is_right() {
        for ahead in [7200, -7200, 40 * 86_400, -400 * 86_400] {
            let scene = imported();
            scene.tell_wrong_time(ahead);
            scene.rotate().failed(
                1,
                &[
                    "nothing was done: a clock is wrong",
                    "at most 5m is safe",
                    "hint: set this machine's clock",
                ],
            );
            assert_eq!(standing(&scene), (2, 1));
            scene.tell_time();
            scene.rotate_to_rest();
            assert_eq!(standing(&scene), (2, 1));
            assert!(scene.application.lockouts().is_empty());
        }
    }

    #[test]
    fn a_clock_that_jumps_back_in_the_midst_of_a_rotation_does_not_delay_it_for_ever() {
        let scene = before_delivery();
        // Within what is safe, and beyond.
        for ahead in [240, -240, -86_400] {
            scene.tell_wrong_time(ahead);
            let ran = scene.rotate();
            assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
        }
        scene.tell_time();
        let began = scene.now();
        scene.rotate_to_rest();
        assert!(scene.now() < began + 3 * 86_400, "it took {} s", scene.now() - began);
        assert_eq!(standing(&scene), (2, 1));
        assert!(scene.application.lockouts().is_empty());
    }

    #[test]
    fn a_sink_folder_in_the_way_holds_back_the_removal_only_by_the_clock() {
        let scene = before_delivery();
        scene.write("tls", "a file of somebody's");
        scene.rotate().failed(1, &["delivery failed", "sink `web`", "in the way", "hint: "]);
        scene.rotate().failed(1, &["delivery failed", "sink `web`", "in the way", "hint: "]);
        let status = scene.run(&["status"]).succeeded();
        assert!(
            status.out.contains("sink web: ") && status.out.contains("a delivery failed at"),
            "{status:#?}"
        );
        scene.advance(3 * 86_400);
        scene.rotate().failed(1, &["a delivery failed"]);
        assert_eq!(standing(&scene), (3, 2), "nothing is removed meanwhile");
        assert_eq!(scene.read("tls"), "a file of somebody's");
        std::fs::remove_file(scene.path("tls")).expect("it is moved away");
        scene.advance(60);
        scene.rotate_to_rest();
        assert_eq!(standing(&scene), (2, 1));
    }
}
