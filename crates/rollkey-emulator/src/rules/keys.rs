//! Rules for objects and their keys (`KEY`): addKey, removeKey, PATCH, and reading.

use super::Evidence::{Assumed, Documented, Observed};
use super::{Rule, Section};

/// The object exists.
pub const OBJECT: Rule = Rule {
    id: "KEY-1",
    says: "the id in the address is the object id of such an object, not an app id; in `(appId='...')` it is the app id",
    answer: "404 Request_ResourceNotFound",
    evidence: Observed("msgraph-sdk-powershell#2814"),
};

/// The body is JSON.
pub const JSON: Rule = Rule {
    id: "KEY-2",
    says: "the body is a JSON object of at most 1 MiB without repeated members, with properties of the documented names and types, sent as application/json",
    answer: "400 BadRequest",
    evidence: Observed("answers to malformed bodies; that repeated members are refused is assumed"),
};

/// addKey names no keyId.
pub const KEY_ID_NULL: Rule = Rule {
    id: "KEY-3",
    says: "`keyId` is absent or null in addKey",
    answer: "400 Request_BadRequest",
    evidence: Observed("text captured live in 2026; the code is assumed"),
};

/// key is a certificate.
pub const CERTIFICATE: Rule = Rule {
    id: "KEY-4",
    says: "`key` is standard base64 of one certificate in DER, nothing else (PATCH: PEM and line ends too)",
    answer: "400 Request_BadRequest",
    evidence: Observed("captured answer to addKey"),
};

/// type and usage are a pair.
pub const TYPE_AND_USAGE: Rule = Rule {
    id: "KEY-5",
    says: "`type` and `usage` are AsymmetricX509Cert and Verify, or X509CertAndPassword and Sign",
    answer: "400 Request_BadRequest",
    evidence: Observed("text from msgraph-sdk-java#1823; the code is assumed"),
};

/// A PFX opens.
pub const PASSWORD: Rule = Rule {
    id: "KEY-6",
    says: "with X509CertAndPassword `key` is a PFX, and `passwordCredential.secretText` opens it; otherwise `passwordCredential` is null",
    answer: "400 Request_BadRequest",
    evidence: Documented("graph/api/application-addkey; the texts are assumed"),
};

/// The start date is possible.
pub const START_DATE: Rule = Rule {
    id: "KEY-7",
    says: "`startDateTime` is an instant in UTC, not before the certificate's",
    answer: "400 KeyCredentialsInvalidStartDate",
    evidence: Observed("terraform-provider-azuread#1582; the exact bounds are assumed"),
};

/// The end date is possible.
pub const END_DATE: Rule = Rule {
    id: "KEY-8",
    says: "`endDateTime` is an instant in UTC, in the future, after the start and not after the certificate's",
    answer: "400 KeyCredentialsInvalidEndDate",
    evidence: Observed("azure-rest-api-specs#11985; the exact bounds are assumed"),
};

/// The key to remove is registered.
pub const REMOVABLE: Rule = Rule {
    id: "KEY-9",
    says: "removeKey names the `keyId` of a registered key",
    answer: "400 Request_BadRequest",
    evidence: Observed("captured answer to removeKey"),
};

/// A stale replica denies what it does.
pub const REMOVED_UNSEEN: Rule = Rule {
    id: "KEY-10",
    says: "the replica that answers has heard of the key; if not, the key is removed all the same",
    answer: "400 Request_BadRequest",
    evidence: Observed(
        "a rotator's notes: refused for a key that a read had just shown, yet removed",
    ),
};

/// One write at a time (switch `write_spacing`).
pub const SPACING: Rule = Rule {
    id: "KEY-11",
    says: "the object's keys were not written less than this long ago",
    answer: "409 Directory_ConcurrencyViolation",
    evidence: Observed("several rotators wait between writes"),
};

/// Not too many keys (switch `keys_per_object`).
pub const SIZE: Rule = Rule {
    id: "KEY-12",
    says: "the object has room for the key",
    answer: "400 Directory_ResourceSizeExceeded",
    evidence: Observed("microsoft-graph-docs#21469; the status is assumed"),
};

/// Keys live as long as the policy says (switch `key_lifetime`).
pub const LIFETIME_POLICY: Rule = Rule {
    id: "KEY-13",
    says: "from start to end a new key lives no longer than the policy allows",
    answer: "400 CredentialInvalidLifetimeAsPerAppPolicy",
    evidence: Observed("deployment notes and tests of Microsoft tools"),
};

