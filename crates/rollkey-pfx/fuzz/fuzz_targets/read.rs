//! No bytes make the reader panic, run out of memory or take longer than its limits allow.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollkey_pfx::{Limits, fit, read_within};

fuzz_target!(|file: &[u8]| {
    // Enough for the files of the corpus that have few iterations; slow inputs teach nothing.
    let limits =
        Limits { max_iterations: 5_000, max_total_iterations: 30_000, ..Limits::default() };
    // The passwords of most files of the corpus.
    for password in ["secret", ""] {
        let Ok(contents) = read_within(file, password, &limits) else { continue };
        for identity in contents.identities() {
            for certificate in identity.chain.iter().chain(&identity.certificate) {
                fit(identity.key.pkcs8.as_der(), &certificate.der);
            }
        }
    }
});
