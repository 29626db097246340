//! addKey and removeKey: with a proof, on the caller's own keys.
//!
//! All that an entry must be stands here or in `body`; what the proof must be, in the room
//! `proof`. PATCH has a room of its own, `update`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::body::{Members, Sent};
use super::objects::key_credential;
use super::refusal::{self, Refusal};
use super::{Address, body, callers};
use crate::access_token::Caller;
use crate::certificate::Certificate;
use crate::directory::{DirectoryObject, KeyEntry, ObjectKind, Usage};
use crate::http::Answer;
use crate::proof;
use crate::replicas::Purpose;
use crate::rules::{keys as rules, proof as proof_rules};
use crate::seed::Stream;
use crate::visit::Visit;

/// The policy that refusals name.
const POLICY: &str = "a1b2c3d4-0000-4000-8000-000000000001";

/// `POST .../addKey`
pub(super) fn add(
    visit: &mut Visit<'_>,
    caller: &Caller,
    kind: ObjectKind,
    address: &Address,
    context: &str,
) -> Result<Answer, Refusal> {
    let tenant = visit.tenant;
    let mut directory = tenant.directory();
    let target = super::find(visit, &directory, kind, address)?;
    callers::may_roll(caller, target)?;

    let request = Members::read(visit, "microsoft.graph.addKey")?;
    request.allow(&["keyCredential", "passwordCredential", "proof"])?;
    let proof = request.text("proof")?.filter(|text| !text.is_empty());
    let proof = proof.ok_or_else(refusal::no_proof)?;
    proof::judge(visit, target, kind, proof).map_err(refusal::bad_proof)?;

    let sent = request.object("keyCredential", body::KEY_CREDENTIAL)?;
    let sent = sent.ok_or_else(|| refusal::wrong_type("keyCredential", body::KEY_CREDENTIAL))?;
    let sent = Sent::read(&sent)?;
    if sent.key_id.is_some() {
        return Err(refusal::key_id_given());
    }
    let usage = sent.usage()?;
    let certificate = match (usage, password(&request)?) {
        (Usage::Verify, None) => sent.certificate()?,
        (Usage::Sign, Some(password)) => sent.certificate_in_pfx(&password)?,
        (Usage::Verify, Some(_)) => {
            return Err(refusal::password("A password credential is not allowed for this type."));
        }
        (Usage::Sign, None) => {
            return Err(refusal::password("A password credential is required for this type."));
        }
    };
    let entry = entry(visit, &sent, usage, certificate, tenant.seeds.guid(Stream::KeyId))?;

    let object = target.object(kind);
    check_spacing(visit, object)?;
    check_size(visit, object, object.registered().count() + 1)?;

    let app_id = target.app_id.clone();
    let context = format!("{context}{}", body::KEY_CREDENTIAL);
    let mut answer = Map::from_iter([("@odata.context".to_owned(), Value::from(context))]);
    answer.extend(key_credential(&entry, false));
    if let Some(target) = directory.by_app_id_mut(&app_id) {
        let object = target.object_mut(kind);
        object.written = Some(visit.now);
        if usage == Usage::Sign {
            // What signs comes with what verifies, under one identifier.
            let key_id = tenant.seeds.guid(Stream::KeyId);
            object.keys.push(KeyEntry { key_id, usage: Usage::Verify, ..entry.clone() });
        }
        object.keys.push(entry);
    }
    Ok(Answer::ok(Value::Object(answer)))
}

