//! Rust text, read just well enough: what is comment, what is a string, which paths are named.
//!
//! No parser: the rules ask which modules a file names, and for that it is enough to tell code
//! from everything else. What it cannot see is a path that a macro puts together.

/// The text with comments and the insides of strings blanked out. Lines stay where they are.
pub(super) fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let skipped = comment(rest).or_else(|| string(rest, bytes[..at].last().copied()));
        if let Some(length) = skipped {
            code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            at += length;
            continue;
        }
        let c = rest.chars().next().expect("not at the end");
        code.push(c);
        at += c.len_utf8();
    }
    code
}

/// The length of the comment that begins here.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    Some(rest.len())
}

/// The length of the string or character that begins here.
fn string(rest: &str, before: Option<u8>) -> Option<usize> {
    let in_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let opened = rest.strip_prefix('b').or(rest.strip_prefix('c')).unwrap_or(rest);
    let prefix = rest.len() - opened.len();
    if in_word && !rest.starts_with(['"', '\'']) {
        return None;
    }
    if let Some(raw) = opened.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = prefix + 1 + hashes + 1;
            let inside = rest[start..].find(&end).map(|n| n + end.len());
            return Some(inside.map_or(rest.len(), |n| start + n));
        }
    }
    let quote = opened.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    if quote == '\'' {
        // `'a'` and `'\n'` are characters, `'a` and `'static` are lifetimes.
        let mut inside = opened[1..].chars();
        let first = inside.next()?;
        if first != '\\' && inside.next() != Some('\'') {
            return None;
        }
    }
    let mut escaped = false;
    for (n, c) in opened.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(prefix + n + 1),
            _ => (),
        }
    }
    Some(rest.len())
}

/// [`code`] without its `#[cfg(test)]` modules, which are blanked out as well.
pub(super) fn without_tests(code: &str) -> String {
    let mut left = code.to_owned();
    while let Some(start) = left.find("#[cfg(test)]") {
        let tail = &left[start..];
        let end = match (tail.find('{'), tail.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|s| open < s) => closing(tail, open),
            (_, Some(semicolon)) => semicolon + 1,
            (_, None) => tail.len(),
        };
        let blank: String =
            tail[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        left.replace_range(start..start + end, &blank);
    }
    left
}

/// How many lines a file has besides its tests and the blank lines that they leave.
pub(super) fn lines_without_tests(text: &str) -> usize {
    let code = code(text);
    let left = without_tests(&code);
    let lost = code.lines().zip(left.lines()).filter(|(was, is)| was != is).count();
    text.lines().count() - lost
}

fn closing(text: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (n, c) in text[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            return open + n + 1;
        }
    }
    text.len()
}

/// The words of code: identifiers and keywords.
pub(super) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Every path of two names or more, `use` trees spread out: `use a::{b, c::d};` is `a::b` and
/// `a::c::d`.
pub(super) fn paths(code: &str) -> Vec<Vec<String>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" {
            at = tree(&tokens, at + 1, &[], &mut found);
        } else if is_name(tokens[at]) {
            let mut path = vec![tokens[at].to_owned()];
            while tokens.get(at + 1) == Some(&"::")
                && tokens.get(at + 2).is_some_and(|t| is_name(t))
            {
                path.push(tokens[at + 2].to_owned());
                at += 2;
            }
            found.push(path);
            at += 1;
        } else {
            at += 1;
        }
    }
    found.retain(|path| path.len() > 1);
    found
}

/// One branch of a `use` tree. Returns where it ends.
fn tree(tokens: &[&str], mut at: usize, stem: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = stem.to_vec();
    while let Some(&token) = tokens.get(at) {
        match token {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| !matches!(*token, "}" | ";")) {
                    at = tree(tokens, at, &path, found);
                    at += usize::from(tokens.get(at) == Some(&","));
                }
                return at + 1;
            }
            "," | "}" | ";" => break,
            "as" => at += 2,
            name => {
                // `::` and `*` are no names, and whatever else stands here is none either.
                path.extend(is_name(name).then(|| name.to_owned()));
                at += 1;
            }
        }
    }
    found.push(path);
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(c) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match c {
            c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        paths(&code(text)).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn what_is_said_in_comments_and_strings_is_not_code() {
        let text = r##"
            // std::fs
            /* std::net /* nested */ std::env */
            const A: &str = "std::fs \" std::io"; const B: &[u8] = br#"std::"net"#;
            fn c<'a>(d: &'a str) -> char { '"' }
            a::b;
        "##;
        assert_eq!(named(text), ["a::b"]);
    }

    #[test]
    fn a_use_tree_is_spread_out() {
        let text =
            "use rollkey::{keystore::{files::Files, memory}, sink::exec as e};\nx::y::<Z>();";
        let paths = [
            "rollkey::keystore::files::Files",
            "rollkey::keystore::memory",
            "rollkey::sink::exec",
            "x::y",
        ];
        assert_eq!(named(text), paths);
    }

    #[test]
    fn tests_are_cut_away_and_lines_stay() {
        let text = "a::b;\n#[cfg(test)]\nmod tests {\n    fn c() { d::e; }\n}\nf::g;\n";
        let left = without_tests(&code(text));
        assert_eq!(left.lines().count(), text.lines().count());
        assert!(left.contains("a::b") && left.contains("f::g") && !left.contains("d::e"));
        assert_eq!(lines_without_tests(text), 2);
        assert_eq!(lines_without_tests("#[cfg(test)]\nmod tests;\na::b;\n"), 1);
    }

    #[test]
    fn text_that_ends_in_the_middle_is_read_to_its_end() {
        for text in ["\"", "/*", "use a::{b", "r#\"", "'", "#[cfg(test)] mod x {", "use {;", "use"]
        {
            let code = code(text);
            _ = (paths(&code), without_tests(&code));
        }
    }
}
