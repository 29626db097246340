//! Encryption schemes: what an `AlgorithmIdentifier` of a PFX file says about how to decrypt.
//!
//! A scheme is a key derivation with its parameters, and a cipher. Three kinds exist: that of
//! PKCS#12 (RFC 7292 appendix C), PBES1 and PBES2 (RFC 8018 §6). The trying of passwords is not
//! done here, and no iteration is done that was not booked before.

use zeroize::Zeroizing;

use crate::ber::{CONSTRUCTED, Element, INTEGER, OCTET_STRING, Reader, SEQUENCE};
use crate::cipher::Cipher;
use crate::error::{Fault, Part, ReadError, Role};
use crate::hash::Hash;
use crate::kdf::{self, Purpose};
use crate::limits::Iterations;
use crate::oid;
use crate::password::Family;

/// The longest key that we derive, in bytes. The longest that a cipher here can use is that of RC2.
const LONGEST_KEY: u64 = 128;

/// How to decrypt, except for the password.
pub(crate) struct Scheme {
    derivation: Derivation,
    salt: Zeroizing<Vec<u8>>,
    iterations: Iterations,
    cipher: Cipher,
    key_len: usize,
}

enum Derivation {
    /// Key and initialization vector by the derivation of PKCS#12, always with SHA-1.
    Pkcs12,
    /// Key and initialization vector by PBKDF1 with SHA-1.
    Pbkdf1,
    /// The key by PBKDF2; the initialization vector is in the file.
    Pbkdf2 { prf: Hash, iv: Zeroizing<Vec<u8>> },
}

impl Scheme {
    /// Reads an `AlgorithmIdentifier`.
    pub(crate) fn read(algorithm: &Element<'_>) -> Result<Self, ReadError> {
        let mut fields = algorithm.reader()?.named(Part::EncryptionParameters);
        let name = fields.oid()?;
        let rc2 = |effective_bits| Cipher::Rc2 { effective_bits };
        let (derivation, cipher, key_len) = match name.dotted() {
            oid::PBES2 => return Self::read_pbes2(fields),
            oid::PBE_SHA1_RC4_128 => (Derivation::Pkcs12, Cipher::Rc4, 16),
            oid::PBE_SHA1_RC4_40 => (Derivation::Pkcs12, Cipher::Rc4, 5),
            oid::PBE_SHA1_3DES => (Derivation::Pkcs12, Cipher::TripleDes, 24),
            oid::PBE_SHA1_2DES => (Derivation::Pkcs12, Cipher::TwoKeyTripleDes, 16),
            oid::PBE_SHA1_RC2_128 => (Derivation::Pkcs12, rc2(128), 16),
            oid::PBE_SHA1_RC2_40 => (Derivation::Pkcs12, rc2(40), 5),
            oid::PBE_SHA1_DES => (Derivation::Pbkdf1, Cipher::Des, 8),
            oid::PBE_SHA1_RC2_64 => (Derivation::Pbkdf1, rc2(64), 8),
            _ => {
                let role = Role::Cipher;
                return Err(ReadError::UnsupportedAlgorithm { role, algorithm: name });
            }
        };
        let mut parameters = fields.expect(SEQUENCE)?.reader()?;
        let salt = parameters.octets()?;
        let iterations = Iterations::new(parameters.unsigned()?, Part::EncryptionParameters)?;
        Ok(Self { derivation, salt, iterations, cipher, key_len })
    }

    fn read_pbes2(mut fields: Reader<'_>) -> Result<Self, ReadError> {
        let mut parameters = fields.expect(SEQUENCE)?.reader()?;
        let derivation = Pbkdf2::read(&parameters.expect(SEQUENCE)?)?;
        let (cipher, iv) = read_cipher(&parameters.expect(SEQUENCE)?)?;
        let Pbkdf2 { salt, iterations, key_len, prf } = derivation;
        let default_len = match cipher {
            Cipher::Rc2 { effective_bits } => usize::from(effective_bits).div_ceil(8),
            _ => cipher.key_len().unwrap_or_default(),
        };
        let key_len = key_len.unwrap_or(default_len);
        if cipher.key_len().is_some_and(|only| only != key_len) {
            return Err(parameters.fault(Fault::KeyLength));
        }
        if iv.len() != cipher.iv_len() {
            return Err(parameters.fault(Fault::InitializationVector));
        }
        let derivation = Derivation::Pbkdf2 { prf, iv };
        Ok(Self { derivation, salt, iterations, cipher, key_len })
    }

    /// Which forms of the password are to be tried.
    pub(crate) fn family(&self) -> Family {
        match self.derivation {
            Derivation::Pkcs12 => Family::Pkcs12,
            Derivation::Pbkdf1 | Derivation::Pbkdf2 { .. } => Family::Pkcs5,
        }
    }

    /// What one try costs: iterations, and how many rounds of them.
    pub(crate) fn cost(&self) -> (Iterations, u64) {
        let rounds = match self.derivation {
            Derivation::Pkcs12 => {
                kdf::rounds(Hash::Sha1, self.key_len)
                    + kdf::rounds(Hash::Sha1, self.cipher.iv_len())
            }
            Derivation::Pbkdf1 => 1,
            Derivation::Pbkdf2 { prf, .. } => kdf::rounds(prf, self.key_len),
        };
        (self.iterations, rounds)
    }

