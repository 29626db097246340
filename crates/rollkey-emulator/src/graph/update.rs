//! PATCH: the whole list of keys replaced at once, with a permission and without a proof.
//!
//! Entries that the list does not mention are removed. An entry with the `keyId` of a registered
//! key keeps it; nothing about it can be changed.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::body::{self, Members, Sent};
use super::objects::custom_key_identifier;
use super::refusal::{self, Refusal};
use super::{Address, callers, keys};
use crate::access_token::Caller;
use crate::directory::{DirectoryObject, KeyEntry, ObjectKind, Usage};
use crate::http::Answer;
use crate::rules::keys as rules;
use crate::seed::Stream;
use crate::visit::Visit;

/// `PATCH` of an application or service principal.
pub(super) fn update(
    visit: &mut Visit<'_>,
    caller: &Caller,
    kind: ObjectKind,
    address: &Address,
) -> Result<Answer, Refusal> {
    let tenant = visit.tenant;
    let mut directory = tenant.directory();
    let target = super::find(visit, &directory, kind, address)?;
    callers::may_update(caller, target)?;

    let request = Members::read(visit, kind.type_name())?;
    let known = ["keyCredentials", "passwordCredentials", "displayName"];
    if let Some(name) = request.names().find(|name| !known.contains(name)) {
        return Err(refusal::property_not_kept(name));
    }
    for list in ["keyCredentials", "passwordCredentials"] {
        if request.has(list) && request.value(list).is_none() {
            return Err(refusal::property_not_kept(list));
        }
    }
    if request.has("passwordCredentials")
        && !request.objects("passwordCredentials", "microsoft.graph.passwordCredential")?.is_empty()
    {
        return Err(refusal::new_password());
    }
    let display_name = request.text("displayName")?.map(str::to_owned);
    let object = target.object(kind);
    let list = match request.has("keyCredentials") {
        true => Some(new_list(visit, object, &request)?),
        false => None,
    };
    if let Some(list) = &list {
        keys::check_spacing(visit, object)?;
        keys::check_size(visit, object, list.kept.len() + list.new.len())?;
    }

    let app_id = target.app_id.clone();
    if let Some(target) = directory.by_app_id_mut(&app_id) {
        let object = target.object_mut(kind);
        if let Some(name) = display_name {
            object.display_name = name;
        }
        if let Some(list) = list {
            replace(object, list, visit.now);
        }
    }
    Ok(Answer::no_content())
}

/// What becomes of the list.
struct List {
    /// The `keyId`s that stay, in lower case.
    kept: BTreeSet<String>,
    new: Vec<KeyEntry>,
}

fn new_list(
    visit: &Visit<'_>,
    object: &DirectoryObject,
    request: &Members,
) -> Result<List, Refusal> {
    let mut list = List { kept: BTreeSet::new(), new: Vec::new() };
    let mut seen = BTreeSet::new();
    for members in request.objects("keyCredentials", body::KEY_CREDENTIAL)? {
        let sent = Sent::read(&members)?;
        let key_id = sent.key_id.as_ref().map(|key_id| key_id.to_ascii_lowercase());
        if let Some(key_id) = &key_id {
            let is_guid = uuid::Uuid::try_parse(key_id).is_ok();
            if !is_guid || !seen.insert(key_id.clone()) {
                return Err(refusal::key_id_in_update(key_id));
            }
        }
        let registered =
            key_id.as_ref().and_then(|id| object.registered().find(|entry| entry.key_id == *id));
        match (registered, key_id) {
            (Some(entry), Some(key_id)) => {
                check_kept(visit, entry, &sent)?;
                list.kept.insert(key_id);
            }
            (_, key_id) => list.new.push(new_entry(visit, &sent, key_id)?),
        }
    }
    Ok(list)
}

/// Refuses changes to an entry that stays (KEY-16); what is null or absent is no change.
fn check_kept(visit: &Visit<'_>, entry: &KeyEntry, sent: &Sent) -> Result<(), Refusal> {
    let (kind, usage) = entry.usage.type_and_usage();
    let is_certificate = |key: &String| {
        let key: String = key.chars().filter(|char| !char.is_ascii_whitespace()).collect();
        let same = BASE64_STANDARD.decode(key).is_ok_and(|der| der == entry.certificate.der);
        same || sent.certificate_in_any_form().is_ok_and(|it| it.sha256 == entry.certificate.sha256)
    };
    let is_start = |text: &String| body::instant(text) == Some(entry.start);
    let is_end = |text: &String| body::instant(text) == Some(entry.end);
    let unchanged = sent.kind.as_ref().is_none_or(|it| it == kind)
        && sent.usage.as_ref().is_none_or(|it| it == usage)
        && sent.key.as_ref().is_none_or(is_certificate)
        && sent.display_name.as_ref().is_none_or(|it| Some(it) == entry.display_name.as_ref())
        && sent.custom_key_identifier.as_ref().is_none_or(|it| *it == custom_key_identifier(entry))
        && sent.start.as_ref().is_none_or(is_start)
        && sent.end.as_ref().is_none_or(is_end);
    if !unchanged {
        return Err(refusal::kept_altered(&entry.key_id));
    }
    if visit.settings.limits.expired_refused_in_update && entry.end <= visit.now {
        return Err(refusal::end_date(&rules::STALE_ENTRY));
    }
    Ok(())
}

fn new_entry(visit: &Visit<'_>, sent: &Sent, key_id: Option<String>) -> Result<KeyEntry, Refusal> {
    if sent.key.is_none()
        && let Some(key_id) = &key_id
    {
        return Err(refusal::kept_unknown(key_id));
    }
    let usage = sent.usage()?;
    if usage == Usage::Sign {
        // The password that would open it can only be sent with passwords, which are refused.
        return Err(refusal::new_password());
    }
    let certificate = sent.certificate_in_any_form()?;
    let key_id = key_id.unwrap_or_else(|| visit.tenant.seeds.guid(Stream::KeyId));
    keys::entry(visit, sent, usage, certificate, key_id)
}

fn replace(object: &mut DirectoryObject, list: List, now: i64) {
    let gone: Vec<_> = object
        .registered()
        .map(|entry| entry.key_id.clone())
        .filter(|key_id| !list.kept.contains(key_id))
        .collect();
    for key_id in gone {
        object.remove(&key_id, now);
    }
    object.keys.extend(list.new);
    object.written = Some(now);
}
