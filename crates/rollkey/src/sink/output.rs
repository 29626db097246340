//! What a command says, line by line: for the log, and its last line for a message.
//!
//! A command may say back what it was told. No line in which the private key is recognised leaves
//! this file; and since a command may also say more than anybody wants to read, lines are cut, and
//! counted.

use crate::secret::SecretBytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use zeroize::Zeroizing;

/// What is kept of a line to be examined, in bytes.
const EXAMINED: usize = 1_024;
/// What is shown of it, in bytes. The rest of what is kept serves to recognise a key at the cut.
const SHOWN: usize = 512;
/// How many lines are logged. Later ones are still read, and the last one kept.
const LOGGED: usize = 1_000;
/// The length of the pieces by which a key is recognised: whoever repeats 31 characters of its
/// base64 in one line repeats such a piece.
const PIECE: usize = 16;

/// Stands for a line that was left out.
const DROPPED: &str = "(a line was left out: it contains key material)";

/// Recognises a private key in a line of text.
pub(super) struct Guard(Zeroizing<String>);

impl Guard {
    /// Recognises this key.
    pub(super) fn new(key: Option<&SecretBytes>) -> Self {
        let key = key.map_or(&[][..], SecretBytes::expose);
        let mut text = Zeroizing::new(String::with_capacity(key.len().div_ceil(3) * 4));
        STANDARD.encode_string(key, &mut text);
        Self(text)
    }

    /// Whether `line` speaks of private keys as PEM does, or repeats part of this one in base64.
    fn recognises(&self, line: &[u8]) -> bool {
        let contains = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
        contains(b"PRIVATE KEY") || self.0.as_bytes().chunks_exact(PIECE).any(contains)
    }

    /// The line as it may be shown: cut, without control characters, or not at all.
    pub(super) fn shown(&self, line: &[u8]) -> String {
        if self.recognises(line) {
            return DROPPED.to_owned();
        }
        let cut = &line[..line.len().min(SHOWN)];
        let text = String::from_utf8_lossy(cut);
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

/// Listens to one stream of a command.
pub(super) struct Listener<'a> {
    guard: &'a Guard,
    sink: &'a str,
    stream: &'static str,
    heard: usize,
    last: String,
}

impl<'a> Listener<'a> {
    pub(super) fn new(guard: &'a Guard, sink: &'a str, stream: &'static str) -> Self {
        Self { guard, sink, stream, heard: 0, last: String::new() }
    }

    /// Reads until the stream ends. May be dropped at any time; what was heard by then counts.
    pub(super) async fn follow(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        let mut buffer = Zeroizing::new([0; 4_096]);
        let mut line = Zeroizing::new(Vec::with_capacity(EXAMINED));
        // An error ends a stream as well as its end does: nothing more will be heard.
        while let Ok(n @ 1..) = stream.read(&mut buffer[..]).await {
            for &byte in &buffer[..n] {
                match byte {
                    b'\n' => self.hear(&mut line),
                    _ if line.len() < EXAMINED => line.push(byte),
                    _ => (),
                }
            }
        }
        self.hear(&mut line);
    }

    /// The last line that was not blank, as it may be shown.
    pub(super) fn last(self) -> String {
        self.last
    }

    fn hear(&mut self, line: &mut Vec<u8>) {
        let shown = self.guard.shown(line);
        line.clear();
        if shown.is_empty() {
            return;
        }
        self.heard += 1;
        if self.heard <= LOGGED {
            tracing::debug!(sink = self.sink, stream = self.stream, "{shown}");
        }
        self.last = shown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_repeats_the_key_is_left_out() {
        let key: Vec<u8> = (0..=255).collect();
        let guard = Guard::new(Some(&SecretBytes::new(key.clone())));
        let text = STANDARD.encode(&key);
        assert_eq!(guard.shown(b"-----END PRIVATE KEY-----"), DROPPED);
        for start in 0..64 {
            let line = format!("got {}", &text[start..start + 31]);
            assert_eq!(guard.shown(line.as_bytes()), DROPPED, "{line}");
        }
        assert_eq!(guard.shown(b"no such host \x1b[31m\r"), "no such host  [31m");
    }

    #[test]
    fn a_line_is_cut() {
        let guard = Guard::new(None);
        assert_eq!(guard.shown(&[b'x'; EXAMINED]).len(), SHOWN);
    }
}
