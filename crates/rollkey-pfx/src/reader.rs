//! Reads a PFX file: outermost structure, checksum, safes (RFC 7292 §4 and §4.1).
//!
//! This is where it is decided what a failure means: no PFX at all, cut off, damaged, or a wrong
//! password. The encodings, the algorithms and the bags have rooms of their own; no cryptography
//! may enter here.

use zeroize::Zeroizing;

use crate::bags::{self, Bag, Locked, Value};
use crate::ber::{self, CONSTRUCTED, CONTEXT_0, Element, INTEGER, Reader, SEQUENCE};
use crate::contents::{CertificateBag, Contents, KeyBag, Pkcs8, Warning};
use crate::error::{Fault, Found, Part, ReadError, Role};
use crate::limits::Limits;
use crate::mac::Mac;
use crate::oid::{self, Oid};
use crate::scheme::Scheme;
use crate::unlock::Unlocker;

/// The only version of PFX in use.
const VERSION: u64 = 3;

/// How many locked parts are tried to find out whether a password that failed was right after all.
/// Most files have two.
const MAX_PROBES: usize = 4;

/// Reads a PFX file within the default [`Limits`].
///
/// An empty `password` also opens files that were written with no password at all. Within the
/// default limits a hostile file costs seconds at most, so do not call this where a moment's delay
/// matters: an honest file with 600,000 iterations takes about 0.2 s.
///
/// # Errors
///
/// See [`ReadError`]: they are sorted by what to do next.
///
/// # Source
///
/// RFC 7292 (PKCS#12), RFC 8018 (PKCS#5), RFC 9579 (PBMAC1).
pub fn read(file: &[u8], password: &str) -> Result<Contents, ReadError> {
    read_within(file, password, &Limits::default())
}

/// Reads a PFX file within limits of one's own. Otherwise as [`read`].
///
/// # Errors
///
/// See [`ReadError`].
pub fn read_within(file: &[u8], password: &str, limits: &Limits) -> Result<Contents, ReadError> {
    if file.len() > limits.max_size {
        return Err(ReadError::TooLarge { size: file.len(), limit: limits.max_size });
    }
    let outer = Outer::read(file, limits.max_depth)?;
    let mut unlocker = Unlocker::new(password, limits);
    let mut contents = Contents::default();

    match &outer.mac {
        Some(mac) if unlocker.verify(mac, &outer.safes)? => contents.mac_checked = true,
        Some(_) => return Err(why_the_mac_does_not_fit(&outer, &mut unlocker)),
        None => contents.warnings.push(Warning::NoMac),
    }
    if outer.trailing > 0 {
        contents.warnings.push(Warning::TrailingBytes { count: outer.trailing });
    }

    let safes = read_safes(&outer.safes, limits.max_depth)?;
    for safe in &safes {
        match safe {
            Safe::Plain(plain) => add_bags(plain, &safes, &mut unlocker, &mut contents)?,
            Safe::Encrypted(locked) => {
                let scheme = Scheme::read(&locked.algorithm)?;
                let Some(plain) = unlocker.decrypt(&scheme, &locked.data)? else {
                    return Err(why_it_stays_locked(Part::EncryptedSafe, &safes, &mut unlocker));
                };
                add_bags(&plain, &safes, &mut unlocker, &mut contents)?;
            }
        }
    }
    Ok(contents)
}

