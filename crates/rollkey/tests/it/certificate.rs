//! Certificates, made and read; what we make, OpenSSL must find to be what we say.

use crate::import::data;
use crate::keystore_files::not_run;
use rollkey::certificate::{
    self, CertificateError, CommonName, CommonNameError, KeyAlgorithm, UnsignedCertificate,
    self_signed,
};
use rollkey::core::{Algorithm, Span, Timestamp};
use rollkey::keystore::KeySize;
use rollkey::keystore::signing::RsaKey;
use rollkey::ports::CertificateDer;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

const FROM: Timestamp = Timestamp(1_800_000_001);
const UNTIL: Timestamp = Timestamp(1_807_776_007);

static KEY: LazyLock<RsaKey> = LazyLock::new(|| RsaKey::generate(KeySize::Rsa2048).unwrap());

fn name(text: &str) -> CommonName {
    text.parse().unwrap()
}

fn make(common_name: &str, from: Timestamp, until: Timestamp) -> CertificateDer {
    let sign = |message: &[u8]| Ok(KEY.sign(Algorithm::Rs256, message)?);
    self_signed(&name(common_name), KEY.spki(), from, until, &sign).unwrap()
}

fn parsed(name: &str) -> Vec<u8> {
    pem::parse(data(name)).unwrap().into_contents()
}

#[test]
fn a_certificate_is_made_without_ever_seeing_the_private_key() {
    let unsigned = UnsignedCertificate::new(&name("billing"), KEY.spki(), FROM, UNTIL).unwrap();
    let signature = KEY.sign(Algorithm::Rs256, unsigned.to_be_signed()).unwrap();
    let certificate = unsigned.seal(&signature).unwrap();
    let info = certificate::describe(&certificate.0).unwrap();
    assert_eq!((info.subject.as_str(), info.issuer.as_str()), ("CN=billing", "CN=billing"));
    assert_eq!((info.not_before, info.not_after), (FROM, UNTIL));
    assert_eq!(info.spki, KEY.spki());
    assert_eq!(info.key.to_string(), "RSA 2048");
    assert!(info.self_signed);
    assert_eq!(info.thumbprint, certificate::thumbprint(&certificate.0));
    assert!(KEY.fits(&certificate));
}

#[test]
fn a_signature_that_does_not_fit_is_noticed() {
    let unsigned = || UnsignedCertificate::new(&name("x"), KEY.spki(), FROM, UNTIL).unwrap();
    let other = RsaKey::generate(KeySize::Rsa2048).unwrap();
    let wrong_algorithm = |message: &[u8]| KEY.sign(Algorithm::Ps256, message).unwrap();
    let wrong_key = |message: &[u8]| other.sign(Algorithm::Rs256, message).unwrap();
    for sign in [&wrong_algorithm as &dyn Fn(&[u8]) -> Vec<u8>, &wrong_key, &|_| Vec::new()] {
        let unsigned = unsigned();
        let signature = sign(unsigned.to_be_signed());
        assert!(matches!(unsigned.seal(&signature), Err(CertificateError::WrongSignature)));
    }
}

#[test]
fn a_signer_that_fails_is_told_with_its_cause() {
    let sign = |_: &[u8]| Err("the token was pulled out".into());
    let error = self_signed(&name("x"), KEY.spki(), FROM, UNTIL, &sign).unwrap_err();
    let CertificateError::Signer(source) = error else { panic!("{error:?}") };
    assert_eq!(source.to_string(), "the token was pulled out");
}

#[test]
fn dates_are_exact_on_both_sides_of_2050_and_to_the_end_of_time() {
    let end_of_2049 = Timestamp(2_524_607_999);
    let last = Timestamp(253_402_300_799);
    for (from, until) in
        [(Timestamp(0), Timestamp(1)), (FROM, end_of_2049), (end_of_2049 + Span::seconds(1), last)]
    {
        let info = certificate::describe(&make("x", from, until).0).unwrap();
        assert_eq!((info.not_before, info.not_after), (from, until));
    }
    let new = |from, until| UnsignedCertificate::new(&name("x"), KEY.spki(), from, until);
    assert!(matches!(
        new(FROM, last + Span::seconds(1)),
        Err(CertificateError::Unrepresentable(at)) if at.0 == 253_402_300_800
    ));
    assert!(matches!(new(UNTIL, FROM), Err(CertificateError::Reversed)));
}

