//! The Graph: applications and service principals, read and written.
//!
//! Which object and which action an address means is decided here; each action has a room of its
//! own below. Login is unknown here.

mod body;
mod callers;
mod keys;
mod objects;
mod query;
mod refusal;
mod update;

use axum::http::Method;

use crate::directory::{Directory, ObjectKind, Registration};
use crate::faults::Operation;
use crate::http::Answer;
use crate::visit::Visit;

pub(crate) use refusal::{Refusal, scripted};

/// What an address below `/v1.0` or `/beta` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// `v1.0` or `beta`: they behave alike.
    version: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Collection(ObjectKind),
    Object(ObjectKind, Address),
    AddKey(ObjectKind, Address),
    RemoveKey(ObjectKind, Address),
    /// Nothing that the emulator has: the segment at which it gave up.
    Nowhere(String),
}

/// How an address names an object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    /// `/applications/{id}`
    ObjectId(String),
    /// `/applications(appId='{appId}')`
    AppId(String),
}

/// The place that an address means; `None` if it is not an address of the Graph at all.
pub(crate) fn route(segments: &[String]) -> Option<Route> {
    let (version, rest) = segments.split_first()?;
    (version == "v1.0" || version == "beta")
        .then(|| Route { version: version.clone(), place: place(rest) })
}

fn place(segments: &[String]) -> Place {
    let nowhere = |segment: &str| Place::Nowhere(segment.to_owned());
    let Some((first, rest)) = segments.split_first() else {
        return nowhere("");
    };
    let (kind, address, rest) = match (collection(first), keyed(first), rest.split_first()) {
        (Some(kind), _, None) => return Place::Collection(kind),
        (Some(kind), _, Some((id, rest))) => (kind, Address::ObjectId(id.clone()), rest),
        (None, Some((kind, app_id)), _) => (kind, Address::AppId(app_id), rest),
        (None, None, _) => return nowhere(first),
    };
    match rest {
        [] => Place::Object(kind, address),
        [action] => {
            // The namespace may stand in front.
            let name = action.strip_prefix("microsoft.graph.").unwrap_or(action);
            match name {
                _ if name.eq_ignore_ascii_case("addKey") => Place::AddKey(kind, address),
                _ if name.eq_ignore_ascii_case("removeKey") => Place::RemoveKey(kind, address),
                _ => nowhere(action),
            }
        }
        [_, beyond, ..] => nowhere(beyond),
    }
}

fn collection(segment: &str) -> Option<ObjectKind> {
    let kinds = [ObjectKind::Application, ObjectKind::ServicePrincipal];
    kinds.into_iter().find(|kind| segment.eq_ignore_ascii_case(kind.collection()))
}

/// `applications(appId='...')`
fn keyed(segment: &str) -> Option<(ObjectKind, String)> {
    let (name, key) = segment.strip_suffix(')')?.split_once('(')?;
    let (property, value) = key.split_once('=')?;
    let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    let is_app_id = property.trim().eq_ignore_ascii_case("appId");
    Some((collection(name)?, is_app_id.then(|| value.to_owned())?))
}

impl Route {
    pub(crate) fn operation(&self, method: &Method) -> Operation {
        match (&self.place, method) {
            (Place::AddKey(..), &Method::POST) => Operation::AddKey,
            (Place::RemoveKey(..), &Method::POST) => Operation::RemoveKey,
            (Place::Object(..), &Method::GET) => Operation::Read,
            (Place::Object(..), &Method::PATCH) => Operation::Update,
            (Place::Collection(..), &Method::GET) => Operation::List,
            _ => Operation::Other,
        }
    }
}

/// Answers a request to the Graph.
pub(crate) fn answer(visit: &mut Visit<'_>, route: &Route) -> Answer {
    dispatch(visit, route).unwrap_or_else(|refusal| refusal.answer(visit))
}

fn dispatch(visit: &mut Visit<'_>, route: &Route) -> Result<Answer, Refusal> {
    let caller = callers::authenticate(visit)?;
    if let Place::Nowhere(segment) = &route.place {
        return Err(refusal::no_such_path(segment));
    }
    let context = format!("{}/{}/$metadata#", visit.base(), route.version);
    match (route.operation(&visit.request.method), &route.place) {
        (Operation::Read, Place::Object(kind, address)) => {
            objects::read(visit, &caller, *kind, address, &context)
        }
        (Operation::List, Place::Collection(kind)) => {
            objects::list(visit, &caller, *kind, &context)
        }
        (Operation::Update, Place::Object(kind, address)) => {
            update::update(visit, &caller, *kind, address)
        }
        (Operation::AddKey, Place::AddKey(kind, address)) => {
            keys::add(visit, &caller, *kind, address, &context)
        }
        (Operation::RemoveKey, Place::RemoveKey(kind, address)) => {
            keys::remove(visit, &caller, *kind, address)
        }
        _ => Err(refusal::method()),
    }
}

/// The application that an address means.
fn find<'a>(
    visit: &mut Visit<'_>,
    directory: &'a Directory,
    kind: ObjectKind,
    address: &Address,
) -> Result<&'a Registration, Refusal> {
    let found = match address {
        Address::ObjectId(id) => {
            if uuid::Uuid::try_parse(id).is_err() {
                return Err(refusal::object_id(id));
            }
            directory.by_object_id(kind, id).ok_or_else(|| refusal::no_such_object(id))
        }
        Address::AppId(app_id) => {
            directory.by_app_id(app_id).ok_or_else(|| refusal::no_such_object(app_id))
        }
    }?;
    visit.note.app = Some(found.name.clone());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Address, Place, route};
    use crate::directory::ObjectKind::{Application, ServicePrincipal};
    use crate::http::segments;

    #[test]
    fn addresses_in_all_their_spellings() {
        let id = || Address::ObjectId("7".to_owned());
        let app_id = || Address::AppId("7".to_owned());
        for (path, place) in [
            ("/v1.0/applications/7", Place::Object(Application, id())),
            ("/v1.0//applications/7/", Place::Object(Application, id())),
            ("/beta/applications(appId='7')", Place::Object(Application, app_id())),
            ("/v1.0/applications(appId=%277%27)/addKey", Place::AddKey(Application, app_id())),
            ("/v1.0/servicePrincipals/7/removeKey", Place::RemoveKey(ServicePrincipal, id())),
            ("/v1.0/applications/7/microsoft.graph.addKey", Place::AddKey(Application, id())),
            ("/v1.0/servicePrincipals", Place::Collection(ServicePrincipal)),
            ("/v1.0", Place::Nowhere(String::new())),
            ("/v1.0/users", Place::Nowhere("users".to_owned())),
            ("/v1.0/applications(id='7')", Place::Nowhere("applications(id='7')".to_owned())),
            ("/v1.0/applications/7/owners", Place::Nowhere("owners".to_owned())),
            ("/v1.0/applications/7/addKey/x", Place::Nowhere("x".to_owned())),
        ] {
            let route = route(&segments(path).unwrap()).unwrap();
            assert_eq!(route.place, place, "{path}");
        }
        assert!(route(&segments("/v2.0/applications").unwrap()).is_none());
    }
}
