//! A tolerant reader of BER (ITU-T X.690): every form of length, strings in pieces, no surprises.
//!
//! PFX files are *supposed* to be DER, and are not: Bouncy Castle writes indefinite lengths, old
//! Netscape wrote its octet strings in pieces. Here the elements of such a file are taken apart,
//! and nothing else: what they mean is told elsewhere. Nothing is copied before it is asked for;
//! recursion is bounded by the depth that the caller allows. What indexes or adds lengths must do
//! so with checks: these bytes come from strangers.

use zeroize::Zeroizing;

use crate::der;
use crate::error::{Fault, Part, ReadError};
use crate::oid::Oid;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;
/// `[1]`, constructed.
pub(crate) const CONTEXT_1: u8 = 0xa1;
/// The bit that says that an element consists of elements.
pub(crate) const CONSTRUCTED: u8 = 0x20;
/// What ends an element of indefinite length.
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Reads elements one after the other.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    part: Part,
    depth: u8,
    max_depth: u8,
}

/// One element: a tag and what it holds.
#[derive(Clone)]
pub(crate) struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    encoding: &'a [u8],
    part: Part,
    depth: u8,
    max_depth: u8,
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`. Errors will name `part`.
    pub(crate) fn new(bytes: &'a [u8], part: Part, max_depth: u8) -> Self {
        Self { rest: bytes, part, depth: 0, max_depth }
    }

    /// The same place, under another name in errors.
    pub(crate) fn named(self, part: Part) -> Self {
        Self { part, ..self }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes were not read.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, ReadError> {
        let start = self.rest;
        let (tag, length, header) = self.header(start)?;
        let body = &start[header..];
        let (content, total) = match length {
            Some(length) => {
                let content = body.get(..length).ok_or(self.fault(Fault::EndsEarly))?;
                (content, header + length)
            }
            None => {
                let length = self.indefinite_length(body)?;
                (&body[..length], header + length + END_OF_CONTENTS.len())
            }
        };
        self.rest = &start[total..];
        let Self { part, depth, max_depth, .. } = *self;
        Ok(Element { tag, content, encoding: &start[..total], part, depth, max_depth })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, ReadError> {
        let element = self.any()?;
        if element.tag == tag { Ok(element) } else { Err(element.unexpected(tag)) }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, ReadError> {
        if self.rest.first() == Some(&tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// An OCTET STRING, in one piece or in several.
    pub(crate) fn octets(&mut self) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        let element = self.any()?;
        if element.tag & !CONSTRUCTED == OCTET_STRING {
            element.octets()
        } else {
            Err(element.unexpected(OCTET_STRING))
        }
    }

    /// An INTEGER that is neither negative nor larger than 64 bits.
    pub(crate) fn unsigned(&mut self) -> Result<u64, ReadError> {
        self.expect(INTEGER)?.unsigned()
    }

    /// An OBJECT IDENTIFIER.
    pub(crate) fn oid(&mut self) -> Result<Oid, ReadError> {
        let element = self.expect(OBJECT_IDENTIFIER)?;
        Oid::from_content(element.content).ok_or(self.fault(Fault::ObjectIdentifier))
    }

    /// Fails if anything is left.
    pub(crate) fn end(&self) -> Result<(), ReadError> {
        if self.is_at_end() { Ok(()) } else { Err(self.fault(Fault::Surplus)) }
    }

    pub(crate) fn fault(&self, fault: Fault) -> ReadError {
        ReadError::Malformed { part: self.part, fault }
    }

    /// Tag, length (nothing if indefinite) and how many octets both take.
    fn header(&self, bytes: &[u8]) -> Result<(u8, Option<usize>, usize), ReadError> {
        let &[tag, first, ref rest @ ..] = bytes else {
            return Err(self.fault(Fault::EndsEarly));
        };
        if tag & 0x1f == 0x1f {
            return Err(self.fault(Fault::LongTag));
        }
        match first {
            0..=0x7f => Ok((tag, Some(first.into()), 2)),
            0x80 if tag & CONSTRUCTED != 0 => Ok((tag, None, 2)),
            0x80 | 0xff => Err(self.fault(Fault::Length)),
            _ => {
                let octets = usize::from(first & 0x7f);
                let digits = rest.get(..octets).ok_or(self.fault(Fault::EndsEarly))?;
                let length = digits.iter().try_fold(0_usize, |length, digit| {
                    Some(length.checked_mul(256)? | usize::from(*digit))
                });
                let length = length.ok_or(self.fault(Fault::Length))?;
                Ok((tag, Some(length), 2 + octets))
            }
        }
    }

    /// How many octets come before the end-of-contents that belongs to an element which begins
    /// with `body`.
    fn indefinite_length(&self, body: &'a [u8]) -> Result<usize, ReadError> {
        let mut inner = self.inside(body)?;
        while !inner.rest.starts_with(&END_OF_CONTENTS) {
            inner.any()?;
        }
        Ok(body.len() - inner.rest.len())
    }

    /// A reader one level deeper.
    fn inside(&self, content: &'a [u8]) -> Result<Self, ReadError> {
        if self.depth >= self.max_depth {
            return Err(ReadError::TooDeep { limit: self.max_depth });
        }
        Ok(Self { rest: content, depth: self.depth + 1, ..*self })
    }
}

impl<'a> Element<'a> {
    pub(crate) fn tag(&self) -> u8 {
        self.tag
    }

    /// What it holds, without tag and length.
    pub(crate) fn content(&self) -> &'a [u8] {
        self.content
    }

    /// All of it, with tag and length.
    pub(crate) fn encoding(&self) -> &'a [u8] {
        self.encoding
    }

    /// A reader of the elements within.
    pub(crate) fn reader(&self) -> Result<Reader<'a>, ReadError> {
        let Self { part, depth, max_depth, .. } = *self;
        Reader { rest: &[], part, depth, max_depth }.inside(self.content)
    }

    /// The octets of an OCTET STRING or of an IMPLICIT `[0]` in its place; pieces are joined.
    pub(crate) fn octets(&self) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        // Never grows beyond its capacity, so that no copy is left behind unerased.
        let mut octets = Zeroizing::new(Vec::with_capacity(self.content.len()));
        self.collect_octets(&mut octets)?;
        Ok(octets)
    }

    fn collect_octets(&self, octets: &mut Vec<u8>) -> Result<(), ReadError> {
        if self.tag & CONSTRUCTED == 0 {
            octets.extend_from_slice(self.content);
            return Ok(());
        }
        let mut pieces = self.reader()?;
        while !pieces.is_at_end() {
            let piece = pieces.any()?;
            if piece.tag & !CONSTRUCTED != OCTET_STRING {
                return Err(piece.unexpected(OCTET_STRING));
            }
            piece.collect_octets(octets)?;
        }
        Ok(())
    }

    /// The value of an INTEGER that is neither negative nor larger than 64 bits.
    pub(crate) fn unsigned(&self) -> Result<u64, ReadError> {
        let out_of_range = self.fault(Fault::Integer);
        match self.content {
            [] => Err(out_of_range),
            [first, ..] if first & 0x80 != 0 => Err(out_of_range),
            digits => digits
                .iter()
                .try_fold(0_u64, |value, digit| Some(value.checked_mul(256)? | u64::from(*digit)))
                .ok_or(out_of_range),
        }
    }

    /// The same element in definite lengths and whole strings, as other readers of keys want it.
    /// An element that is DER already comes out as it is.
    pub(crate) fn to_der(&self) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        if self.tag == OCTET_STRING | CONSTRUCTED {
            return Ok(der::element(OCTET_STRING, &[&self.octets()?]));
        }
        if self.tag & CONSTRUCTED == 0 {
            return Ok(der::element(self.tag, &[self.content]));
        }
        let mut children = Vec::new();
        let mut reader = self.reader()?;
        while !reader.is_at_end() {
            children.push(reader.any()?.to_der()?);
        }
        let children: Vec<&[u8]> = children.iter().map(|child| child.as_slice()).collect();
        Ok(der::element(self.tag, &children))
    }

    pub(crate) fn fault(&self, fault: Fault) -> ReadError {
        ReadError::Malformed { part: self.part, fault }
    }

    pub(crate) fn unexpected(&self, expected: u8) -> ReadError {
        self.fault(Fault::Tag { expected, found: self.tag })
    }
}

/// Whether `bytes` are exactly one SEQUENCE: what decryption with the right key yields, and with a
/// wrong one practically never.
pub(crate) fn is_one_sequence(bytes: &[u8], max_depth: u8) -> bool {
    let mut reader = Reader::new(bytes, Part::File, max_depth);
    reader.expect(SEQUENCE).is_ok() && reader.is_at_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader::new(bytes, Part::File, 8)
    }

    fn malformed<T>(fault: Fault) -> Result<T, ReadError> {
        Err(ReadError::Malformed { part: Part::File, fault })
    }

    #[test]
    fn every_form_of_length_is_read() {
        for bytes in [
            &[0x30, 0x03, 0x02, 0x01, 0x07][..],
            &[0x30, 0x81, 0x03, 0x02, 0x01, 0x07],
            &[0x30, 0x84, 0, 0, 0, 0x03, 0x02, 0x01, 0x07],
            &[0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0x03, 0x02, 0x01, 0x07],
            &[0x30, 0x80, 0x02, 0x01, 0x07, 0, 0],
        ] {
            let mut outer = reader(bytes);
            let sequence = outer.expect(SEQUENCE).unwrap();
            assert_eq!(sequence.reader().unwrap().unsigned(), Ok(7), "{bytes:02x?}");
            assert!(outer.is_at_end());
            assert_eq!(sequence.to_der().unwrap()[..], [0x30, 0x03, 0x02, 0x01, 0x07]);
        }
    }

    #[test]
    fn a_string_in_pieces_is_joined() {
        let bytes = [0x24, 0x80, 4, 1, b'a', 0x24, 0x80, 4, 1, b'b', 0, 0, 4, 0, 4, 1, b'c', 0, 0];
        assert_eq!(reader(&bytes).octets().unwrap().as_slice(), b"abc");
        assert_eq!(reader(&bytes).any().unwrap().to_der().unwrap()[..], *b"\x04\x03abc");
        let no_string = [0x24, 3, 2, 1, 1];
        let expected = malformed(Fault::Tag { expected: OCTET_STRING, found: INTEGER });
        assert_eq!(reader(&no_string).octets(), expected);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert_eq!(reader(&[]).unsigned(), malformed(Fault::EndsEarly));
        assert_eq!(reader(&[2]).unsigned(), malformed(Fault::EndsEarly));
        assert_eq!(reader(&[2, 2, 1]).unsigned(), malformed(Fault::EndsEarly));
        assert_eq!(reader(&[2, 0x82, 1]).unsigned(), malformed(Fault::EndsEarly));
        assert_eq!(reader(&[2, 0xff, 1]).unsigned(), malformed(Fault::Length));
        assert_eq!(reader(&[2, 0x80, 0, 0]).unsigned(), malformed(Fault::Length));
        let huge = [[2, 0x89].as_slice(), &[0xee; 9], &[0]].concat();
        assert_eq!(reader(&huge).unsigned(), malformed(Fault::Length));
        let never_ends = [0x30, 0x80, 2, 1, 1];
        assert!(reader(&never_ends).any().is_err());
    }

    #[test]
    fn depth_is_bounded_for_indefinite_and_definite_lengths() {
        let deep = [[0x30, 0x80].repeat(100), [0, 0].repeat(100)].concat();
        assert_eq!(reader(&deep).any().err(), Some(ReadError::TooDeep { limit: 8 }));
        let deep: Vec<u8> = (0..50).rev().flat_map(|level| [0x24, level * 2]).collect();
        assert_eq!(reader(&deep).octets().err(), Some(ReadError::TooDeep { limit: 8 }));
    }

    #[test]
    fn integers_out_of_range_are_refused() {
        assert_eq!(reader(&[2, 4, 0x7f, 0xff, 0xff, 0xff]).unsigned(), Ok(0x7fff_ffff));
        assert_eq!(reader(&[2, 9, 0, 0xff, 0, 0, 0, 0, 0, 0, 1]).unsigned(), Ok(0xff << 56 | 1));
        assert_eq!(reader(&[2, 0]).unsigned(), malformed(Fault::Integer));
        assert_eq!(reader(&[2, 1, 0xff]).unsigned(), malformed(Fault::Integer));
        assert_eq!(
            reader(&[2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0]).unsigned(),
            malformed(Fault::Integer)
        );
    }
}
