//! The front desk: each request comes in here and its answer goes out here.
//!
//! Finds the service that an address belongs to, lets faults strike, writes the log, and puts the
//! headers on that every answer has. It knows no rule.

use std::time::Duration;

use crate::clock;
use crate::faults::{Fault, Operation};
use crate::http::{self, Answer, Request};
use crate::log::Exchange;
use crate::seed::Stream;
use crate::tenant::Tenant;
use crate::visit::{Note, Visit};
use crate::{graph, login};

/// How many characters of a path the log keeps.
const LONGEST_PATH: usize = 512;

/// What becomes of a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `None`: the connection ends without an answer.
    pub(crate) answer: Option<Answer>,
    /// How long the answer waits, on the wall clock.
    pub(crate) delay: Duration,
}

/// The service that an address belongs to.
enum Service {
    Login(login::Route),
    Graph(graph::Route),
    Nobody,
}

impl Service {
    fn of(segments: &[String]) -> Self {
        let graph = || graph::route(segments).map(Self::Graph);
        graph().or_else(|| login::route(segments).map(Self::Login)).unwrap_or(Self::Nobody)
    }

    fn operation(&self, request: &Request) -> Operation {
        match self {
            Self::Login(route) => route.operation(),
            Self::Graph(route) => route.operation(&request.method),
            Self::Nobody => Operation::Other,
        }
    }

    fn answer(&self, visit: &mut Visit<'_>) -> Answer {
        match self {
            Self::Login(route) => login::answer(visit, route),
            Self::Graph(route) => graph::answer(visit, route),
            Self::Nobody => Answer::not_found(),
        }
    }

    /// An error that a fault asked for, in the words of this service.
    fn scripted(
        &self,
        visit: &Visit<'_>,
        status: u16,
        code: &str,
        retry_after: Option<u64>,
    ) -> Answer {
        match self {
            Self::Login(_) => login::scripted(visit, status, code, retry_after),
            _ => graph::scripted(visit, status, code, retry_after),
        }
    }
}

/// Answers one request.
pub(crate) fn answer(tenant: &Tenant, request: &Request) -> Outcome {
    let segments = http::segments(&request.path).unwrap_or_default();
    let service = Service::of(&segments);
    let operation = service.operation(request);
    let settings = tenant.settings();
    let mut visit = Visit {
        tenant,
        request,
        segments: &segments,
        now: tenant.clock.now(),
        replica: tenant.choose_replica(&settings.lags),
        settings,
        request_id: tenant.seeds.guid(Stream::Request),
        client_request_id: request.client_request_id(),
        note: Note::default(),
    };

    let fault = tenant.faults.take(operation, &tenant.seeds);
    let (answer, is_lost) = match &fault {
        Some(Fault::CrashesBeforeEffect) => (None, true),
        Some(Fault::Answers { status, code, retry_after }) => {
            (Some(service.scripted(&visit, *status, code, *retry_after)), false)
        }
        Some(Fault::LosesItsAnswer) => (Some(service.answer(&mut visit)), true),
        Some(Fault::IsSlow(_)) | None => (Some(service.answer(&mut visit)), false),
    };
    let answer = answer.map(|answer| with_headers(&visit, &service, answer));

    note(&visit, operation, answer.as_ref(), is_lost);
    let delay = match fault {
        Some(Fault::IsSlow(by)) => by,
        _ => Duration::ZERO,
    };
    Outcome { answer: answer.filter(|_| !is_lost), delay }
}

/// The headers that every answer has.
fn with_headers(visit: &Visit<'_>, service: &Service, mut answer: Answer) -> Answer {
    let headers = &mut answer.headers;
    headers.push(("date", clock::http_date(visit.now)));
    headers.push(("request-id", visit.request_id.clone()));
    headers.push(("cache-control", "no-store".to_owned()));
    if let Some(id) = &visit.client_request_id {
        headers.push(("client-request-id", id.clone()));
    }
    match service {
        Service::Login(_) => {
            headers.push(("x-ms-request-id", visit.request_id.clone()));
            headers.push(("pragma", "no-cache".to_owned()));
        }
        Service::Graph(_) => {
            let info = format!(
                "{{\"ServerInfo\":{{\"DataCenter\":\"Emulator\",\"RoleInstance\":\"replica-{}\"}}}}",
                visit.replica.number,
            );
            headers.push(("x-ms-ags-diagnostic", info));
            headers.push(("odata-version", "4.0".to_owned()));
        }
        Service::Nobody => (),
    }
    if let Some(rule) = answer.rule {
        headers.push(("x-emulator-rule", rule.id.to_owned()));
    }
    answer
}

fn note(visit: &Visit<'_>, operation: Operation, answer: Option<&Answer>, is_lost: bool) {
    let exchange = Exchange {
        at: visit.now,
        method: visit.request.method.as_str().to_owned(),
        path: visit.request.path.chars().take(LONGEST_PATH).collect(),
        operation,
        app: visit.note.app.clone(),
        status: answer.map_or(0, |answer| answer.status),
        code: answer.and_then(|answer| answer.code.clone()),
        rule: answer.and_then(|answer| answer.rule).map(|rule| rule.id),
        request_id: visit.request_id.clone(),
        client_request_id: visit.client_request_id.clone(),
        thumbprint: visit.note.thumbprint.clone(),
        replica: visit.replica.number,
        answered: !is_lost,
    };
    tracing::debug!(
        ?exchange.operation, exchange.app, exchange.status, exchange.code, exchange.rule,
        exchange.request_id, "exchange"
    );
    visit.tenant.log.note(exchange);
}
