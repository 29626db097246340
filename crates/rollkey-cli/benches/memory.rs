//! Memory at rest: of the command while it waits, and of the test server.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../../rollkey/benches/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::measured;

/// Of a process, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    now: u64,
    most: u64,
}

fn main() {
    if !support::asked_for() {
        return;
    }
    if memory(std::process::id()).is_none() {
        measured("memory", "not measured: this system has no /proc", "");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut emulator = Ended(spawn(folder, &["emulator", "--dir", "world", "--lag", "0s"]));
    let world = folder.join("world/world.json");
    wait_for(|| {
        fs::read(&world)
            .is_ok_and(|text| serde_json::from_slice::<serde_json::Value>(&text).is_ok())
    });
    measured(
        "`rollkey emulator` with one application, before any request",
        told(at_rest(&emulator.0)),
        "",
    );

    let world: serde_json::Value =
        serde_json::from_slice(&fs::read(&world).expect("the world")).expect("JSON");
    let application = &world["applications"][0];
    let path = |value: &serde_json::Value| value.as_str().expect("a path").to_owned();
    let configuration = format!(
        "state = \"state\"\n\
         [applications.billing]\n\
         app-id = {}\ntenant-id = {}\nobject-id = {}\n\
         cloud = {{ login = {}, graph = {} }}\n\
         ca-file = {}\n\
         [[applications.billing.sinks]]\n\
         type = \"folder\"\nname = \"consumer\"\npath = \"consumer\"\n",
        application["app_id"],
        world["tenant_id"],
        application["object_id"],
        world["login"],
        world["graph"],
        world["ca"],
    );
    fs::write(folder.join("rollkey.toml"), configuration).expect("a file");
    let (pfx, password) = (path(&application["pfx"]), path(&application["pfx_password_file"]));
    let import = ["import", "billing", &pfx, "--password-file", &password];
    assert!(spawn(folder, &import).wait().expect("it ends").success(), "the key is imported");

    let mut rotate = Ended(spawn(folder, &["rotate", "billing", "--wait"]));
    measured("`rollkey rotate --wait`, while it waits", told(at_rest(&rotate.0)), "");
    assert!(rotate.0.try_wait().expect("a process").is_none(), "it still waits");

    let mut status = spawn(folder, &["status"]);
    let mut last = Memory::default();
    while status.try_wait().expect("a process").is_none() {
        last = memory(status.id()).unwrap_or(last);
    }
    measured("`rollkey status`, at most", kib(last.most), "");
    measured("`rollkey emulator`, after these", told(at_rest(&emulator.0)), "");
    assert!(emulator.0.try_wait().expect("a process").is_none(), "it still serves");
}

/// A process that is ended when it is no longer needed.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn spawn(folder: &Path, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_rollkey"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts")
}

/// Its memory when that has not changed for some seconds.
fn at_rest(process: &Child) -> Memory {
    let mut last = Memory::default();
    let mut since = Instant::now();
    wait_for(|| {
        let now = memory(process.id()).expect("it runs");
        if now != last {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_secs(4)
    });
    last
}

fn wait_for(mut ready: impl FnMut() -> bool) {
    let began = Instant::now();
    while !ready() {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing happened");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// `None` if there is no such process any more, or no such file.
fn memory(process: u32) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some(Memory { now: field("VmRSS:")?, most: field("VmHWM:")? })
}

fn told(memory: Memory) -> String {
    format!("{} (at most {})", kib(memory.now), kib(memory.most))
}

fn kib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}
