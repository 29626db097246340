//! Writes a PFX file that others read: one private key, its certificate, the chain above it.
//!
//! The layout is the one that OpenSSL and .NET write and that every reader is tried on: the
//! certificates in an encrypted safe, the key in its own encrypted bag, a checksum over both.
//! Randomness comes in as an argument, except in [`write()`], which asks the operating system.

use std::num::NonZeroU32;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::bags;
use crate::ber::{CONSTRUCTED, CONTEXT_0, Reader, SEQUENCE};
use crate::cipher;
use crate::der::{self, Der};
use crate::error::{Part, WriteError};
use crate::hash::{Hash, Hmac};
use crate::kdf::{self, Purpose};
use crate::oid;
use crate::password;
use crate::public_key::{Fit, Names, fit};

/// How often the password is hashed, for each derivation, unless told otherwise.
///
/// 100,000 make each guess of the password about 26 ms of work. A file has three derivations, and
/// all three together must stay below what readers accept: .NET takes 600,000 in all for a file
/// without a password (Microsoft KB5025823) and 600,000 for each with the old scheme
/// (dotnet/runtime#39743). For a password of 128 random bits, [`MACHINE_PASSWORD_ITERATIONS`] lose
/// nothing.
pub const DEFAULT_ITERATIONS: NonZeroU32 = NonZeroU32::new(100_000).unwrap();

/// How often to hash a password that nobody can guess anyway: 2,000, what .NET writes.
pub const MACHINE_PASSWORD_ITERATIONS: NonZeroU32 = NonZeroU32::new(2_000).unwrap();

/// The salt of PBES2 and of its checksum, in bytes. RFC 8018 asks for at least 8.
const SALT_LEN: usize = 16;
/// The salt of the old scheme, in bytes: some readers of its time take no other.
const LEGACY_SALT_LEN: usize = 8;
/// Elements of keys and certificates that are looked at nest less deep than this.
const MAX_DEPTH: u8 = 16;
/// `[0] IMPLICIT OCTET STRING`.
const ENCRYPTED_CONTENT: u8 = CONTEXT_0 & !CONSTRUCTED;

/// What to write.
#[derive(Clone, Copy)]
pub struct PfxToWrite<'a> {
    /// The private key: PKCS#8 in DER, not encrypted.
    pub key: &'a [u8],
    /// The certificates, X.509 in DER: first the leaf, that of the key, then its issuers from below.
    pub certificates: &'a [&'a [u8]],
    /// The name that people and Java see.
    pub friendly_name: Option<&'a str>,
}

impl std::fmt::Debug for PfxToWrite<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PfxToWrite")
            .field("certificates", &format_args!("{}", self.certificates.len()))
            .field("friendly_name", &self.friendly_name)
            .finish_non_exhaustive()
    }
}

/// Which algorithms to use, and how much work a guess of the password shall cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The algorithms.
    pub algorithms: Algorithms,
    /// How often the password is hashed, for each derivation.
    pub iterations: NonZeroU32,
}

/// A set of algorithms that readers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithms {
    /// AES-256-CBC by PBES2 with PBKDF2-HMAC-SHA-256, checksum with SHA-256: the default of OpenSSL
    /// 3 and of Java since 8u301. Windows reads it since 10 1709; Key Vault has been seen to refuse
    /// it.
    Modern,
    /// 3DES for key and certificates, checksum with SHA-1: what .NET writes and everybody reads. For
    /// Key Vault, App Service and old Windows. Choose a long password: cipher and hash are old.
    Legacy3Des,
}

impl Profile {
    /// [`Algorithms::Modern`] with [`DEFAULT_ITERATIONS`].
    pub const MODERN: Self =
        Self { algorithms: Algorithms::Modern, iterations: DEFAULT_ITERATIONS };

    /// [`Algorithms::Legacy3Des`] with [`DEFAULT_ITERATIONS`].
    pub const LEGACY_3DES: Self =
        Self { algorithms: Algorithms::Legacy3Des, iterations: DEFAULT_ITERATIONS };

    /// The same algorithms with another number of iterations.
    pub const fn with_iterations(self, iterations: NonZeroU32) -> Self {
        Self { iterations, ..self }
    }
}

/// Writes a PFX file, with randomness of the operating system.
///
/// * `password`: may be empty, and is then written as an empty password and not as none. If it is
///   not ASCII, Java up to 17 will not open the file.
///
/// # Errors
///
/// [`WriteError`] if key and certificates are not what they should be. Whether the certificates
/// are valid is not looked at.
pub fn write(
    pfx: &PfxToWrite<'_>,
    password: &str,
    profile: Profile,
) -> Result<Vec<u8>, WriteError> {
    let system = SystemRandom::new();
    let mut failed = false;
    let file = write_with_randomness(pfx, password, profile, &mut |bytes| {
        failed |= system.fill(bytes).is_err();
    })?;
    if failed { Err(WriteError::NoRandomness) } else { Ok(file) }
}

