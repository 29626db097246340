//! Proofs of possession: what they cost beyond the signature that they carry.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod support;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rollkey::keystore::KeySize;
use rollkey::keystore::signing::RsaKey;
use rollkey_core::{
    Algorithm, ObjectId, Sha1Thumbprint, Sha256Thumbprint, Thumbprint, Timestamp, UnsignedProof,
};
use std::hint::black_box;
use support::{count, goal, measured, take_turns, time};

/// Many and short, so that both meet the same machine.
const ROUNDS: usize = 1_001;

fn main() {
    if !support::asked_for() {
        return;
    }
    for (size, proofs) in [(KeySize::Rsa2048, 8), (KeySize::Rsa3072, 3), (KeySize::Rsa4096, 2)] {
        let key = RsaKey::generate(size).expect("a key");
        let pkcs8 = key.to_pkcs8().expect("its bytes");
        let bare_key = RsaKeyPair::from_pkcs8(pkcs8.expose()).expect("the same key");
        let thumbprint =
            Thumbprint { sha1: Sha1Thumbprint([7; 20]), sha256: Sha256Thumbprint([7; 32]) };
        let object: ObjectId = "0f3c5d2e-1111-4222-8333-944445555666".parse().expect("an id");
        let now = Timestamp(1_800_000_000);

        let mut mint = || {
            for n in 0..proofs {
                let proof =
                    UnsignedProof::new(object, thumbprint, Algorithm::Rs256, Timestamp(now.0 + n));
                let signature = key.sign(Algorithm::Rs256, proof.signing_input());
                black_box(proof.seal(&signature.expect("a signature")));
            }
        };
        let input = UnsignedProof::new(object, thumbprint, Algorithm::Rs256, now);
        let mut signature = vec![0; bare_key.public_modulus_len()];
        let mut sign = || {
            for _ in 0..proofs {
                let random = SystemRandom::new();
                bare_key
                    .sign(&RSA_PKCS1_SHA256, &random, input.signing_input(), &mut signature)
                    .expect("a signature");
                black_box(&signature);
            }
        };
        let [minted, bare] = take_turns(ROUNDS, &mut [&mut mint, &mut sign]);

        let each = |samples: &support::Samples| samples.median() / proofs as f64;
        let ratio = bare.over(&minted).median();
        let bits = size.bits();
        measured(&format!("RSA {bits}: signatures per second"), count(1.0 / each(&bare)), "");
        measured(
            &format!("RSA {bits}: proofs per second"),
            format!("{} ({} each)", count(1.0 / each(&minted)), time(each(&minted))),
            "",
        );
        measured(
            &format!("RSA {bits}: proofs to signatures"),
            format!("{ratio:.3}"),
            goal("at least 0.98", ratio >= 0.98),
        );
    }
}