    /// Decrypts with a password in the form that [`family`](Self::family) asks for; nothing if the
    /// padding does not come out right.
    pub(crate) fn decrypt(&self, password: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let iterations = self.iterations.get();
        match &self.derivation {
            Derivation::Pkcs12 => {
                let derive = |purpose, length| {
                    kdf::pkcs12(Hash::Sha1, purpose, password, &self.salt, iterations, length)
                };
                let key = derive(Purpose::Key, self.key_len);
                let iv = derive(Purpose::InitializationVector, self.cipher.iv_len());
                self.cipher.decrypt(&key, &iv, data)
            }
            Derivation::Pbkdf1 => {
                let key_and_iv = kdf::pbkdf1_sha1(password, &self.salt, iterations);
                let (key, iv) = key_and_iv.split_at(self.key_len);
                self.cipher.decrypt(key, iv, data)
            }
            Derivation::Pbkdf2 { prf, iv } => {
                let key = kdf::pbkdf2(*prf, password, &self.salt, iterations, self.key_len);
                self.cipher.decrypt(&key, iv, data)
            }
        }
    }
}

/// PBKDF2 with its parameters, except for the password.
pub(crate) struct Pbkdf2 {
    pub(crate) salt: Zeroizing<Vec<u8>>,
    pub(crate) iterations: Iterations,
    /// From 1 to [`LONGEST_KEY`]. Optional in the format; many writers leave it out.
    pub(crate) key_len: Option<usize>,
    pub(crate) prf: Hash,
}

impl Pbkdf2 {
    /// Reads an `AlgorithmIdentifier` that must be that of PBKDF2.
    pub(crate) fn read(algorithm: &Element<'_>) -> Result<Self, ReadError> {
        let mut fields = algorithm.reader()?;
        let name = fields.oid()?;
        if name.dotted() != oid::PBKDF2 {
            let role = Role::KeyDerivation;
            return Err(ReadError::UnsupportedAlgorithm { role, algorithm: name });
        }
        let mut parameters = fields.expect(SEQUENCE)?.reader()?;
        let salt = parameters.octets()?;
        let iterations = Iterations::new(parameters.unsigned()?, Part::EncryptionParameters)?;
        let key_len = match parameters.optional(INTEGER)? {
            None => None,
            Some(element) => match element.unsigned()? {
                length @ 1..=LONGEST_KEY => Some(length as usize),
                _ => return Err(element.fault(Fault::KeyLength)),
            },
        };
        let prf = match parameters.optional(SEQUENCE)? {
            // The default of RFC 8018, which writers of SHA-1 therefore leave out.
            None => Hash::Sha1,
            Some(prf) => {
                let name = prf.reader()?.oid()?;
                let role = Role::KeyDerivation;
                Hash::from_hmac_oid(&name)
                    .ok_or(ReadError::UnsupportedAlgorithm { role, algorithm: name })?
            }
        };
        Ok(Self { salt, iterations, key_len, prf })
    }
}

/// Reads the cipher of PBES2 with its initialization vector.
fn read_cipher(algorithm: &Element<'_>) -> Result<(Cipher, Zeroizing<Vec<u8>>), ReadError> {
    let mut fields = algorithm.reader()?;
    let name = fields.oid()?;
    let cipher = match name.dotted() {
        oid::AES_128_CBC => Cipher::Aes128,
        oid::AES_192_CBC => Cipher::Aes192,
        oid::AES_256_CBC => Cipher::Aes256,
        oid::DES_EDE3_CBC => Cipher::TripleDes,
        oid::DES_CBC => Cipher::Des,
        oid::RC2_CBC => return read_rc2(fields),
        _ => {
            let role = Role::Cipher;
            return Err(ReadError::UnsupportedAlgorithm { role, algorithm: name });
        }
    };
    Ok((cipher, fields.octets()?))
}

/// Reads the parameters of RC2 (RFC 8018 appendix B.2.3): a version that stands for the effective
/// key bits, and the initialization vector; or the vector alone, for 32 bits.
fn read_rc2(mut fields: Reader<'_>) -> Result<(Cipher, Zeroizing<Vec<u8>>), ReadError> {
    let parameters = fields.any()?;
    if parameters.tag() & !CONSTRUCTED == OCTET_STRING {
        return Ok((Cipher::Rc2 { effective_bits: 32 }, parameters.octets()?));
    }
    let mut parameters = parameters.reader()?;
    let effective_bits = match parameters.optional(INTEGER)? {
        None => 32,
        Some(version) => match version.unsigned()? {
            160 => 40,
            120 => 64,
            58 => 128,
            bits @ 256..=1024 => bits as u16,
            _ => return Err(version.fault(Fault::KeyLength)),
        },
    };
    Ok((Cipher::Rc2 { effective_bits }, parameters.octets()?))
}
