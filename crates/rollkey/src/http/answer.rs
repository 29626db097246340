//! What came back: a status, a body, and the few headers that mean something to us.
//!
//! The body is kept as a secret, because one of the services answers with tokens.

use super::MAX_BODY;
use crate::answer::Refusal;
use crate::secret::SecretBytes;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use rollkey_core::{Span, Timestamp};
use serde::de::DeserializeOwned;
use std::fmt;

/// An answer, whole.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The service's `Date`.
    pub service_time: Option<Timestamp>,
    /// How long it asks us to wait, given in seconds or as a date (which is read by its own
    /// `Date`, not by our clock).
    pub retry_after: Option<Span>,
    /// Its `request-id` or `x-ms-request-id`.
    pub request_id: Option<String>,
    /// The `client-request-id` that we sent.
    pub client_request_id: String,
    content_type: Option<String>,
    body: SecretBytes,
}

/// An answer began and did not end.
pub(super) enum Unread {
    TooLong,
    Broken(reqwest::Error),
}

impl Answer {
    pub(super) async fn read(mut response: reqwest::Response, id: &str) -> Result<Self, Unread> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
            if MAX_BODY < body.len() + chunk.len() {
                return Err(Unread::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let headers = response.headers();
        let service_time = text(headers, DATE.as_str()).and_then(http_date);
        Ok(Self {
            status: response.status().as_u16(),
            service_time,
            retry_after: text(headers, RETRY_AFTER.as_str())
                .and_then(|value| retry_after(value, service_time)),
            request_id: text(headers, "request-id")
                .or_else(|| text(headers, "x-ms-request-id"))
                .map(str::to_owned),
            client_request_id: id.to_owned(),
            content_type: text(headers, CONTENT_TYPE.as_str()).map(str::to_owned),
            body: SecretBytes::new(body),
        })
    }

    /// The body, if it is this JSON. What is wrong with it is not told: that text could quote it.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body.expose()).ok()
    }

    /// This answer as a refusal, with the service's own words made one line.
    pub fn refusal(&self, code: impl Into<String>, message: &str) -> Refusal {
        Refusal {
            status: self.status,
            code: code.into(),
            message: one_line(message),
            request_id: self.request_id.clone(),
            client_request_id: Some(self.client_request_id.clone()),
            service_time: self.service_time,
        }
    }

    /// This answer as a refusal in no words of the service: often a page of something in between.
    pub fn unintelligible(&self) -> Refusal {
        let message = match (self.body.expose().is_empty(), self.kind()) {
            (true, _) => "without a body".to_owned(),
            (false, kind) => match self.title() {
                Some(title) => format!("not the expected JSON but {kind}: {title}"),
                None => format!("not the expected JSON but {kind}"),
            },
        };
        self.refusal("", &message)
    }

    fn kind(&self) -> &str {
        match self.content_type.as_deref().and_then(|kind| kind.split(';').next()) {
            Some("application/json") => "other JSON",
            Some(kind) => kind,
            None => "something else",
        }
    }

    /// What a page calls itself. The rest of it may quote the request.
    fn title(&self) -> Option<&str> {
        let page = self.body.expose_str()?;
        let from = page.find("<title>")? + "<title>".len();
        let title = &page[from..];
        Some(title[..title.find("</title>")?].trim()).filter(|title| !title.is_empty())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .field("client_request_id", &self.client_request_id)
            .field("body_bytes", &self.body.expose().len())
            .finish_non_exhaustive()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    u64::try_from(date.timestamp().as_second()).ok().map(Timestamp)
}

fn retry_after(text: &str, service_time: Option<Timestamp>) -> Option<Span> {
    let date = || Some(http_date(text)?.since(service_time?));
    text.parse().map(Span).ok().or_else(date)
}

/// How much of a message is kept. The longest known has some 700 characters.
const LONGEST_MESSAGE: usize = 1_000;

/// Without line breaks, other control characters, and anything that looks like a token.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words
        .filter(|word| !word.is_empty())
        .map(|word| if looks_like_a_token(word) { "[token]" } else { word })
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// `eyJ` is how `{"` begins in base64.
fn looks_like_a_token(word: &str) -> bool {
    word.find("eyJ").is_some_and(|at| 40 <= word.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_800_014_400);

    fn check_retry_after(text: &str, date: Option<Timestamp>, expected: Option<u64>) {
        assert_eq!(retry_after(text, date), expected.map(Span), "{text}");
    }

    #[test]
    fn retry_after_is_read_in_both_its_forms() {
        check_retry_after("120", None, Some(120));
        check_retry_after("0", Some(NOON), Some(0));
        check_retry_after("Fri, 15 Jan 2027 12:00:30 GMT", Some(NOON), Some(30));
        check_retry_after("Fri, 15 Jan 2027 11:59:30 GMT", Some(NOON), Some(0));
        // Without the service's own date, its dates cannot be understood.
        check_retry_after("Fri, 15 Jan 2027 12:00:30 GMT", None, None);
        check_retry_after("soon", Some(NOON), None);
        check_retry_after("-5", Some(NOON), None);
        check_retry_after("99999999999999999999", Some(NOON), None);
    }

    #[test]
    fn a_message_becomes_one_line_without_tokens() {
        assert_eq!(one_line("a\r\n b\t\u{1b}[31mc "), "a b [31mc");
        let token = format!("eyJ{}", "x".repeat(60));
        assert_eq!(
            one_line(&format!("assertion='{token}' is bad")),
            "assertion [token] is bad".replace("assertion ", "")
        );
        assert_eq!(one_line(&"long ".repeat(400)).chars().count(), LONGEST_MESSAGE + 1);
    }
}
