//! What stands in the files: certificates and keys, and nothing said yet about their worth.

use super::der::{self, Kind};
use super::error::{Encrypted, ImportError, LooksLike};
use super::{ImportWarning, Source, locked_key, pem};
use crate::certificate::{self, CertificateInfo, KeyAlgorithm};
use crate::keystore::signing::RsaKeyError;
use crate::ports::CertificateDer;
use crate::secret::SecretBytes;
use rollkey_pfx::{ReadError, Role};
use zeroize::Zeroizing;

/// More than any file of this kind has.
const MAX_BYTES: usize = 16 << 20;

/// A private key.
pub(super) struct FoundKey {
    /// The file that it is from.
    pub(super) place: String,
    pub(super) algorithm: KeyAlgorithm,
    /// The key itself; nothing where the algorithm makes it useless anyway.
    pub(super) der: Option<KeyDer>,
}

pub(super) enum KeyDer {
    Pkcs8(SecretBytes),
    Pkcs1(SecretBytes),
}

/// All that stands in the files.
#[derive(Default)]
pub(super) struct Found {
    pub(super) keys: Vec<FoundKey>,
    pub(super) certificates: Vec<(CertificateDer, CertificateInfo)>,
    pub(super) warnings: Vec<ImportWarning>,
}

/// How to read.
struct Reader<'a> {
    place: &'a str,
    password: Option<&'a str>,
    /// Whether private keys matter; where not, none is opened that stands by itself.
    keys: bool,
    found: &'a mut Found,
    /// Whether any key or certificate was there, known already or not.
    any: bool,
    /// What else was there.
    others: Vec<LooksLike>,
}

