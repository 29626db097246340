//! The rules: what the emulator enforces, and how we know that the real service does.
//!
//! Each refusal names its rule in the header `x-emulator-rule` and in the log, while its body stays
//! as misleading as production's. Where nobody knows, the rule is the answer that is hardest on the
//! client, and says so. Code that enforces a rule never stands in here, and no rule stands
//! elsewhere. [`markdown`] prints the tables.

use std::fmt;
use std::fmt::Write as _;

pub mod access;
pub mod assertion;
pub mod keys;
pub mod proof;
pub mod token_request;

/// How we know that the real service behaves like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Microsoft says so, at this place (below learn.microsoft.com, unless it says otherwise).
    Documented(&'static str),
    /// Somebody saw it: an issue, a captured answer, a client in production use.
    Observed(&'static str),
    /// Nobody knows. We chose the answer that is hardest on the client.
    Assumed(&'static str),
}

impl fmt::Display for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Documented(place) => write!(formatter, "documented: {place}"),
            Self::Observed(what) => write!(formatter, "observed: {what}"),
            Self::Assumed(why) => write!(formatter, "assumed: {why}"),
        }
    }
}

/// One thing that the emulator enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable, and sent with the refusal: `POP-3`.
    pub id: &'static str,
    /// What must hold.
    pub says: &'static str,
    /// Status and code of the refusal.
    pub answer: &'static str,
    /// How we know.
    pub evidence: Evidence,
}

/// Rules about one thing.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// A heading.
    pub title: &'static str,
    /// What is to be said of all of them.
    pub says: &'static str,
    /// The rules, in the order of their ids.
    pub rules: &'static [Rule],
}

/// All rules.
pub const SECTIONS: &[Section] =
    &[proof::SECTION, assertion::SECTION, token_request::SECTION, access::SECTION, keys::SECTION];

/// The rule of this id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Rule> {
    SECTIONS.iter().flat_map(|section| section.rules).find(|rule| rule.id == id)
}

/// All rules as Markdown: a heading and a table for each section.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# What the emulator enforces\n\n\
         Printed from the rules of `rollkey-emulator`; do not edit.\n\n\
         *Documented*: Microsoft says so. *Observed*: somebody saw it. *Assumed*: nobody knows, and \
         the emulator gives the answer that is hardest on the client.\n",
    );
    for section in SECTIONS {
        let Section { title, says, rules } = section;
        let _ = write!(page, "\n## {title}\n\n{says}\n\n");
        page.push_str("| rule | says | otherwise | how we know |\n| --- | --- | --- | --- |\n");
        for Rule { id, says, answer, evidence } in *rules {
            let row = format!("{evidence}").replace('|', "\\|");
            let _ = writeln!(page, "| {id} | {} | {answer} | {row} |", says.replace('|', "\\|"));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{SECTIONS, markdown};

    #[test]
    fn ids_are_unique_and_count_up_within_their_section() {
        for section in SECTIONS {
            let (prefix, _) = section.rules[0].id.split_once('-').unwrap();
            for (number, rule) in section.rules.iter().enumerate() {
                assert_eq!(rule.id, format!("{prefix}-{}", number + 1));
            }
        }
    }

    #[test]
    fn every_rule_is_printed() {
        let page = markdown();
        for rule in SECTIONS.iter().flat_map(|section| section.rules) {
            assert!(page.contains(&format!("| {} |", rule.id)), "{}", rule.id);
        }
    }
}