/// Puts what a safe holds into `contents`, and decrypts its keys.
fn add_bags(
    safe: &[u8],
    all: &[Safe<'_>],
    unlocker: &mut Unlocker<'_>,
    contents: &mut Contents,
) -> Result<(), ReadError> {
    for Bag { value, attributes } in bags::read(safe, unlocker.max_depth())? {
        if attributes.unreadable {
            contents.warnings.push(Warning::UnreadableAttribute);
        }
        let (friendly_name, local_key_id) = (attributes.friendly_name, attributes.local_key_id);
        let pkcs8 = match value {
            Value::Key(key) => key,
            Value::EncryptedKey(locked) => {
                let scheme = Scheme::read(&locked.algorithm)?;
                let Some(plain) = unlocker.decrypt(&scheme, &locked.data)? else {
                    return Err(why_it_stays_locked(Part::EncryptedKey, all, unlocker));
                };
                let mut reader = Reader::new(&plain, Part::Key, unlocker.max_depth());
                bags::private_key(&reader.expect(SEQUENCE)?)?
            }
            Value::Certificate(der) => {
                let bag = CertificateBag { der, friendly_name, local_key_id };
                contents.certificates.push(bag);
                continue;
            }
            Value::Ignored(kind) => {
                contents.warnings.push(Warning::IgnoredBag { kind });
                continue;
            }
        };
        let pkcs8 = Pkcs8::new(pkcs8);
        contents.keys.push(KeyBag { pkcs8, friendly_name, local_key_id });
    }
    Ok(())
}

/// The outermost structure of a file.
struct Outer {
    /// The encoding of the list of safes: what the checksum is about.
    safes: Zeroizing<Vec<u8>>,
    mac: Option<Mac>,
    /// How many bytes follow after the end.
    trailing: usize,
}

impl Outer {
    fn read(file: &[u8], max_depth: u8) -> Result<Self, ReadError> {
        if file.first() != Some(&SEQUENCE) {
            return Err(ReadError::NotPfx { found: foreign(file) });
        }
        let mut reader = Reader::new(file, Part::File, max_depth);
        let pfx = match reader.expect(SEQUENCE) {
            Ok(pfx) => pfx,
            Err(error) => return Err(cut_off_or(error, file)),
        };
        let mut fields = pfx.reader()?;
        let version = Self::read_version(&mut fields)?;
        let auth_safe = fields.expect(SEQUENCE)?;
        if version != VERSION {
            return Err(Self::wrong_version(version, &auth_safe));
        }
        let (kind, content) = content_info(&auth_safe)?;
        match kind.dotted() {
            oid::DATA => {}
            oid::SIGNED_DATA => return Err(ReadError::PublicKeyMode { content: kind }),
            _ => return Err(unsupported_content(kind)),
        }
        let safes = content?.octets()?;
        let mac = fields.optional(SEQUENCE)?.map(|mac| Mac::read(&mac)).transpose()?;
        Ok(Self { safes, mac, trailing: reader.remaining() })
    }

    fn read_version(fields: &mut Reader<'_>) -> Result<u64, ReadError> {
        let first = fields.any()?;
        match first.tag() {
            INTEGER => first.unsigned(),
            // Certificates begin with two sequences, PKCS#7 with an identifier.
            SEQUENCE => Err(ReadError::NotPfx { found: Found::Certificate }),
            ber::OBJECT_IDENTIFIER => Err(ReadError::NotPfx { found: Found::Pkcs7 }),
            _ => Err(ReadError::NotPfx { found: Found::Unknown }),
        }
    }

    /// PKCS#8 begins with a small version as well, and then with an algorithm.
    fn wrong_version(version: u64, second: &Element<'_>) -> ReadError {
        match content_info(second) {
            Ok((kind, _)) if kind.dotted().starts_with("1.2.840.113549.1.7.") => {
                ReadError::UnsupportedVersion { version }
            }
            _ => ReadError::NotPfx { found: Found::PrivateKey },
        }
    }
}

/// A file whose outermost element does not end within it is cut off, if it begins like a PFX.
fn cut_off_or(error: ReadError, file: &[u8]) -> ReadError {
    let ends_early = ReadError::Malformed { part: Part::File, fault: Fault::EndsEarly };
    // The first field of every PFX, after the outermost tag and length.
    let version = [INTEGER, 1, VERSION as u8];
    let header = match file.get(1) {
        Some(length @ 0x81..) => 2 + usize::from(length & 0x7f),
        _ => 2,
    };
    let beginning = file.get(header..).unwrap_or_default();
    let beginning = &beginning[..beginning.len().min(version.len())];
    if error == ends_early && version.starts_with(beginning) {
        ReadError::Truncated { length: file.len() }
    } else if error == ends_early {
        ReadError::NotPfx { found: Found::Unknown }
    } else {
        error
    }
}

/// What a file is that does not begin like a PFX.
fn foreign(file: &[u8]) -> Found {
    const PEM: &[u8] = b"-----BEGIN ";
    const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
    const JCEKS: &[u8] = &[0xce, 0xce, 0xce, 0xce];
    /// How much of a file is searched: OpenSSL writes attributes before the first line of PEM.
    const BEGINNING: usize = 4096;
    let beginning = &file[..file.len().min(BEGINNING)];
    let text = beginning.trim_ascii_start();
    if file.is_empty() {
        Found::Nothing
    } else if beginning.windows(PEM.len()).any(|window| window == PEM) {
        Found::Pem
    } else if file.starts_with(JKS) || file.starts_with(JCEKS) {
        Found::JavaKeystore
    } else if text.starts_with(b"MI") && text.iter().all(|byte| is_base64(*byte)) {
        // Base64 of 0x30 0x82, with which nearly every PFX begins.
        Found::Base64
    } else {
        Found::Unknown
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/-_=".contains(&byte)
}

/// A safe, as it stands in the list.
enum Safe<'a> {
    Plain(Zeroizing<Vec<u8>>),
    Encrypted(Locked<'a>),
}

/// Reads the list of safes (`AuthenticatedSafe`).
fn read_safes(list: &[u8], max_depth: u8) -> Result<Vec<Safe<'_>>, ReadError> {
    let mut list =
        Reader::new(list, Part::AuthenticatedSafe, max_depth).expect(SEQUENCE)?.reader()?;
    let mut safes = Vec::new();
    while !list.is_at_end() {
        let (kind, content) = content_info(&list.expect(SEQUENCE)?)?;
        safes.push(match kind.dotted() {
            oid::DATA => Safe::Plain(content?.octets()?),
            oid::ENCRYPTED_DATA => Safe::Encrypted(encrypted_data(content?)?),
            oid::ENVELOPED_DATA => return Err(ReadError::PublicKeyMode { content: kind }),
            _ => return Err(unsupported_content(kind)),
        });
    }
    Ok(safes)
}

/// Reads an `EncryptedData` (RFC 2315 §13).
fn encrypted_data(content: Reader<'_>) -> Result<Locked<'_>, ReadError> {
    let mut content = content.named(Part::EncryptedSafe);
    let mut fields = content.expect(SEQUENCE)?.reader()?;
    fields.expect(INTEGER)?;
    let mut info = fields.expect(SEQUENCE)?.reader()?;
    let kind = info.oid()?;
    if kind.dotted() != oid::DATA {
        return Err(unsupported_content(kind));
    }
    let algorithm = info.expect(SEQUENCE)?;
    let data = info.any()?;
    // `[0]` in place of the tag of an OCTET STRING.
    if data.tag() & !CONSTRUCTED != CONTEXT_0 & !CONSTRUCTED {
        return Err(data.unexpected(CONTEXT_0 & !CONSTRUCTED));
    }
    Ok(Locked { algorithm, data: data.octets()? })
}

/// Reads a `ContentInfo`: its kind, and where its content begins.
fn content_info<'a>(
    element: &Element<'a>,
) -> Result<(Oid, Result<Reader<'a>, ReadError>), ReadError> {
    let mut fields = element.reader()?;
    let kind = fields.oid()?;
    // Whether the content is there matters only once the kind is known to be one of ours.
    let content = fields.expect(CONTEXT_0).and_then(|holder| holder.reader());
    Ok((kind, content))
}

fn unsupported_content(algorithm: Oid) -> ReadError {
    ReadError::UnsupportedAlgorithm { role: Role::ContentType, algorithm }
}

/// The checksum does not fit: a wrong password, or a changed file?
///
/// If anything opens, the password is right. If the structure is broken, the file is damaged,
/// whatever the password.
fn why_the_mac_does_not_fit(outer: &Outer, unlocker: &mut Unlocker<'_>) -> ReadError {
    let opened = read_safes(&outer.safes, unlocker.max_depth())
        .and_then(|safes| opens_anything(&safes, unlocker));
    match opened {
        Ok(true) => ReadError::Altered,
        Err(error @ ReadError::Malformed { .. }) => error,
        // Whatever else goes wrong now is not what the caller should hear first.
        _ => ReadError::WrongPassword,
    }
}

/// A part does not open: a wrong password, or a damaged part?
fn why_it_stays_locked(part: Part, safes: &[Safe<'_>], unlocker: &mut Unlocker<'_>) -> ReadError {
    if unlocker.is_proven() || opens_anything(safes, unlocker).unwrap_or(false) {
        ReadError::PartLocked { part }
    } else {
        ReadError::WrongPassword
    }
}

/// Whether the password opens any of the first locked parts.
fn opens_anything(safes: &[Safe<'_>], unlocker: &mut Unlocker<'_>) -> Result<bool, ReadError> {
    let max_depth = unlocker.max_depth();
    let mut probes = 0;
    let mut opens = |locked: &Locked<'_>| {
        probes += 1;
        if probes > MAX_PROBES {
            return Ok(false);
        }
        match Scheme::read(&locked.algorithm) {
            Ok(scheme) => Ok(unlocker.decrypt(&scheme, &locked.data)?.is_some()),
            // Another part may tell.
            Err(ReadError::UnsupportedAlgorithm { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    };
    for safe in safes {
        match safe {
            Safe::Encrypted(locked) => {
                if opens(locked)? {
                    return Ok(true);
                }
            }
            Safe::Plain(plain) => {
                for bag in bags::read(plain, max_depth)? {
                    if let Value::EncryptedKey(locked) = bag.value
                        && opens(&locked)?
                    {
                        return Ok(true);
                    }
                }
            }
        }
    }
    Ok(false)
}
