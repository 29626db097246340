//! The documents that are made from the code are fresh, and those that are written by hand complete.

use crate::scene::{printed, root};
use rollkey_core::{Blocker, Reason};

/// Compares a document with what the code says, or writes it if `UPDATE_DOCS` is set.
fn check(document: &str, command: &[&str]) {
    let path = root().join(document);
    let says = printed(command);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &says).expect("the document can be written");
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == says, "{document} is stale: cargo xtask docs");
}

#[test]
fn the_cli_document_is_what_the_code_says() {
    check("docs/cli.md", &["docs", "cli"]);
}

#[test]
fn the_config_document_is_what_the_code_says() {
    check("docs/config.md", &["docs", "config"]);
}

#[test]
fn the_protocol_document_is_what_the_code_says() {
    check("docs/protocol.md", &["docs", "protocol"]);
}

#[test]
fn operations_has_a_section_for_every_reason_and_every_blocker() {
    let text = std::fs::read_to_string(root().join("docs/operations.md")).expect("operations");
    let mut sections = text.lines().filter_map(|line| line.strip_prefix("### "));
    let sections: Vec<_> = sections.by_ref().map(str::trim).collect();
    for name in
        REASONS.iter().map(|r| format!("{r:?}")).chain(BLOCKERS.iter().map(|b| format!("{b:?}")))
    {
        assert!(sections.contains(&name.as_str()), "docs/operations.md has no section `{name}`");
    }
}

/// Every variant once: a new one does not compile until it stands here, and in [`REASONS`].
macro_rules! all {
    ($name:ident: $type:ident { $($variant:ident),* $(,)? }) => {
        const $name: &[$type] = {
            #[expect(dead_code, reason = "it is compiled, and that is all that it is for")]
            fn is_listed(one: $type) {
                match one { $($type::$variant => (),)* }
            }
            &[$($type::$variant),*]
        };
    };
}

all!(REASONS: Reason {
    CurrentLost, CurrentSettling, CurrentUnproven, DirectoryUnclear, Healthy, OverlapEnded,
    Overlapping, PendingExpired, PendingProven, PendingSettling, PendingUnproven,
    PendingUnregistered, PreviousGone, ProverUntried, Removing, RenewalDue, SinkBehind, SinkFailing,
});
all!(BLOCKERS: Blocker { NoKey, NoUsableKey });
