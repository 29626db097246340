//! An encrypted private key (`ENCRYPTED PRIVATE KEY`, PKCS#8), opened by the reader of PFX files.
//!
//! A PFX file holds its keys in this very form, so one is built around it: without a checksum, with
//! this key and nothing else. That way a key in PEM opens with every cipher, with every form of the
//! password and within all the limits of a PFX file.

use crate::secret::SecretBytes;
use rollkey_pfx::ReadError;

/// `OBJECT IDENTIFIER` 1.2.840.113549.1.7.1: data.
const DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

/// `OBJECT IDENTIFIER` 1.2.840.113549.1.12.10.1.2: pkcs8ShroudedKeyBag.
const SHROUDED_KEY: &[u8] =
    &[0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];

/// `INTEGER` 3.
const VERSION: &[u8] = &[0x02, 0x01, 0x03];

const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// `[0]`, explicit.
const CONTEXT_0: u8 = 0xa0;

/// Opens an `EncryptedPrivateKeyInfo`, DER. The key is PKCS#8.
///
/// # Source
///
/// RFC 5958 §3 (the key), RFC 7292 §4 (what is built around it).
pub(super) fn open(encrypted: &[u8], password: &str) -> Result<SecretBytes, ReadError> {
    let mut contents = rollkey_pfx::read(&around(encrypted), password)?;
    match contents.keys.pop() {
        Some(key) => Ok(SecretBytes::new(std::mem::take(&mut *key.pkcs8.into_der()))),
        // It was one bag with one key; nothing else can come of it.
        None => Err(ReadError::NotPfx { found: rollkey_pfx::Found::Unknown }),
    }
}

fn around(encrypted: &[u8]) -> Vec<u8> {
    let bag = element(SEQUENCE, &[SHROUDED_KEY, &element(CONTEXT_0, &[encrypted])]);
    let safe = data(&element(SEQUENCE, &[&bag]));
    let safes = data(&element(SEQUENCE, &[&safe]));
    element(SEQUENCE, &[VERSION, &safes])
}

/// A `ContentInfo` with data.
fn data(content: &[u8]) -> Vec<u8> {
    let octets = element(OCTET_STRING, &[content]);
    element(SEQUENCE, &[DATA, &element(CONTEXT_0, &[&octets])])
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ ..0x80) => element.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let zeros = length.iter().take_while(|byte| **byte == 0).count();
            let length = &length[zeros..];
            element.push(0x80 | length.len() as u8);
            element.extend(length);
        }
    }
    element.extend(content);
    element
}
