//! A Python that can read certificates: the machine's own, or one made here.

use crate::steps::{answers, program, run, scratch};

/// What the tests in `interop::python` import.
const PACKAGE: &str = "cryptography";

/// The versions that we have seen work, for a Python made here.
const WANTED: &str = "cryptography>=42,<50";

/// The path of a Python with that package, made below the target folder if need be.
///
/// # Errors
///
/// Why there is none.
pub(super) fn with_cryptography() -> Result<String, String> {
    let can = |python: &str| answers(program(python, &["-c", &format!("import {PACKAGE}")]));
    let ours = scratch().join("python");
    let binary = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let made = ours.join(binary).to_string_lossy().into_owned();
    if can(&made) {
        return Ok(made);
    }
    let system = if cfg!(windows) { "python" } else { "python3" };
    if can(system) {
        return Ok(system.into());
    }
    if !answers(program(system, &["--version"])) {
        return Err(format!("no `{system}` on this machine"));
    }
    // A half-made one would be in the way.
    _ = std::fs::remove_dir_all(&ours);
    run(program(system, &["-m", "venv", &ours.to_string_lossy()]))
        .map_err(|_| format!("{system} has no `{PACKAGE}`, and no venv can be made for it"))?;
    run(program(&made, &["-m", "pip", "install", "--quiet", WANTED]))
        .map_err(|_| format!("{system} has no `{PACKAGE}`, and it could not be installed"))?;
    match can(&made) {
        true => Ok(made),
        false => Err(format!("`{PACKAGE}` was installed and cannot be imported")),
    }
}
