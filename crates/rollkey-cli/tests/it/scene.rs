//! A scene: an emulator in this process, an application with a key of ours that is about to expire
//! and a foreign one, a folder as an operator has it, and the real binary.
//!
//! Knows how things are set up and run; what is to be seen is the business of the tests.

#![cfg_attr(not(feature = "crash-points"), expect(dead_code, reason = "the clock's tests need it"))]

use rollkey_emulator::{Application, Clock, Emulator, GeneratedKey, Lags};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// What the application is called.
pub(crate) const NAME: &str = "billing";

/// The password of `billing.pfx`.
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

/// A run of the binary that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(100);

const DAY: i64 = 86_400;

/// What a scene shall be like.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) seed: u64,
    pub(crate) lags: Lags,
    /// Whether the clock stands until a test moves it. The binary needs the feature for that.
    pub(crate) clock_stands: bool,
    /// More lines below `[applications.billing]`.
    pub(crate) application: String,
    /// Tables after it: policy and sinks.
    pub(crate) tables: String,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            seed: 7,
            lags: Lags::none(),
            clock_stands: cfg!(feature = "crash-points"),
            application: String::new(),
            tables: FOLDER_SINK.to_owned(),
        }
    }
}

pub(crate) const FOLDER_SINK: &str = "
[[applications.billing.sinks]]
type = \"folder\"
name = \"web\"
path = \"tls\"
";

/// Where a standing clock begins: dates are the same in every run.
pub(crate) const START: i64 = 1_800_000_000;

pub(crate) struct Scene {
    pub(crate) emulator: Emulator,
    pub(crate) application: Application,
    /// `keyId` of the key that is not ours.
    pub(crate) foreign: String,
    clock_stands: bool,
    folder: TempDir,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// None if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: &std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The documents of `--json`.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(parse).collect()
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// The exit code, and words that standard error must have.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.err.lines().any(|line| line.starts_with("error: ")), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in\n{}", self.err);
        }
        self
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::set(&Setting::default())
    }

    pub(crate) fn set(setting: &Setting) -> Self {
        let clock = if setting.clock_stands { Clock::manual_at(START) } else { Clock::wall() };
        let emulator = Emulator::builder()
            .seed(setting.seed)
            .clock(clock)
            .replicas(3)
            .lags(setting.lags.clone())
            .start();
        let emulator = block_on(emulator).expect("the emulator starts");
        let (ours, theirs) = keys(setting.clock_stands);
        let application = emulator
            .application(NAME)
            .with_key(ours.certificate_der())
            .with_key(theirs.certificate_der())
            .create();
        let foreign = application.keys()[1].key_id.clone();
        let folder = tempfile::Builder::new().prefix("scene-").tempdir().expect("a folder");
        let scene =
            Self { emulator, application, foreign, clock_stands: setting.clock_stands, folder };
        scene.write("ca.pem", scene.emulator.ca_pem());
        scene.write_private("billing.pfx", pfx(setting.clock_stands));
        scene.write_private("billing.pfx-password", format!("{PASSWORD}\n"));
        scene.write("rollkey.toml", scene.configuration(setting));
        scene.tell_time();
        scene
    }

    fn configuration(&self, setting: &Setting) -> String {
        format!(
            "state = \"state\"\n\n\
             [applications.{NAME}]\n\
             app-id = \"{}\"\n\
             tenant-id = \"{}\"\n\
             object-id = \"{}\"\n\
             cloud = {{ login = \"{}\", graph = \"{}\" }}\n\
             ca-file = \"ca.pem\"\n\
             {}\n{}",
            self.application.app_id(),
            self.emulator.tenant_id(),
            self.application.object_id(),
            self.emulator.login_url(),
            self.emulator.graph_url(),
            setting.application,
            setting.tables.replace("FOLDER", &self.path("").display().to_string()),
        )
    }

    // ---- files -------------------------------------------------------------------------------

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    }

    pub(crate) fn write_private(&self, name: &str, bytes: impl AsRef<[u8]>) {
        self.write(name, bytes);
        chmod(&self.path(name), 0o600);
    }

    /// Changes the configuration.
    #[track_caller]
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = self.read("rollkey.toml");
        assert!(text.contains(from), "no `{from}` in\n{text}");
        self.write("rollkey.toml", text.replace(from, to));
    }

    /// Every file below the folder, whole paths.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path("")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder").map(|e| e.expect("entry")) {
                match entry.file_type().expect("a type") {
                    kind if kind.is_dir() => folders.push(entry.path()),
                    _ => files.push(entry.path()),
                }
            }
        }
        files.sort();
        files
    }

    /// The certificates (DER) in a PEM file, if it is there.
    pub(crate) fn certificate(&self, name: &str) -> Option<Vec<u8>> {
        let text = std::fs::read(self.path(name)).ok()?;
        let blocks = pem::parse_many(&text).expect("a PEM file");
        let found = blocks.into_iter().find(|block| block.tag() == "CERTIFICATE");
        Some(found.expect("a certificate").into_contents())
    }

    /// How many private keys the keystore holds.
    pub(crate) fn keys_held(&self) -> usize {
        let keys = self.path("state/billing/keystore/keys");
        std::fs::read_dir(keys).expect("the keys").filter(Result::is_ok).count()
    }

    // ---- time --------------------------------------------------------------------------------

    pub(crate) fn now(&self) -> i64 {
        self.emulator.clock().now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.emulator.clock().advance(Duration::from_secs(seconds));
        self.tell_time();
    }

    /// Both clocks to this instant, if it is later.
    pub(crate) fn advance_to(&self, instant: i64) {
        self.emulator.clock().set(self.now().max(instant));
        self.tell_time();
    }

    /// The binary's clock as the emulator's.
    pub(crate) fn tell_time(&self) {
        self.tell_wrong_time(0);
    }

    /// The binary's clock, so many seconds ahead of the emulator's.
    pub(crate) fn tell_wrong_time(&self, ahead: i64) {
        self.write("clock", (self.now() + ahead).to_string());
    }

    // ---- the binary --------------------------------------------------------------------------

    /// The binary in the folder, in an environment that holds nothing of this machine's.
    pub(crate) fn command(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = self.program(BINARY);
        command.args(args);
        patient(command)
    }

    /// Any program, in the folder, with the binary on its `PATH`.
    pub(crate) fn program(&self, program: &str) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().to_ascii_uppercase();
            if text.starts_with("ROLLKEY") || text.ends_with("_PROXY") || text == "COLUMNS" {
                command.env_remove(name);
            }
        }
        let binaries = Path::new(BINARY).parent().expect("a folder").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(binaries).chain(std::env::split_paths(&path)));
        command.current_dir(self.path("")).env("PATH", path.expect("a path"));
        if self.clock_stands {
            command.env("ROLLKEY_TEST_CLOCK", self.path("clock"));
        }
        command
    }

    /// A line of a shell.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        let mut command = self.program("/bin/sh");
        command.args(["-c", line]);
        Ran::of(&patient(command).output().expect("a shell runs"))
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.command(args).output().expect("the binary runs"))
    }

    pub(crate) fn import(&self) -> Ran {
        self.run(&["import", NAME, "billing.pfx", "--password-file", "billing.pfx-password"])
    }

    pub(crate) fn rotate(&self) -> Ran {
        self.run(&["rotate", NAME])
    }

    /// Runs `rotate` until nothing is due, and moves the clock to each instant that it names.
    pub(crate) fn rotate_to_rest(&self) {
        for _ in 0..200 {
            let ran = self.run(&["rotate", NAME, "--json"]).succeeded();
            match next(&ran) {
                (_, reason) if reason == "Healthy" => return,
                (until, _) => self.advance_to(until),
            }
        }
        panic!("no rest after 200 runs");
    }
}

