//! Rules for token requests (`TOK`): everything about them but the assertion.

use super::Evidence::{Assumed, Documented, Observed};
use super::{Rule, Section};

/// The tenant exists.
pub const TENANT: Rule = Rule {
    id: "TOK-1",
    says: "the tenant in the address is the emulator's, by id or by domain name",
    answer: "400 invalid_tenant AADSTS90002",
    evidence: Observed("captures of 2020 to 2024"),
};

/// The tenant is a name or an id.
pub const TENANT_FORM: Rule = Rule {
    id: "TOK-2",
    says: "the tenant in the address is a GUID or a domain name",
    answer: "400 invalid_tenant AADSTS900023",
    evidence: Documented("troubleshooting page of an Azure SDK; the status is assumed"),
};

/// Applications have a tenant.
pub const OWN_TENANT: Rule = Rule {
    id: "TOK-3",
    says: "client credentials are asked for at a tenant of one's own, not at `common`, `organizations` or `consumers`",
    answer: "400 invalid_request AADSTS50059",
    evidence: Assumed("the code is from the list of error codes"),
};

/// POST only.
pub const METHOD: Rule = Rule {
    id: "TOK-4",
    says: "the method is POST",
    answer: "400 invalid_request AADSTS900561",
    evidence: Observed("answers to browsers that were sent there"),
};

/// Client credentials.
pub const GRANT_TYPE: Rule = Rule {
    id: "TOK-5",
    says: "`grant_type` is client_credentials",
    answer: "400 unsupported_grant_type AADSTS70003",
    evidence: Documented("entra/identity-platform/reference-error-codes"),
};

/// Nothing is missing.
pub const PARAMETERS: Rule = Rule {
    id: "TOK-6",
    says: "the form has `grant_type`, `client_id`, and `scope` (v1: `resource`)",
    answer: "400 invalid_request AADSTS900144",
    evidence: Observed("captured for `scope`"),
};

/// Nothing is said twice.
pub const ONCE: Rule = Rule {
    id: "TOK-7",
    says: "the form can be read and no parameter that counts occurs twice",
    answer: "400 invalid_request AADSTS90013",
    evidence: Assumed("RFC 6749 §3.2; the code is from the list of error codes"),
};

/// One resource, all its permissions.
pub const SCOPE: Rule = Rule {
    id: "TOK-8",
    says: "`scope` is one resource followed by /.default",
    answer: "400 invalid_scope AADSTS1002012",
    evidence: Observed("captures of 2023 and 2025"),
};

/// The resource is known.
pub const RESOURCE: Rule = Rule {
    id: "TOK-9",
    says: "the resource is a GUID or has a scheme; and is on the emulator's list, if it was given one",
    answer: "400 invalid_resource AADSTS500011",
    evidence: Assumed("the status is not known"),
};

/// The application exists.
pub const APPLICATION: Rule = Rule {
    id: "TOK-10",
    says: "`client_id` is the app id of an application of the tenant",
    answer: "400 unauthorized_client AADSTS700016",
    evidence: Observed("several captures"),
};

/// There is an assertion.
pub const ASSERTION: Rule = Rule {
    id: "TOK-11",
    says: "there is a `client_assertion` of the type urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    answer: "401 invalid_client AADSTS7000218",
    evidence: Observed("test bodies of an official SDK; the status is assumed"),
};

/// No secrets.
pub const SECRET: Rule = Rule {
    id: "TOK-12",
    says: "there is no `client_secret`: no application here has one",
    answer: "401 invalid_client AADSTS7000215",
    evidence: Documented("troubleshooting page of an Azure SDK"),
};

/// These rules.
pub const SECTION: Section = Section {
    title: "Token requests",
    says: "`POST /{tenant}/oauth2/v2.0/token` and `POST /{tenant}/oauth2/token`. Unknown form fields and the query are ignored.",
    rules: &[
        TENANT,
        TENANT_FORM,
        OWN_TENANT,
        METHOD,
        GRANT_TYPE,
        PARAMETERS,
        ONCE,
        SCOPE,
        RESOURCE,
        APPLICATION,
        ASSERTION,
        SECRET,
    ],
};
