//! What is refused, in which words, and that there is advice.

use super::{NOW, data, der, import_at, import_bytes, import_files};
use rollkey::core::{MAX_CLOCK_ERROR, Span, Timestamp};
use rollkey::import::{ImportError, Imported};

/// Makes sure that it is refused in these words, and that no secret is among them.
#[track_caller]
fn refused(result: Result<Imported, ImportError>, words: &str) -> ImportError {
    let error = result.expect_err("it should be refused");
    let mut said = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        said.push_str(": ");
        said.push_str(&cause.to_string());
        source = cause.source();
    }
    assert_eq!(said, words);
    assert!(!error.advice().is_empty());
    assert!(!format!("{error:?} {}", error.advice()).contains("secret"));
    error
}

#[test]
fn a_certificate_without_its_key_and_a_key_without_a_certificate() {
    refused(import_files(&["leaf.crt"], None), "there is a certificate, but no private key");
    refused(import_files(&["leaf.key"], None), "there is no certificate");
    refused(import_bytes(&[], None), "there is no certificate");
}

#[test]
fn keys_that_are_not_rsa() {
    for (name, shown) in
        [("ec", "elliptic curve"), ("ed25519", "Ed25519"), ("ed448", "Ed448"), ("dsa", "DSA")]
    {
        let (certificate, key) = (format!("{name}.crt"), format!("{name}.key"));
        let error = refused(
            import_files(&[&certificate, &key], None),
            &format!("the key is {shown}; Microsoft Entra takes plain RSA keys only"),
        );
        assert!(matches!(error, ImportError::KeyType { .. }));
    }
}

#[test]
fn an_rsa_key_that_is_too_small() {
    refused(
        import_files(&["small.crt", "small.key"], None),
        "the RSA key has 1024 bits; at least 2048 are needed",
    );
}

#[test]
fn an_rsa_key_that_is_too_large() {
    // Version, a modulus of 1025 bytes, and seven more numbers of one byte.
    let modulus = [&[0x02, 0x82, 0x04, 0x01][..], &[0x7f; 0x401]].concat();
    let numbers = [&[2, 1, 0][..], &modulus, &[2, 1, 3].repeat(7)].concat();
    let length = u16::try_from(numbers.len()).unwrap().to_be_bytes();
    let key = [&[0x30, 0x82][..], &length, &numbers].concat();
    refused(
        import_bytes(&[&key, &data("leaf.crt")], None),
        "the RSA key has 8199 bits; at most 8192 can be used",
    );
}

#[test]
fn a_key_that_fits_no_certificate() {
    let leaf = super::thumbprint_of(&der("small.crt"));
    let error = refused(
        import_files(&["small.crt", "leaf.key"], None),
        &format!("the private key does not belong to certificate {leaf}"),
    );
    assert!(matches!(error, ImportError::DoesNotFit { certificates } if certificates.len() == 1));
}

#[test]
fn two_certificates_that_are_both_good_are_named() {
    let both = ["leaf.crt", "leaf-again.crt"].map(|name| super::thumbprint_of(&der(name)));
    refused(
        import_files(&["leaf.crt", "leaf-again.crt", "leaf.key"], None),
        &format!("there are keys for several certificates: certificates {}, {}", both[0], both[1]),
    );
}

#[test]
fn of_two_certificates_the_one_that_is_still_valid_is_taken() {
    let (again, leaf) = (data("leaf-again.crt"), data("leaf.crt"));
    let shorter = rollkey::certificate::describe(&der("leaf-again.crt")).unwrap().not_after;
    let later = shorter + Span::days(1);
    let imported = import_at(&[&again, &leaf, &data("leaf.key")], None, later).unwrap();
    assert_eq!(imported.certificates()[0].0, der("leaf.crt"));
}

