//! Whole transcripts: what is typed, what is said, and how it ends, as text files.
//!
//! A new case is a new file in `tests/it/transcripts`. A line of `$ ` is run by a shell in a
//! [`Scene`]'s folder; below it stand standard output (`| ` before what would look like the
//! transcript's own), standard error (`2> `) and the exit code, if it is not 0. A line of `! ` is a stage direction: see [`direct`]. What differs from run to run is
//! replaced: see [`Placeholders`]. `UPDATE_TRANSCRIPTS=1` writes what was said.

use crate::scene::{Ran, Scene, Setting};
use rollkey_emulator::{Lags, Operation};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// The files that need a clock which the test moves.
const NEEDS_CLOCK: &str = "# On a clock that stands.";

#[test]
fn every_transcript_is_what_is_said() {
    play_all(false);
}

#[cfg(feature = "crash-points")]
#[test]
fn every_transcript_on_a_standing_clock_is_what_is_said() {
    play_all(true);
}

fn play_all(clock_stands: bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts");
    let only = std::env::var("TRANSCRIPT").unwrap_or_default();
    let mut played = 0;
    let mut stale = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("transcripts")
        .map(|e| e.expect("a file").path())
        .collect();
    paths.sort();
    for path in paths {
        let written = std::fs::read_to_string(&path).expect("a transcript");
        if written.contains(NEEDS_CLOCK) != clock_stands || !path.to_string_lossy().contains(&only)
        {
            continue;
        }
        let said = play(&written, clock_stands);
        played += 1;
        if said == written {
            continue;
        }
        match std::env::var_os("UPDATE_TRANSCRIPTS") {
            Some(_) => std::fs::write(&path, said).expect("it can be written"),
            None => stale.push(format!("{}\n{}", path.display(), difference(&written, &said))),
        }
    }
    println!("{played} transcripts");
    let stale_ones = stale.join("\n");
    assert!(stale.is_empty(), "UPDATE_TRANSCRIPTS=1 writes them anew:\n{stale_ones}");
}

fn difference(written: &str, said: &str) -> String {
    let (written, said): (Vec<_>, Vec<_>) = (written.lines().collect(), said.lines().collect());
    let from = written.iter().zip(&said).take_while(|(a, b)| a == b).count();
    let show =
        |lines: &[&str]| lines.iter().skip(from).take(8).copied().collect::<Vec<_>>().join("\n  ");
    format!("line {}, written:\n  {}\nsaid:\n  {}", from + 1, show(&written), show(&said))
}

/// The transcript as it is now.
fn play(written: &str, clock_stands: bool) -> String {
    let scene = Scene::set(&Setting { clock_stands, ..Setting::default() });
    let mut placeholders = Placeholders::new(&scene, clock_stands);
    let mut last = None;
    let mut out = String::new();
    for line in written.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            let ran = scene.shell(command);
            _ = writeln!(out, "{line}");
            show(&ran, &mut placeholders, &mut out);
            last = Some(ran);
        } else if let Some(direction) = line.strip_prefix("! ") {
            direct(&scene, direction, last.as_ref());
            _ = writeln!(out, "{line}");
        } else if line.starts_with('#') || line.is_empty() && !out.ends_with("\n\n") {
            _ = writeln!(out, "{line}");
        }
    }
    format!("{}\n", out.trim_end())
}

fn show(ran: &Ran, placeholders: &mut Placeholders, out: &mut String) {
    for line in placeholders.put(&ran.out).lines() {
        // What could be taken for the transcript's own.
        let bar = if line.is_empty() || line.starts_with(['#', '$', '!', '|']) { "| " } else { "" };
        _ = writeln!(out, "{}", format!("{bar}{line}").trim_end());
    }
    for line in placeholders.put(&ran.err).lines() {
        _ = writeln!(out, "{}", format!("2> {line}").trim_end());
    }
    match ran.code {
        Some(0) => (),
        Some(code) => _ = writeln!(out, "[exit code {code}]"),
        None => _ = writeln!(out, "[killed]"),
    }
}