/// Writes a PFX file, with randomness from the caller. Otherwise as [`write()`].
///
/// The same arguments and the same randomness give the same bytes, which is what a simulation or a
/// test wants.
///
/// * `random`: fills its argument with bytes that nobody can foresee. It is called for each salt
///   and each initialization vector.
///
/// # Errors
///
/// [`WriteError`], except [`NoRandomness`](WriteError::NoRandomness).
pub fn write_with_randomness(
    pfx: &PfxToWrite<'_>,
    password: &str,
    profile: Profile,
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Vec<u8>, WriteError> {
    let leaf = check(pfx)?;
    // What OpenSSL and keytool take for the link. Any octets would do; nothing rests on SHA-1 here.
    let local_key_id = Hash::Sha1.digest(&[leaf]);
    let attributes = attributes(pfx.friendly_name, local_key_id.as_ref());
    let mut sealer = Sealer { password, profile, random };

    let bags: Vec<Der> = (0..)
        .zip(pfx.certificates)
        .map(|(position, der)| match position {
            0 => certificate_bag(der, &attributes),
            _ => certificate_bag(der, &[]),
        })
        .collect();
    let certificates = sealer.encrypted_data(&der::sequence(&slices(&bags)));

    let (algorithm, encrypted) = sealer.encrypt(pfx.key);
    let encrypted = der::sequence(&[&algorithm, &der::octets(&encrypted)]);
    let key_bag = bag(oid::SHROUDED_KEY_BAG, &encrypted, &attributes);
    let keys = data(&der::sequence(&[&key_bag]));

    let safes = der::sequence(&[&certificates, &keys]);
    let mac = sealer.mac(&safes);
    let mut file = der::sequence(&[&der::unsigned(3), &data(&safes), &mac]);
    Ok(std::mem::take(&mut *file))
}

/// Checks that key and certificates are what they should be, and returns the leaf.
fn check<'a>(pfx: &PfxToWrite<'a>) -> Result<&'a [u8], WriteError> {
    let mut reader = Reader::new(pfx.key, Part::Key, MAX_DEPTH);
    let key = reader.expect(SEQUENCE).and_then(|info| bags::private_key(&info));
    // What is DER comes out of `private_key` as it went in.
    if !key.is_ok_and(|der| *der == pfx.key) {
        return Err(WriteError::NotPkcs8);
    }
    let leaf = pfx.certificates.first().ok_or(WriteError::NoCertificate)?;
    let broken = pfx.certificates.iter().position(|der| Names::of(der).is_none());
    if let Some(position) = broken {
        return Err(WriteError::NotACertificate { position });
    }
    match fit(pfx.key, leaf) {
        Fit::No => Err(WriteError::CertificateForAnotherKey),
        Fit::Yes | Fit::Unknown => Ok(leaf),
    }
}

/// Encrypts and authenticates with one password in one profile.
struct Sealer<'a> {
    password: &'a str,
    profile: Profile,
    random: &'a mut dyn FnMut(&mut [u8]),
}