#[test]
fn a_certificate_that_has_expired_is_refused_from_its_last_second_on() {
    let files = [data("leaf.crt"), data("leaf.key")];
    let files = [&*files[0], &*files[1]];
    let info = rollkey::certificate::describe(&der("leaf.crt")).unwrap();
    assert!(import_at(&files, None, info.not_after - Span::seconds(1)).is_ok());
    let error = import_at(&files, None, info.not_after).unwrap_err();
    let ImportError::Expired { certificate, not_after } = error else { panic!("{error:?}") };
    assert_eq!((certificate, not_after), (info.thumbprint, info.not_after));
    assert!(error_text(&files, info.not_after).ends_with("Z"), "the date is one that people read");
}

#[test]
fn a_certificate_of_the_future_is_refused_unless_a_wrong_clock_may_explain_it() {
    let files = [data("leaf.crt"), data("leaf.key")];
    let files = [&*files[0], &*files[1]];
    let info = rollkey::certificate::describe(&der("leaf.crt")).unwrap();
    let earliest = info.not_before - MAX_CLOCK_ERROR;
    assert!(import_at(&files, None, earliest).is_ok());
    let error = import_at(&files, None, earliest - Span::seconds(1)).unwrap_err();
    assert!(matches!(error, ImportError::NotYetValid { .. }), "{error:?}");
}

fn error_text(files: &[&[u8]], now: Timestamp) -> String {
    import_at(files, None, now).unwrap_err().to_string()
}

#[test]
fn passwords_that_are_missing_or_wrong() {
    let key = ["leaf.crt", "leaf-pbes2.key"];
    refused(
        import_files(&key, None),
        "the private key in second is encrypted, and no password was given",
    );
    refused(
        import_files(&key, Some("not it")),
        "the password does not open the private key in second",
    );
    refused(
        import_files(&["leaf.pfx"], None),
        "the PFX file first is encrypted, and no password was given",
    );
    let wrong = refused(
        import_files(&["leaf.pfx"], Some("not it")),
        "the password does not open the PFX file first",
    );
    assert!(matches!(wrong, ImportError::WrongPassword { .. }));
}

#[test]
fn a_password_that_is_no_text() {
    let source = rollkey::import::Source { name: "leaf.pfx", bytes: &data("leaf.pfx") };
    let password = rollkey::secret::SecretBytes::new(vec![0xff, 0xfe]);
    let result = rollkey::import::import(&[source], Some(&password), NOW);
    refused(result, "the password is not UTF-8");
}

#[test]
fn ciphers_that_we_do_not_have_by_name() {
    refused(
        import_files(&["leaf.crt", "leaf-camellia.key"], Some("secret")),
        "second is encrypted with Camellia-256-CBC (1.2.392.200011.61.1.1.1.4), which is not \
         supported",
    );
    refused(
        import_files(&["leaf.crt", "leaf-scrypt.key"], Some("secret")),
        "second is encrypted with scrypt (1.3.6.1.4.1.11591.4.11), which is not supported",
    );
    let old = refused(
        import_files(&["leaf.crt", "leaf-old.key"], Some("secret")),
        "the private key in second is encrypted in OpenSSL's old way (DES-EDE3-CBC)",
    );
    assert!(old.advice().contains("openssl pkcs8 -topk8"));
}

