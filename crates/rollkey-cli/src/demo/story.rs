//! How the demo tells its story: for a person who never heard of addKey.

use super::clock_face;
use super::stage::Stage;
use crate::commands::status;
use crate::output::Output;
use crate::words;
use rollkey::answer::Refusal;
use rollkey::rotation::{Look, Parts};
use rollkey_core::{Reason, Span, Step, Timestamp};
use rollkey_emulator::ReplicaView;

const OPENING: &str = "\
rollkey demo: the certificate of one application is rolled, from start to end

An application signs in to Microsoft Entra ID with a certificate. When the certificate expires,
everything that the application does stops. Microsoft Graph lets an application replace its own
certificate without any permission (`addKey`, `removeKey`), if each call carries a proof: a short
token signed with a key that is registered already. Sign wrongly, trust a replica too early, or
crash half-way, and the application is locked out.

Here rollkey does it against a test server on this machine: real TLS, every signature checked,
replicas that lag for minutes, an answer that gets lost, and a crash. Its clock is the demo's, so
a day passes in seconds.";

pub(super) struct Story<'a> {
    output: &'a Output,
    start: Timestamp,
}

impl<'a> Story<'a> {
    pub(super) fn new(output: &'a Output, start: Timestamp) -> Self {
        Self { output, start }
    }

    pub(super) fn line(&self, text: &str) {
        self.output.line(text);
    }

    pub(super) fn chapter(&self, title: &str) {
        self.line("");
        self.line(title);
        self.line(&"-".repeat(title.len()));
    }

    pub(super) fn opening(&self, stage: &Stage) {
        self.line(OPENING);
        self.chapter("The world");
        let fact = |name: &str, value: &str| self.line(&format!("  {name:<12} {value}"));
        fact(
            "service",
            &format!(
                "login and Graph at {} (seed {})",
                stage.emulator.login_url(),
                stage.emulator.seed()
            ),
        );
        fact("application", &format!("billing, app id {}", stage.application.app_id()));
        fact(
            "foreign key",
            "registered by somebody else on the same application; not ours to touch",
        );
        fact("consumer", "signs in every 10 minutes with the key that it read from its folder;");
        fact("", "reads again every 6 hours, as a service does that is restarted now and then");
    }

    /// The keys as `rollkey status` shows them.
    pub(super) fn table(&self, title: &str, look: &Look, parts: &Parts) {
        self.chapter(title);
        for line in status::keys(look, parts).to_string().lines() {
            self.line(&format!("  {}", line.trim_end()));
        }
    }

    pub(super) fn step(&self, now: Timestamp, step: &Step, why: Reason, parts: &Parts) {
        self.at(now, &words::step(step, parts));
        self.aside(&format!("because {}", words::reason(why)));
    }

    pub(super) fn refused(&self, refusal: &Refusal) {
        self.aside(&format!("no: {} {}", refusal.status, refusal.code));
    }

    pub(super) fn replicas(&self, views: &[ReplicaView]) {
        let views: Vec<String> = views
            .iter()
            .map(|view| {
                let says = match (view.lists, view.accepts) {
                    (_, true) => "accepts the new key",
                    (true, false) => "lists the new key, and does not accept it yet",
                    (false, false) => "has not heard of the new key",
                };
                format!("replica {} {says}", view.replica + 1)
            })
            .collect();
        if !views.is_empty() {
            self.aside(&views.join("; "));
        }
    }

    pub(super) fn delivered(&self, parts: &Parts) {
        let names: Vec<_> = parts.sinks.iter().map(|sink| sink.name()).collect();
        self.aside(&format!("`{}` reads it from now on, when it next looks", names.join("`, `")));
    }

    pub(super) fn lost_answer(&self, error: &[String]) {
        for (n, cause) in error.iter().enumerate() {
            self.aside(&format!("{}{cause}", if n == 0 { "NO ANSWER: " } else { "  " }));
        }
        self.aside("It is not sent again: that could register the key twice.");
        self.aside(
            "CRASH: the process is gone, with everything that it knew. A new one starts, and",
        );
        self.aside("looks at the world instead of remembering what it was about to do.");
    }

    pub(super) fn waits(&self, now: Timestamp, until: Timestamp, why: Reason) {
        let span = words::about(until.since(now));
        self.at(now, &format!("wait for {span}: {}", words::reason(why)));
    }

    /// A promise, and whether it was kept.
    #[must_use]
    pub(super) fn check(&self, kept: bool, promise: &str) -> bool {
        self.line(&format!("  {} {promise}", if kept { "yes" } else { "NO " }));
        kept
    }

    pub(super) fn files(&self, stage: &Stage) {
        self.chapter("Files left for you to look at");
        let file = |name: &str, what: &str| self.line(&format!("  {name:<34} {what}"));
        self.line(&format!("  in {}:", stage.folder.display()));
        file("rollkey.toml", "the configuration: ten lines");
        file("state/billing/keystore/", "the keys in rollkey's custody");
        file("state/billing/journal.jsonl", "what cannot be looked up again");
        file("consumer/current/bundle.pem", "what consumers read");
        file("billing.pfx", "the certificate from before; it opens nothing any more");
        self.line("");
        self.line("Next: docs/tutorial.md does the same by hand, in ten minutes.");
    }

    fn at(&self, now: Timestamp, what: &str) {
        let day = now.since(self.start).0 / Span::days(1).0;
        let day = if day == 0 { String::new() } else { format!("+{day}d") };
        self.line(&format!("  {} {day:<3} {what}", clock_face(now)));
    }

    fn aside(&self, text: &str) {
        self.line(&format!("               {text}"));
    }
}