/// Certificates are allowed (switch `certificates_refused`).
pub const TYPE_POLICY: Rule = Rule {
    id: "KEY-14",
    says: "the policy allows certificates",
    answer: "400 CredentialTypeNotAllowedAsPerAppPolicy",
    evidence: Observed("deployment notes and tests of Microsoft tools"),
};

/// PATCH keeps only what is there.
pub const KEPT_IS_KNOWN: Rule = Rule {
    id: "KEY-15",
    says: "an entry without `key` names the `keyId` of a registered key",
    answer: "400 Request_BadRequest",
    evidence: Assumed("the answer is not known"),
};

/// PATCH alters no entry.
pub const KEPT_IS_UNCHANGED: Rule = Rule {
    id: "KEY-16",
    says: "an entry with the `keyId` of a registered key repeats it unchanged; properties that are null or absent stay",
    answer: "400 Request_BadRequest",
    evidence: Observed("azure-powershell#6784, #6855 (on Azure AD Graph); the code is assumed"),
};

/// keyId is a GUID of its own.
pub const KEY_ID_UNIQUE: Rule = Rule {
    id: "KEY-17",
    says: "in PATCH each `keyId` is a GUID and occurs once",
    answer: "400 Request_BadRequest",
    evidence: Assumed("the answer is not known"),
};

/// PATCH adds no passwords.
pub const NO_PASSWORDS: Rule = Rule {
    id: "KEY-18",
    says: "PATCH brings no `passwordCredentials`",
    answer: "400 Request_BadRequest",
    evidence: Documented("graph/api/application-update"),
};

/// PATCH changes what the emulator has.
pub const KNOWN_PROPERTIES: Rule = Rule {
    id: "KEY-19",
    says: "PATCH names only `keyCredentials`, `passwordCredentials` and `displayName`; neither list is null",
    answer: "400 Request_BadRequest",
    evidence: Assumed(
        "the emulator refuses what it would otherwise pretend to have done; `keyCredentials` is not nullable (documented)",
    ),
};

/// PATCH keeps no expired key (switch `expired_refused_in_update`).
pub const STALE_ENTRY: Rule = Rule {
    id: "KEY-20",
    says: "no entry that PATCH keeps has expired",
    answer: "400 KeyCredentialsInvalidEndDate",
    evidence: Observed("one project's notes; hence a switch"),
};

/// The query can be answered.
pub const QUERY: Rule = Rule {
    id: "KEY-21",
    says: "`$select` names known properties; `$filter` is `appId`, `id` or `displayName` eq a string; `$top` is 1 to 999",
    answer: "400 BadRequest",
    evidence: Documented("graph/query-parameters; richer filters are not built"),
};

/// The method fits.
pub const METHOD: Rule = Rule {
    id: "KEY-22",
    says: "the method is one that the address has",
    answer: "405 Request_BadRequest",
    evidence: Assumed("the code is not known"),
};

/// The address exists.
pub const PATH: Rule = Rule {
    id: "KEY-23",
    says: "the address is one that the emulator has",
    answer: "400 BadRequest",
    evidence: Observed("answers to mistyped segments"),
};

/// An object id is a GUID.
pub const OBJECT_ID: Rule = Rule {
    id: "KEY-24",
    says: "the id in the address is a GUID",
    answer: "400 Request_BadRequest",
    evidence: Observed("answers to other ids"),
};

/// These rules.
pub const SECTION: Section = Section {
    title: "Objects and their keys",
    says: "On `/applications` and `/servicePrincipals`, by object id or as `(appId='...')`.",
    rules: &[
        OBJECT,
        JSON,
        KEY_ID_NULL,
        CERTIFICATE,
        TYPE_AND_USAGE,
        PASSWORD,
        START_DATE,
        END_DATE,
        REMOVABLE,
        REMOVED_UNSEEN,
        SPACING,
        SIZE,
        LIFETIME_POLICY,
        TYPE_POLICY,
        KEPT_IS_KNOWN,
        KEPT_IS_UNCHANGED,
        KEY_ID_UNIQUE,
        NO_PASSWORDS,
        KNOWN_PROPERTIES,
        STALE_ENTRY,
        QUERY,
        METHOD,
        PATH,
        OBJECT_ID,
    ],
};
