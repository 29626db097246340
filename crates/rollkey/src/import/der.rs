//! What bytes in DER are, told from how they begin, and the few fields that we need of a key.
//!
//! This is a look, not a check: whatever is recognised goes to a parser that checks it. So lengths
//! may lie here; nothing is done with what they say but looking further.

use crate::certificate::{KeyAlgorithm, modulus_bits};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The version of every PFX file.
const PFX_VERSION: &[u8] = &[3];

/// 1.2.840.113549.1.7, and then the kind of content.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// What something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pfx,
    Certificate,
    /// A private key of any algorithm.
    Pkcs8,
    EncryptedPkcs8,
    /// An RSA private key without its algorithm.
    Pkcs1,
    /// A private key of an elliptic curve without its algorithm.
    Sec1,
    /// A DSA private key as OpenSSL wrote it.
    Dsa,
    PublicKey,
    Request,
    RevocationList,
    Pkcs7,
    Unknown,
}

/// What `bytes` are.
pub(super) fn kind(bytes: &[u8]) -> Kind {
    let Some(Element { tag: SEQUENCE, content, .. }) = Element::read(bytes) else {
        return Kind::Unknown;
    };
    let parts = elements(content);
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    match &tags[..] {
        // The second may be missing in a file that is cut off; its reader says so.
        [INTEGER] | [INTEGER, SEQUENCE, ..] if parts[0].content == PFX_VERSION => Kind::Pfx,
        // Nor does another version make it something else.
        [INTEGER, SEQUENCE, ..] if is_content(&parts[1]) => Kind::Pfx,
        [INTEGER, SEQUENCE, OCTET_STRING, ..] => Kind::Pkcs8,
        [INTEGER, OCTET_STRING, ..] => Kind::Sec1,
        [INTEGER, INTEGER] => Kind::PublicKey,
        [INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER] => Kind::Dsa,
        [INTEGER, INTEGER, ..] => Kind::Pkcs1,
        [OBJECT_IDENTIFIER, ..] => Kind::Pkcs7,
        [SEQUENCE, OCTET_STRING] => Kind::EncryptedPkcs8,
        [SEQUENCE, BIT_STRING] => Kind::PublicKey,
        [SEQUENCE, SEQUENCE, ..] if X509CertificationRequest::from_der(bytes).is_ok() => {
            Kind::Request
        }
        [SEQUENCE, SEQUENCE, ..] if CertificateRevocationList::from_der(bytes).is_ok() => {
            Kind::RevocationList
        }
        [SEQUENCE, SEQUENCE, ..] => Kind::Certificate,
        _ => Kind::Unknown,
    }
}

/// Whether `bytes` begin like DER that should go on after their end.
pub(super) fn is_cut_off(bytes: &[u8]) -> bool {
    Element::read(bytes).is_some_and(|first| first.tag == SEQUENCE && first.missing > 0)
}

/// Whether it is content in the sense of PKCS#7, with which a PFX file goes on after its version.
fn is_content(element: &Element<'_>) -> bool {
    elements(element.content)
        .first()
        .is_some_and(|kind| kind.tag == OBJECT_IDENTIFIER && kind.content.starts_with(PKCS7))
}

/// The algorithm of a PKCS#8 key.
pub(super) fn pkcs8_algorithm(der: &[u8]) -> Option<KeyAlgorithm> {
    let parts = elements(Element::read(der)?.content);
    let algorithm = elements(parts.get(1)?.content);
    let oid = algorithm.first().filter(|part| part.tag == OBJECT_IDENTIFIER)?;
    Some(KeyAlgorithm::from_oid(&Oid::new(oid.content.into())))
}

/// The size of an RSA key in PKCS#8, in bits.
pub(super) fn pkcs8_rsa_bits(der: &[u8]) -> Option<u32> {
    let parts = elements(Element::read(der)?.content);
    let inner = parts.get(2).filter(|part| part.tag == OCTET_STRING)?;
    pkcs1_bits(inner.content)
}

/// The size of an RSA key in PKCS#1, in bits.
pub(super) fn pkcs1_bits(der: &[u8]) -> Option<u32> {
    let parts = elements(Element::read(der)?.content);
    modulus_bits(parts.get(1).filter(|part| part.tag == INTEGER)?.content)
}

/// The first element of `bytes`, and nothing that follows it.
pub(super) fn first(bytes: &[u8]) -> Option<&[u8]> {
    let element = Element::read(bytes)?;
    Some(&bytes[..bytes.len() - element.rest.len()])
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
    /// How many bytes of its content are not there.
    missing: usize,
}

impl<'a> Element<'a> {
    /// Reads a tag of one byte and a length. A length that is indefinite (BER) or too long stands
    /// for all that there is.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&tag, rest) = bytes.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0x80 => (rest.len(), rest),
            0x81.. => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = length.iter().try_fold(0_usize, |sum, byte| {
                    sum.checked_mul(256)?.checked_add(usize::from(*byte))
                });
                (length?, rest)
            }
            short => (usize::from(short), rest),
        };
        let missing = length.saturating_sub(rest.len());
        let (content, rest) = rest.split_at(length - missing);
        Some(Self { tag, content, rest, missing })
    }
}

/// The first elements of some content: more than any structure has that we look into.
fn elements(mut content: &[u8]) -> Vec<Element<'_>> {
    let mut elements = Vec::new();
    while let Some(element) = Element::read(content)
        && elements.len() < 12
    {
        content = element.rest;
        elements.push(element);
    }
    elements
}
