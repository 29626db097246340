//! Login: the endpoints below `login.microsoftonline.com`.
//!
//! Which page an address means is decided here; the pages themselves are in the rooms below. The
//! Graph is unknown here.

mod assertion;
mod discovery;
mod refusal;
mod token;

use crate::faults::Operation;
use crate::http::Answer;
use crate::visit::Visit;

pub(crate) use refusal::scripted;

/// A page of login, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The first segment of the path: an id, a domain, or `common` and the like.
    tenant: String,
    page: Page,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Configuration(Version),
    InstanceDiscovery,
    Keys(Version),
    Token(Version),
}

/// The two generations of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// The page that an address means, if it is one of login's.
pub(crate) fn route(segments: &[String]) -> Option<Route> {
    let (tenant, rest) = segments.split_first()?;
    let rest: Vec<_> = rest.iter().map(String::as_str).collect();
    let page = match rest.as_slice() {
        [".well-known", "openid-configuration"] => Page::Configuration(Version::V1),
        ["v2.0", ".well-known", "openid-configuration"] => Page::Configuration(Version::V2),
        ["discovery", "instance"] => Page::InstanceDiscovery,
        ["discovery", "keys"] => Page::Keys(Version::V1),
        ["discovery", "v2.0", "keys"] => Page::Keys(Version::V2),
        ["oauth2", "token"] => Page::Token(Version::V1),
        ["oauth2", "v2.0", "token"] => Page::Token(Version::V2),
        _ => return None,
    };
    Some(Route { tenant: tenant.clone(), page })
}

impl Route {
    pub(crate) fn operation(&self) -> Operation {
        match self.page {
            Page::Token(_) => Operation::Token,
            _ => Operation::Discovery,
        }
    }
}

/// Answers a request to a page of login.
pub(crate) fn answer(visit: &mut Visit<'_>, route: &Route) -> Answer {
    let answered = match route.page {
        Page::Configuration(version) => discovery::configuration(visit, &route.tenant, version),
        Page::InstanceDiscovery => Ok(discovery::instance(visit)),
        Page::Keys(version) => discovery::keys(visit, &route.tenant, version),
        Page::Token(version) => token::token(visit, &route.tenant, version),
    };
    answered.unwrap_or_else(|refusal| refusal.answer(visit))
}

/// Names that stand for no tenant in particular.
fn is_nobody_in_particular(tenant: &str) -> bool {
    ["common", "organizations", "consumers"].iter().any(|name| tenant.eq_ignore_ascii_case(name))
}
