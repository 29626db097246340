//! The least that prints a proof of possession: reads a PFX, signs, and asks nothing.
//!
//! `bare_proof FILE PASSWORD-FILE OBJECT-ID`; without arguments it does nothing at all. What
//! `rollkey token proof` is measured against, by `cargo bench --package rollkey-cli --bench
//! cold_start`. It does not check that the certificate is for the key, nor that it is valid.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rollkey_core::{
    Algorithm, Sha1Thumbprint, Sha256Thumbprint, Thumbprint, Timestamp, UnsignedProof,
};
use std::error::Error;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, password_file, object_id] = &arguments[..] else { return Ok(()) };
    let password = std::fs::read_to_string(password_file)?;
    let pfx = rollkey_pfx::read(&std::fs::read(file)?, password.trim_end())?;
    let certificate = pfx.certificates.first().ok_or("no certificate")?;
    let key = pfx.keys.first().ok_or("no key")?;
    let thumbprint = Thumbprint {
        sha1: Sha1Thumbprint(
            digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate.der).as_ref().try_into()?,
        ),
        sha256: Sha256Thumbprint(digest(&SHA256, &certificate.der).as_ref().try_into()?),
    };
    #[expect(clippy::disallowed_methods, reason = "a program of its own, without ports")]
    let now = Timestamp(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let proof = UnsignedProof::new(object_id.parse()?, thumbprint, Algorithm::Rs256, now);
    let key = RsaKeyPair::from_pkcs8(key.pkcs8.as_der())?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), proof.signing_input(), &mut signature)?;
    writeln!(std::io::stdout(), "{}", proof.seal(&signature).token())?;
    Ok(())
}
