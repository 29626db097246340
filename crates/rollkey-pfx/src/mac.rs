//! The checksum of a PFX file: an HMAC whose key is made of the password.
//!
//! Two kinds exist: the one of PKCS#12 itself (RFC 7292 §4) and PBMAC1 (RFC 9579). It is also what
//! tells a wrong password from a damaged file, as far as that can be told. Only checking is done
//! here; the trying of passwords and the writing are elsewhere.

use zeroize::Zeroizing;

use crate::ber::{Element, INTEGER, SEQUENCE};
use crate::error::{Fault, Part, ReadError, Role};
use crate::hash::{Hash, Hmac};
use crate::kdf::{self, Purpose};
use crate::limits::Iterations;
use crate::oid;
use crate::password::Family;
use crate::scheme::Pbkdf2;

/// The shortest key of PBMAC1, in bytes.
const SHORTEST_KEY: usize = 20;

/// A checksum and how to verify it, except for the password.
pub(crate) struct Mac {
    derivation: Derivation,
    hash: Hash,
    code: Zeroizing<Vec<u8>>,
}

enum Derivation {
    Pkcs12 { salt: Zeroizing<Vec<u8>>, iterations: Iterations },
    Pbkdf2 { parameters: Pbkdf2, key_len: usize },
}

impl Mac {
    /// Reads a `MacData`.
    pub(crate) fn read(mac_data: &Element<'_>) -> Result<Self, ReadError> {
        let mut fields = mac_data.reader()?.named(Part::Mac);
        let mut digest_info = fields.expect(SEQUENCE)?.reader()?;
        let mut algorithm = digest_info.expect(SEQUENCE)?.reader()?;
        let code = digest_info.octets()?;
        let salt = fields.octets()?;
        let iterations = match fields.optional(INTEGER)? {
            // The default of RFC 7292, from the years before iterations.
            None => 1,
            Some(count) => count.unsigned()?,
        };
        let name = algorithm.oid()?;
        if name.dotted() == oid::PBMAC1 {
            // Salt and iterations of the outer structure are fillers then.
            return Self::read_pbmac1(&algorithm.expect(SEQUENCE)?, code);
        }
        let role = Role::Mac;
        let hash = Hash::from_oid(&name)
            .ok_or(ReadError::UnsupportedAlgorithm { role, algorithm: name })?;
        let iterations = Iterations::new(iterations, Part::Mac)?;
        Ok(Self { derivation: Derivation::Pkcs12 { salt, iterations }, hash, code })
    }

    fn read_pbmac1(parameters: &Element<'_>, code: Zeroizing<Vec<u8>>) -> Result<Self, ReadError> {
        let mut fields = parameters.reader()?;
        let parameters = Pbkdf2::read(&fields.expect(SEQUENCE)?)?;
        let name = fields.expect(SEQUENCE)?.reader()?.oid()?;
        let role = Role::Mac;
        let hash = Hash::from_hmac_oid(&name)
            .ok_or(ReadError::UnsupportedAlgorithm { role, algorithm: name })?;
        // RFC 9579 wants the length stated, because a short key would make a checksum that fits
        // every few hundred passwords.
        let key_len = match parameters.key_len {
            Some(length) if length >= SHORTEST_KEY => length,
            _ => return Err(fields.fault(Fault::KeyLength)),
        };
        Ok(Self { derivation: Derivation::Pbkdf2 { parameters, key_len }, hash, code })
    }

    /// Which forms of the password are to be tried.
    pub(crate) fn family(&self) -> Family {
        match self.derivation {
            Derivation::Pkcs12 { .. } => Family::Pkcs12,
            Derivation::Pbkdf2 { .. } => Family::Pkcs5,
        }
    }

    /// What one try costs: iterations, and how many rounds of them.
    pub(crate) fn cost(&self) -> (Iterations, u64) {
        match &self.derivation {
            Derivation::Pkcs12 { iterations, .. } => (*iterations, 1),
            Derivation::Pbkdf2 { parameters, key_len } => {
                (parameters.iterations, kdf::rounds(parameters.prf, *key_len))
            }
        }
    }

    /// Whether this is the checksum of `content` under a password in the form that
    /// [`family`](Self::family) asks for.
    pub(crate) fn verify(&self, password: &[u8], content: &[u8]) -> bool {
        let key = match &self.derivation {
            Derivation::Pkcs12 { salt, iterations } => {
                let length = self.hash.output_len();
                kdf::pkcs12(self.hash, Purpose::Mac, password, salt, iterations.get(), length)
            }
            Derivation::Pbkdf2 { parameters: Pbkdf2 { salt, iterations, prf, .. }, key_len } => {
                kdf::pbkdf2(*prf, password, salt, iterations.get(), *key_len)
            }
        };
        Hmac::new(self.hash, &key).verify(content, &self.code)
    }
}
