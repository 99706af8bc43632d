//! What a check has found. A check sees more than one thing, and the gravest of them is its outcome; the advice is that for
//! the first of the gravest, as whatever comes after it is most often its consequence.

/// The checks, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    Files,
    Endpoint,
    Component,
    Request,
    Name,
    Tcp,
    Tls,
    Answer,
    Clock,
    Provider,
    Rehearsal,
    Connect,
    Publish,
}

impl Check {
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Endpoint => "endpoint",
            Self::Component => "component",
            Self::Request => "request",
            Self::Name => "name",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Answer => "answer",
            Self::Clock => "clock",
            Self::Provider => "provider",
            Self::Rehearsal => "rehearsal",
            Self::Connect => "connect",
            Self::Publish => "publish",
        }
    }
}

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Skipped,
    Passed,
    Warned,
    Failed,
}

/// What one check has found.
#[derive(Debug)]
pub struct Finding {
    pub outcome: Outcome,
    /// One line for each thing that was seen, or the reason why nothing was looked at.
    pub seen: Vec<String>,
    /// The line that made the outcome what it is.
    pub cause: Option<String>,
    /// What to do about that.
    pub next_step: Option<String>,
}

impl Finding {
    /// All is well so far.
    pub fn new() -> Self {
        Self { outcome: Outcome::Passed, seen: Vec::new(), cause: None, next_step: None }
    }

    /// Not looked at.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, seen: vec![reason.into()], ..Self::new() }
    }

    /// One thing that is wrong, and all there is to say.
    pub fn failed(cause: impl Into<String>, next_step: impl Into<String>) -> Self {
        let mut finding = Self::new();
        finding.fail(cause, next_step);
        finding
    }

    /// Nothing is wrong with this.
    pub fn see(&mut self, line: impl Into<String>) {
        self.seen.push(line.into());
    }

    /// This may be meant so.
    pub fn warn(&mut self, cause: impl Into<String>, next_step: impl Into<String>) {
        self.raise(Outcome::Warned, cause.into(), next_step.into());
    }

    /// With this nothing can be published.
    pub fn fail(&mut self, cause: impl Into<String>, next_step: impl Into<String>) {
        self.raise(Outcome::Failed, cause.into(), next_step.into());
    }

    /// Fails with one line that says both cause and next step, `what; what to do`, or the cause alone.
    pub fn fail_with(&mut self, sentence: impl ToString, otherwise: &str) {
        let sentence = sentence.to_string();
        let (cause, step) = sentence.rsplit_once("; ").unwrap_or((sentence.as_str(), otherwise));
        self.fail(cause, step);
    }

    pub fn has_failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }

    /// Adds what another look has found to this one.
    pub fn append(&mut self, other: Self) {
        self.seen.extend(other.seen);
        if other.outcome > self.outcome {
            (self.outcome, self.cause, self.next_step) = (other.outcome, other.cause, other.next_step);
        }
    }

    fn raise(&mut self, outcome: Outcome, cause: String, next_step: String) {
        self.seen.push(cause.clone());
        if outcome > self.outcome {
            (self.outcome, self.cause, self.next_step) = (outcome, Some(cause), Some(next_step));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_gravest_speaks() {
        let mut finding = Finding::new();
        finding.see("a");
        assert_eq!((finding.outcome, finding.next_step.as_deref()), (Outcome::Passed, None));
        finding.warn("b", "do b");
        finding.fail("c", "do c");
        finding.fail("d", "do d");
        finding.warn("e", "do e");
        assert_eq!((finding.outcome, finding.cause.as_deref()), (Outcome::Failed, Some("c")));
        assert_eq!(finding.next_step.as_deref(), Some("do c"));
        assert_eq!(finding.seen, ["a", "b", "c", "d", "e"]);
    }
}
