//! The table of `decide`, row by row, in words. `docs/decision-table.md` is these rows.

use crate::knowledge_table;
use crate::words::{NOW, situation, words};
use rollkey_core::{Blocker, Reason, decide};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Rows that belong together.
struct Section {
    heading: &'static str,
    /// Why the rows are as they are.
    says: &'static str,
    /// What stands, and what is to be done.
    rows: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
const TABLE: &[Section] = &[
    Section {
        heading: "At rest",
        says: "Nothing is done before the current certificate is due. A key can be declared due: \
               that is a level and no event, so it means nothing once another key is current.",
        rows: &[
            ("current proven 60d",                                             "wait 30d: Healthy"),
            ("current proven 60d, sink 0 since 9d, sink 1 since 9d",           "wait 30d: Healthy"),
            ("current proven 30d1s",                                           "wait 1s: Healthy"),
            ("current proven 30d",                                             "stage, valid since 5m for 90d: RenewalDue"),
            ("current proven 60d, retiring current",                           "stage, valid since 5m for 90d: RenewalDue"),
            ("current proven 60d, retiring another",                           "wait 30d: Healthy"),
        ],
    },
    Section {
        heading: "A rotation, from start to end",
        says: "The key is durable before anybody hears of it; it is registered before anybody is asked; \
               it has worked for as long as replicas may lag before it is current, and works still \
               when consumers get it. Then the previous key has its overlap, goes from the \
               directory, and at last from the keystore.",
        rows: &[
            ("pending local, current proven 30d",                              "register pending by current: PendingUnregistered"),
            ("pending unproven, current proven 30d",                           "probe pending: PendingUnproven"),
            ("pending unproven refused by 0 20s, current proven 30d",          "wait 40s: PendingUnproven"),
            ("pending unproven refused by 0 1m, current proven 30d",           "probe pending: PendingUnproven"),
            ("pending settling 10m, current proven 30d",                       "wait 10m: PendingSettling"),
            ("pending settled, current proven 30d",                            "probe pending: PendingSettling"),
            ("pending settled now, current proven 30d",                        "promote pending: PendingProven"),
            ("current proven now 90d for 0s, previous proven, sink 0 behind",  "deliver current to sink 0: SinkBehind"),
            ("current proven 90d for 1h, previous proven, sink 0 since 1h",    "wait 23h10m: Overlapping"),
            ("current proven 90d for 1d10m, previous proven, sink 0 since 1d9m59s", "wait 1s: Overlapping"),
            ("current proven 90d for 1d10m, previous proven, sink 0 since 1d10m",   "remove previous by current: OverlapEnded"),
            ("current proven 90d, previous sent 10m ago, sink 0 since 2d",     "wait 20m: Removing"),
            ("current proven 90d, previous local sent 30m ago, sink 0 since 2d", "discard previous: PreviousGone"),
        ],
    },
    Section {
        heading: "The current key is not known to work",
        says: "After an import, or after the journal was lost. A key that consumers use already is \
               asked and settles like a new one, before anything that relies on it; but settling \
               keeps nobody from beginning the next rotation, which relies on nothing.",
        rows: &[
            ("current unproven 60d",                                           "probe current: CurrentUnproven"),
            ("current unproven 30d",                                           "probe current: CurrentUnproven"),
            ("current unproven refused by 0 20s 60d",                          "wait 40s: CurrentUnproven"),
            ("current unclear 60d",                                            "probe current: CurrentUnproven"),
            ("current settling 10m 60d",                                       "wait 10m: CurrentSettling"),
            ("current settled 60d",                                            "probe current: CurrentSettling"),
            ("current settling 10m 60d, sink 0 behind",                        "wait 10m: CurrentSettling"),
            ("current settling 10m 60d, previous proven",                      "wait 10m: CurrentSettling"),
            ("current settling 10m 30d5m",                                     "wait 5m: CurrentSettling"),
            ("current settling 10m 30d",                                       "stage, valid since 5m for 90d: RenewalDue"),
            ("current settled 30d",                                            "stage, valid since 5m for 90d: RenewalDue"),
            ("pending local, current settling 10m 30d",                        "register pending by current: PendingUnregistered"),
        ],
    },
    Section {
        heading: "Several audiences",
        says: "A key is accepted when all audiences accept it. Each is asked for itself, the one \
               that may be asked first goes first; the key settles from the last first yes. One no \
               casts doubt on every yes.",
        rows: &[
            ("two audiences, pending unproven, current proven 30d",            "probe pending at 0: PendingUnproven"),
            ("two audiences, pending accepted by 0 5s, current proven 30d",    "probe pending at 1: PendingUnproven"),
            ("two audiences, pending refused by 0 20s, current proven 30d",    "probe pending at 1: PendingUnproven"),
            ("two audiences, pending refused by 0 20s refused by 1 10s, current proven 30d",   "wait 40s: PendingUnproven"),
            ("two audiences, pending refused by 0 10s refused by 1 20s, current proven 30d",   "wait 40s: PendingUnproven"),
            ("two audiences, pending accepted by 0 30s refused by 1 20s, current proven 30d",  "probe pending at 0: PendingUnproven"),
            ("two audiences, pending refused by 0 30s accepted by 1 20s, current proven 30d",  "wait 30s: PendingUnproven"),
            ("two audiences, pending accepted by 0 30m accepted by 1 20m, current proven 30d", "wait 10m: PendingSettling"),
            ("two audiences, pending settled, current proven 30d",             "probe pending at 0: PendingSettling"),
            ("two audiences, pending accepted by 0 31m accepted by 1 30m accepted by 0 0s, current proven 30d", "probe pending at 1: PendingSettling"),
            ("two audiences, pending settled now, current proven 30d",         "promote pending: PendingProven"),
            ("two audiences, current unproven accepted by 0 5s 60d",           "probe current at 1: CurrentUnproven"),
        ],
    },
    Section {
        heading: "Several sinks",
        says: "The overlap counts from the last delivery. A sink that fails is tried again after a \
               pause; it holds back removals, and nothing else: not the other sinks, and not the \
               next rotation. A key is handed out only if it was seen to work a moment ago.",
        rows: &[
            ("current proven now 90d, sink 0 behind, sink 1 behind",           "deliver current to sink 0: SinkBehind"),
            ("current proven now 90d, sink 0 since 1h, sink 1 behind",         "deliver current to sink 1: SinkBehind"),
            ("current proven now 90d, sink 0 empty",                           "deliver current to sink 0: SinkBehind"),
            ("current proven accepted by 0 5m 90d, sink 0 behind",             "deliver current to sink 0: SinkBehind"),
            ("current proven accepted by 0 5m1s 90d, sink 0 behind",           "probe current: SinkBehind"),
            ("two audiences, current proven accepted by 0 5s 90d, sink 0 behind",    "probe current at 1: SinkBehind"),
            ("current proven now 90d, sink 0 failed 20s ago, sink 1 behind",   "deliver current to sink 1: SinkBehind"),
            ("current proven now 90d, sink 0 failed 2m ago, sink 1 failed 3m ago",   "deliver current to sink 1: SinkBehind"),
            ("current proven now 90d, sink 0 failed 1m ago",                   "deliver current to sink 0: SinkBehind"),
            ("current proven 90d, sink 0 failed 20s ago, sink 1 since 1h",     "wait 40s: SinkFailing"),
            ("current proven 30d10s, sink 0 failed 20s ago",                   "wait 10s: SinkFailing"),
            ("current proven 30d, sink 0 failed 2m ago",                       "stage, valid since 5m for 90d: RenewalDue"),
            ("current proven 90d, previous proven, sink 0 since 9d, sink 1 failed 20s ago", "wait 40s: SinkFailing"),
            ("current proven 90d, previous proven, sink 0 since 2d, sink 1 since 1d",       "wait 10m: Overlapping"),
            ("current proven 90d for 1d, previous proven, sink 0 since 2d, sink 1 since 2d", "wait 10m: Overlapping"),
            ("pending local, current proven now 30d, sink 0 behind",           "register pending by current: PendingUnregistered"),
            ("pending settling 10m, current proven now 30d, sink 0 behind",    "deliver current to sink 0: SinkBehind"),
            ("pending settling 10m, current proven now 30d, sink 0 failed 20s ago",         "wait 40s: PendingSettling"),
            ("pending settling 10s, current proven now 30d, sink 0 failed 20s ago",         "wait 10s: PendingSettling"),
            ("pending settling 10m, current settling 20m 30d, sink 0 behind",  "wait 10m: PendingSettling"),
            ("pending settled, current proven now 30d, sink 0 behind",         "probe pending: PendingSettling"),
            ("pending settled now, current proven now 30d, sink 0 behind",     "promote pending: PendingProven"),
            ("current proven now 90d, previous expired 1d, sink 0 behind",     "deliver current to sink 0: SinkBehind"),
            ("current proven now 90d, previous local expired 1d, sink 0 behind",            "deliver current to sink 0: SinkBehind"),
        ],
    },
    Section {
        heading: "Nothing is removed blindly",
        says: "To remove one key, both must be seen: not having heard that the other is gone is no \
               reason. What was sent is not sent again before the directory can show it. If the \
               key was to be removed before and is still said to be there, it is asked: an old \
               list and a lost call look alike. And renewing always goes first.",
        rows: &[
            ("current proven 90d, previous unclear",                           "wait 30m: DirectoryUnclear"),
            ("current proven unclear 90d, previous proven",                    "wait 30m: DirectoryUnclear"),
            ("current proven unclear 90d, previous local",                     "discard previous: PreviousGone"),
            ("current proven 30d10m, previous unclear",                        "wait 10m: DirectoryUnclear"),
            ("current proven 90d, previous unclear sent 10m ago",              "wait 20m: Removing"),
            ("current proven 30d10m, previous sent 10m ago",                   "wait 10m: Removing"),
            ("current proven 90d, previous sent 30m ago",                      "probe previous: OverlapEnded"),
            ("current proven 90d, previous sent 40m ago accepted by 0 5s",     "remove previous by current: OverlapEnded"),
            ("current proven 90d, previous sent 40m ago refused by 0 5s",      "remove previous by current: OverlapEnded"),
            ("current proven 90d, previous sent 40m ago expired 1d",           "remove previous by current: OverlapEnded"),
            ("current proven unclear 90d, previous sent 40m ago",              "wait 30m: DirectoryUnclear"),
            ("current proven 90d for 2d, previous for 2d sent 3d ago",         "remove previous by current: OverlapEnded"),
            ("current proven 90d for 2d, previous for 2d sent 2d ago",         "probe previous: OverlapEnded"),
            ("current proven 30d, previous proven",                            "stage, valid since 5m for 90d: RenewalDue"),
            ("current proven 30d, previous local",                             "stage, valid since 5m for 90d: RenewalDue"),
        ],
    },
    Section {
        heading: "Several previous keys",
        says: "After rotations during which a sink failed. Each goes when it can; one that cannot \
               be removed keeps none of the others.",
        rows: &[
            ("current proven 90d, previous unclear, previous proven",          "remove previous 2 by current: OverlapEnded"),
            ("current proven 90d, previous unclear, previous local",           "discard previous 2: PreviousGone"),
            ("current proven 90d, previous sent 10m ago, previous sent 5m ago", "wait 20m: Removing"),
            ("current proven 90d, previous sent 5m ago, previous sent 10m ago", "wait 20m: Removing"),
            ("current proven 90d, previous unclear, previous sent 10m ago",    "wait 20m: DirectoryUnclear"),
            ("current proven 90d, previous proven, previous proven, sink 0 failed 20s ago", "wait 40s: SinkFailing"),
            ("current proven 90d, previous expired 1d, previous proven, sink 0 failed 20s ago", "remove previous by current: OverlapEnded"),
        ],
    },
    Section {
        heading: "Another hand removed a key of ours",
        says: "A pending key is simply registered again. The current key is registered again with \
               the help of a previous one, if one still works: before giving up, every key that we \
               hold is asked.",
        rows: &[
            ("current local 60d, previous proven",                             "register current by previous: CurrentLost"),
            ("current local 60d, previous settling 10m",                       "register current by previous: CurrentLost"),
            ("current local 60d, previous unproven",                           "probe previous: ProverUntried"),
            ("current local 60d, previous refused by 0 20s",                   "wait 40s: ProverUntried"),
            ("current local 60d, previous refused by 0 20s, previous unproven", "probe previous 2: ProverUntried"),
            ("current local 60d, previous local, previous proven",             "register current by previous 2: CurrentLost"),
            ("current local 60d, previous sent 10m ago accepted by 0 5s",      "wait 20m: ProverUntried"),
            ("current local 60d, previous sent 10m ago accepted by 0 5s, previous proven",  "register current by previous 2: CurrentLost"),
            ("current local 60d, previous sent 40m ago accepted by 0 5s",      "register current by previous: CurrentLost"),
            ("pending local, current local 60d, previous proven",              "register pending by previous: PendingUnregistered"),
            ("pending local, current unproven 30d",                            "probe current: ProverUntried"),
            ("pending local, current unproven 30d, previous proven",           "register pending by previous: PendingUnregistered"),
            ("pending local, current settling 10m unclear 60d, previous settling 10m",      "register pending by previous: PendingUnregistered"),
            ("pending local, current settling 10m 60d, previous proven",       "register pending by previous: PendingUnregistered"),
            ("pending local, current settling 10m 60d, previous proven unclear", "register pending by current: PendingUnregistered"),
            ("pending local, current proven 60d, previous proven",             "register pending by current: PendingUnregistered"),
            ("pending settling 10m, current local 60d",                        "wait 10m: PendingSettling"),
            ("pending settled now, current local 60d",                         "promote pending: PendingProven"),
        ],
    },
    Section {
        heading: "Something has expired",
        says: "Expired keys prove nothing and harm nobody, so they go without regard to sinks, once \
               they have expired by the slowest clock. A pending key that expired must not keep us \
               from renewing: its entry is removed, but not waited for when half of the time for \
               renewing is gone.",
        rows: &[
            ("pending local expired 0s, current proven 60d",                   "discard pending: PendingExpired"),
            ("pending expired 1d, current proven 60d",                         "remove pending by current: PendingExpired"),
            ("pending expired 1d, current proven unclear 60d",                 "remove pending by current: PendingExpired"),
            ("pending expired 1d sent 10m ago, current proven 60d",            "wait 20m: Removing"),
            ("pending expired 1d sent 40m ago, current proven 60d",            "remove pending by current: PendingExpired"),
            ("pending unclear expired 1d, current proven 60d",                 "wait 30m: DirectoryUnclear"),
            ("pending unclear expired 1d, current proven now 60d, sink 0 behind", "deliver current to sink 0: SinkBehind"),
            ("pending expired 1d sent 10m ago, current proven 15d1s",          "wait 20m: Removing"),
            ("pending expired 1d sent 10m ago, current proven 15d",            "discard pending: PendingExpired"),
            ("pending unclear expired 1d, current proven 15d",                 "discard pending: PendingExpired"),
            ("pending expired 1d, current proven 15d",                         "remove pending by current: PendingExpired"),
            ("pending expired 1d, current expired 2d, previous proven",        "remove pending by previous: PendingExpired"),
            ("pending expired 1d sent 10m ago, previous proven",               "discard pending: PendingExpired"),
            ("pending expired 1d, current unproven 60d",                       "probe current: ProverUntried"),
            ("pending expired 1d, current expired 2d",                         "discard pending: PendingExpired"),
            ("pending settled now, current expired 1d",                        "promote pending: PendingProven"),
            ("current expired 0s, previous proven",                            "stage, valid since 5m for 90d: RenewalDue"),
            ("current expired 1d, previous unproven",                          "probe previous: ProverUntried"),
            ("previous proven",                                                "stage, valid since 5m for 90d: RenewalDue"),
            ("current proven 90d for 1h, previous expired 5m, sink 0 failed 20s ago",   "remove previous by current: OverlapEnded"),
            ("current proven 90d for 1h, previous expired 4m59s, sink 0 since 1h",      "wait 23h10m: Overlapping"),
            ("current proven unclear 90d, previous expired 1d",                "remove previous by current: OverlapEnded"),
            ("current proven 90d, previous unclear expired 1d",                "wait 30m: DirectoryUnclear"),
        ],
    },
    Section {
        heading: "Beyond our help",
        says: "`addKey` must be proven by a key that works. Without one a person must act.",
        rows: &[
            ("",                                                               "blocked: NoKey"),
            ("pending local",                                                  "blocked: NoKey"),
            ("current local 60d",                                              "blocked: NoUsableKey"),
            ("current expired 1d",                                             "blocked: NoUsableKey"),
            ("current expired 1d, previous local",                             "blocked: NoUsableKey"),
            ("pending local, current expired 1d",                              "blocked: NoUsableKey"),
            ("pending local, current local 60d",                               "blocked: NoUsableKey"),
        ],
    },
];

const INTRODUCTION: &str = "\
# The decision, as a table

What `rollkey` does next, in every situation that is worth telling apart. These rows are the tests
of [`decide`](../crates/rollkey-core/src/decide.rs); this page is written by them
(`cargo xtask docs`), and a test fails when it is stale.

The terms are the defaults: renew 30 days before the end of 90, `settle` and `propagation` 30
minutes, `overlap` one day, `poll` one minute. To the overlap come ten minutes, because our clock
may be wrong by five minutes either way.

How to read what stands:

* **pending**, **current**, **previous**: a key of ours, by its slot.
* **local**: the directory does not have it. **unclear**: we cannot tell. Otherwise the directory
  shows it.
* **unproven**: not seen to work. **settling 10m**: seen to work, and to be asked again in ten
  minutes. **settled**: to be asked again now. **proven**: it has worked and settled, some days
  ago; with **now**, it was also seen to work just now.
* **60d**: its certificate expires in sixty days. **for 1h**: in its slot for an hour. **sent 10m
  ago**: an `addKey` or `removeKey` for it was sent ten minutes ago.
* **accepted by 0 5s**, **refused by 1 20s**: what an audience said of it, and how long ago.
* **sink 0 since 1h**: consumers of sink 0 have been given the current key for an hour; **behind**:
  they are given another, **empty**: none; **failed 20s ago**: another, and the last delivery failed.
";

const KNOWLEDGE: &str = "
## How well a key is known

Before anything is decided: what the directory's list and the journal's notes (with their age) say
of the current key, unless another slot is named. Three values: a failed read is not an absence, an
old list is not one either, and the silence of a journal that was lost means nothing. What the token
endpoint said is good evidence of a key's absence only where no list can be had, only when no lag
can explain it, and only for a minute: somebody may have mended it.

| The list | The journal | So the key is |
| --- | --- | --- |
";

#[test]
fn every_row_holds() {
    let wrong: Vec<_> = TABLE
        .iter()
        .flat_map(|section| section.rows)
        .map(|(stands, expected)| (stands, expected, decided(stands)))
        .filter(|(_, expected, decided)| *expected != decided)
        .map(|(stands, expected, decided)| {
            format!("{stands}\n  expected  {expected}\n  decided   {decided}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn decided(stands: &str) -> String {
    let (seen, policy) = situation(stands);
    words(decide(&seen, &policy, NOW), &seen, &policy)
}

/// The names of all variants. A variant that is added and not listed here does not compile.
macro_rules! names {
    ($type:ident: $($variant:ident)*) => {{
        let _complete = |value: $type| match value { $($type::$variant => ()),* };
        [$(stringify!($variant)),*]
    }};
}

#[test]
fn every_reason_and_every_blocker_has_a_row() {
    let reasons = names! { Reason:
        CurrentLost CurrentSettling CurrentUnproven DirectoryUnclear Healthy OverlapEnded
        Overlapping PendingExpired PendingProven PendingSettling PendingUnproven
        PendingUnregistered PreviousGone ProverUntried Removing RenewalDue SinkBehind SinkFailing
    };
    let blockers = names! { Blocker: NoKey NoUsableKey };
    let why = |row: &(_, &'static str)| row.1.rsplit(": ").next();
    let told: BTreeSet<_> = TABLE.iter().flat_map(|section| section.rows).filter_map(why).collect();
    assert_eq!(told, reasons.into_iter().chain(blockers).collect());
}

#[test]
fn no_situation_is_told_twice() {
    let all: Vec<_> = TABLE.iter().flat_map(|section| section.rows).map(|row| row.0).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the page is read, and written when asked for")]
fn decision_table_document_shows_these_rows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/decision-table.md");
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(path, page()).expect("docs/ can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written.replace("\r\n", "\n") == page(),
        "docs/decision-table.md is stale: run `cargo xtask docs`"
    );
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for Section { heading, says, rows } in TABLE {
        _ = write!(page, "\n## {heading}\n\n");
        wrap(&mut page, says);
        page += "\n| What stands | What is done | Why |\n| --- | --- | --- |\n";
        for (stands, decision) in *rows {
            let stands = if stands.is_empty() { "nothing" } else { stands };
            let (step, why) = decision.rsplit_once(": ").expect("each decision has a reason");
            _ = writeln!(page, "| {stands} | {step} | `{why}` |");
        }
    }
    page += KNOWLEDGE;
    for (list, journal, known) in knowledge_table::ROWS {
        let journal = if journal.is_empty() { "nothing" } else { journal };
        _ = writeln!(page, "| {list} | {journal} | {known} |");
    }
    page
}

/// Lines of at most a hundred characters.
fn wrap(page: &mut String, text: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        if 100 < width + 1 + word.len() {
            page.push('\n');
            width = 0;
        }
        if 0 < width {
            page.push(' ');
        }
        page.push_str(word);
        width += 1 + word.len();
    }
    page.push('\n');
}
