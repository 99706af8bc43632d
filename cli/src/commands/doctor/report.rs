//! The lines as they are found. A check may wait for seconds on a silent network, and a user who watches wants to see at once
//! what is already known; programs get one object in the end.

use serde_json::{Value, json};

use super::finding::{Check, Finding, Outcome};
use crate::error::one_line;
use crate::exit::Exit;
use crate::terminal::{answer, print};

/// How far it went without a fault, if there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// A message was delivered.
    Delivery,
    /// The platform has let the device in.
    Admission,
    /// Whether it would is not known.
    Endpoint,
}

/// All that was found.
pub struct Report {
    is_json: bool,
    entries: Vec<(Check, Finding)>,
    not_checked: Vec<String>,
}

impl Report {
    pub fn new(is_json: bool) -> Self {
        Self { is_json, entries: Vec::new(), not_checked: Vec::new() }
    }

    /// Adds what a check has found, and shows it.
    pub fn add(&mut self, check: Check, finding: Finding) {
        if !self.is_json {
            show(check, &finding);
        }
        self.entries.push((check, finding));
    }

    /// Adds that a check cannot be made, if one of those that it needs has failed or was not made either.
    pub fn skip_without(&mut self, check: Check, needed: &[Check]) -> bool {
        let is_missing = |needed: &&Check| {
            let outcome = self.outcome_of(**needed);
            matches!(outcome, None | Some(Outcome::Failed | Outcome::Skipped))
        };
        let Some(missing) = needed.iter().find(is_missing) else { return false };
        self.add(check, Finding::skipped(format!("needs {}", missing.name())));
        true
    }

    /// Adds that a check is not worth making, if one of these was made and has failed.
    pub fn skip_after(&mut self, check: Check, made: &[Check]) -> bool {
        let has_failed = |made: &&Check| self.outcome_of(**made) == Some(Outcome::Failed);
        let Some(failed) = made.iter().find(has_failed) else { return false };
        self.add(check, Finding::skipped(format!("needs {}", failed.name())));
        true
    }

    /// Adds what this cannot tell.
    pub fn leave_open(&mut self, what: impl Into<String>) {
        self.not_checked.push(what.into());
    }

    /// Whether a check was made and nothing failed in it.
    pub fn has_passed(&self, check: Check) -> bool {
        matches!(self.outcome_of(check), Some(Outcome::Passed | Outcome::Warned))
    }

    fn outcome_of(&self, check: Check) -> Option<Outcome> {
        self.entries.iter().find(|(other, _)| *other == check).map(|(_, finding)| finding.outcome)
    }

    /// Says what was not looked at, and what it comes to.
    pub fn end(self, reached: Reached) -> Exit {
        let gravest = |outcome| self.entries.iter().find(|(_, finding)| finding.outcome == outcome);
        let failure = gravest(Outcome::Failed);
        let verdict = match (failure, gravest(Outcome::Warned)) {
            (Some(found), _) => verdict("failed", found),
            (None, Some(found)) => verdict("nothing failed, with a warning", found),
            (None, None) => match reached {
                Reached::Delivery => "all is well: the message was delivered",
                Reached::Admission => {
                    "all is well as far as can be seen without publishing; --publish tries that as well"
                }
                Reached::Endpoint => "nothing failed, but whether it would publish is not known; --publish tries that",
            }
            .to_owned(),
        };
        if self.is_json {
            answer(json!({
                "outcome": if failure.is_some() { "failed" } else { "passed" },
                "verdict": one_line(&verdict),
                "not_checked": self.not_checked.iter().map(|line| one_line(line)).collect::<Vec<_>>(),
                "checks": self.entries.iter().map(object).collect::<Vec<_>>(),
            }));
        } else {
            for line in &self.not_checked {
                print(one_line(&format!("not checked: {line}")));
            }
            print(one_line(&verdict));
        }
        // Nothing has been refused by anybody, but the number is that of "did not work".
        if failure.is_some() { Exit::Refused } else { Exit::Delivered }
    }
}

fn verdict(word: &str, (check, finding): &(Check, Finding)) -> String {
    let cause = finding.cause.as_deref().unwrap_or_default();
    let next_step = finding.next_step.as_deref().unwrap_or_default();
    format!("{word}: {}: {cause}; {next_step}", check.name())
}

fn show(check: Check, finding: &Finding) {
    let word = match finding.outcome {
        Outcome::Skipped => "skip",
        Outcome::Passed => "ok",
        Outcome::Warned => "warn",
        Outcome::Failed => "FAIL",
    };
    let mut margin = format!("{word:<6}{:<10}", check.name());
    for line in &finding.seen {
        print(format_args!("{margin}{}", one_line(line)));
        margin = " ".repeat(16);
    }
    if let Some(step) = &finding.next_step {
        print(format_args!("{margin}-> {}", one_line(step)));
    }
}

fn object((check, finding): &(Check, Finding)) -> Value {
    let seen: Vec<_> = finding.seen.iter().map(|line| one_line(line)).collect();
    json!({
        "check": check.name(),
        "outcome": match finding.outcome {
            Outcome::Skipped => "skipped",
            Outcome::Passed => "passed",
            Outcome::Warned => "warned",
            Outcome::Failed => "failed",
        },
        "seen": seen,
        "cause": finding.cause.as_deref().map(one_line),
        "next_step": finding.next_step.as_deref().map(one_line),
    })
}
