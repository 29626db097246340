//! Callers of the Graph: who they are, and what they may do.
//!
//! Rules `ACC`. A proof is something else, and judged in the room `proof`.

use crate::access_token::{self, Caller, Refused};
use crate::directory::{Permission, Registration};
use crate::rules::access;
use crate::visit::Visit;

use super::refusal::{self, Refusal};

/// Verifies the access token.
pub(super) fn authenticate(visit: &Visit<'_>) -> Result<Caller, Refusal> {
    let header = visit.request.header("authorization").unwrap_or_default();
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(refusal::token_missing());
    }
    access_token::check(visit, token).map_err(|refused| match refused {
        Refused::NotOurs => refusal::token_malformed(),
        Refused::Audience => refusal::token_audience(),
        Refused::Expired => refusal::token_expired(),
    })
}

/// Whether `caller` may see `target`.
pub(super) fn may_read(caller: &Caller, target: &Registration) -> Result<(), Refusal> {
    let may = is(caller, target) || reads_all(caller) || writes(caller, target);
    may.then_some(()).ok_or_else(|| refusal::denied(&access::READ))
}

/// Whether `caller` may see every application.
pub(super) fn reads_all(caller: &Caller) -> bool {
    has(caller, Permission::ApplicationReadAll) || writes_all(caller)
}

/// Whether `caller` may add keys to `target` and remove them, with a proof.
pub(super) fn may_roll(caller: &Caller, target: &Registration) -> Result<(), Refusal> {
    let may = is(caller, target) || writes(caller, target);
    may.then_some(()).ok_or_else(|| refusal::denied(&access::ROLL))
}

/// Whether `caller` may replace the keys of `target`, without a proof.
pub(super) fn may_update(caller: &Caller, target: &Registration) -> Result<(), Refusal> {
    writes(caller, target).then_some(()).ok_or_else(|| refusal::denied(&access::UPDATE))
}

fn is(caller: &Caller, target: &Registration) -> bool {
    caller.app_id == target.app_id
}

fn writes(caller: &Caller, target: &Registration) -> bool {
    let owns = has(caller, Permission::ApplicationReadWriteOwnedBy)
        && target.owners.contains(&caller.app_id);
    owns || writes_all(caller)
}

fn writes_all(caller: &Caller) -> bool {
    has(caller, Permission::ApplicationReadWriteAll)
        || has(caller, Permission::DirectoryReadWriteAll)
}

fn has(caller: &Caller, permission: Permission) -> bool {
    caller.roles.contains(permission.name())
}
