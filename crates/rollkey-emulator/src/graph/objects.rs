//! Reading applications and service principals, as the replica that answers knows them.
//!
//! Nothing is changed in here. The shape of a key credential on the wire stands here too, for
//! everybody.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::query::Query;
use super::refusal::{self, Refusal};
use super::{Address, callers};
use crate::access_token::Caller;
use crate::clock;
use crate::directory::{KeyEntry, ObjectKind, Registration, Usage};
use crate::http::Answer;
use crate::replicas::Purpose;
use crate::rules::access;
use crate::visit::Visit;

/// The properties of an application that can be selected.
const OF_APPLICATION: &[&str] = &[
    "id",
    "appId",
    "createdDateTime",
    "deletedDateTime",
    "displayName",
    "identifierUris",
    "keyCredentials",
    "notes",
    "passwordCredentials",
    "publisherDomain",
    "signInAudience",
    "tags",
    "tokenEncryptionKeyId",
];

/// The properties of a service principal that can be selected.
const OF_SERVICE_PRINCIPAL: &[&str] = &[
    "id",
    "accountEnabled",
    "appDisplayName",
    "appId",
    "appOwnerOrganizationId",
    "createdDateTime",
    "deletedDateTime",
    "displayName",
    "keyCredentials",
    "notes",
    "passwordCredentials",
    "servicePrincipalNames",
    "servicePrincipalType",
    "signInAudience",
    "tags",
    "tokenEncryptionKeyId",
];

fn known(kind: ObjectKind) -> &'static [&'static str] {
    match kind {
        ObjectKind::Application => OF_APPLICATION,
        ObjectKind::ServicePrincipal => OF_SERVICE_PRINCIPAL,
    }
}

/// `GET` of one object.
pub(super) fn read(
    visit: &mut Visit<'_>,
    caller: &Caller,
    kind: ObjectKind,
    address: &Address,
    context: &str,
) -> Result<Answer, Refusal> {
    let query = Query::read(&visit.request.query, kind, known(kind))?;
    let directory = visit.tenant.directory();
    let found = super::find(visit, &directory, kind, address)?;
    callers::may_read(caller, found)?;

    // The certificates themselves only come if somebody asks for them by name.
    let with_keys = query.names("keyCredentials");
    let context = match &query.select {
        Some(selected) => {
            let selected = selected.iter().map(String::as_str).collect::<Vec<_>>().join(",");
            format!("{context}{}({selected})/$entity", kind.collection())
        }
        None => format!("{context}{}/$entity", kind.collection()),
    };
    let mut body = Map::from_iter([("@odata.context".to_owned(), Value::from(context))]);
    body.extend(render(visit, found, kind, &query, with_keys));
    Ok(Answer::ok(Value::Object(body)))
}

/// `GET` of a collection.
pub(super) fn list(
    visit: &Visit<'_>,
    caller: &Caller,
    kind: ObjectKind,
    context: &str,
) -> Result<Answer, Refusal> {
    let query = Query::read(&visit.request.query, kind, known(kind))?;
    let directory = visit.tenant.directory();
    let fits =
        |found: &&Registration| query.filter.as_ref().is_none_or(|filter| filter.fits(found, kind));
    let fitting: Vec<_> = directory.all().iter().filter(fits).collect();
    // Without a permission a caller may ask for itself, and for nobody else.
    let may = callers::reads_all(caller)
        || query.filter.is_some()
            && fitting.iter().all(|found| callers::may_read(caller, found).is_ok());
    if !may {
        return Err(refusal::denied(&access::READ));
    }

    let page = fitting.iter().skip(query.skip).take(query.top);
    // Lists never bring the certificates: captured, against a newer page of the documentation.
    let page = page.map(|found| Value::Object(render(visit, found, kind, &query, false)));
    let mut body = json!({
        "@odata.context": format!("{context}{}", kind.collection()),
        "value": page.collect::<Vec<_>>(),
    });
    if query.count {
        body["@odata.count"] = Value::from(fitting.len());
    }
    if query.skip.saturating_add(query.top) < fitting.len() {
        let path = visit.segments.join("/");
        let next = format!("{}/{path}?{}", visit.base(), query.next_page());
        body["@odata.nextLink"] = Value::from(next);
    }
    Ok(Answer::ok(body))
}

fn render(
    visit: &Visit<'_>,
    found: &Registration,
    kind: ObjectKind,
    query: &Query,
    with_keys: bool,
) -> Map<String, Value> {
    let object = found.object(kind);
    let value = |property: &str| match property {
        "id" => json!(object.id),
        "appId" => json!(found.app_id),
        "displayName" => json!(object.display_name),
        "appDisplayName" => json!(found.application.display_name),
        "createdDateTime" => json!(clock::iso(found.created)),
        "signInAudience" => json!("AzureADMyOrg"),
        "publisherDomain" => json!(visit.tenant.domain),
        "accountEnabled" => json!(true),
        "appOwnerOrganizationId" => json!(visit.tenant.id),
        "servicePrincipalNames" => json!([found.app_id]),
        "servicePrincipalType" => json!("Application"),
        "identifierUris" | "tags" | "passwordCredentials" => json!([]),
        "keyCredentials" => key_credentials(visit, &object.keys, with_keys),
        _ => Value::Null,
    };
    let shown = known(kind).iter().filter(|property| query.shows(property));
    shown.map(|property| ((*property).to_owned(), value(property))).collect()
}

/// The keys that the replica knows, in an order that means nothing.
fn key_credentials(visit: &Visit<'_>, keys: &[KeyEntry], with_key: bool) -> Value {
    let mut known: Vec<_> = keys.iter().filter(|entry| visit.knows(entry, Purpose::Read)).collect();
    known.sort_by(|one, other| one.key_id.cmp(&other.key_id));
    let shown = known.into_iter().map(|entry| Value::Object(key_credential(entry, with_key)));
    shown.collect()
}

/// A key credential on the wire.
pub(super) fn key_credential(entry: &KeyEntry, with_key: bool) -> Map<String, Value> {
    let (kind, usage) = entry.usage.type_and_usage();
    // What was uploaded to sign with is never shown again.
    let shown = with_key && entry.usage == Usage::Verify;
    let key = shown.then(|| BASE64_STANDARD.encode(&entry.certificate.der));
    let members = [
        ("customKeyIdentifier", json!(custom_key_identifier(entry))),
        ("displayName", json!(entry.display_name)),
        ("endDateTime", json!(clock::iso(entry.end))),
        ("key", json!(key)),
        ("keyId", json!(entry.key_id)),
        ("startDateTime", json!(clock::iso(entry.start))),
        ("type", json!(kind)),
        ("usage", json!(usage)),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// The thumbprint in hexadecimal, although the type says base64; base64 if the client chose it.
pub(super) fn custom_key_identifier(entry: &KeyEntry) -> String {
    match &entry.custom_key_identifier {
        Some(bytes) => BASE64_STANDARD.encode(bytes),
        None => entry.certificate.thumbprint(),
    }
}
