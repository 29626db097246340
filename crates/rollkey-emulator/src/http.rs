//! Requests and answers as the services see them: whole, in memory, without a network.
//!
//! Addresses and forms are taken apart here. What they mean is none of this room's business, and
//! no socket ever enters it.

use axum::http::{HeaderMap, Method};
use serde_json::Value;

use crate::rules::Rule;

/// The longest body that is read, in bytes.
pub(crate) const LONGEST_BODY: usize = 1024 * 1024;

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// As sent, without the query.
    pub(crate) path: String,
    /// As sent, without the question mark; may be empty.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    /// The body; `None` if it was too long or broke off.
    pub(crate) body: Option<Vec<u8>>,
    /// The address that the client used, `host[:port]`; addresses in answers are built from it.
    pub(crate) authority: String,
}

impl Request {
    /// The header of this name, if it is text and occurs once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// Whether the body is announced as this media type; parameters do not count.
    pub(crate) fn has_content_type(&self, media_type: &str) -> bool {
        let announced = self.header("content-type").unwrap_or_default();
        let essence = announced.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(media_type)
    }

    /// What the client calls this request, in the header or in the query. Anything but the letters
    /// of a GUID is ignored, since it is sent back.
    pub(crate) fn client_request_id(&self) -> Option<String> {
        let of_query = || {
            let pairs = pairs(&self.query)?;
            pairs.into_iter().find(|(name, _)| name == "client-request-id").map(|(_, id)| id)
        };
        let id = self.header("client-request-id").map(str::to_owned).or_else(of_query)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then_some(id)
    }
}

/// An answer, before the headers that every answer has.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON; `None` for an empty body.
    pub(crate) body: Option<Value>,
    /// The rule that refused.
    pub(crate) rule: Option<&'static Rule>,
    /// The error code, for the log.
    pub(crate) code: Option<String>,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: Some(body), rule: None, code: None }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: None, rule: None, code: None }
    }

    pub(crate) fn not_found() -> Self {
        Self { status: 404, headers: Vec::new(), body: None, rule: None, code: None }
    }
}

/// The segments of a path, percent-decoded; empty ones, from doubled and final slashes, left out.
///
/// `None` if a segment is not UTF-8 after decoding.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/').filter(|segment| !segment.is_empty()).map(|it| decode(it, false)).collect()
}

/// The names and values of a form or query (`application/x-www-form-urlencoded`).
///
/// `None` if something in it is not UTF-8 after decoding, or a `%` is not followed by two digits.
pub(crate) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Some((decode(name, true)?, decode(value, true)?))
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::{pairs, segments};

    #[test]
    fn paths_are_decoded_segment_by_segment() {
        let path = "/v1.0//applications(appId=%27a%2Fb%27)/addKey/";
        assert_eq!(segments(path).unwrap(), ["v1.0", "applications(appId='a/b')", "addKey"]);
        assert!(segments("/a%").is_none());
        assert!(segments("/%zz").is_none());
        assert!(segments("/%ff").is_none());
    }

    #[test]
    fn forms_are_decoded_pair_by_pair() {
        let form = pairs("a=1+2&%24select=x%2By&flag&&c==").unwrap();
        let expected = [("a", "1 2"), ("$select", "x+y"), ("flag", ""), ("c", "=")];
        assert_eq!(form, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert!(pairs("a=%f").is_none());
    }
}