impl Sealer<'_> {
    /// Encrypts a safe: an `EncryptedData` in its `ContentInfo`.
    fn encrypted_data(&mut self, safe: &[u8]) -> Der {
        let (algorithm, encrypted) = self.encrypt(safe);
        let content = der::element(ENCRYPTED_CONTENT, &[&encrypted]);
        let info = der::sequence(&[&der::oid(oid::DATA), &algorithm, &content]);
        content_info(oid::ENCRYPTED_DATA, &der::sequence(&[&der::unsigned(0), &info]))
    }

    /// Encrypts `plain`; returns the `AlgorithmIdentifier` and the result.
    fn encrypt(&mut self, plain: &[u8]) -> (Der, Vec<u8>) {
        match self.profile.algorithms {
            Algorithms::Modern => self.encrypt_aes(plain),
            Algorithms::Legacy3Des => self.encrypt_triple_des(plain),
        }
    }

    fn encrypt_aes(&mut self, plain: &[u8]) -> (Der, Vec<u8>) {
        let salt: [u8; SALT_LEN] = self.draw();
        let iv: [u8; 16] = self.draw();
        let count = self.profile.iterations;
        let password = password::for_pkcs5(self.password);
        let key = kdf::pbkdf2(Hash::Sha256, &password, &salt, count.get().into(), 32);
        let key: &[u8; 32] = key.as_slice().try_into().expect("32 bytes were asked for");
        let encrypted = cipher::encrypt_aes_256(key, iv, plain);

        // Without the length of the key, which the cipher implies: as OpenSSL and .NET write it.
        let prf = algorithm(oid::HMAC_SHA256, &der::null());
        let parameters = [&der::octets(&salt), &der::unsigned(count.get()), &prf];
        let derivation = algorithm(oid::PBKDF2, &der::sequence(&parameters.map(|der| &***der)));
        let cipher = algorithm(oid::AES_256_CBC, &der::octets(&iv));
        (algorithm(oid::PBES2, &der::sequence(&[&derivation, &cipher])), encrypted)
    }

    fn encrypt_triple_des(&mut self, plain: &[u8]) -> (Der, Vec<u8>) {
        let salt: [u8; LEGACY_SALT_LEN] = self.draw();
        let count = self.profile.iterations;
        let password = password::for_pkcs12(self.password);
        let derive = |purpose, length| {
            kdf::pkcs12(Hash::Sha1, purpose, &password, &salt, count.get().into(), length)
        };
        let key = derive(Purpose::Key, 24);
        let key: &[u8; 24] = key.as_slice().try_into().expect("24 bytes were asked for");
        let iv = derive(Purpose::InitializationVector, 8);
        let iv: [u8; 8] = iv.as_slice().try_into().expect("8 bytes were asked for");
        let encrypted = cipher::encrypt_triple_des(key, iv, plain);

        let parameters = der::sequence(&[&der::octets(&salt), &der::unsigned(count.get())]);
        (algorithm(oid::PBE_SHA1_3DES, &parameters), encrypted)
    }

    /// The checksum of `safes`: a `MacData`.
    fn mac(&mut self, safes: &[u8]) -> Der {
        let (hash, name, salt) = match self.profile.algorithms {
            Algorithms::Modern => (Hash::Sha256, oid::SHA256, self.draw::<SALT_LEN>().to_vec()),
            Algorithms::Legacy3Des => {
                (Hash::Sha1, oid::SHA1, self.draw::<LEGACY_SALT_LEN>().to_vec())
            }
        };
        let count = self.profile.iterations.get();
        let password = password::for_pkcs12(self.password);
        let length = hash.output_len();
        let key = kdf::pkcs12(hash, Purpose::Mac, &password, &salt, count.into(), length);
        let code = Hmac::new(hash, &key).sign(&[safes]);
        let digest_info =
            der::sequence(&[&algorithm(name, &der::null()), &der::octets(code.as_ref())]);
        der::sequence(&[&digest_info, &der::octets(&salt), &der::unsigned(count)])
    }

    fn draw<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }
}

fn slices(elements: &[Der]) -> Vec<&[u8]> {
    elements.iter().map(|element| element.as_slice()).collect()
}

fn algorithm(name: &str, parameters: &[u8]) -> Der {
    der::sequence(&[&der::oid(name), parameters])
}

fn content_info(kind: &str, content: &[u8]) -> Der {
    der::sequence(&[&der::oid(kind), &der::element(CONTEXT_0, &[content])])
}

/// A `ContentInfo` that holds `content` in the clear.
fn data(content: &[u8]) -> Der {
    content_info(oid::DATA, &der::octets(content))
}

fn bag(kind: &str, value: &[u8], attributes: &[u8]) -> Der {
    der::sequence(&[&der::oid(kind), &der::element(CONTEXT_0, &[value]), attributes])
}

fn certificate_bag(certificate: &[u8], attributes: &[u8]) -> Der {
    let value = der::element(CONTEXT_0, &[&der::octets(certificate)]);
    let value = der::sequence(&[&der::oid(oid::X509_CERTIFICATE), &value]);
    bag(oid::CERTIFICATE_BAG, &value, attributes)
}

/// The SET of attributes, sorted by encoding as DER asks.
fn attributes(friendly_name: Option<&str>, local_key_id: &[u8]) -> Der {
    let attribute =
        |kind: &str, value: &[u8]| der::sequence(&[&der::oid(kind), &der::set(&[value])]);
    let mut attributes = vec![attribute(oid::LOCAL_KEY_ID, &der::octets(local_key_id))];
    attributes
        .extend(friendly_name.map(|name| attribute(oid::FRIENDLY_NAME, &der::bmp_string(name))));
    attributes.sort_by(|one, other| one.as_slice().cmp(other));
    der::set(&slices(&attributes))
}
