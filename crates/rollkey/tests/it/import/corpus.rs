//! The PFX files that programs write, each of them imported; the corpus is that of `rollkey-pfx`.

use super::NOW;
use rollkey::certificate::{KeyAlgorithm, describe};
use rollkey::import::{Encrypted, ImportError, Imported, LooksLike, Source, import};
use rollkey::secret::SecretBytes;
use rollkey_pfx::{self as pfx, Contents, ReadError};
use std::path::Path;

/// What should come of a file, by what its reader says of it.
fn is_right(read: &Result<Contents, ReadError>, result: &Result<Imported, ImportError>) -> bool {
    use ImportError::*;
    let contents = match read {
        // It is not what its name says, and that is no matter: it is read as what it is.
        Err(ReadError::NotPfx { found: pfx::Found::Pem }) => return matches!(result, Err(NoKey)),
        Err(ReadError::NotPfx { .. }) => {
            return matches!(result, Err(NotACertificateFile { .. }));
        }
        Err(ReadError::WrongPassword) => {
            return matches!(result, Err(WrongPassword { what: Encrypted::Pfx, .. }));
        }
        Err(ReadError::UnsupportedAlgorithm {
            role: pfx::Role::Cipher | pfx::Role::KeyDerivation,
            algorithm,
        }) => {
            return matches!(result, Err(UnsupportedCipher { algorithm: told, .. }) if told == algorithm);
        }
        Err(error) => return matches!(result, Err(Pfx { source, .. }) if source == error),
        Ok(contents) => contents,
    };
    let pairs: Vec<_> =
        contents.identities().iter().filter_map(|identity| identity.certificate).collect();
    let algorithm = |leaf: &pfx::CertificateBag| describe(&leaf.der).unwrap().key.algorithm;
    match (contents.keys.len(), contents.certificates.len(), &pairs[..]) {
        (0, 0, _) => {
            matches!(result, Err(NotACertificateFile { looks: LooksLike::EmptyPfx, .. }))
        }
        (0, ..) => matches!(result, Err(NoKey)),
        (_, 0, _) => matches!(result, Err(NoCertificate)),
        (.., [leaf, ..]) if algorithm(leaf) != KeyAlgorithm::Rsa => {
            matches!(result, Err(KeyType { algorithm: told }) if *told == algorithm(leaf))
        }
        (.., [_, _, ..]) => {
            matches!(result, Err(Ambiguous { certificates }) if certificates.len() == pairs.len())
        }
        (.., [leaf]) => matches!(result, Ok(imported) if imported.certificates()[0].0 == leaf.der),
        (.., []) => matches!(result, Err(DoesNotFit { .. })),
    }
}

#[test]
fn every_file_of_the_corpus_is_imported_or_refused_for_the_right_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollkey-pfx/tests/data");
    let manifest = std::fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let (mut imported, mut refused, mut wrong) = (0, 0, Vec::new());
    for line in manifest.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let (name, password) = (fields.next().unwrap(), fields.next().unwrap());
        let bytes = std::fs::read(folder.join(format!("{name}.pfx"))).unwrap();
        let source = Source { name, bytes: &bytes };
        let read = pfx::read(&bytes, password);
        let result = import(&[source], Some(&SecretBytes::from(password.to_owned())), NOW);
        match &result {
            result if !is_right(&read, result) => wrong.push(format!("{name}: {result:?}")),
            Ok(_) => imported += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(imported >= 52 && refused >= 18, "{imported} imported, {refused} refused");
}

/// The reasons for which some of them are here, said once more and by name.
#[test]
fn files_that_entra_cannot_use_are_refused_by_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rollkey-pfx/tests/data");
    let told = |name: &str, password: &str| {
        let bytes = std::fs::read(folder.join(format!("{name}.pfx"))).unwrap();
        let password = SecretBytes::from(password.to_owned());
        import(&[Source { name, bytes: &bytes }], Some(&password), NOW).unwrap_err().to_string()
    };
    let entra = "Microsoft Entra takes plain RSA keys only";
    assert_eq!(told("key-p256", "secret"), format!("the key is elliptic curve; {entra}"));
    assert_eq!(told("key-ed", "secret"), format!("the key is Ed25519; {entra}"));
    assert_eq!(told("key-rsapss", "secret"), format!("the key is RSA-PSS; {entra}"));
    assert_eq!(
        told("camellia", "secret"),
        "camellia is encrypted with Camellia-256-CBC (1.2.392.200011.61.1.1.1.4), which is not \
         supported"
    );
    assert_eq!(
        told("neg-wrong-password", "wrong"),
        "the password does not open the PFX file neg-wrong-password"
    );
    assert!(
        told("java-multikey", "secret1").starts_with("there are keys for several certificates")
    );
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