impl Found {
    pub(super) fn read(
        sources: &[Source<'_>],
        password: Option<&SecretBytes>,
    ) -> Result<Self, ImportError> {
        Self::read_all(sources, password, true)
    }

    pub(super) fn read_certificates(
        sources: &[Source<'_>],
        password: Option<&SecretBytes>,
    ) -> Result<Self, ImportError> {
        Self::read_all(sources, password, false)
    }

    fn read_all(
        sources: &[Source<'_>],
        password: Option<&SecretBytes>,
        keys: bool,
    ) -> Result<Self, ImportError> {
        let password = password
            .map(|password| password.expose_str().ok_or(ImportError::PasswordEncoding))
            .transpose()?;
        let mut found = Self::default();
        for source in sources {
            let mut reader = Reader {
                place: source.name,
                password,
                keys,
                found: &mut found,
                any: false,
                others: Vec::new(),
            };
            reader.file(source.bytes)?;
            if !reader.any {
                let looks = reader.others.into_iter().next().unwrap_or(LooksLike::Empty);
                return Err(ImportError::NotACertificateFile {
                    place: source.name.to_owned(),
                    looks,
                });
            }
        }
        Ok(found)
    }
}

impl Reader<'_> {
    fn place(&self) -> String {
        self.place.to_owned()
    }

    /// Reads a file of any kind.
    fn file(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        if bytes.len() > MAX_BYTES {
            let (place, bytes) = (self.place(), bytes.len());
            return Err(ImportError::TooLarge { place, bytes, limit: MAX_BYTES });
        }
        if der::kind(bytes) != Kind::Unknown {
            return self.der(bytes);
        }
        let Some(text) = as_text(bytes) else {
            self.others.push(binary(bytes));
            return Ok(());
        };
        if pem::has_blocks(&text) {
            return self.pem(&text);
        }
        // Key Vault hands out PFX files as base64, and many tools DER.
        match pem::decode(&text) {
            Some(decoded) if decoded.expose().first() == Some(&der::SEQUENCE) => {
                self.der(decoded.expose())
            }
            _ => {
                self.others.push(match text.contains(char::REPLACEMENT_CHARACTER) {
                    true => binary(bytes),
                    false => other_text(&text),
                });
                Ok(())
            }
        }
    }

    fn pem(&mut self, text: &str) -> Result<(), ImportError> {
        let blocks = pem::blocks(text).map_err(|pem::PemError { label, problem }| {
            ImportError::Pem { place: self.place(), label, problem }
        })?;
        for block in blocks {
            let contents = block.contents.expose();
            match block.label {
                "CERTIFICATE" | "X509 CERTIFICATE" => self.certificate(contents)?,
                // What OpenSSL trusts it for follows the certificate.
                "TRUSTED CERTIFICATE" => {
                    self.certificate(der::first(contents).unwrap_or(contents))?;
                }
                "PRIVATE KEY"
                | "ENCRYPTED PRIVATE KEY"
                | "RSA PRIVATE KEY"
                | "EC PRIVATE KEY"
                | "DSA PRIVATE KEY" => self.pem_key(&block)?,
                "OPENSSH PRIVATE KEY" => self.others.push(LooksLike::OpenSshKey),
                "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                    self.others.push(LooksLike::CertificateRequest);
                }
                "X509 CRL" => self.others.push(LooksLike::RevocationList),
                "PUBLIC KEY" | "RSA PUBLIC KEY" => self.others.push(LooksLike::PublicKey),
                "PKCS7" | "CMS" => self.others.push(LooksLike::Pkcs7),
                label if label.starts_with("PGP ") => self.others.push(LooksLike::Pgp),
                label => self.others.push(LooksLike::PemBlock { label: pem::shown(label) }),
            }
        }
        Ok(())
    }

    fn pem_key(&mut self, block: &pem::Block<'_>) -> Result<(), ImportError> {
        let encrypted = block
            .headers
            .iter()
            .any(|(name, value)| *name == "Proc-Type" && value.ends_with("ENCRYPTED"));
        let contents = block.contents.expose();
        match block.label {
            "EC PRIVATE KEY" => self.useless_key(KeyAlgorithm::Ec),
            "DSA PRIVATE KEY" => self.useless_key(KeyAlgorithm::Dsa),
            _ if encrypted && self.keys => {
                let cipher = block.headers.iter().find(|(name, _)| *name == "DEK-Info");
                let cipher = cipher.and_then(|(_, value)| value.split(',').next()).unwrap_or("?");
                return Err(ImportError::OldEncryption {
                    place: self.place(),
                    cipher: pem::shown(cipher),
                });
            }
            _ if encrypted => self.useless_key(KeyAlgorithm::Rsa),
            "ENCRYPTED PRIVATE KEY" => return self.locked_key(contents),
            "RSA PRIVATE KEY" => self.pkcs1(contents),
            _ => return self.pkcs8(SecretBytes::new(contents.to_vec())),
        }
        Ok(())
    }

    /// Reads DER of any kind.
    fn der(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        match der::kind(bytes) {
            Kind::Pfx => return self.pfx(bytes),
            Kind::Certificate => return self.certificate(bytes),
            Kind::Pkcs8 => return self.pkcs8(SecretBytes::new(bytes.to_vec())),
            Kind::EncryptedPkcs8 => return self.locked_key(bytes),
            Kind::Pkcs1 => self.pkcs1(bytes),
            Kind::Sec1 => self.useless_key(KeyAlgorithm::Ec),
            Kind::Dsa => self.useless_key(KeyAlgorithm::Dsa),
            Kind::PublicKey => self.others.push(LooksLike::PublicKey),
            Kind::Request => self.others.push(LooksLike::CertificateRequest),
            Kind::RevocationList => self.others.push(LooksLike::RevocationList),
            Kind::Pkcs7 => self.others.push(LooksLike::Pkcs7),
            Kind::Unknown => self.others.push(binary(bytes)),
        }
        Ok(())
    }

    fn pfx(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        let contents = rollkey_pfx::read(bytes, self.password.unwrap_or_default())
            .map_err(|error| self.refused(error, Encrypted::Pfx))?;
        self.found.warnings.extend(contents.warnings.into_iter().map(ImportWarning::Pfx));
        if contents.keys.is_empty() && contents.certificates.is_empty() {
            self.others.push(LooksLike::EmptyPfx);
        }
        for key in contents.keys {
            self.pkcs8(SecretBytes::new(std::mem::take(&mut *key.pkcs8.into_der())))?;
        }
        for certificate in contents.certificates {
            self.certificate(&certificate.der)?;
        }
        Ok(())
    }

    fn locked_key(&mut self, encrypted: &[u8]) -> Result<(), ImportError> {
        if !self.keys {
            self.useless_key(KeyAlgorithm::Rsa);
            return Ok(());
        }
        let what = Encrypted::Key;
        let Some(password) = self.password else {
            return Err(ImportError::PasswordNeeded { place: self.place(), what });
        };
        let key =
            locked_key::open(encrypted, password).map_err(|error| self.refused(error, what))?;
        self.pkcs8(key)
    }

    /// What an error of the PFX reader means to the one who gave, or did not give, a password.
    fn refused(&self, error: ReadError, what: Encrypted) -> ImportError {
        let place = self.place();
        match (error, what) {
            (ReadError::WrongPassword, _) if self.password.is_none() => {
                ImportError::PasswordNeeded { place, what }
            }
            (ReadError::WrongPassword, _) => ImportError::WrongPassword { place, what },
            (
                ReadError::UnsupportedAlgorithm {
                    role: Role::Cipher | Role::KeyDerivation,
                    algorithm,
                },
                _,
            ) => ImportError::UnsupportedCipher { place, algorithm },
            (source, Encrypted::Pfx) => ImportError::Pfx { place, source },
            (source, Encrypted::Key) => ImportError::LockedKey { place, source },
        }
    }

    fn pkcs8(&mut self, der: SecretBytes) -> Result<(), ImportError> {
        let algorithm = der::pkcs8_algorithm(der.expose()).ok_or_else(|| {
            ImportError::UnreadableKey { place: self.place(), source: RsaKeyError::NoAlgorithm }
        })?;
        let der = (algorithm == KeyAlgorithm::Rsa).then_some(KeyDer::Pkcs8(der));
        self.key(algorithm, der);
        Ok(())
    }

    fn pkcs1(&mut self, der: &[u8]) {
        self.key(KeyAlgorithm::Rsa, Some(KeyDer::Pkcs1(SecretBytes::new(der.to_vec()))));
    }

    /// A key that is there and of no use, so that what is wrong can be told.
    fn useless_key(&mut self, algorithm: KeyAlgorithm) {
        self.key(algorithm, None);
    }

    fn key(&mut self, algorithm: KeyAlgorithm, der: Option<KeyDer>) {
        self.any = true;
        self.found.keys.push(FoundKey { place: self.place(), algorithm, der });
    }

    fn certificate(&mut self, der: &[u8]) -> Result<(), ImportError> {
        let info = certificate::describe(der)
            .map_err(|source| ImportError::UnreadableCertificate { place: self.place(), source })?;
        self.any = true;
        // The same certificate may well stand in both of two files.
        let known =
            |there: &&(CertificateDer, CertificateInfo)| there.1.thumbprint == info.thumbprint;
        if self.found.certificates.iter().find(known).is_none() {
            self.found.certificates.push((CertificateDer(der.to_vec()), info));
        }
        Ok(())
    }
}

/// The text that `bytes` are: UTF-8, or UTF-16 as PowerShell writes it, or mostly so: what stands
/// around PEM blocks may be in any old encoding.
fn as_text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    const UTF8: &[u8] = &[0xef, 0xbb, 0xbf];
    let units = match bytes {
        [0xff, 0xfe, units @ ..] => Some((units, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, units @ ..] => Some((units, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((units, unit)) = units {
        let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
        let (pairs, _) = units.as_chunks::<2>();
        for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            text.push(c.ok()?);
        }
        return Some(text);
    }
    let bytes = bytes.strip_prefix(UTF8).unwrap_or(bytes);
    if bytes.contains(&0) {
        return None;
    }
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 3));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Some(text)
}

fn other_text(text: &str) -> LooksLike {
    let text = text.trim_start();
    match text {
        "" => LooksLike::Empty,
        _ if text.starts_with("PuTTY-User-Key-File") => LooksLike::PuttyKey,
        _ if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") => {
            LooksLike::OpenSshPublicKey
        }
        // With no other control character an archive may well be mistaken for text.
        _ if text.starts_with("PK\u{3}\u{4}") => LooksLike::Zip,
        _ if text.starts_with(['{', '[']) => LooksLike::Json,
        _ if text.starts_with('<') => LooksLike::Markup,
        _ => LooksLike::Text,
    }
}

fn binary(bytes: &[u8]) -> LooksLike {
    match bytes {
        [] => LooksLike::Empty,
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => LooksLike::JavaKeystore,
        [b'P', b'K', 3, 4, ..] => LooksLike::Zip,
        _ if der::is_cut_off(bytes) => LooksLike::CutOff,
        [der::SEQUENCE, ..] => LooksLike::Der,
        _ => LooksLike::Binary,
    }
}
