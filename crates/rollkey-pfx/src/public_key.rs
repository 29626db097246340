//! Whether a private key and a certificate belong together, told from their encodings.
//!
//! RSA and elliptic-curve keys carry their public half, so that comparing octets is enough; of an
//! Ed25519 key the public half is computed. No signature is verified here and nothing is parsed
//! beyond what the comparison needs: a certificate that we cannot read is no error but
//! [`Fit::Unknown`].

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use crate::ber::{
    BIT_STRING, CONTEXT_0, CONTEXT_1, Element, INTEGER, OCTET_STRING, Reader, SEQUENCE,
};
use crate::error::{Fault, Part, ReadError};
use crate::oid;

/// Certificates and keys nest less deep than this, in the parts that are looked at.
const MAX_DEPTH: u8 = 16;
/// `[1] IMPLICIT BIT STRING`, the public key in PKCS#8 of the second version (RFC 5958).
const PUBLIC_KEY: u8 = 0x81;

/// Whether a private key and a certificate belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The certificate is for this key.
    Yes,
    /// The certificate is for another key.
    No,
    /// The encodings do not tell: a kind of key that does not carry its public half, or a
    /// certificate that cannot be read.
    Unknown,
}

/// Tells whether `certificate` (X.509 in DER) is for the private key `pkcs8` (PKCS#8 in DER).
pub fn fit(pkcs8: &[u8], certificate: &[u8]) -> Fit {
    let Some(certificate) = Names::of(certificate) else { return Fit::Unknown };
    compare(pkcs8, certificate.public_key).unwrap_or(Fit::Unknown)
}

/// What a certificate says of itself, as encodings: no more than is needed to put a chain in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names<'a> {
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    /// The `SubjectPublicKeyInfo`.
    pub(crate) public_key: &'a [u8],
}

impl<'a> Names<'a> {
    /// Reads a certificate (RFC 5280 §4.1), or nothing if it is none.
    pub(crate) fn of(certificate: &'a [u8]) -> Option<Self> {
        Self::read(certificate).ok()
    }

    fn read(certificate: &'a [u8]) -> Result<Self, ReadError> {
        let mut reader = Reader::new(certificate, Part::Certificate, MAX_DEPTH);
        let mut signed = reader.expect(SEQUENCE)?.reader()?;
        reader.end()?;
        let mut fields = signed.expect(SEQUENCE)?.reader()?;
        fields.optional(CONTEXT_0)?; // version
        fields.expect(INTEGER)?; // serial number
        fields.expect(SEQUENCE)?; // signature algorithm
        let issuer = fields.expect(SEQUENCE)?.encoding();
        fields.expect(SEQUENCE)?; // validity
        let subject = fields.expect(SEQUENCE)?.encoding();
        let public_key = fields.expect(SEQUENCE)?.encoding();
        Ok(Self { issuer, subject, public_key })
    }
}

/// Reads the name of an algorithm from its identifier.
fn algorithm<'a>(reader: &mut Reader<'a>) -> Result<oid::Oid, ReadError> {
    let identifier: Element<'a> = reader.expect(SEQUENCE)?;
    identifier.reader()?.oid()
}

fn compare(pkcs8: &[u8], public_key: &[u8]) -> Result<Fit, ReadError> {
    let mut info =
        Reader::new(public_key, Part::Certificate, MAX_DEPTH).expect(SEQUENCE)?.reader()?;
    let public_algorithm = algorithm(&mut info)?;
    let [0, public @ ..] = info.expect(BIT_STRING)?.content() else {
        return Err(info.fault(Fault::Length));
    };

    let mut key = Reader::new(pkcs8, Part::Key, MAX_DEPTH).expect(SEQUENCE)?.reader()?;
    key.expect(INTEGER)?; // version
    let key_algorithm = algorithm(&mut key)?;
    let private = key.expect(OCTET_STRING)?.content();
    key.optional(CONTEXT_0)?; // attributes
    let attached = match key.optional(PUBLIC_KEY)? {
        Some(bits) => bits.content().get(1..),
        None => None,
    };

    // A certificate may restrict a plain RSA key to PSS, or leave a PSS key unrestricted.
    let is_rsa = |name: &str| matches!(name, oid::RSA | oid::RSA_PSS);
    match (key_algorithm.dotted(), public_algorithm.dotted()) {
        (key, public_name) if is_rsa(key) && is_rsa(public_name) => compare_rsa(private, public),
        (key, public_name) if key != public_name => Ok(Fit::No),
        (oid::EC, _) => {
            let within = ec_public_key(private)?;
            Ok(within.or(attached).map_or(Fit::Unknown, |point| compare_points(point, public)))
        }
        (oid::ED25519, _) => {
            let seed = Reader::new(private, Part::Key, MAX_DEPTH).expect(OCTET_STRING)?;
            let pair = Ed25519KeyPair::from_seed_unchecked(seed.content());
            Ok(match pair {
                Ok(pair) => from_bool(pair.public_key().as_ref() == public),
                Err(_) => Fit::Unknown,
            })
        }
        _ => Ok(attached.map_or(Fit::Unknown, |attached| from_bool(attached == public))),
    }
}

fn from_bool(fits: bool) -> Fit {
    if fits { Fit::Yes } else { Fit::No }
}

/// Compares modulus and public exponent (RFC 8017 appendix A.1).
fn compare_rsa(private: &[u8], public: &[u8]) -> Result<Fit, ReadError> {
    let mut private = Reader::new(private, Part::Key, MAX_DEPTH).expect(SEQUENCE)?.reader()?;
    let mut public =
        Reader::new(public, Part::Certificate, MAX_DEPTH).expect(SEQUENCE)?.reader()?;
    private.expect(INTEGER)?; // version
    for _ in ["modulus", "public exponent"] {
        let (ours, theirs) = (private.expect(INTEGER)?, public.expect(INTEGER)?);
        if digits(ours.content()) != digits(theirs.content()) {
            return Ok(Fit::No);
        }
    }
    Ok(Fit::Yes)
}

fn digits(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|digit| **digit == 0).count();
    &integer[zeros..]
}

/// The public point in an `ECPrivateKey` (RFC 5915), where it is optional.
fn ec_public_key(private: &[u8]) -> Result<Option<&[u8]>, ReadError> {
    let mut fields = Reader::new(private, Part::Key, MAX_DEPTH).expect(SEQUENCE)?.reader()?;
    fields.expect(INTEGER)?; // version
    fields.expect(OCTET_STRING)?; // private key
    fields.optional(CONTEXT_0)?; // parameters
    match fields.optional(CONTEXT_1)? {
        Some(holder) => Ok(holder.reader()?.expect(BIT_STRING)?.content().get(1..)),
        None => Ok(None),
    }
}

/// Compares two points (SEC 1 §2.3.3). A compressed one has no second coordinate to compare.
fn compare_points(ours: &[u8], theirs: &[u8]) -> Fit {
    if ours.len() == theirs.len() {
        return from_bool(ours == theirs);
    }
    let (short, long) = if ours.len() < theirs.len() { (ours, theirs) } else { (theirs, ours) };
    match (short, long) {
        ([2 | 3, x @ ..], [4, both @ ..]) if both.len() == 2 * x.len() && !x.is_empty() => {
            let y_is_odd = both[both.len() - 1] & 1;
            from_bool(both.starts_with(x) && short[0] == 2 | y_is_odd)
        }
        _ => Fit::Unknown,
    }
}
