//! The bytes that consumers get: PEM, and the JSON envelope of an exec sink.
//!
//! Pure. Whatever holds a private key is made in one piece of memory and erased when dropped.

use crate::ports::{CertificateDer, Delivery};
use crate::secret::SecretBytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Characters in a line of PEM (RFC 7468, section 2).
const LINE: usize = 64;
/// The longest label, its dashes and line ends, twice.
const FRAME: usize = 64;

/// A text that is erased when dropped.
pub(super) type Secret = Zeroizing<String>;

/// The certificates, then the private key: what Python, Node, .NET and Key Vault read as one file.
pub(super) fn combined_pem(certificates: &[CertificateDer], key: &SecretBytes) -> Secret {
    let mut text = Zeroizing::new(String::with_capacity(
        certificates.iter().map(|der| pem_len(&der.0)).sum::<usize>() + pem_len(key.expose()),
    ));
    certificates.iter().for_each(|der| push_pem(&mut text, "CERTIFICATE", &der.0));
    push_pem(&mut text, "PRIVATE KEY", key.expose());
    text
}

/// The certificates, that of the key first.
pub(super) fn certificates_pem(certificates: &[CertificateDer]) -> String {
    let mut text = String::new();
    certificates.iter().for_each(|der| push_pem(&mut text, "CERTIFICATE", &der.0));
    text
}

/// The private key, PKCS#8.
pub(super) fn key_pem(key: &SecretBytes) -> Secret {
    let mut text = Zeroizing::new(String::with_capacity(pem_len(key.expose())));
    push_pem(&mut text, "PRIVATE KEY", key.expose());
    text
}

/// One line of JSON: `certificate_pem`, `private_key_pem`, `thumbprint` (SHA-1, upper-case
/// hexadecimal), `generation` (a number), `application`.
pub(super) fn envelope(delivery: &Delivery, key: &SecretBytes) -> Secret {
    let certificates = certificates_pem(&delivery.certificates);
    let key = key_pem(key);
    let application = serde_json::Value::from(delivery.application.as_str()).to_string();
    // A line end takes two characters in JSON, and PEM holds nothing else that needs escaping.
    let room = 2 * (certificates.len() + key.len()) + application.len() + 256;
    let mut json = Zeroizing::new(String::with_capacity(room));
    json.push_str("{\"certificate_pem\":\"");
    push_escaped(&mut json, &certificates);
    json.push_str("\",\"private_key_pem\":\"");
    push_escaped(&mut json, &key);
    json.push_str("\",\"thumbprint\":\"");
    json.push_str(&delivery.thumbprint.to_string());
    json.push_str("\",\"generation\":");
    json.push_str(&delivery.generation.0.to_string());
    json.push_str(",\"application\":");
    json.push_str(&application);
    json.push_str("}\n");
    json
}

fn push_escaped(json: &mut String, pem: &str) {
    for line in pem.lines() {
        json.push_str(line);
        json.push_str("\\n");
    }
}

fn pem_len(der: &[u8]) -> usize {
    let text = der.len().div_ceil(3) * 4;
    text + text.div_ceil(LINE) + FRAME
}

fn push_pem(text: &mut String, label: &str, der: &[u8]) {
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    // Whole lines of base64: three octets make four characters.
    for octets in der.chunks(LINE / 4 * 3) {
        STANDARD.encode_string(octets, text);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_is_what_others_read_and_never_grows_while_it_is_made() {
        for len in [1, 47, 48, 49, 1_218] {
            let der: Vec<u8> = (0..=255).cycle().take(len).collect();
            let key = SecretBytes::new(der.clone());
            let text = combined_pem(&[CertificateDer(der.clone())], &key);
            let read = pem::parse_many(text.as_bytes()).unwrap();
            let tags: Vec<_> = read.iter().map(pem::Pem::tag).collect();
            assert_eq!(tags, ["CERTIFICATE", "PRIVATE KEY"]);
            assert!(read.iter().all(|block| block.contents() == der));
            assert!(text.len() <= 2 * pem_len(&der));
            assert!(!text.contains('\r'));
        }
    }
}
