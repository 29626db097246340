//! Takes a safe apart into its bags (`SafeContents`, RFC 7292 §4.2).
//!
//! Nothing is decrypted here: an encrypted key comes out as it went in, with the scheme that opens
//! it. Bags that we have no use for come out by name.

use zeroize::Zeroizing;

use crate::ber::{CONTEXT_0, Element, INTEGER, OCTET_STRING, Reader, SEQUENCE, SET};
use crate::contents::IgnoredBag;
use crate::error::{Fault, Part, ReadError};
use crate::oid;

/// A bag and its attributes.
pub(crate) struct Bag<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) attributes: Attributes,
}

/// What a bag holds.
pub(crate) enum Value<'a> {
    /// A private key in the clear, as DER.
    Key(Zeroizing<Vec<u8>>),
    EncryptedKey(Locked<'a>),
    Certificate(Vec<u8>),
    Ignored(IgnoredBag),
}

/// Something encrypted.
pub(crate) struct Locked<'a> {
    pub(crate) algorithm: Element<'a>,
    pub(crate) data: Zeroizing<Vec<u8>>,
}

/// What a bag says about its value.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) friendly_name: Option<String>,
    pub(crate) local_key_id: Option<Vec<u8>>,
    /// Whether one of the two was there and could not be read.
    pub(crate) unreadable: bool,
}

/// All bags of a safe, those of safes within it too.
pub(crate) fn read(safe: &[u8], max_depth: u8) -> Result<Vec<Bag<'_>>, ReadError> {
    let mut reader = Reader::new(safe, Part::SafeContents, max_depth);
    let contents = reader.expect(SEQUENCE)?;
    let mut bags = Vec::new();
    read_contents(&contents, &mut bags)?;
    Ok(bags)
}

fn read_contents<'a>(contents: &Element<'a>, bags: &mut Vec<Bag<'a>>) -> Result<(), ReadError> {
    let mut reader = contents.reader()?;
    while !reader.is_at_end() {
        read_bag(&reader.expect(SEQUENCE)?, bags)?;
    }
    Ok(())
}

fn read_bag<'a>(bag: &Element<'a>, bags: &mut Vec<Bag<'a>>) -> Result<(), ReadError> {
    let mut fields = bag.reader()?;
    let kind = fields.oid()?;
    let mut holder = fields.expect(CONTEXT_0)?.reader()?;
    let value = match kind.dotted() {
        // Recursion is bounded: each level uses up some of the depth.
        oid::SAFE_CONTENTS_BAG => return read_contents(&holder.expect(SEQUENCE)?, bags),
        oid::KEY_BAG => Value::Key(private_key(&holder.named(Part::Key).expect(SEQUENCE)?)?),
        oid::SHROUDED_KEY_BAG => {
            let mut info = holder.named(Part::EncryptedKey).expect(SEQUENCE)?.reader()?;
            let algorithm = info.expect(SEQUENCE)?;
            Value::EncryptedKey(Locked { algorithm, data: info.octets()? })
        }
        oid::CERTIFICATE_BAG => certificate(&holder.named(Part::Certificate).expect(SEQUENCE)?)?,
        oid::CRL_BAG => Value::Ignored(IgnoredBag::Crl),
        oid::SECRET_BAG => Value::Ignored(IgnoredBag::Secret),
        _ => Value::Ignored(IgnoredBag::Other(kind)),
    };
    let attributes = match fields.optional(SET)? {
        Some(set) => Attributes::read(&set),
        None => Attributes::default(),
    };
    bags.push(Bag { value, attributes });
    Ok(())
}

/// The private key in DER, if the element looks like one: a version and an algorithm.
pub(crate) fn private_key(info: &Element<'_>) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let mut fields = info.reader()?;
    fields.expect(INTEGER)?;
    fields.expect(SEQUENCE)?;
    fields.octets()?;
    info.to_der()
}

fn certificate<'a>(bag: &Element<'a>) -> Result<Value<'a>, ReadError> {
    let mut fields = bag.reader()?;
    let kind = fields.oid()?;
    match kind.dotted() {
        oid::X509_CERTIFICATE => {
            let mut octets = fields.expect(CONTEXT_0)?.reader()?.octets()?;
            Ok(Value::Certificate(std::mem::take(&mut *octets)))
        }
        oid::SDSI_CERTIFICATE => Ok(Value::Ignored(IgnoredBag::SdsiCertificate)),
        _ => Ok(Value::Ignored(IgnoredBag::Other(kind))),
    }
}

impl Attributes {
    /// Reads what it can. A name that cannot be read is no reason to withhold a key.
    fn read(set: &Element<'_>) -> Self {
        let mut attributes = Self::default();
        if attributes.read_all(set).is_err() {
            attributes.unreadable = true;
        }
        attributes
    }

    fn read_all(&mut self, set: &Element<'_>) -> Result<(), ReadError> {
        let mut reader = set.reader()?.named(Part::Attributes);
        while !reader.is_at_end() {
            let mut fields = reader.expect(SEQUENCE)?.reader()?;
            let kind = fields.oid()?;
            let mut values = fields.expect(SET)?.reader()?;
            if values.is_at_end() {
                continue;
            }
            let read = match kind.dotted() {
                oid::FRIENDLY_NAME => text(&values.any()?).map(|text| {
                    self.friendly_name.get_or_insert(text);
                }),
                oid::LOCAL_KEY_ID => values.octets().map(|octets| {
                    self.local_key_id.get_or_insert(octets.to_vec());
                }),
                _ => Ok(()),
            };
            self.unreadable |= read.is_err();
        }
        Ok(())
    }
}

/// A name. The format asks for a BMPString, which is UTF-16 in practice; some writers use others.
fn text(value: &Element<'_>) -> Result<String, ReadError> {
    const UTF8_STRING: u8 = 0x0c;
    const PRINTABLE_STRING: u8 = 0x13;
    const T61_STRING: u8 = 0x14;
    const IA5_STRING: u8 = 0x16;
    const BMP_STRING: u8 = 0x1e;
    let mut text = match value.tag() {
        BMP_STRING => {
            let (units, rest) = value.content().as_chunks::<2>();
            if !rest.is_empty() {
                return Err(value.fault(Fault::Length));
            }
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16_lossy(&units)
        }
        UTF8_STRING | PRINTABLE_STRING | T61_STRING | IA5_STRING | OCTET_STRING => {
            String::from_utf8_lossy(value.content()).into_owned()
        }
        _ => return Err(value.unexpected(BMP_STRING)),
    };
    // Some writers add the terminator that only passwords have.
    text.truncate(text.trim_end_matches('\0').len());
    Ok(text)
}
