//! Every error that a file can cause, word for word, and which of them a file gets.

use rollkey_pfx::{Found, ReadError, WriteError, read};

use crate::corpus::file;

#[track_caller]
fn check(name: &str, password: &str, message: &str) {
    let error = read(&file(name), password).expect_err(name);
    assert_eq!(error.to_string(), message, "{name}: {error:?}");
}

#[test]
#[rustfmt::skip]
fn each_error_says_what_to_do() {
    check("neg-wrong-password", "wrong", "the password is wrong, or the PFX file is damaged");
    check("neg-nomac-wrong-password", "wrong", "the password is wrong, or the PFX file is damaged");
    check("neg-flip-in-mac", "secret", "the password is right, but the PFX file was changed after it was written");
    check("java-second-password", "secret", "the password is right, but an encrypted private key does not open with it: it is damaged or has another password");
    check("neg-truncated-10b", "secret", "the PFX file is cut off: it ends after 10 bytes, in the middle of its content");
    check("crafted-key-length-wrong", "secret", "the PFX file is damaged: the parameters of an encryption: the key length does not suit the cipher");
    check("camellia", "secret", "the PFX file uses Camellia-256-CBC (1.2.392.200011.61.1.1.1.4) as cipher, which is not supported");
    check("crafted-scrypt", "secret", "the PFX file uses scrypt (1.3.6.1.4.1.11591.4.11) as key derivation, which is not supported");
    check("ssl-mac-md5", "secret", "the PFX file uses MD5 (1.2.840.113549.2.5) as checksum, which is not supported");
    check("crafted-signed", "secret", "the PFX file is protected by a certificate and not by a password (signedData (1.2.840.113549.1.7.2)), which is not supported");
    check("crafted-version-1", "secret", "the PFX file is of version 1; only version 3 is supported");
    check("neg-dos-mac-iter", "secret", "the PFX file asks for 2147483647 iterations; the limit is 10000000");
    check("neg-pem-file", "secret", "not a PFX file: this is PEM");
    check("neg-empty", "secret", "not a PFX file: it is empty");
    check("neg-random", "secret", "not a PFX file: its first bytes are those of no known format");
}

#[test]
fn what_is_no_pfx_is_told_by_its_look() {
    let contents = read(&file("key-p256"), "secret").unwrap();
    let key = contents.keys[0].pkcs8.as_der();
    let certificate = &contents.certificates[0].der;
    let pem_with_attributes = b"Bag Attributes\n    friendlyName: x\n-----BEGIN PRIVATE KEY-----\n";
    let cases: [(&[u8], Found); 10] = [
        (b"", Found::Nothing),
        (b"\n-----BEGIN CERTIFICATE-----\n", Found::Pem),
        (pem_with_attributes, Found::Pem),
        (b"MIIKigIBAzCCCgUGCSqGSIb3\r\nDQEHAaCC", Found::Base64),
        (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], Found::JavaKeystore),
        (certificate, Found::Certificate),
        (key, Found::PrivateKey),
        (&[0x30, 0x05, 0x06, 0x03, 0x2a, 0x03, 0x04], Found::Pkcs7),
        (b"MZ\x90\0", Found::Unknown),
        (b"0 is what this text begins with", Found::Unknown),
    ];
    for (bytes, found) in cases {
        assert_eq!(read(bytes, "").unwrap_err(), ReadError::NotPfx { found }, "{bytes:02x?}");
    }
}

#[test]
fn messages_are_lower_case_and_without_full_stop() {
    let write_errors = [
        WriteError::NotPkcs8,
        WriteError::NoCertificate,
        WriteError::NotACertificate { position: 2 },
        WriteError::CertificateForAnotherKey,
        WriteError::NoRandomness,
    ];
    for message in write_errors.map(|error| error.to_string()) {
        assert!(message.starts_with(|first: char| first.is_lowercase()), "{message}");
        assert!(!message.ends_with('.'), "{message}");
    }
}

#[test]
fn a_password_is_right_if_it_opens_anything() {
    for name in ["modern-aes256", "win-3des-2000", "legacy-rc2-3des", "rc4-128", "certnone"] {
        let mut changed = file(name);
        let last = changed.len() - 1;
        // The iteration count of the checksum is the last field.
        changed[last] ^= 1;
        assert_eq!(read(&changed, "secret").unwrap_err(), ReadError::Altered, "{name}");
        assert_eq!(read(&changed, "wrong").unwrap_err(), ReadError::WrongPassword, "{name}");
    }
}
