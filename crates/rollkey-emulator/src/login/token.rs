//! The token endpoints, v1 and v2: client credentials only.
//!
//! What the assertion must be stands in the room `assertion`; how a token is made, in
//! `access_token`.

use serde_json::json;

use super::assertion::{self, Case};
use super::refusal::{self, Refusal};
use super::{Version, discovery, is_nobody_in_particular};
use crate::access_token::{self, LIFETIME};
use crate::http::{self, Answer};
use crate::visit::Visit;

/// The only type of assertion there is.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `POST /{tenant}/oauth2/v2.0/token` and `POST /{tenant}/oauth2/token`.
pub(super) fn token(
    visit: &mut Visit<'_>,
    tenant: &str,
    version: Version,
) -> Result<Answer, Refusal> {
    if visit.request.method != axum::http::Method::POST {
        return Err(refusal::method(visit.request.method.as_str()));
    }
    if is_nobody_in_particular(tenant) {
        return Err(refusal::tenant_of_nobody());
    }
    if !visit.tenant.is_called(tenant) {
        return Err(discovery::unknown(tenant));
    }

    let form = Form::read(visit)?;
    let grant_type = form.required("grant_type")?;
    if grant_type != "client_credentials" {
        return Err(refusal::grant_type(grant_type));
    }
    let client_id = form.required("client_id")?;
    let resource = match version {
        Version::V2 => resource_of_scope(form.required("scope")?)?,
        Version::V1 => form.required("resource")?,
    };
    let audience = access_token::canonical_audience(visit, resource);
    check_resource(visit, resource, &audience)?;

    let all = visit.tenant.directory();
    let Some(caller) = all.by_app_id(client_id) else {
        return Err(refusal::application(client_id, &visit.tenant.domain));
    };
    visit.note.app = Some(caller.name.clone());
    if form.optional("client_secret").is_some() {
        return Err(refusal::secret(&caller.app_id));
    }
    let assertion =
        match (form.optional("client_assertion"), form.optional("client_assertion_type")) {
            (Some(assertion), Some(ASSERTION_TYPE)) => assertion,
            _ => return Err(refusal::no_assertion()),
        };
    let case = Case { assertion, client_id, caller, tenant, audience: &audience };
    assertion::judge(visit, &case)?;

    let token = access_token::mint(visit, caller, resource);
    let now = visit.now;
    Ok(Answer::ok(match version {
        Version::V2 => json!({
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": token,
        }),
        // The elder endpoint writes numbers as strings.
        Version::V1 => json!({
            "token_type": "Bearer",
            "expires_in": LIFETIME.to_string(),
            "ext_expires_in": LIFETIME.to_string(),
            "expires_on": now.saturating_add(LIFETIME).to_string(),
            "not_before": now.to_string(),
            "resource": resource,
            "access_token": token,
        }),
    }))
}

/// The resource in `https://graph.microsoft.com/.default`; a second slash belongs to it.
fn resource_of_scope(scope: &str) -> Result<&str, Refusal> {
    match scope.strip_suffix("/.default") {
        Some(resource) if !resource.is_empty() && !resource.contains(char::is_whitespace) => {
            Ok(resource)
        }
        _ => Err(refusal::scope(scope)),
    }
}

fn check_resource(visit: &Visit<'_>, resource: &str, audience: &str) -> Result<(), Refusal> {
    let is_possible = resource.contains("://") || uuid::Uuid::try_parse(resource).is_ok();
    let is_listed = visit.settings.limits.resources.as_ref().is_none_or(|listed| {
        audience == access_token::GRAPH
            || listed.iter().any(|name| name.trim_end_matches('/') == audience)
    });
    match is_possible && is_listed {
        true => Ok(()),
        false => Err(refusal::resource(resource, &visit.tenant.domain)),
    }
}

/// The body of a token request.
struct Form(Vec<(String, String)>);

impl Form {
    /// What login looks at; the rest is ignored, repeated or not.
    const COUNTS: [&str; 7] = [
        "grant_type",
        "client_id",
        "client_assertion",
        "client_assertion_type",
        "client_secret",
        "scope",
        "resource",
    ];

    fn read(visit: &Visit<'_>) -> Result<Self, Refusal> {
        // Another type of body is not looked into.
        if !visit.request.has_content_type("application/x-www-form-urlencoded") {
            return Ok(Self(Vec::new()));
        }
        let body = visit.request.body.as_deref().and_then(|body| std::str::from_utf8(body).ok());
        let pairs = body.and_then(http::pairs).ok_or_else(refusal::form_unreadable)?;
        for name in Self::COUNTS {
            if pairs.iter().filter(|(given, _)| given == name).count() > 1 {
                return Err(refusal::form_unreadable());
            }
        }
        Ok(Self(pairs))
    }

    fn optional(&self, name: &str) -> Option<&str> {
        let given = self.0.iter().find(|(given, _)| given == name);
        given.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name).ok_or_else(|| refusal::parameter_missing(name))
    }
}
