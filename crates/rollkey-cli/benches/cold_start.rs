//! From nothing to a proof of possession: the command as users start it, against the least program
//! that prints one (`crates/rollkey/examples/bare_proof.rs`), each a process of its own.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

#[path = "../../rollkey/benches/support/mod.rs"]
mod support;

use rollkey::certificate::self_signed;
use rollkey::keystore::KeySize;
use rollkey::keystore::signing::RsaKey;
use rollkey::ports::{Clock as _, SystemClock};
use rollkey_core::{Algorithm, Span};
use rollkey_pfx::{PfxToWrite, Profile};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{goal, goal_if_idle, measured, take_turns, time};

/// Where a program happens to lie in memory decides as much as what it does: a fresh copy may be a
/// tenth faster or slower than the last. So many copies are tried, each for some rounds.
const COPIES: usize = 10;
const ROUNDS: usize = 60;
const ITERATIONS: u32 = 2_048;
const OBJECT: &str = "0f3c5d2e-1111-4222-8333-944445555666";
const PASSWORD: &str = "b7f1c2d94e3a4f0d8c6b5a4938271605";

fn main() {
    if !support::asked_for() {
        return;
    }
    let bare_program = bare_program();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, password) = (folder.path().join("billing.pfx"), folder.path().join("password"));
    std::fs::write(&file, pfx()).expect("a file");
    std::fs::write(&password, format!("{PASSWORD}\n")).expect("a file");

    let [mut ours, mut least, mut nothing] = [const { support::Samples(Vec::new()) }; 3];
    for _ in 0..COPIES {
        let copy = |from: &Path, name: &str| {
            let to = folder.path().join(name);
            _ = std::fs::remove_file(&to);
            // Written as an installer would, which `fs::copy` may not do.
            std::fs::write(&to, std::fs::read(from).expect("a program")).expect("room for it");
            let mode = std::fs::metadata(from).expect("a program").permissions();
            std::fs::set_permissions(&to, mode).expect("a program of ours");
            to
        };
        let rollkey = copy(Path::new(env!("CARGO_BIN_EXE_rollkey")), "rollkey-copy");
        let bare_program = copy(&bare_program, "bare-copy");
        let command = || {
            let mut command = Command::new(&rollkey);
            command.args(["token", "proof"]).arg(&file).args(["--object-id", OBJECT]);
            command.arg("--password-file").arg(&password);
            command
        };
        let bare = || {
            let mut bare = Command::new(&bare_program);
            bare.arg(&file).arg(&password).arg(OBJECT);
            bare
        };
        for program in [command(), bare()] {
            proves(program);
        }
        let turns = take_turns(
            ROUNDS,
            &mut [
                &mut || run(command()),
                &mut || run(bare()),
                // The same program, which ends at once: what the system takes for a process.
                &mut || run(Command::new(&bare_program)),
            ],
        );
        for (all, these) in [&mut ours, &mut least, &mut nothing].into_iter().zip(turns) {
            all.0.extend(these.0);
        }
    }

    let told = |samples: &support::Samples| {
        format!("{} (least {})", time(samples.median()), time(samples.min()))
    };
    measured("a process that does nothing, median", told(&nothing), "");
    measured("the least program that prints a proof, median", told(&least), "");
    measured(
        "`rollkey token proof`, median",
        told(&ours),
        goal_if_idle("under 4 ms on an idle machine", ours.median() < 4e-3),
    );
    let ratio = ours.over(&least).median();
    measured("— times the least program", format!("{ratio:.2}"), goal("at most 1.3", ratio <= 1.3));
}

/// Runs a program to its end.
fn run(mut program: Command) {
    let quiet = program.stdin(Stdio::null()).stdout(Stdio::null());
    assert!(quiet.status().expect("it starts").success(), "{program:?}");
}

/// Whether it prints what it should: three parts, joined by dots.
fn proves(mut program: Command) {
    let output = program.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.trim().split('.').count() == 3,
        "{program:?}: {output:?}"
    );
}

/// A PFX file as .NET and OpenSSL write it today.
fn pfx() -> Vec<u8> {
    let key = RsaKey::generate(KeySize::Rsa2048).expect("a key");
    let now = SystemClock.now();
    let name = "billing".parse().expect("a name");
    let signer = |message: &[u8]| Ok(key.sign(Algorithm::Rs256, message)?);
    let (from, to) = (now - Span::minutes(5), now + Span::days(90));
    let certificate = self_signed(&name, key.spki(), from, to, &signer).expect("a certificate");
    let pkcs8 = key.to_pkcs8().expect("its bytes");
    let pfx =
        PfxToWrite { key: pkcs8.expose(), certificates: &[&certificate.0], friendly_name: None };
    let iterations = NonZeroU32::new(ITERATIONS).expect("some");
    rollkey_pfx::write(&pfx, PASSWORD, Profile::MODERN.with_iterations(iterations)).expect("a file")
}

/// Builds the least program with the profile of this one, and says where it is.
fn bare_program() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "rollkey", "--example", "bare_proof"])
        .current_dir(workspace)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the least program is built");
    let beside = Path::new(env!("CARGO_BIN_EXE_rollkey")).with_file_name("examples");
    beside.join(format!("bare_proof{}", std::env::consts::EXE_SUFFIX))
}
