//! The PFX files that programs write, each of them imported; the corpus is that of `rollkey-pfx`.

use super::NOW;
use rollkey::certificate::KeyAlgorithm;
use rollkey::import::{Encrypted, ImportError, Source, import};
use rollkey::secret::SecretBytes;
use rollkey_pfx::ReadError;
use std::path::Path;

/// What should come of a file that is not simply imported.
fn expect(name: &str, error: &ImportError) -> bool {
    use ImportError::*;
    let wrong = |error: &ImportError| matches!(error, WrongPassword { what: Encrypted::Pfx, .. });
    let pfx = |of: fn(&ReadError) -> bool| matches!(error, Pfx { source, .. } if of(source));
    match name {
        "camellia" => {
            matches!(error, UnsupportedCipher { algorithm, .. }
                if algorithm.to_string().starts_with("Camellia"))
        }
        "certs-only" => matches!(error, NoKey),
        "key-only" => matches!(error, NoCertificate),
        "key-p256" => matches!(error, KeyType { algorithm: KeyAlgorithm::Ec }),
        "key-ed" => matches!(error, KeyType { algorithm: KeyAlgorithm::Ed25519 }),
        "key-rsapss" => matches!(error, KeyType { algorithm: KeyAlgorithm::RsaPss }),
        "java-multikey" => {
            matches!(error, Ambiguous { certificates } if certificates.len() == 2)
        }
        "neg-wrong-password" | "neg-wrong-password-3des" | "neg-nomac-wrong-password" => {
            wrong(error)
        }
        "neg-flip-in-mac" => pfx(|error| matches!(error, ReadError::Altered)),
        "neg-flip-in-content" => {
            wrong(error)
                || pfx(|error| matches!(error, ReadError::Altered | ReadError::PartLocked { .. }))
        }
        "neg-truncated-90pct" | "neg-truncated-10b" => {
            pfx(|error| matches!(error, ReadError::Truncated { .. }))
        }
        "neg-dos-mac-iter" => pfx(|error| matches!(error, ReadError::TooManyIterations { .. })),
        "neg-empty" | "neg-random" => matches!(error, NotACertificateFile { .. }),
        // It is not what its name says, and that is no matter.
        "neg-pem-file" => matches!(error, NoKey),
        _ => false,
    }
}

#[test]
fn every_file_of_the_corpus_is_imported_or_refused_for_the_right_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollkey-pfx/tests/data");
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let passwords: Vec<(String, String)> = manifest
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            (fields.next().unwrap(), fields.next().unwrap())
        })
        .collect();
    let (mut imported, mut refused, mut wrong) = (0, 0, Vec::new());
    for (name, password) in &passwords {
        let bytes = std::fs::read(folder.join(format!("{name}.pfx"))).unwrap();
        let source = Source { name, bytes: &bytes };
        let password = SecretBytes::from(password.clone());
        match import(&[source], Some(&password), NOW) {
            Ok(_) => imported += 1,
            Err(error) if expect(name, &error) => refused += 1,
            Err(error) => wrong.push(format!("{name}: {error:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((imported, refused), (52, 18));
}

#[test]
fn files_without_a_password_open_without_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollkey-pfx/tests/data");
    for name in ["empty-password-aes", "null-password-3des", "nomac-unencrypted", "py-noenc"] {
        let bytes = std::fs::read(folder.join(format!("{name}.pfx"))).unwrap();
        import(&[Source { name, bytes: &bytes }], None, NOW).unwrap();
    }
}

#[test]
fn a_chain_comes_out_leaf_first_whatever_its_order_in_the_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollkey-pfx/tests/data");
    for name in ["chain", "chain-leaf-last"] {
        let bytes = std::fs::read(folder.join(format!("{name}.pfx"))).unwrap();
        let password = SecretBytes::from("secret".to_owned());
        let imported = import(&[Source { name, bytes: &bytes }], Some(&password), NOW).unwrap();
        assert_eq!(imported.certificates().len(), 3, "{name}");
        assert!(imported.warnings().is_empty(), "{:?}", imported.warnings());
    }
}
