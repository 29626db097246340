//! Queries: `$select`, `$filter`, `$top`, `$count`, `$skiptoken`.
//!
//! The little of OData that clients of this emulator use; what is not understood is refused.

use std::collections::BTreeSet;

use crate::directory::{ObjectKind, Registration};
use crate::http;

use super::refusal::{self, Refusal};

/// How many objects a page has if `$top` does not say.
const PAGE: usize = 100;

/// The largest `$top`.
const LARGEST_PAGE: usize = 999;

/// A query, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// The properties asked for; `None`: the usual ones.
    pub(super) select: Option<BTreeSet<String>>,
    pub(super) filter: Option<Filter>,
    pub(super) top: usize,
    pub(super) count: bool,
    /// How many objects the pages before had.
    pub(super) skip: usize,
    /// `$top`, `$filter` and so on, as needed to ask for the next page.
    pub(super) again: Vec<(String, String)>,
}

/// `property eq 'value'`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter {
    property: Property,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    AppId,
    Id,
    DisplayName,
}

impl Query {
    /// Reads a query; `known` are the properties that `$select` may name.
    pub(super) fn read(text: &str, kind: ObjectKind, known: &[&str]) -> Result<Self, Refusal> {
        let unreadable = || refusal::query("The query specified in the URI is not valid.");
        let mut query = Self {
            select: None,
            filter: None,
            top: PAGE,
            count: false,
            skip: 0,
            again: Vec::new(),
        };
        for (name, value) in http::pairs(text).ok_or_else(unreadable)? {
            match name.as_str() {
                "$select" => query.select = Some(select(&value, kind, known)?),
                "$filter" => query.filter = Some(filter(&value)?),
                "$top" => query.top = top(&value)?,
                "$count" => query.count = value.eq_ignore_ascii_case("true"),
                "$skiptoken" => query.skip = value.parse().map_err(|_| unreadable())?,
                _ if name.starts_with('$') => {
                    let message = format!("The query option '{name}' is not supported.");
                    return Err(refusal::query(message));
                }
                // Parameters of others, as `client-request-id`.
                _ => continue,
            }
            if name != "$skiptoken" {
                query.again.push((name, value));
            }
        }
        Ok(query)
    }

    /// Whether the answer shall show this property.
    pub(super) fn shows(&self, property: &str) -> bool {
        self.select.as_ref().is_none_or(|selected| selected.contains(property))
    }

    /// Whether `$select` names this property.
    pub(super) fn names(&self, property: &str) -> bool {
        self.select.as_ref().is_some_and(|selected| selected.contains(property))
    }

    /// The query for the page after this one.
    pub(super) fn next_page(&self) -> String {
        let skip = ("$skiptoken".to_owned(), (self.skip + self.top).to_string());
        let pairs = self.again.iter().chain([&skip]);
        let pairs = pairs.map(|(name, value)| format!("{name}={}", encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

impl Filter {
    pub(super) fn fits(&self, registration: &Registration, kind: ObjectKind) -> bool {
        let object = registration.object(kind);
        match self.property {
            Property::AppId => registration.app_id.eq_ignore_ascii_case(&self.value),
            Property::Id => object.id.eq_ignore_ascii_case(&self.value),
            Property::DisplayName => object.display_name.eq_ignore_ascii_case(&self.value),
        }
    }
}

fn select(value: &str, kind: ObjectKind, known: &[&str]) -> Result<BTreeSet<String>, Refusal> {
    let property = |name: &str| {
        let name = name.trim();
        let found = known.iter().find(|known| known.eq_ignore_ascii_case(name));
        found.map(|known| (*known).to_owned()).ok_or_else(|| {
            refusal::query(format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{}'.",
                kind.type_name(),
            ))
        })
    };
    value.split(',').map(property).collect()
}

fn filter(value: &str) -> Result<Filter, Refusal> {
    let unsupported = || refusal::query(format!("Invalid filter clause: '{value}'."));
    let mut words = value.trim().splitn(3, ' ');
    let (Some(property), Some(operator), Some(literal)) =
        (words.next(), words.next(), words.next())
    else {
        return Err(unsupported());
    };
    let property = match property {
        "appId" => Property::AppId,
        "id" => Property::Id,
        "displayName" => Property::DisplayName,
        _ => return Err(unsupported()),
    };
    let literal = literal.trim().strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    // A quote within is written twice; a single one ends the literal too early.
    let value = literal.map(|it| it.replace("''", "\u{0}")).filter(|it| !it.contains('\''));
    match value {
        Some(value) if operator == "eq" => {
            Ok(Filter { property, value: value.replace('\u{0}', "'") })
        }
        _ => Err(unsupported()),
    }
}

fn top(value: &str) -> Result<usize, Refusal> {
    match value.parse() {
        Ok(top @ 1..=LARGEST_PAGE) => Ok(top),
        _ => Err(refusal::query(format!("Invalid page size specified: '{value}'."))),
    }
}

/// Encodes a value for a query.
fn encode(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~,".contains(&byte);
    value
        .bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
