//! One request, one answer: what is asked again and when, what is told of a failure, and what is
//! never shown.

use crate::http_script::{Act, Script, answer, impatient, typed};
use rollkey::http::retry::{ATTEMPTS, LONGEST_WAIT};
use rollkey::http::{
    HttpError, Loss, MAX_BODY, Obstacle, Proxy, Request, Settings, SettingsError, Trust,
    WHOLE_TIMEOUT,
};
use rollkey::ports::{AccessToken, CertificateDer};
use rollkey::secret::SecretBytes;
use rollkey_core::{Span, Timestamp};
use std::error::Error;
use std::net::TcpListener;

const BEARER: &str = "bearer-that-nobody-may-see";
const BODY: &str = r#"{"proof":"proof-that-nobody-may-see"}"#;

fn bearer() -> AccessToken {
    AccessToken { token: BEARER.to_owned().into(), expires_at: Timestamp(0) }
}

fn change(url: &str, bearer: &AccessToken) -> Request<'static> {
    // The request borrows the token for as long as it lives; the tests keep it for ever.
    let bearer: &'static AccessToken = Box::leak(Box::new(bearer.clone()));
    Request::change(url, bearer, SecretBytes::new(BODY.into()))
}

fn get(url: &str, bearer: &AccessToken) -> Request<'static> {
    let bearer: &'static AccessToken = Box::leak(Box::new(bearer.clone()));
    Request::get(format!("{url}/x?$select=id"), bearer)
}

