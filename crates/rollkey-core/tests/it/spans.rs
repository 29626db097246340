//! Lengths of time and instants.

use rollkey_core::{Span, Timestamp};

#[test]
fn a_length_of_time_is_read_and_shown_in_its_shortest_form() {
    let check = |text: &str, seconds: u64, shown: &str| {
        let span: Span = text.parse().expect(text);
        assert_eq!(span, Span(seconds), "{text}");
        assert_eq!(span.to_string(), shown);
        assert_eq!(shown.parse(), Ok(span));
    };
    check("0s", 0, "0s");
    check("0d", 0, "0s");
    check("90s", 90, "1m30s");
    check("15m", 900, "15m");
    check("60m", 3_600, "1h");
    check("24h", 86_400, "1d");
    check("1d12h", 129_600, "1d12h");
    check("1d1s", 86_401, "1d1s");
    check("2d3h4m5s", 183_845, "2d3h4m5s");
    check("0030d", 2_592_000, "30d");
    check("18446744073709551615s", u64::MAX, "213503982334601d7h15s");
}

#[test]
fn what_may_be_a_slip_is_refused() {
    for text in [
        "",
        " ",
        "d",
        "30",
        "30 d",
        "d30",
        "-1d",
        "+1d",
        "1.5d",
        "1,5d",
        "1w",
        "1y",
        "1M",
        "1D",
        "12h1d",
        "1d1d",
        "1d12",
        "1d h",
        "1dd",
        "١d",
        "1µs",
        "5ms",
        // Longer than can be counted, at once and added up.
        "18446744073709551616s",
        "213503982334602d",
        "213503982334601d7h16s",
    ] {
        let refused = text.parse::<Span>().expect_err(text);
        assert_eq!(
            refused.to_string(),
            "not a length of time: write it like 30d, 12h, 15m or 1d12h"
        );
    }
}

#[test]
fn units_are_what_they_say() {
    assert_eq!(Span::seconds(7), Span(7));
    assert_eq!(Span::minutes(7), Span(420));
    assert_eq!(Span::hours(7), Span(25_200));
    assert_eq!(Span::days(7), Span(604_800));
    assert_eq!(Span::minutes(5).twice(), Span::minutes(10));
    assert_eq!(Span::minutes(5) + Span::seconds(1), Span(301));
}

#[test]
fn instants_neither_wrap_nor_panic() {
    let (earlier, later) = (Timestamp(100), Timestamp(160));
    assert_eq!(later.since(earlier), Span(60));
    assert_eq!(earlier.since(later), Span(0));
    assert_eq!(later.distance(earlier), Span(60));
    assert_eq!(earlier.distance(later), Span(60));
    assert_eq!(earlier + Span(60), later);
    assert_eq!(later - Span(60), earlier);
    assert_eq!(earlier - Span(101), Timestamp(0));
    assert_eq!(later + Span(u64::MAX), Timestamp(u64::MAX));
    assert_eq!(Span(u64::MAX) + Span(1), Span(u64::MAX));
}