const BINARY: &str = env!("CARGO_BIN_EXE_rollkey");

fn patient(command: std::process::Command) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::from_std(command);
    command.timeout(PATIENCE);
    command
}

/// What a document generator prints.
pub(crate) fn printed(args: &[&str]) -> String {
    let output = patient(std::process::Command::new(BINARY)).args(args).output();
    Ran::of(&output.expect("the binary runs")).succeeded().out
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace")
}

/// When to come back, and why, from the last line of `rotate --json`.
pub(crate) fn next(ran: &Ran) -> (i64, String) {
    let json = ran.json();
    let last = json.last().unwrap_or_else(|| panic!("nothing was said: {ran:#?}"));
    assert_eq!(last["decision"], "wait", "{ran:#?}");
    let until: jiff::Timestamp = last["until"].as_str().expect("until").parse().expect("a time");
    (until.as_second(), last["reason"].as_str().expect("reason").to_owned())
}

/// Ours, which expires in 10 days, and theirs: made once, by the clock that goes with them. An hour
/// more where the clock runs, so that 10 days are left for as long as the tests last.
fn keys(clock_stands: bool) -> &'static (GeneratedKey, GeneratedKey) {
    static STANDING: OnceLock<(GeneratedKey, GeneratedKey)> = OnceLock::new();
    static WALL: OnceLock<(GeneratedKey, GeneratedKey)> = OnceLock::new();
    let (made, now) = if clock_stands { (&STANDING, START) } else { (&WALL, wall() + 3600) };
    made.get_or_init(|| {
        let emulator = block_on(Emulator::start()).expect("the emulator starts");
        let application = emulator
            .application(NAME)
            .with_generated_key(now - 80 * DAY, now + 10 * DAY)
            .with_generated_key(now - 30 * DAY, now + 335 * DAY)
            .create();
        let mut keys = application.generated_keys().into_iter();
        (keys.next().expect("ours"), keys.next().expect("theirs"))
    })
}

fn pfx(clock_stands: bool) -> &'static [u8] {
    static STANDING: OnceLock<Vec<u8>> = OnceLock::new();
    static WALL: OnceLock<Vec<u8>> = OnceLock::new();
    let made = if clock_stands { &STANDING } else { &WALL };
    made.get_or_init(|| keys(clock_stands).0.pfx(PASSWORD).expect("a PFX"))
}

pub(crate) fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the end")
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

#[cfg(unix)]
pub(crate) fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

#[cfg(not(unix))]
pub(crate) fn chmod(_: &Path, _: u32) {}

#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::symlink_metadata(path).expect("a file").permissions().mode() & 0o777
}
