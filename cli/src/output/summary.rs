//! What became of many messages.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};
use thingpost_host::runtime::types::{Delivery, Error, Receipt};

use super::report::LastFailure;
use crate::exit::Exit;

/// How many different reasons are shown. A broken set-up has one; more than a few are a log, for which there is --json.
const SHOWN_REASONS: usize = 5;

/// Counts outcomes.
#[derive(Debug, Default)]
pub struct Summary {
    delivered: u64,
    refused: u64,
    not_sent: u64,
    unknown: u64,
    reasons: HashMap<String, u64>,
}

impl Summary {
    /// Counts one more.
    pub fn count(&mut self, outcome: &Result<Receipt, Error>, last_failure: &LastFailure) {
        match outcome {
            Ok(_) => self.delivered += 1,
            Err(error) => self.count_failure(error.delivery, last_failure.reason(error)),
        }
    }

    /// Counts one that the component never saw.
    pub fn count_failure(&mut self, delivery: Delivery, reason: &str) {
        match delivery {
            Delivery::NotSent => self.not_sent += 1,
            Delivery::Refused => self.refused += 1,
            Delivery::Unknown => self.unknown += 1,
        }
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
    }

    /// The exit code for all of them: the gravest.
    pub fn exit(&self) -> Exit {
        match self {
            Self { unknown: 1.., .. } => Exit::Unknown,
            Self { refused: 1.., .. } => Exit::Refused,
            Self { not_sent: 1.., .. } => Exit::NotSent,
            _ => Exit::Delivered,
        }
    }

    /// The exit code of a run in which some lines were not even tried.
    pub fn exit_of_part(&self) -> Exit {
        match self.exit() {
            Exit::Delivered => Exit::NotSent,
            exit => exit,
        }
    }

    /// Whether there was nothing to count.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self { delivered: 0, refused: 0, not_sent: 0, unknown: 0, .. })
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "summary": {
            "delivered": self.delivered, "refused": self.refused, "not_sent": self.not_sent, "unknown": self.unknown,
        }})
    }

    /// The reasons, the most frequent first.
    pub fn reasons(&self) -> impl Iterator<Item = String> {
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by(|(reason, count), (other, others)| others.cmp(count).then(reason.cmp(other)));
        let hidden = reasons.len().saturating_sub(SHOWN_REASONS);
        let shown = reasons.into_iter().take(SHOWN_REASONS).map(|(reason, count)| format!("{count} x {reason}"));
        shown.chain((hidden > 0).then(|| format!("and {hidden} other reasons; --json shows all")))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, refused, not_sent, unknown, .. } = self;
        write!(f, "{delivered} delivered, {refused} refused, {not_sent} not sent, {unknown} unknown")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(failures: &[(Delivery, &str)]) -> Summary {
        let mut summary = Summary::default();
        for (delivery, reason) in failures {
            summary.count_failure(*delivery, reason);
        }
        summary
    }

    #[test]
    fn the_gravest_outcome_is_the_exit_code() {
        assert_eq!(summary(&[]).exit(), Exit::Delivered);
        assert_eq!(summary(&[(Delivery::NotSent, "")]).exit(), Exit::NotSent);
        assert_eq!(summary(&[(Delivery::NotSent, ""), (Delivery::Refused, "")]).exit(), Exit::Refused);
        assert_eq!(summary(&[(Delivery::Unknown, ""), (Delivery::Refused, "")]).exit(), Exit::Unknown);
        assert_eq!(summary(&[]).exit_of_part(), Exit::NotSent);
        assert_eq!(summary(&[(Delivery::Refused, "")]).exit_of_part(), Exit::Refused);
    }

    #[test]
    fn the_most_frequent_reasons_come_first_and_the_rest_is_counted() {
        let reasons = ["a", "b", "b", "c", "d", "e", "f", "g"];
        let shown: Vec<_> = summary(&reasons.map(|reason| (Delivery::Refused, reason))).reasons().collect();
        assert_eq!(shown.len(), 6);
        assert_eq!(shown[0], "2 x b");
        assert!(shown[5].starts_with("and 2 other"));
    }
}