/// `POST .../removeKey`
pub(super) fn remove(
    visit: &mut Visit<'_>,
    caller: &Caller,
    kind: ObjectKind,
    address: &Address,
) -> Result<Answer, Refusal> {
    let tenant = visit.tenant;
    let mut directory = tenant.directory();
    let target = super::find(visit, &directory, kind, address)?;
    callers::may_roll(caller, target)?;

    let request = Members::read(visit, "microsoft.graph.removeKey")?;
    request.allow(&["keyId", "proof"])?;
    let proof = request.text("proof")?.filter(|text| !text.is_empty());
    let proof = proof.ok_or_else(refusal::no_proof)?;
    let signer = proof::judge(visit, target, kind, proof).map_err(refusal::bad_proof)?;

    let key_id = request.text("keyId")?.unwrap_or_default().to_owned();
    if !key_id.is_empty() && uuid::Uuid::try_parse(&key_id).is_err() {
        return Err(refusal::wrong_type("keyId", "Edm.Guid"));
    }
    let object = target.object(kind);
    let doomed = object.registered().find(|entry| entry.key_id.eq_ignore_ascii_case(&key_id));
    let doomed = doomed.ok_or_else(|| refusal::nothing_to_remove(&rules::REMOVABLE))?;
    if doomed.certificate.sha1 == signer.certificate.sha1 {
        return Err(refusal::bad_proof(&proof_rules::OTHER_KEY));
    }
    check_spacing(visit, object)?;

    let heard_of = visit.knows(doomed, Purpose::Read);
    let app_id = target.app_id.clone();
    if let Some(target) = directory.by_app_id_mut(&app_id) {
        let object = target.object_mut(kind);
        object.written = Some(visit.now);
        object.remove(&key_id, visit.now);
    }
    match heard_of {
        true => Ok(Answer::no_content()),
        false => Err(refusal::nothing_to_remove(&rules::REMOVED_UNSEEN)),
    }
}

/// `passwordCredential.secretText`
fn password(request: &Members) -> Result<Option<String>, Refusal> {
    const OF: &str = "microsoft.graph.passwordCredential";
    let Some(credential) = request.object("passwordCredential", OF)? else {
        return Ok(None);
    };
    credential.allow(&[
        "customKeyIdentifier",
        "displayName",
        "endDateTime",
        "hint",
        "keyId",
        "secretText",
        "startDateTime",
    ])?;
    Ok(credential.text("secretText")?.map(str::to_owned))
}

/// A new entry, within its dates and what policies allow.
pub(super) fn entry(
    visit: &Visit<'_>,
    sent: &Sent,
    usage: Usage,
    certificate: Certificate,
    key_id: String,
) -> Result<KeyEntry, Refusal> {
    let (start, end) = sent.dates(&certificate, visit.now)?;
    let limits = &visit.settings.limits;
    if limits.certificates_refused {
        return Err(refusal::type_policy(POLICY));
    }
    if limits.key_lifetime.is_some_and(|longest| end > start.saturating_add_unsigned(longest)) {
        return Err(refusal::lifetime_policy(POLICY));
    }
    Ok(KeyEntry {
        key_id,
        certificate: Arc::new(certificate),
        display_name: sent.display_name.clone(),
        custom_key_identifier: sent.custom_key_identifier()?,
        usage,
        start,
        end,
        from: Some(visit.now),
        to: None,
    })
}

/// Refuses a write that follows another too closely (KEY-11).
pub(super) fn check_spacing(visit: &Visit<'_>, object: &DirectoryObject) -> Result<(), Refusal> {
    let spacing = visit.settings.limits.write_spacing;
    let collides =
        object.written.is_some_and(|written| visit.now < written.saturating_add_unsigned(spacing));
    match collides {
        true => Err(refusal::collision(spacing)),
        false => Ok(()),
    }
}

/// Refuses more keys than an object holds (KEY-12).
pub(super) fn check_size(
    visit: &Visit<'_>,
    object: &DirectoryObject,
    keys: usize,
) -> Result<(), Refusal> {
    let most = visit.settings.limits.keys_per_object;
    // Whoever has too many already may still remove some.
    let grows = keys > object.registered().count();
    match most.is_some_and(|most| grows && keys > most) {
        true => Err(refusal::full()),
        false => Ok(()),
    }
}