#[test]
fn files_that_are_something_else() {
    let put: [(&[u8], &str); 18] = [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (&data("leaf.csr"), "is a certificate request"),
        (&der("leaf.csr"), "is a certificate request"),
        (&data("root.crl"), "is a certificate revocation list"),
        (&der("root.crl"), "is a certificate revocation list"),
        (&data("leaf.p7b"), "is PKCS#7, which holds no private key"),
        (&der("leaf.p7b"), "is PKCS#7, which holds no private key"),
        (&data("leaf.pub"), "is a public key without a certificate"),
        (&der("leaf.pub"), "is a public key without a certificate"),
        (&data("openssh.key"), "is a private key of OpenSSH"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me", "is a public key of OpenSSH"),
        (b"PuTTY-User-Key-File-3: ssh-rsa\n", "is a private key of PuTTY"),
        (b"-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n", "is a file of OpenPGP"),
        (b"\xfe\xed\xfe\xed\0\0\0\x02", "is a Java keystore (JKS or JCEKS)"),
        (b"PK\x03\x04\x14\0\x08\0", "is a ZIP archive"),
        (br#"{"kty":"RSA"}"#, "is JSON"),
        (b"Dear Sir or Madam,", "is text of another kind"),
    ];
    for (bytes, looks) in put {
        refused(
            import_bytes(&[&data("leaf.crt"), bytes], None),
            &format!("second holds neither a certificate nor a private key: it {looks}"),
        );
    }
}

#[test]
fn pem_that_is_damaged_says_where() {
    let whole = String::from_utf8(data("leaf.key")).unwrap();
    let cut = &whole[..whole.len() - 40];
    refused(
        import_bytes(&[&data("leaf.crt"), cut.as_bytes()], None),
        "second is damaged: the block PRIVATE KEY has no end line",
    );
    let joined = format!("{cut}\n{whole}");
    refused(
        import_bytes(&[joined.as_bytes()], None),
        "first is damaged: the block PRIVATE KEY has no end line",
    );
    let wrong_end = whole.replace("END PRIVATE", "END PUBLIC");
    refused(
        import_bytes(&[wrong_end.as_bytes()], None),
        "first is damaged: the block PRIVATE KEY ends as PUBLIC KEY",
    );
    let smudged = whole.replacen("MII", "M*I", 1);
    refused(
        import_bytes(&[smudged.as_bytes()], None),
        "first is damaged: the block PRIVATE KEY is not base64",
    );
}

#[test]
fn a_key_or_a_certificate_whose_bytes_are_wrong() {
    let mut key = der("leaf.key");
    let last = key.len() - 1;
    key[last] ^= 1;
    refused(
        import_bytes(&[&key, &data("leaf.crt")], None),
        "the private key in first cannot be read: the private key is not a sound RSA key: \
         InvalidEncoding",
    );
    let mut certificate = der("leaf.crt");
    certificate[8] ^= 0xff;
    let error = import_bytes(&[&certificate, &data("leaf.key")], None).unwrap_err();
    assert!(matches!(error, ImportError::UnreadableCertificate { .. }), "{error:?}");
    refused(
        import_bytes(&[&der("leaf.crt")[..200], &data("leaf.key")], None),
        "first holds neither a certificate nor a private key: it is cut off in the middle",
    );
}

#[test]
fn a_file_that_is_far_too_large() {
    let large = vec![b'a'; (16 << 20) + 1];
    refused(import_bytes(&[&large], None), "first has 16777217 bytes; 16777216 are read at most");
}

#[test]
fn no_file_that_is_cut_off_or_smudged_brings_the_reader_down() {
    let binary = ["leaf.pfx"].map(data);
    let pem = ["leaf-bundle.pem", "leaf-pbes2.key", "leaf-pkcs1.key", "leaf.csr", "root.crl"];
    let text = pem.map(data);
    let der = ["leaf.crt", "leaf.key", "leaf-pbes1.key", "leaf-pkcs1.key", "leaf.p7b"].map(der);
    let certificate = data("leaf.crt");
    for file in binary.iter().chain(&text).chain(&der) {
        for at in (0..file.len()).step_by(file.len() / 40) {
            let cut = import_bytes(&[&file[..at], &certificate], Some("secret"));
            let mut smudged = file.clone();
            smudged[at] ^= 0x81;
            let smudged = import_bytes(&[&smudged, &certificate], Some("secret"));
            for result in [cut, smudged] {
                let told = result.map_or_else(|error| error.to_string(), |_| "imported".to_owned());
                assert!(!told.is_empty());
            }
        }
    }
}
