//! What the tests of sinks have in common: deliveries, commands, and a copy of this process that may
//! be maltreated.

use rollkey::ports::{CertificateDer, Delivery};
use rollkey::secret::SecretBytes;
use rollkey::sink::command::CommandLine;
use rollkey_core::{Generation, Sha1Thumbprint, Sha256Thumbprint, Thumbprint, Timestamp};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// Long enough for any command that is to succeed.
pub(crate) const AMPLE: Duration = Duration::from_secs(20);

pub(crate) const T0: Timestamp = Timestamp(1_795_446_000);
pub(crate) const T1: Timestamp = Timestamp(1_795_446_100);
pub(crate) const T2: Timestamp = Timestamp(1_795_446_200);

pub(crate) fn thumbprint(n: u8) -> Thumbprint {
    Thumbprint { sha1: Sha1Thumbprint([n; 20]), sha256: Sha256Thumbprint([n; 32]) }
}

/// The n-th key. Its bytes are no real key: no sink but that of PFX files looks into them.
pub(crate) fn delivery(n: u8, generation: u64) -> Delivery {
    let key = (0..1_200_u16).map(|i| (i.wrapping_mul(167) >> 3) as u8 ^ n).collect();
    Delivery {
        certificates: vec![CertificateDer(vec![n; 700]), CertificateDer(vec![0xCA; 500])],
        private_key: Some(SecretBytes::new(key)),
        thumbprint: thumbprint(n),
        generation: Generation(generation),
        application: "billing".to_owned(),
    }
}

/// The lines of PEM of the private key, without those around it.
pub(crate) fn key_lines(delivery: &Delivery) -> Vec<String> {
    let key = delivery.private_key.as_ref().unwrap().expose().to_vec();
    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", key));
    pem.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect()
}

/// Which key a consumer finds in a combined PEM; the text must be whole.
pub(crate) fn key_in(bundle: &[u8]) -> u8 {
    let blocks = pem::parse_many(bundle).expect("PEM");
    let n = blocks[0].contents()[0];
    let expected = delivery(n, 0);
    let certificates = expected.certificates.iter().map(|der| der.0.as_slice());
    let key = expected.private_key.as_ref().unwrap().expose();
    assert!(certificates.chain([key]).eq(blocks.iter().map(pem::Pem::contents)), "not whole");
    n
}

/// A command that lets a shell run `script` in `folder`.
pub(crate) fn shell(folder: &Path, script: &str, time: Duration) -> CommandLine {
    let script = format!("cd '{}' || exit 99\n{script}", folder.display());
    let path = ("PATH".to_owned(), OsString::from("/usr/local/bin:/usr/bin:/bin"));
    CommandLine::new(["/bin/sh".to_owned(), "-c".to_owned(), script], time)
        .unwrap()
        .with_environment([path])
}

/// Names, contents and links below `folder`, to compare. What vanishes meanwhile is passed over.
pub(crate) fn tree(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        let what = match () {
            () if kind.is_symlink() => format!("-> {:?}", path.read_link().ok()),
            () if kind.is_dir() => "folder".to_owned(),
            () => format!("{:?}", std::fs::read(&path).ok()),
        };
        if kind.is_dir() {
            found.extend(tree(&path));
        }
        found.push((path, what));
    }
    found.sort();
    found
}

/// Names below `folder` that an unfinished write left.
pub(crate) fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let all = tree(folder).into_iter().map(|(path, _)| path);
    all.filter(|path| path.to_string_lossy().contains(".rollkey-tmp-")).collect()
}

/// Which folder a copy of this process is to work in.
const FOLDER: &str = "ROLLKEY_TEST_FOLDER";

/// Runs one test of this binary alone, in a process of its own; `prelude` is shell.
pub(crate) fn alone(
    test: &str,
    folder: &Path,
    prelude: &str,
    variables: &[(&str, &str)],
) -> Output {
    Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("{prelude}\nexec \"$0\" --exact {test} --nocapture"))
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// The folder, if this is such a copy.
#[expect(clippy::disallowed_methods, reason = "how a test speaks to its copy")]
pub(crate) fn told_folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Lets no file grow: to this process, every disk is full.
pub(crate) const FULL_DISK: &str = "trap '' XFSZ; ulimit -f 0";
