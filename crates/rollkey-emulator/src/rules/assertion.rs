//! Rules for client assertions (`AST`): what `client_assertion` must be.

use super::Evidence::{Assumed, Documented, Observed};
use super::{Rule, Section};

/// It is a compact JWT.
pub const FORM: Rule = Rule {
    id: "AST-1",
    says: "three parts of base64url, padded or not; JSON objects without repeated members, at most 6 deep; at most 64 KiB; no `crit`",
    answer: "400 invalid_request AADSTS50027",
    evidence: Observed("test bodies of an official SDK"),
};

/// RSA only.
pub const ALGORITHM: Rule = Rule {
    id: "AST-2",
    says: "`alg` is one of RS256, RS384, RS512, PS256, PS384, PS512",
    answer: "401 invalid_client AADSTS5002738",
    evidence: Observed("microsoft-identity-web#3467; the status is assumed"),
};

/// The header names the key.
pub const KEY_NAMED: Rule = Rule {
    id: "AST-3",
    says: "the header has `x5t`, `x5t#S256` or `kid`; the first of them counts",
    answer: "401 invalid_client AADSTS5002723",
    evidence: Observed("test bodies of an official SDK"),
};

/// The client speaks for itself.
pub const CLIENT: Rule = Rule {
    id: "AST-4",
    says: "`iss` and `sub` are the `client_id` of the request",
    answer: "401 invalid_client AADSTS700021",
    evidence: Observed("test bodies of an official SDK"),
};

/// The audience is this endpoint.
pub const AUDIENCE: Rule = Rule {
    id: "AST-5",
    says: "`aud` is the v2 token endpoint, the v1 token endpoint or the v2.0 issuer of the tenant, at the address that the client used or at the emulator's own",
    answer: "401 invalid_client AADSTS700023",
    evidence: Documented(
        "entra/identity-platform/certificate-credentials; code and text from troubleshooting pages",
    ),
};

/// Not expired.
pub const EXPIRY: Rule = Rule {
    id: "AST-6",
    says: "`exp` is in the future",
    answer: "401 invalid_client AADSTS700024",
    evidence: Observed("test bodies of an official SDK; the tolerance (none) is assumed"),
};

/// Not from the future.
pub const NOT_BEFORE: Rule = Rule {
    id: "AST-7",
    says: "`nbf`, if present, is at most 300 s ahead of the service's clock",
    answer: "401 invalid_client AADSTS700024",
    evidence: Observed("test bodies of an official SDK; the tolerance is assumed"),
};

/// Times can be read.
pub const TIMES: Rule = Rule {
    id: "AST-8",
    says: "`exp` is there; `exp` and `nbf` are numbers, or numbers in strings",
    answer: "400 invalid_request AADSTS50027",
    evidence: Assumed("the answer to a missing `exp` is not known"),
};

/// The key is registered.
pub const REGISTERED: Rule = Rule {
    id: "AST-9",
    says: "the key is registered on the application or its service principal, for verifying",
    answer: "401 invalid_client AADSTS700027",
    evidence: Observed("azure-sdk-for-net#29007 and many captures"),
};

/// The replica knows the key.
pub const PROPAGATED: Rule = Rule {
    id: "AST-10",
    says: "the replica that answers has heard of the key, for this audience",
    answer: "401 invalid_client AADSTS700027",
    evidence: Observed("several rotators poll for minutes; acceptance flaps; audiences differ"),
};

/// The key is within its dates.
pub const KEY_DATES: Rule = Rule {
    id: "AST-11",
    says: "the key is within its start and end dates",
    answer: "401 invalid_client AADSTS700027",
    evidence: Observed("reports of `is expired on application`"),
};

/// The signature is right.
pub const SIGNATURE: Rule = Rule {
    id: "AST-12",
    says: "the signature is made by the key that the header names",
    answer: "401 invalid_client AADSTS700027",
    evidence: Observed("microsoft-authentication-library-for-js#3741"),
};

/// These rules.
pub const SECTION: Section = Section {
    title: "Client assertions",
    says: "Sent as `client_assertion` to the token endpoint. Padding, any alphabet of base64 for thumbprints, a missing `nbf` or `iat`, and times as numbers, fractions or strings are taken, because official SDKs send them.",
    rules: &[
        FORM, ALGORITHM, KEY_NAMED, CLIENT, AUDIENCE, EXPIRY, NOT_BEFORE, TIMES, REGISTERED,
        PROPAGATED, KEY_DATES, SIGNATURE,
    ],
};
