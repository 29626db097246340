//! The emulator's own, strict reader of compact JSON web tokens (RFC 7515 §3.1).
//!
//! It takes a token apart and verifies nothing: what the parts have to say is judged in the rooms
//! `proof`, `login` and `access_token`. No code of any client may ever enter here.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::json;

/// The longest token that is read, in bytes: room for an `x5c` with a chain.
const LONGEST: usize = 64 * 1024;

/// How deep header and claims may nest.
const DEPTH: usize = 6;

/// A token taken apart, not verified.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    /// The bytes that were signed: the first two parts as they were sent.
    pub(crate) signing_input: String,
    pub(crate) signature: Vec<u8>,
}

/// Whether `=` is allowed at the end of a part.
///
/// RFC 7515 forbids it. Login takes it (one official SDK sends it), the Graph refuses it in proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    Refused,
    Tolerated,
}

/// Why a token could not be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// There is an `=` in it.
    Padded,
    /// Anything else: too long, not three parts, not base64url, not JSON objects.
    Malformed,
}

/// Takes a compact token apart.
pub(crate) fn read(text: &str, padding: Padding) -> Result<Token, Unreadable> {
    if text.len() > LONGEST {
        return Err(Unreadable::Malformed);
    }
    if padding == Padding::Refused && text.contains('=') {
        return Err(Unreadable::Padded);
    }
    let mut parts = text.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Unreadable::Malformed);
    };
    let token = Token {
        header: members(header)?,
        claims: members(claims)?,
        signing_input: format!("{header}.{claims}"),
        signature: bytes(signature)?,
    };
    // Extensions that must be understood (RFC 7515 §4.1.11): none is.
    if token.header.contains_key("crit") {
        return Err(Unreadable::Malformed);
    }
    Ok(token)
}

fn members(part: &str) -> Result<Map<String, Value>, Unreadable> {
    json::object(&bytes(part)?, DEPTH).map_err(|_| Unreadable::Malformed)
}

fn bytes(part: &str) -> Result<Vec<u8>, Unreadable> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);
    ENGINE.decode(part).map_err(|_| Unreadable::Malformed)
}

/// Encodes and signs a token of our own.
pub(crate) fn write(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
    let encode = |part: &Value| BASE64.encode(part.to_string());
    let signing_input = format!("{}.{}", encode(header), encode(claims));
    let signature = sign(signing_input.as_bytes());
    format!("{signing_input}.{}", BASE64.encode(signature))
}

/// How an instant may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instants {
    /// Whole numbers, and whole numbers in strings.
    Whole,
    /// Fractions too.
    Fractional,
}

/// Reads an instant (`exp`, `nbf`), in whole seconds since 1970; fractions are cut off.
pub(crate) fn instant(value: &Value, forms: Instants) -> Option<i64> {
    let fraction = |seconds: f64| {
        (seconds.is_finite() && forms == Instants::Fractional).then(|| seconds.floor() as i64)
    };
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(fraction)),
        Value::String(digits) => {
            digits.parse().ok().or_else(|| digits.parse().ok().and_then(fraction))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Instants, Padding, Unreadable, instant, read};
    use serde_json::json;

    #[test]
    fn three_parts_of_base64url_are_taken_apart() {
        let token = read("e30.eyJhIjoxfQ.AQID", Padding::Refused).unwrap();
        assert_eq!(token.signing_input, "e30.eyJhIjoxfQ");
        assert_eq!(token.claims["a"], 1);
        assert_eq!(token.signature, [1, 2, 3]);
    }

    #[test]
    fn padding_is_told_from_other_faults() {
        assert_eq!(read("e30=.e30.AQ", Padding::Refused).unwrap_err(), Unreadable::Padded);
        assert!(read("e30=.e30=.AQ==", Padding::Tolerated).is_ok());
        for text in ["", "e30", "e30.e30", "e30.e30.AQ.AQ", "W10.e30.AQ", "e30.e30.A", "e30.e3+.AQ"]
        {
            assert_eq!(read(text, Padding::Refused).unwrap_err(), Unreadable::Malformed, "{text}");
        }
    }

    #[test]
    fn instants_come_in_three_forms() {
        for (value, whole, fractional) in [
            (json!(7), Some(7), Some(7)),
            (json!("7"), Some(7), Some(7)),
            (json!(7.9), None, Some(7)),
            (json!("7.9"), None, Some(7)),
            (json!(1e300), None, Some(i64::MAX)),
            (json!("NaN"), None, None),
            (json!(null), None, None),
            (json!([7]), None, None),
        ] {
            assert_eq!(instant(&value, Instants::Whole), whole, "{value}");
            assert_eq!(instant(&value, Instants::Fractional), fractional, "{value}");
        }
    }
}
