//! Rules for proofs of possession (`POP`): what the body property `proof` must be.

use super::Evidence::{Assumed, Documented, Observed};
use super::{Rule, Section};

/// The audience is the retired Azure AD Graph.
pub const AUDIENCE: Rule = Rule {
    id: "POP-1",
    says: "`aud` is 00000002-0000-0000-c000-000000000000",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Documented("graph/application-rollkey-prooftoken"),
};

/// The issuer is the target object.
pub const ISSUER: Rule = Rule {
    id: "POP-2",
    says: "`iss` is the object id of the application or service principal in the address, not its app id (lenient: the app id too)",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Documented(
        "graph/api/application-addkey; one client is reported to get by with the app id",
    ),
};

/// The lifetime is bounded.
pub const LIFETIME: Rule = Rule {
    id: "POP-3",
    says: "`exp` is later than `nbf`, by at most 600 s",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("documented as advice; nobody says what happens beyond"),
};

/// No padding.
pub const PADDING: Rule = Rule {
    id: "POP-4",
    says: "no `=` in any part",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Documented("graph/application-rollkey-prooftoken"),
};

/// Not from the future.
pub const NOT_BEFORE: Rule = Rule {
    id: "POP-5",
    says: "`nbf` is at most 300 s ahead of the service's clock",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("token endpoints allow 5 minutes of skew"),
};

/// Every replica knows the signing key.
pub const PROPAGATED: Rule = Rule {
    id: "POP-6",
    says: "the signing key has been registered for so long that every replica accepts proofs of it (lenient: the one that answers)",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Observed("401 seconds after addKey, 204 after 20 minutes"),
};

/// It is a compact JWT.
pub const FORM: Rule = Rule {
    id: "POP-7",
    says: "three parts of base64url; header and claims are JSON objects without repeated members, at most 6 deep; at most 64 KiB; no `crit`",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("RFC 7515; the answer to malformed proofs is the common one"),
};

/// RS256.
pub const ALGORITHM: Rule = Rule {
    id: "POP-8",
    says: "`alg` is RS256 (lenient: PS256 too)",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("every client known to work sends RS256"),
};

/// x5t names the key.
pub const THUMBPRINT: Rule = Rule {
    id: "POP-9",
    says: "`x5t` is the SHA-1 thumbprint of the signing certificate, 20 bytes in base64url (lenient: `x5t#S256`, or a thumbprint as `kid`, will do)",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("every client known to work sends `x5t`"),
};

/// Not expired.
pub const EXPIRY: Rule = Rule {
    id: "POP-10",
    says: "`exp` is in the future, without any tolerance",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("the tolerance is not documented"),
};

/// The signature is right.
pub const SIGNATURE: Rule = Rule {
    id: "POP-11",
    says: "the signature is made by the key that the header names",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Observed("microsoft-graph-docs#10686"),
};

/// The key is the target's.
pub const REGISTERED: Rule = Rule {
    id: "POP-12",
    says: "the signing key is registered on the very object in the address, for verifying, and not removed",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Documented(
        "graph/api/application-addkey: one of the valid certificates of the object",
    ),
};

/// The key is within its dates.
pub const KEY_DATES: Rule = Rule {
    id: "POP-13",
    says: "the signing key is within its start and end dates",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Documented(
        "graph/application-rollkey-prooftoken: an expired certificate cannot be used",
    ),
};

/// A key does not remove itself.
pub const OTHER_KEY: Rule = Rule {
    id: "POP-14",
    says: "removeKey is proven by another key than the one it removes",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("one client's README says that the error misleads; the body is not known"),
};

/// Times are whole numbers.
pub const TIMES: Rule = Rule {
    id: "POP-15",
    says: "`nbf` and `exp` are there, as whole numbers or such numbers in strings",
    answer: "401 Authentication_MissingOrMalformed",
    evidence: Assumed("clients send both forms; fractions were never seen"),
};

/// There is a proof.
pub const PRESENT: Rule = Rule {
    id: "POP-16",
    says: "`proof` is a string that is not empty",
    answer: "403 Authorization_RequestDenied",
    evidence: Observed("entra-powershell#1545, microsoft-graph-explorer-v4#3145"),
};

/// These rules.
pub const SECTION: Section = Section {
    title: "Proofs of possession",
    says: "Sent as `proof` to addKey and removeKey. A bad proof is always answered with `Access Token missing or malformed.`, whatever is wrong with it (observed: microsoft-graph-docs#10686, #14626, #22076).",
    rules: &[
        AUDIENCE, ISSUER, LIFETIME, PADDING, NOT_BEFORE, PROPAGATED, FORM, ALGORITHM, THUMBPRINT,
        EXPIRY, SIGNATURE, REGISTERED, KEY_DATES, OTHER_KEY, TIMES, PRESENT,
    ],
};
