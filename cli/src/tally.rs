//! The book that is kept of many messages: every line has one outcome, which is counted, shown to programs, and decides
//! whether the line is kept. Which protocol carried it does not matter.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use thingpost_host::runtime::types::{Cause, Delivery, Error, Message, Receipt};

use super::failed::Failed;
use super::interrupt::Interruptions;
use super::problem::{Problem, one_line};
use super::report::{self, LastFailure};
use super::source::{Line, Source};
use super::summary::Summary;
use super::terminal::{complain, print};
use super::{Exit, say};

/// What is said of a line that was read over.
pub const TOO_LONG: &str = "the line is longer than any platform takes (128 KB), and too long to be kept";

/// Counts outcomes, and keeps what failed.
pub struct Tally {
    /// What all lines have in common: all but the payload.
    message: Message,
    json: bool,
    /// Whether the sum is said, and without JSON nothing else.
    is_summed: bool,
    pub summary: Summary,
    failed: Option<Failed>,
    pub progress: ProgressBar,
    last_failure: LastFailure,
    /// What the host knows of the last message that got no answer.
    host_says: Option<String>,
}

impl Tally {
    pub fn of_lines(
        message: Message,
        json: bool,
        failed: Option<Failed>,
        progress: ProgressBar,
        last_failure: LastFailure,
    ) -> Self {
        Self { is_summed: true, failed, progress, ..Self::of_messages(message, json, last_failure) }
    }

    /// The same for a few messages, of which each is spoken of by itself.
    pub fn of_messages(message: Message, json: bool, last_failure: LastFailure) -> Self {
        Self {
            message,
            json,
            is_summed: false,
            summary: Summary::default(),
            failed: None,
            progress: ProgressBar::hidden(),
            last_failure,
            host_says: None,
        }
    }

    /// The message of a line.
    pub fn message(&self, payload: Vec<u8>) -> Message {
        Message { payload, ..self.message.clone() }
    }

    /// Settles a line.
    pub fn settle(&mut self, line: &Line, outcome: &Result<Receipt, Error>) -> Result<(), Problem> {
        self.progress.inc(line.bytes);
        self.count(outcome);
        if self.json {
            let mut object = report::json(&self.message, outcome);
            object.insert("line".to_owned(), line.number.into());
            print(Value::Object(object));
        }
        self.keep(if outcome.is_ok() { None } else { line.text.as_deref() })
    }

    /// Settles a message that is no line.
    pub fn settle_message(&mut self, message: &Message, outcome: &Result<Receipt, Error>) {
        self.count(outcome);
        if self.json || !self.is_summed {
            say::outcome(message, outcome, &self.last_failure, self.json);
        }
    }

    fn count(&mut self, outcome: &Result<Receipt, Error>) {
        if let Err(Error { cause: Cause::Transport(failure), .. }) = outcome
            && let Some(host_says) = self.last_failure.about(*failure)
        {
            self.host_says = Some(host_says);
        }
        self.summary.count(outcome);
    }

    /// Settles a line that has no outcome of the component.
    pub fn give_up(&mut self, line: &Line, delivery: Delivery, reason: &str) -> Result<(), Problem> {
        self.progress.inc(line.bytes);
        self.summary.count_failure(delivery, reason);
        if self.json {
            let object = report::json_without_answer(&self.message, delivery, reason, line.number);
            print(Value::Object(object));
        }
        self.keep(line.text.as_deref())
    }

    fn keep(&mut self, kept: Option<&[u8]>) -> Result<(), Problem> {
        self.failed.as_mut().map_or(Ok(()), |failed| failed.settle(kept))
    }

    /// Leaves nothing in memory: the process may be killed.
    pub fn flush(&mut self) -> Result<(), Problem> {
        self.failed.as_mut().map_or(Ok(()), Failed::flush)
    }

    /// Counts so many copies of one message that will not be sent. As nobody speaks of each of them, there is a sum.
    pub fn give_up_copies(&mut self, count: u32, reason: &str) {
        if count > 0 {
            (0..count).for_each(|_| self.summary.count_failure(Delivery::NotSent, reason));
            self.is_summed = true;
        }
    }

    /// Counts and keeps what will not be sent, until there were so many interruptions.
    pub async fn give_up_rest(
        &mut self,
        source: &mut Source,
        reason: &str,
        interruptions: &Interruptions,
        patience: u32,
    ) -> Result<(), Problem> {
        self.settle_rest(source, interruptions, patience, |tally, line| {
            let reason = if line.text.is_some() { reason } else { TOO_LONG };
            tally.give_up(line, Delivery::NotSent, reason)
        })
        .await
    }

    /// The same when it is an error that keeps all of it from being sent.
    pub async fn refuse_rest(
        &mut self,
        source: &mut Source,
        error: Error,
        interruptions: &Interruptions,
        patience: u32,
    ) -> Result<(), Problem> {
        let outcome = Err(error);
        self.settle_rest(source, interruptions, patience, |tally, line| tally.settle(line, &outcome)).await
    }

    async fn settle_rest(
        &mut self,
        source: &mut Source,
        interruptions: &Interruptions,
        patience: u32,
        mut settle: impl FnMut(&mut Self, &Line) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        loop {
            let next = tokio::select! {
                biased;
                () = interruptions.reached(patience) => {
                    return Err(Problem::sentence("interrupted again; the lines that are left are neither counted nor kept"));
                }
                next = source.next_left() => next,
            };
            match next {
                None => return Ok(()),
                Some(Err(error)) => return Err(unreadable(error)),
                Some(Ok(line)) if line.is_empty() => {}
                Some(Ok(line)) => settle(self, &line)?,
            }
        }
    }

    /// Nothing has begun: all is as it was before.
    pub fn leave(mut self) -> Result<(), Problem> {
        self.progress.finish_and_clear();
        self.failed.take().map_or(Ok(()), |failed| failed.finish(false))
    }

    /// Whatever the end was like, all that is known is said and kept.
    pub fn finish(mut self, ended: Result<(), Problem>) -> Result<Exit, Problem> {
        self.progress.finish_and_clear();
        let kept = self.failed.take().map_or(Ok(()), |failed| failed.finish(ended.is_ok()));
        let nothing_happened = self.summary.is_empty();
        match ended.and(kept) {
            Err(problem) if nothing_happened => Err(problem),
            Err(problem) => {
                self.summarize();
                complain(format_args!("thingpost: {problem}"));
                Ok(self.summary.exit_of_part())
            }
            Ok(()) => {
                self.summarize();
                Ok(self.summary.exit())
            }
        }
    }

    fn summarize(&self) {
        if !self.is_summed {
            return;
        }
        if self.json {
            return print(self.summary.json());
        }
        print(&self.summary);
        for reason in self.summary.reasons() {
            complain(one_line(&reason));
        }
        if let Some(host_says) = &self.host_says {
            complain(one_line(&format!("the last of those without an answer: {host_says}")));
        }
    }
}

/// The lines have an end that is none.
pub fn unreadable(error: io::Error) -> Problem {
    Problem::new("the lines could not be read to the end", error)
}

/// Shows on a terminal only.
pub fn progress(total_bytes: Option<u64>, json: bool) -> ProgressBar {
    if json || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total_bytes {
        Some(total) => (ProgressBar::new(total), "{bar:40} {percent:>3} %  {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} published"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the template is well-formed"))
}