#[test]
fn serial_numbers_are_positive_random_and_of_sixteen_bytes() {
    let serials: std::collections::BTreeSet<String> =
        (0..8).map(|_| certificate::describe(&make("x", FROM, UNTIL).0).unwrap().serial).collect();
    assert_eq!(serials.len(), 8);
    assert!(serials.iter().all(|serial| serial.len() == 32), "{serials:?}");
    assert!(serials.iter().all(|serial| ('4'..'8').contains(&serial.chars().next().unwrap())));
}

#[test]
fn common_names_that_no_certificate_should_bear_are_refused() {
    for (text, error) in [
        ("", CommonNameError::Empty),
        ("  ", CommonNameError::Empty),
        ("two\nlines", CommonNameError::Control),
        (&"x".repeat(65), CommonNameError::TooLong(65)),
    ] {
        assert_eq!(text.parse::<CommonName>(), Err(error));
    }
    let longest = "ü".repeat(64);
    let info = certificate::describe(&make(&longest, FROM, UNTIL).0).unwrap();
    assert_eq!(info.subject, format!("CN={longest}"));
}

#[test]
fn a_public_key_of_another_kind_is_refused() {
    let spki = certificate::describe(&parsed("ec.crt")).unwrap().spki;
    let refused = UnsignedCertificate::new(&name("x"), &spki, FROM, UNTIL).unwrap_err();
    assert!(matches!(refused, CertificateError::NotRsa(KeyAlgorithm::Ec)), "{refused:?}");
    let refused = UnsignedCertificate::new(&name("x"), b"no key", FROM, UNTIL).unwrap_err();
    assert!(matches!(refused, CertificateError::Encoding(_)), "{refused:?}");
}

#[test]
fn keys_of_every_kind_are_named_with_their_size() {
    for (file, key) in [
        ("leaf.crt", "RSA 2048"),
        ("small.crt", "RSA 1024"),
        ("ec.crt", "elliptic curve 256"),
        ("ed25519.crt", "Ed25519 256"),
        ("ed448.crt", "Ed448 456"),
        ("dsa.crt", "DSA 2048"),
    ] {
        let info = certificate::describe(&parsed(file)).unwrap();
        assert_eq!(info.key.to_string(), key, "{file}");
        assert_eq!(info.self_signed, file != "leaf.crt", "{file}");
    }
}

#[test]
fn what_is_no_certificate_and_what_follows_one_is_refused() {
    let leaf = parsed("leaf.crt");
    assert!(matches!(certificate::describe(b""), Err(CertificateError::Unreadable(_))));
    assert!(matches!(certificate::describe(&leaf[1..]), Err(CertificateError::Unreadable(_))));
    let more = [leaf, vec![0; 3]].concat();
    assert!(matches!(certificate::describe(&more), Err(CertificateError::Trailing { bytes: 3 })));
}

/// What OpenSSL says, if it is there.
fn openssl(arguments: &[&str], input: &[u8]) -> Option<String> {
    let mut openssl = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // It may be done before it has read everything.
    _ = openssl.stdin.take().unwrap().write_all(input);
    let output = openssl.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn openssl_finds_what_we_say_and_believes_it() {
    let certificate = make("billing", FROM, UNTIL);
    let print = ["x509", "-inform", "DER", "-noout", "-text", "-nameopt", "RFC2253"];
    let Some(text) = openssl(&print, &certificate.0) else {
        return not_run("openssl is not installed, so nobody else looked at our certificates");
    };
    for said in [
        "Version: 3 (0x2)",
        "Signature Algorithm: sha256WithRSAEncryption",
        "Issuer: CN=billing",
        "Subject: CN=billing",
        "Not Before: Jan 15 08:00:01 2027 GMT",
        "Not After : Apr 15 08:00:07 2027 GMT",
        "Public-Key: (2048 bit)",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        "X509v3 Subject Key Identifier",
        "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    assert!(!text.contains("Serial Number: -"), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certificate.pem");
    std::fs::write(&file, pem::encode(&pem::Pem::new("CERTIFICATE", certificate.0))).unwrap();
    let file = file.to_str().unwrap();
    let at = (FROM.0 + 60).to_string();
    let verify = ["verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslclient"];
    let verify = [&verify[..], &["-attime", &at, "-CAfile", file, file]].concat();
    assert_eq!(openssl(&verify, b"").unwrap(), format!("{file}: OK\n"));
}
