//! The rules as a whole: each has a test that breaks it alone.

use rollkey_emulator::rules::{Evidence, SECTIONS, by_id, markdown};

#[test]
fn every_rule_is_broken_by_some_test() {
    let tests = [
        include_str!("access.rs"),
        include_str!("assertions.rs"),
        include_str!("keys.rs"),
        include_str!("lags.rs"),
        include_str!("proofs.rs"),
        include_str!("token_requests.rs"),
        include_str!("updates.rs"),
        include_str!("reading.rs"),
    ]
    .concat();
    let rules = SECTIONS.iter().flat_map(|section| section.rules);
    let untested: Vec<_> =
        rules.filter(|rule| !tests.contains(&format!("\"{}\"", rule.id))).collect();
    assert!(untested.is_empty(), "{untested:#?}");
}

#[test]
fn every_rule_says_how_we_know() {
    for rule in SECTIONS.iter().flat_map(|section| section.rules) {
        let (Evidence::Documented(words) | Evidence::Observed(words) | Evidence::Assumed(words)) =
            rule.evidence;
        assert!(!words.is_empty() && !rule.says.ends_with('.'), "{rule:?}");
    }
    assert_eq!(by_id("POP-3").unwrap().id, "POP-3");
    assert!(by_id("POP-99").is_none());
    assert!(markdown().lines().any(|line| line.starts_with("| POP-2 | `iss` is the object id")));
}
