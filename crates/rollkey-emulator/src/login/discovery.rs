//! What clients look up before they ask for a token: configuration, instances, signing keys.
//!
//! Every address in these pages is built from the address that the client used, so that a client
//! that believes to talk to Microsoft keeps believing it.

use serde_json::{Value, json};

use super::refusal::{self, Refusal};
use super::{Version, is_nobody_in_particular};
use crate::http::Answer;
use crate::tenant::Tenant;
use crate::visit::Visit;

/// `/{tenant}/v2.0/.well-known/openid-configuration` and its elder sister.
pub(super) fn configuration(
    visit: &Visit<'_>,
    tenant: &str,
    version: Version,
) -> Result<Answer, Refusal> {
    check_tenant(visit.tenant, tenant)?;
    let base = visit.base();
    let (endpoints, keys) = match version {
        Version::V1 => ("oauth2", "discovery/keys"),
        Version::V2 => ("oauth2/v2.0", "discovery/v2.0/keys"),
    };
    let below = |path: &str| format!("{base}/{tenant}/{path}");
    let endpoint = |name: &str| below(&format!("{endpoints}/{name}"));
    Ok(Answer::ok(json!({
        "token_endpoint": endpoint("token"),
        "token_endpoint_auth_methods_supported": [
            "client_secret_post", "private_key_jwt", "client_secret_basic"
        ],
        "jwks_uri": below(keys),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer(visit, version),
        "request_uri_parameter_supported": false,
        "authorization_endpoint": endpoint("authorize"),
        "device_authorization_endpoint": endpoint("devicecode"),
        "end_session_endpoint": endpoint("logout"),
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nonce", "tid", "ver", "appid", "oid"
        ],
        "tenant_region_scope": "WW",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": visit.request.authority,
    })))
}

/// `/common/discovery/instance`: the address that was used is the only one there is.
pub(super) fn instance(visit: &Visit<'_>) -> Answer {
    let host = &visit.request.authority;
    let id = &visit.tenant.id;
    let endpoint = format!("https://{host}/{id}/v2.0/.well-known/openid-configuration");
    Answer::ok(json!({
        "tenant_discovery_endpoint": endpoint,
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    }))
}

/// The keys that verify access tokens.
pub(super) fn keys(visit: &Visit<'_>, tenant: &str, version: Version) -> Result<Answer, Refusal> {
    check_tenant(visit.tenant, tenant)?;
    let key: Value = visit.tenant.signer.web_key(&issuer(visit, version));
    Ok(Answer::ok(json!({ "keys": [key] })))
}

fn issuer(visit: &Visit<'_>, version: Version) -> String {
    let id = &visit.tenant.id;
    match version {
        Version::V1 => format!("https://sts.windows.net/{id}/"),
        Version::V2 => format!("{}/{id}/v2.0", visit.base()),
    }
}

fn check_tenant(tenant: &Tenant, name: &str) -> Result<(), Refusal> {
    match is_nobody_in_particular(name) || tenant.is_called(name) {
        true => Ok(()),
        false => Err(unknown(name)),
    }
}

/// The refusal of a tenant that is not ours.
pub(super) fn unknown(name: &str) -> Refusal {
    let is_guid = uuid::Uuid::try_parse(name).is_ok();
    let is_domain = name.contains('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    match is_guid || is_domain {
        true => refusal::tenant_unknown(name),
        false => refusal::tenant_malformed(name),
    }
}