/// What happens between two commands, without the operator.
fn direct(scene: &Scene, direction: &str, last: Option<&Ran>) {
    let application = &scene.application;
    match direction {
        "the clock moves to the time that was named" => {
            let text = last.map(|ran| ran.out.clone()).unwrap_or_default();
            let named = text.split(|c: char| c.is_whitespace() || c == '"');
            let until = named.filter_map(|word| word.parse::<jiff::Timestamp>().ok()).next_back();
            scene.advance_to(until.expect("a time was named").as_second());
        }
        "the clock moves by ten minutes" => scene.advance(600),
        "the clock moves by twenty days" => scene.advance(20 * 86_400),
        "this machine's clock is two hours fast" => scene.tell_wrong_time(7200),
        "this machine's clock is right" => scene.tell_time(),
        "the service lags" => {
            scene.emulator.set_lags(Lags { flapping: false, ..Lags::realistic() })
        }
        "the answer to addKey is lost" => scene.emulator.next(Operation::AddKey).loses_its_answer(),
        "the answer to removeKey is lost" => {
            scene.emulator.next(Operation::RemoveKey).loses_its_answer();
        }
        "the directory asks to wait" => {
            scene.emulator.next(Operation::AddKey).times(9).is_throttled(3600);
        }
        "addKey is refused by policy" => {
            let code = "CredentialInvalidLifetimeAsPerAppPolicy";
            scene.emulator.next(Operation::AddKey).answers(400, code);
        }
        "somebody removes our key" => {
            for key in application.keys().iter().filter(|key| key.key_id != scene.foreign) {
                assert!(application.remove_key_out_of_band(&key.key_id));
            }
        }
        other => panic!("no such direction: {other}"),
    }
}

/// Stable words for what differs from run to run: each thing keeps its number.
struct Placeholders {
    folder: String,
    clock_stands: bool,
    seen: HashMap<String, String>,
    count: HashMap<&'static str, usize>,
}

impl Placeholders {
    fn new(scene: &Scene, clock_stands: bool) -> Self {
        let folder = scene.path("").display().to_string();
        let folder = folder.trim_end_matches('/').to_owned();
        Self { folder, clock_stands, seen: HashMap::new(), count: HashMap::new() }
    }

    fn put(&mut self, text: &str) -> String {
        let text = text.replace(&self.folder, "FOLDER");
        let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':');
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let end = match belongs(first) {
                true => rest.find(|c| !belongs(c)).unwrap_or(rest.len()),
                false => first.len_utf8(),
            };
            let (word, after) = rest.split_at(end);
            // A colon at the end is the sentence's.
            let name = word.trim_end_matches(':');
            let put = self.word(name, &out);
            out.push_str(&put);
            out.push_str(&word[name.len()..]);
            rest = after;
        }
        out
    }

    fn word(&mut self, word: &str, before: &str) -> String {
        let hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
        let upper = |text: &str| !text.contains(|c: char| c.is_ascii_lowercase());
        let dashes: Vec<usize> = word.match_indices('-').map(|(at, _)| at).collect();
        if word.len() == 36 && dashes == [8, 13, 18, 23] && hex(&word.replace('-', "")) {
            return self.numbered("GUID", word);
        }
        match word.len() {
            64 if hex(word) => return self.numbered("SHA256-", word),
            // The short form of a thumbprint is its beginning.
            40 if hex(word) => return self.numbered("KEY", &word[..8]),
            8 if hex(word) && upper(word) => return self.numbered("KEY", word),
            _ => (),
        }
        if let Some(port) = word.strip_prefix("localhost:").or(word.strip_prefix("127:"))
            && port.chars().all(|c| c.is_ascii_digit())
        {
            return "localhost:PORT".to_owned();
        }
        if self.clock_stands {
            return word.to_owned();
        }
        if before.ends_with("\"days_left\"") {
            // A day more or less, by the second in which it was asked.
            return ":<days>".to_owned();
        }
        if before.ends_with("\"clock_ahead\"") {
            return ":<seconds>".to_owned();
        }
        if word.parse::<jiff::Timestamp>().is_ok() {
            return "<instant>".to_owned();
        }
        if word.len() == 10 && word.parse::<jiff::civil::Date>().is_ok() {
            return "<date>".to_owned();
        }
        let is_time = word.len() == 9 && word.ends_with('Z') && word.contains(':');
        let is_span = before.ends_with("(in ") && word.starts_with(|c: char| c.is_ascii_digit());
        match (is_time, is_span) {
            (true, _) => "<time>".to_owned(),
            (_, true) => "<span>".to_owned(),
            _ => word.to_owned(),
        }
    }

    fn numbered(&mut self, what: &'static str, word: &str) -> String {
        if let Some(known) = self.seen.get(word) {
            return known.clone();
        }
        let count = self.count.entry(what).or_default();
        *count += 1;
        let name = format!("<{what}{count}>");
        self.seen.insert(word.to_owned(), name.clone());
        name
    }
}
