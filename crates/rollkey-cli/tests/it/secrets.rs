//! Every command at the highest log level: nothing that it says or notes holds a secret.

use crate::scene::{NAME, PASSWORD, Ran, Scene};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use rollkey_emulator::Operation;
use std::path::Path;

/// The passwords and private keys (PKCS#8) that nothing may show.
struct Secrets {
    words: Vec<String>,
    keys: Vec<Vec<u8>>,
}

impl Secrets {
    /// All that stand in the files that hold them on purpose.
    fn of(scene: &Scene) -> Self {
        let mut secrets = Self { words: Vec::new(), keys: Vec::new() };
        for file in scene.files().iter().filter(|file| file.is_file()) {
            let name = file.to_string_lossy();
            let bytes = std::fs::read(file).expect("a file");
            if name.ends_with("password") {
                secrets.words.push(String::from_utf8_lossy(&bytes).trim().to_owned());
            } else if name.ends_with(".pem") {
                let blocks = pem::parse_many(bytes).expect("a PEM file").into_iter();
                let keys = blocks.filter(|block| block.tag() == "PRIVATE KEY");
                secrets.keys.extend(keys.map(pem::Pem::into_contents));
            }
        }
        assert!(secrets.words.contains(&PASSWORD.to_owned()));
        secrets
    }

    /// What is found in a text that should not stand there.
    fn found_in(&self, text: &str) -> Option<String> {
        if text.contains("PRIVATE KEY") {
            return Some("a private key in PEM".to_owned());
        }
        if let Some(word) = self.words.iter().find(|word| text.contains(*word)) {
            return Some(format!("the password {word}"));
        }
        for key in &self.keys {
            // From the first prime on: what stands before is public.
            let secret = &key[key.len() / 2..];
            for from in 0..3 {
                // Long enough to be no accident; whole groups, whichever the offset.
                let part = &secret[from..from + 30];
                let coats = [
                    BASE64_STANDARD.encode(part),
                    BASE64_STANDARD_NO_PAD.encode(part),
                    BASE64_URL_SAFE_NO_PAD.encode(part),
                    part.iter().map(|byte| format!("{byte:02x}")).collect(),
                    part.iter().map(|byte| format!("{byte:02X}")).collect(),
                    format!("{part:?}").trim_matches(['[', ']']).to_owned(),
                ];
                if coats.iter().any(|coat| text.contains(coat)) {
                    return Some("a private key in another coat".to_owned());
                }
            }
        }
        text.match_indices("eyJ").find_map(|(at, _)| {
            let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let word: &str = text[at..].split(|c| !token(c)).next().unwrap_or_default();
            (word.matches('.').count() >= 2).then(|| format!("a token: {word}"))
        })
    }
}

/// The files that hold keys on purpose.
fn may_hold_keys(file: &Path) -> bool {
    let name = file.to_string_lossy();
    [".pem", ".pfx", "password"].iter().any(|end| name.ends_with(end))
}

#[track_caller]
fn check(scene: &Scene, ran: &Ran) {
    let secrets = Secrets::of(scene);
    for text in [&ran.out, &ran.err] {
        assert_eq!(secrets.found_in(text), None, "in the output of {ran:#?}");
    }
    for file in scene.files().iter().filter(|file| file.is_file() && !may_hold_keys(file)) {
        let text = String::from_utf8_lossy(&std::fs::read(file).expect("a file")).into_owned();
        assert_eq!(secrets.found_in(&text), None, "in {}", file.display());
    }
}

#[test]
fn no_command_shows_or_notes_a_secret_at_the_highest_log_level() {
    let scene = Scene::new();
    let said = |args: &[&str]| {
        let ran = scene.run(&[args, &["--log", "trace"]].concat());
        check(&scene, &ran);
        ran
    };
    let import = ["import", NAME, "billing.pfx", "--password-file", "billing.pfx-password"];
    said(&["config", "check"]).succeeded();
    said(&["config", "show"]).succeeded();
    said(&["status"]);
    said(&["import", NAME, "billing.pfx", "--password-file", "ca.pem"]);
    said(&import).succeeded();
    said(&[&import[..], &["--json"]].concat()).succeeded();
    said(&["status", "--json"]).succeeded();
    said(&["rotate", NAME, "--dry-run"]).succeeded();
    // A proof is what is asked for: alone on standard output, and nowhere else.
    let object = scene.application.object_id().to_owned();
    let proof = ["token", "proof", "billing.pfx", "--object-id", &object];
    let password = ["--password-file", "billing.pfx-password", "--log", "trace"];
    let ran = scene.run(&[&proof[..], &password].concat()).succeeded();
    assert_eq!(ran.out.matches('.').count(), 2);
    assert!(ran.out.starts_with("eyJ") && ran.out.lines().count() == 1, "{}", ran.out);
    check(&scene, &Ran { out: String::new(), ..ran });

    // Refusals and lost answers are told at length, too.
    scene.emulator.next(Operation::Token).answers(400, "invalid_request");
    said(&["rotate", NAME]);
    scene.emulator.next(Operation::AddKey).answers(401, "Authentication_MissingOrMalformed");
    said(&["rotate", NAME]);
    scene.emulator.next(Operation::AddKey).loses_its_answer();
    let lost = said(&["rotate", NAME]);
    assert_eq!(lost.code, Some(1), "{lost:#?}");
    assert!(
        lost.err.contains(" TRACE ") || lost.err.contains(" DEBUG "),
        "nothing was logged: {lost:#?}"
    );
    for _ in 0..6 {
        let ran = said(&["rotate", NAME, "--json"]).succeeded();
        if cfg!(feature = "crash-points") {
            let (until, _) = crate::scene::next(&ran);
            scene.advance_to(until);
        }
    }
    said(&["status"]).succeeded();
    said(&["demo", "--dir", "demo"]).succeeded();
}

#[test]
fn the_search_for_secrets_finds_what_is_planted() {
    let scene = Scene::new();
    scene.import().succeeded();
    let secrets = Secrets::of(&scene);
    let key = &secrets.keys[0];
    for plant in [
        String::from_utf8(std::fs::read(scene.path("billing.pfx-password")).unwrap()).unwrap(),
        BASE64_STANDARD.encode(key),
        BASE64_URL_SAFE_NO_PAD.encode(&key[1..]),
        BASE64_STANDARD.encode(&key[2..]),
        format!("{key:?}"),
        key.iter().map(|byte| format!("{byte:02x}")).collect(),
        "-----BEGIN PRIVATE KEY-----".to_owned(),
        "bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.c2lnbmVk;".to_owned(),
    ] {
        let text = format!("2027-01-15T08:00:00Z TRACE something: {plant} and more");
        assert!(secrets.found_in(&text).is_some(), "not found: {text}");
    }
    assert_eq!(secrets.found_in("eyJ is how tokens begin; this is none. Really. Not."), None);
}