/// Sends a question and a change to the same script; tells how often each was sent, and what came
/// of it.
async fn check(story: &str, acts: &[Act], question: (usize, &str), a_change: (usize, &str)) {
    for (kind, (times, end)) in [("question", question), ("change", a_change)] {
        let script = Script::new(acts.to_vec());
        let (http, timer) = script.http();
        let request = match kind {
            "question" => get(&script.url(), &bearer()),
            _ => change(&script.url(), &bearer()),
        };
        let told = match http.send(&request).await {
            Ok(answer) => answer.status.to_string(),
            Err(HttpError::NotSent { obstacle, .. }) => format!("not sent: {obstacle:?}"),
            Err(HttpError::NoAnswer { loss, .. }) => format!("no answer: {loss:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, end, "{story}: a {kind}");
        assert_eq!(timer.pauses().len() + 1, times, "{story}: attempts of a {kind}");
    }
}

#[tokio::test]
async fn what_is_asked_again() {
    let ok = || answer(200, "", "{}");
    let says = |status| answer(status, "", "{}");
    let no_network = "not sent: Network";
    let broken = "no answer: Broken";

    check("it works at once", &[ok()], (1, "200"), (1, "200")).await;
    check("never left, then works", &[Act::Slam, ok()], (2, "200"), (2, "200")).await;
    check("never leaves", &[Act::Slam], (4, no_network), (4, no_network)).await;
    check("the answer is lost", &[Act::HangUp, ok()], (2, "200"), (1, broken)).await;
    let half = Act::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_vec());
    check("half an answer", &[half, ok()], (2, "200"), (1, broken)).await;
    let gibberish = Act::Cut(b"220 mail.example ESMTP\r\n".to_vec());
    check("not HTTP", &[gibberish, ok()], (2, "200"), (1, broken)).await;
    for status in [429, 503] {
        check("asked to wait", &[says(status), ok()], (2, "200"), (2, "200")).await;
        let end = status.to_string();
        check("asked to wait for ever", &[says(status)], (4, &end), (4, &end)).await;
    }
    check("two writes at once", &[says(409), ok()], (1, "409"), (2, "200")).await;
    check("a gateway gave up", &[says(504), ok()], (2, "200"), (1, "504")).await;
    for status in [301, 400, 401, 403, 404, 408, 500, 502] {
        let end = status.to_string();
        check("no use asking again", &[says(status), ok()], (1, &end), (1, &end)).await;
    }
    assert_eq!(ATTEMPTS, 4);
}

#[tokio::test]
async fn pauses_double_and_vary() {
    let script = Script::new([answer(503, "", "{}")]);
    let (http, timer) = script.http();
    http.send(&get(&script.url(), &bearer())).await.expect("an answer");
    let pauses = timer.pauses();
    assert_eq!(pauses.len(), 3);
    for (pause, least) in pauses.iter().zip([1.0, 2.0, 4.0]) {
        let pause = pause.as_secs_f64();
        assert!(least <= pause && pause <= 2.0 * least, "{pause} s after {least} s");
    }
}

#[tokio::test]
async fn retry_after_is_honoured_up_to_a_limit() {
    let says = |headers: &str| answer(429, headers, "{}");
    let date = "date: Fri, 15 Jan 2027 12:00:00 GMT";
    for (story, headers, waits, span) in [
        ("seconds", "retry-after: 17".to_owned(), Some(17), Some(17)),
        (
            "a date, by the service's own clock",
            format!("{date}\nretry-after: Fri, 15 Jan 2027 12:00:20 GMT"),
            Some(20),
            Some(20),
        ),
        ("as long as we wait", "retry-after: 60".to_owned(), Some(60), Some(60)),
        ("longer than we wait", "retry-after: 61".to_owned(), None, Some(61)),
    ] {
        let script = Script::new([says(&headers)]);
        let (http, timer) = script.http();
        let last = http.send(&change(&script.url(), &bearer())).await.expect("an answer");
        assert_eq!(last.retry_after, span.map(Span), "{story}");
        assert_eq!(timer.seconds(), waits.map_or(vec![], |s| vec![s; 3]), "{story}");
    }
    assert_eq!(LONGEST_WAIT.as_secs(), 60);

    let script = Script::new([says("retry-after: 0"), answer(200, "", "{}")]);
    let (http, timer) = script.http();
    http.send(&get(&script.url(), &bearer())).await.expect("an answer");
    assert_eq!(timer.seconds(), [1], "zero seconds is still our own pause");
}

#[tokio::test]
async fn a_change_that_is_not_answered_in_time_is_not_sent_again() {
    let script = Script::new([Act::Stall]);
    let (http, timer) = script.http();
    let request = change(&script.url(), &bearer());
    let sending = tokio::spawn(async move { http.send(&request).await });
    script.stalled().await;
    tokio::time::pause();
    tokio::time::advance(WHOLE_TIMEOUT).await;
    let error = sending.await.expect("no panic").expect_err("no answer");
    assert!(matches!(error, HttpError::NoAnswer { loss: Loss::Timeout, .. }), "{error:?}");
    assert!(!error.never_left());
    assert!(error.to_string().ends_with("was asked and did not answer in 60 s"), "{error}");
    assert!(timer.pauses().is_empty());
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn the_first_request_builds_the_client_and_the_next_uses_its_connection() {
    let script = Script::new([answer(200, "", "{}")]);
    let (http, _) = script.http();
    assert!(format!("{http:?}").contains("built: false"), "{http:?}");
    for _ in 0..3 {
        http.send(&get(&script.url(), &bearer())).await.expect("an answer");
    }
    assert!(format!("{http:?}").contains("built: true"), "{http:?}");

    let seen = script.seen();
    let first = &seen[0];
    assert_eq!(first.line, "GET /x?$select=id HTTP/1.1");
    assert_eq!(first.header("authorization"), Some(&*format!("Bearer {BEARER}")));
    assert_eq!(first.header("accept"), Some("application/json"));
    let agent = format!("rollkey/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(first.header("user-agent"), Some(&*agent));
    let ids: Vec<_> = seen.iter().map(|seen| seen.header("client-request-id")).collect();
    assert!(ids[0].is_some_and(|id| id.len() == 36), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "a new id for each request: {ids:?}");
}

#[tokio::test]
async fn an_answer_keeps_its_ids_and_its_date() {
    let headers = "date: Fri, 15 Jan 2027 12:00:00 GMT\nx-ms-request-id: of-login\n\
                   request-id: of-graph\nclient-request-id: echoed";
    let script = Script::new([answer(200, headers, "{}")]);
    let (http, _) = script.http();
    let answer = http.send(&get(&script.url(), &bearer())).await.expect("an answer");
    assert_eq!(answer.service_time, Some(Timestamp(1_800_014_400)));
    assert_eq!(answer.request_id.as_deref(), Some("of-graph"));
    let sent = script.seen()[0].header("client-request-id").map(str::to_owned);
    assert_eq!(Some(answer.client_request_id), sent);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Script::new([answer(200, "", "{}")]);
    let script = Script::new([answer(307, &format!("location: {}", elsewhere.url()), "")]);
    let (http, _) = script.http();
    let answer = http.send(&get(&script.url(), &bearer())).await.expect("an answer");
    assert_eq!(answer.status, 307);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    let script = Script::new([typed(200, "text/plain", "", &"x".repeat(MAX_BODY + 1))]);
    let (http, _) = script.http();
    let error = http.send(&change(&script.url(), &bearer())).await.expect_err("too long");
    assert!(matches!(error, HttpError::NoAnswer { loss: Loss::TooLong, .. }), "{error:?}");
    assert!(error.to_string().ends_with("answered with more than 8 MiB"), "{error}");
}

/// A failure before anything left: what stood in the way, and in which words.
async fn check_obstacle(settings: Settings, url: &str, obstacle: Obstacle, words: &[&str]) {
    let (http, timer) = impatient(settings);
    let error = http.send(&get(url, &bearer())).await.expect_err("no connection");
    assert!(error.never_left(), "{error:?}");
    assert_eq!(error.obstacle(), Some(obstacle), "{error:?}");
    assert_eq!(timer.pauses().is_empty(), !obstacle.may_pass(), "{error}");
    let text = format!("{error}: {}", error.source().expect("a cause"));
    for word in words {
        assert!(text.contains(word), "{text:?} lacks {word:?}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_told() {
    let script = Script::new([answer(200, "", "{}")]);
    let other = Script::new([answer(200, "", "{}")]);
    let trusting = |trust| Settings { trust, proxy: None };

    let words = ["localhost:", "not issued by an authority that we trust", "BadSignature"];
    let made_anew = trusting(other.trust());
    check_obstacle(made_anew, &script.url(), Obstacle::Untrusted, &words).await;
    let words = ["localhost:", "not issued by an authority that we trust", "UnknownIssuer"];
    let stranger = Trust::Only(vec![CertificateDer(a_stranger())]);
    check_obstacle(trusting(stranger), &script.url(), Obstacle::Untrusted, &words).await;

    let misnamed = Script::named("other.example", [answer(200, "", "{}")]);
    let words = ["its certificate does not suit it", "other.example"];
    let settings = trusting(misnamed.trust());
    check_obstacle(settings, &misnamed.url(), Obstacle::Certificate, &words).await;

    let closed = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a port");
    let url = format!("https://localhost:{}", closed.port());
    let words = ["the network does not lead there", "refused"];
    check_obstacle(trusting(script.trust()), &url, Obstacle::Network, &words).await;

    let words = ["no-such-host.invalid: its name could not be resolved"];
    let url = "https://no-such-host.invalid";
    check_obstacle(trusting(script.trust()), url, Obstacle::Name, &words).await;

    let words = ["the request makes no sense", "URL scheme is not allowed"];
    let url = "http://localhost";
    check_obstacle(trusting(script.trust()), url, Obstacle::Request, &words).await;

    let via = format!("http://me:secret@localhost:{}", closed.port());
    let proxy = Some(Proxy::new(&via, None).expect("a proxy"));
    let settings = Settings { trust: script.trust(), proxy };
    let shown = format!("through the proxy http://localhost:{}:", closed.port());
    check_obstacle(settings, &script.url(), Obstacle::Network, &[&shown]).await;
}

/// An authority that has issued nothing.
fn a_stranger() -> Vec<u8> {
    let mut params = rcgen::CertificateParams::new([]).expect("parameters");
    params.distinguished_name.push(rcgen::DnType::CommonName, "A stranger");
    let key = rcgen::KeyPair::generate().expect("a key");
    params.self_signed(&key).expect("a certificate").der().to_vec()
}

#[tokio::test]
async fn the_platform_and_one_more_are_trusted_together() {
    let script = Script::new([answer(200, "", "{}")]);
    let Trust::Only(only) = script.trust() else { unreachable!() };
    let settings = Settings { trust: Trust::PlatformAnd(only), proxy: None };
    let (http, _) = impatient(settings);
    let answer = http.send(&get(&script.url(), &bearer())).await.expect("an answer");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_proxy_is_passed_by_where_it_should_be() {
    let script = Script::new([answer(200, "", "{}")]);
    let proxy = Proxy::new("http://127.0.0.1:9", Some("localhost")).expect("a proxy");
    let (http, _) = impatient(Settings { trust: script.trust(), proxy: Some(proxy) });
    http.send(&get(&script.url(), &bearer())).await.expect("an answer");
}

#[tokio::test]
async fn bad_settings_are_told_and_not_tried_again() {
    let trust = Trust::Only(vec![CertificateDer(b"no certificate".to_vec())]);
    let (http, timer) = impatient(Settings { trust, proxy: None });
    let error = http.send(&get("https://localhost", &bearer())).await.expect_err("no client");
    assert!(error.never_left());
    assert!(matches!(error, HttpError::Settings(SettingsError::Authorities(_))), "{error:?}");
    assert!(timer.pauses().is_empty());

    for (pem, told) in [
        ("nothing", "it holds no certificate"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "not PEM"),
    ] {
        let error = Trust::certificates(pem.as_bytes()).expect_err("no authority").to_string();
        assert!(error.contains(told), "{error}");
    }
    for (url, told) in [
        ("secret", "it is not a URL"),
        ("socks5://secret@localhost", "it is neither http nor https"),
    ] {
        let error = Proxy::new(url, None).expect_err("no proxy").to_string();
        assert!(error.contains(told) && !error.contains("secret"), "{error}");
    }
}
