//! PFX files: what their iterations cost whoever reads them.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod support;

use rollkey::certificate::self_signed;
use rollkey::keystore::KeySize;
use rollkey::keystore::signing::RsaKey;
use rollkey_core::{Algorithm, Timestamp};
use rollkey_pfx::{PfxToWrite, Profile};
use std::hint::black_box;
use std::num::NonZeroU32;
use support::{measured, take_turns, time};

const ROUNDS: usize = 25;
const FEW: u32 = 2_048;
const MANY: u32 = FEW + 100_000;
const PASSWORD: &str = "b7f1c2d94e3a4f0d8c6b5a4938271605";

fn main() {
    if !support::asked_for() {
        return;
    }
    let key = RsaKey::generate(KeySize::Rsa2048).expect("a key");
    let now = 1_800_000_000;
    let name = "billing".parse().expect("a name");
    let certificate =
        self_signed(&name, key.spki(), Timestamp(now - 300), Timestamp(now + 86_400), &|message| {
            Ok(key.sign(Algorithm::Rs256, message)?)
        })
        .expect("a certificate");
    let pkcs8 = key.to_pkcs8().expect("its bytes");
    let file = |profile: Profile, iterations| {
        let pfx = PfxToWrite {
            key: pkcs8.expose(),
            certificates: &[&certificate.0],
            friendly_name: None,
        };
        let iterations = NonZeroU32::new(iterations).expect("some");
        rollkey_pfx::write(&pfx, PASSWORD, profile.with_iterations(iterations)).expect("a file")
    };
    let read =
        |file: &[u8]| _ = black_box(rollkey_pfx::read(file, PASSWORD).expect("its password"));

    let modern = [file(Profile::MODERN, FEW), file(Profile::MODERN, MANY)];
    let legacy = [file(Profile::LEGACY_3DES, FEW), file(Profile::LEGACY_3DES, MANY)];
    let [modern_few, modern_many, legacy_few, legacy_many] = take_turns(
        ROUNDS,
        &mut [
            &mut || read(&modern[0]),
            &mut || read(&modern[1]),
            &mut || read(&legacy[0]),
            &mut || read(&legacy[1]),
        ],
    );
    for (what, few, many) in [
        ("AES-256, SHA-256", &modern_few, &modern_many),
        ("3DES, SHA-1", &legacy_few, &legacy_many),
    ] {
        measured(&format!("{what}: a file of 2,048 iterations"), time(few.median()), "");
        let difference = many.median() - few.median();
        measured(
            &format!("{what}: each 100,000 iterations more, in all derivations of the file"),
            time(difference),
            "",
        );
    }
}
