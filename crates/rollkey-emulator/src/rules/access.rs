//! Rules for calls of the Graph (`ACC`): access tokens, and who may do what.

use super::Evidence::{Assumed, Documented, Observed};
use super::{Rule, Section};

/// There is a token.
pub const PRESENT: Rule = Rule {
    id: "ACC-1",
    says: "there is one header `Authorization: Bearer`",
    answer: "401 InvalidAuthenticationToken",
    evidence: Observed("answers to calls without a token"),
};

/// The token is one of ours.
pub const FORM: Rule = Rule {
    id: "ACC-2",
    says: "the token is a compact JWT that this emulator signed for its tenant",
    answer: "401 InvalidAuthenticationToken",
    evidence: Assumed("the text differs between reports"),
};

/// The token is for the Graph.
pub const AUDIENCE: Rule = Rule {
    id: "ACC-3",
    says: "`aud` is the Graph: 00000003-0000-0000-c000-000000000000, https://graph.microsoft.com, the address that the client used or the emulator's own; under a host name of a national cloud only that cloud's",
    answer: "401 InvalidAuthenticationToken",
    evidence: Observed("msgraph-sdk-python#218, #229"),
};

/// The token is fresh.
pub const LIFETIME: Rule = Rule {
    id: "ACC-4",
    says: "the token has not expired",
    answer: "401 InvalidAuthenticationToken",
    evidence: Observed("test bodies of several clients"),
};

/// Reading.
pub const READ: Rule = Rule {
    id: "ACC-5",
    says: "the caller reads itself, or has Application.Read.All or a permission to write",
    answer: "403 Authorization_RequestDenied",
    evidence: Observed(
        "an application without permissions reads itself; of lists it may see its own entry only (assumed)",
    ),
};

/// Rolling keys.
pub const ROLL: Rule = Rule {
    id: "ACC-6",
    says: "the caller rolls its own keys, has Application.ReadWrite.All or Directory.ReadWrite.All, or has Application.ReadWrite.OwnedBy and is an owner",
    answer: "403 Authorization_RequestDenied",
    evidence: Documented(
        "graph/api/application-addkey; that a service principal rolls its own without permission is assumed",
    ),
};

/// Replacing the list.
pub const UPDATE: Rule = Rule {
    id: "ACC-7",
    says: "PATCH needs Application.ReadWrite.All or Directory.ReadWrite.All, or Application.ReadWrite.OwnedBy as an owner, even on oneself",
    answer: "403 Authorization_RequestDenied",
    evidence: Documented("graph/api/application-update"),
};

/// These rules.
pub const SECTION: Section = Section {
    title: "Access tokens and permissions",
    says: "The access token is verified for every call of the Graph, before anything else.",
    rules: &[PRESENT, FORM, AUDIENCE, LIFETIME, READ, ROLL, UPDATE],
};
