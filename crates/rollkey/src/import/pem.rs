//! PEM as people have it: text around, headers, any line ends.
//!
//! Written here and not taken from a crate because private keys pass through: no copy is left
//! behind, neither of the text nor of the bytes. A block that cannot be decoded is named, not
//! passed over.

use super::error::PemProblem;
use crate::secret::SecretBytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Characters of base64 in a line (RFC 7468, section 2).
const LINE: usize = 64;

/// One block.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// What stands after `BEGIN`.
    pub(crate) label: &'a str,
    /// Lines such as `Proc-Type: 4,ENCRYPTED`.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    /// What the base64 stands for.
    pub(crate) contents: SecretBytes,
}

/// A block that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the block {label} {problem}")]
pub(crate) struct PemError {
    /// What stands after `BEGIN`.
    pub(crate) label: String,
    /// What is wrong with it.
    pub(crate) problem: PemProblem,
}

/// Whether there is any block.
pub(crate) fn has_blocks(text: &str) -> bool {
    text.contains(BEGIN)
}

/// Reads all blocks, and passes over the text around them.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block<'_>>, PemError> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((label, after)) = begin(rest) {
        let wrong = |problem| PemError { label: shown(label), problem };
        let at = after.find(END).ok_or_else(|| wrong(PemProblem::NoEnd))?;
        let (body, end) = (&after[..at], &after[at + END.len()..]);
        let (end, next) = end.split_once(DASHES).ok_or_else(|| wrong(PemProblem::NoEnd))?;
        // Before its own end line another block begins: that of this one is missing.
        if body.contains(BEGIN) {
            return Err(wrong(PemProblem::NoEnd));
        }
        if end != label {
            return Err(wrong(PemProblem::OtherEnd { label: shown(end) }));
        }
        let (headers, data) = headers(body);
        let contents = decode(data).ok_or_else(|| wrong(PemProblem::NotBase64))?;
        blocks.push(Block { label, headers, contents });
        rest = next;
    }
    Ok(blocks)
}

/// Decodes base64 with any white space in it.
pub(crate) fn decode(text: &str) -> Option<SecretBytes> {
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    compact.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    // As large as it can get at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; compact.len() / 4 * 3 + 3]);
    let length = STANDARD.decode_slice(&*compact, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(SecretBytes::new(std::mem::take(&mut *bytes)))
}

/// Appends a block to `text`.
pub(crate) fn encode_into(text: &mut Zeroizing<String>, label: &str, der: &[u8]) {
    let mut body = Zeroizing::new(String::with_capacity(der.len().div_ceil(3) * 4));
    STANDARD.encode_string(der, &mut body);
    let needed = body.len() + body.len() / LINE + 2 * (BEGIN.len() + label.len() + 8);
    if text.capacity() - text.len() < needed {
        let mut larger = Zeroizing::new(String::with_capacity(text.len() + 2 * needed));
        larger.push_str(text);
        *text = larger;
    }
    text.extend([BEGIN, label, DASHES, "\n"]);
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.extend([line, "\n"]);
        rest = after;
    }
    text.extend([END, label, DASHES, "\n"]);
}

fn begin(text: &str) -> Option<(&str, &str)> {
    let at = text.find(BEGIN)?;
    text[at + BEGIN.len()..].split_once(DASHES)
}

/// Splits the lines `Name: value` from the base64 that follows. Base64 has no colon.
fn headers(body: &str) -> (Vec<(&str, &str)>, &str) {
    let mut headers = Vec::new();
    let mut rest = body.trim_start();
    while let Some((line, after)) = rest.split_once('\n') {
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.trim(), value.trim()));
        rest = after;
    }
    (headers, rest)
}

/// A label of somebody else's, for a message.
pub(crate) fn shown(label: &str) -> String {
    label.chars().filter(|c| !c.is_control()).take(40).collect()
}
