//! Writes DER (ITU-T X.690): the few kinds of element that a PFX file consists of.
//!
//! Every result is erased when dropped, because some of them hold a private key and none of them is
//! large. Nothing is read here.

use zeroize::Zeroizing;

use crate::ber::{INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET};

/// Bytes that are erased when dropped.
pub(crate) type Der = Zeroizing<Vec<u8>>;

/// An element of this tag whose content is `parts`, one after the other.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Der {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let digits = length.to_be_bytes();
    let leading_zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let digits = &digits[leading_zeros..];
    // The whole size at once: a growing buffer would leave copies behind.
    let mut out = Zeroizing::new(Vec::with_capacity(2 + digits.len() + length));
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        out.push(0x80 | digits.len() as u8);
        out.extend_from_slice(digits);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Der {
    element(SEQUENCE, parts)
}

pub(crate) fn set(parts: &[&[u8]]) -> Der {
    element(SET, parts)
}

pub(crate) fn octets(content: &[u8]) -> Der {
    element(OCTET_STRING, &[content])
}

pub(crate) fn null() -> Der {
    element(0x05, &[])
}

/// A BMPString (UTF-16, big endian).
pub(crate) fn bmp_string(text: &str) -> Der {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    element(0x1e, &[&units])
}

pub(crate) fn unsigned(value: u32) -> Der {
    let digits = value.to_be_bytes();
    let first = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len() - 1);
    // A leading bit would make it negative.
    let sign: &[u8] = if digits[first] & 0x80 != 0 { &[0] } else { &[] };
    element(INTEGER, &[sign, &digits[first..]])
}

/// An OBJECT IDENTIFIER from its dotted form.
///
/// # Panics
///
/// If `dotted` is none. It is always one of the constants of this crate.
pub(crate) fn oid(dotted: &str) -> Der {
    let mut arcs = dotted.split('.').map(|arc| arc.parse::<u64>().expect("a constant"));
    let (first, second) = (arcs.next().expect("a constant"), arcs.next().expect("a constant"));
    let mut content = Vec::new();
    for arc in std::iter::once(first * 40 + second).chain(arcs) {
        let groups = (64 - arc.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            content.push((arc >> (7 * group)) as u8 & 0x7f | more);
        }
    }
    element(OBJECT_IDENTIFIER, &[&content])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oid::Oid;

    #[test]
    fn lengths_take_as_few_octets_as_possible() {
        assert_eq!(element(4, &[&[7; 127]])[..2], [4, 127]);
        assert_eq!(element(4, &[&[7; 100], &[7; 28]])[..3], [4, 0x81, 128]);
        assert_eq!(element(4, &[&[7; 256]])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn integers_are_never_negative() {
        assert_eq!(unsigned(0)[..], [2, 1, 0]);
        assert_eq!(unsigned(127)[..], [2, 1, 127]);
        assert_eq!(unsigned(128)[..], [2, 2, 0, 128]);
        assert_eq!(unsigned(2048)[..], [2, 2, 8, 0]);
        assert_eq!(unsigned(u32::MAX)[..], [2, 5, 0, 255, 255, 255, 255]);
    }

    #[test]
    fn identifiers_come_back_as_they_were() {
        for dotted in [crate::oid::AES_256_CBC, crate::oid::SHA1, "2.999.3", "0.0.0"] {
            assert_eq!(Oid::from_content(&oid(dotted)[2..]).unwrap().dotted(), dotted);
        }
    }
}
