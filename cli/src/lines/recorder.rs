//! A hundred thousand outcomes cannot all be read, and none of them may be lost: each is counted, shown to programs, and decides
//! whether its line is kept. Which protocol carried the line does not matter.

use std::io::{self, IsTerminal};
use std::pin::pin;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use thingpost_host::runtime::types::{Cause, Delivery, Error, Message, Receipt};

use super::failed_lines::FailedLines;
use super::source::{Line, Source};
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::output::report::{self, LastFailure};
use crate::output::summary::Summary;
use crate::output::{names, printer};
use crate::terminal::interrupt::Interruptions;
use crate::terminal::{complain, print, record};

/// What is said of a line that was read over.
pub const TOO_LONG: &str = "the line is longer than any platform takes (128 KB)";

/// Counts outcomes, and keeps what failed.
pub struct OutcomeRecorder {
    /// What all lines have in common: all but the payload.
    message: Message,
    json: bool,
    /// Whether each message is spoken of without JSON too. Stays as it is when copies are given up and there is a sum.
    tells_each: bool,
    /// Whether the sum is said at the end.
    is_summed: bool,
    pub summary: Summary,
    failed: Option<FailedLines>,
    pub progress: ProgressBar,
    last_failure: LastFailure,
    /// What the host knows of the last message that got no answer.
    host_says: Option<String>,
}

impl OutcomeRecorder {
    pub fn of_lines(
        message: Message,
        json: bool,
        failed: Option<FailedLines>,
        progress: ProgressBar,
        last_failure: LastFailure,
    ) -> Self {
        Self { tells_each: false, is_summed: true, failed, progress, ..Self::of_messages(message, json, last_failure) }
    }

    /// A report of a few messages, of which each is spoken of by itself.
    pub fn of_messages(message: Message, json: bool, last_failure: LastFailure) -> Self {
        Self {
            message,
            json,
            tells_each: true,
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
    pub fn settle(&mut self, line: &Line, outcome: &Result<Receipt, Error>) {
        self.progress.inc(line.bytes);
        self.count(outcome);
        if self.json {
            let mut object = report::json(&self.message, outcome);
            object.insert("line".to_owned(), line.number.into());
            record(Value::Object(object), format_args!("the record of line {}", line.number));
        }
        self.keep(line, outcome.is_err());
    }

    /// Settles a message that is no line.
    pub fn settle_message(&mut self, message: &Message, outcome: &Result<Receipt, Error>) {
        self.count(outcome);
        if self.json || self.tells_each {
            printer::outcome(message, outcome, &self.last_failure, self.json);
        }
    }

    fn count(&mut self, outcome: &Result<Receipt, Error>) {
        if let Err(Error { cause: Cause::Transport(failure), .. }) = outcome
            && let Some(host_says) = self.last_failure.about(*failure)
        {
            self.host_says = Some(host_says);
        }
        self.summary.count(outcome, &self.last_failure);
    }

    /// Settles a line that has no outcome of the component.
    pub fn give_up(&mut self, line: &Line, delivery: Delivery, reason: &str) {
        self.progress.inc(line.bytes);
        let reason = if line.is_too_long() { TOO_LONG } else { reason };
        self.summary.count_failure(delivery, reason);
        if self.json {
            let object = report::json_without_answer(&self.message, delivery, reason, Some(line.number));
            record(Value::Object(object), format_args!("the record of line {}", line.number));
        }
        self.keep(line, true);
    }

    /// Settles a message that is no line and has no outcome of the component.
    pub fn give_up_message(&mut self, message: &Message, delivery: Delivery, reason: &str) {
        self.summary.count_failure(delivery, reason);
        if self.json {
            record(
                Value::Object(report::json_without_answer(message, delivery, reason, None)),
                "the record of a message",
            );
        } else if self.tells_each {
            complain(one_line(&format!("{}: {reason}", names::delivery(delivery))));
        }
    }

    fn keep(&mut self, line: &Line, is_kept: bool) {
        if let Some(failed) = &mut self.failed {
            failed.settle(line, is_kept);
        }
    }

    /// Whether lines are kept that were not delivered.
    pub fn keeps_lines(&self) -> bool {
        self.failed.is_some()
    }

    /// Lines that are under way are kept at once, whatever becomes of them: the process may be killed before that is known.
    pub fn keep_for_now<'a>(&mut self, lines: impl Iterator<Item = &'a Line>) {
        if let Some(failed) = &mut self.failed {
            failed.keep_for_now(lines);
        }
    }

    /// Leaves nothing in memory: the process may be killed.
    pub fn flush(&mut self) {
        self.with_failed(FailedLines::flush);
    }

    /// Nor in the memory of the system.
    pub fn secure(&mut self) {
        self.with_failed(FailedLines::secure);
    }

    fn with_failed(&mut self, does: impl FnOnce(&mut FailedLines)) {
        let Some(failed) = &mut self.failed else { return };
        does(failed);
        if let Some(error) = failed.complaint() {
            self.progress.suspend(|| complain(format_args!("thingpost: {error}; the rest is published all the same")));
        }
    }

    /// Counts so many copies of one message that will not be sent. As each of them is not spoken of, there is a sum.
    pub fn give_up_copies(&mut self, count: u32, reason: &str) {
        if count == 1 && self.summary.is_empty() {
            // It was the only one.
            let message = self.message(Vec::new());
            self.give_up_message(&message, Delivery::NotSent, reason);
        } else if count > 0 {
            (0..count).for_each(|_| self.summary.count_failure(Delivery::NotSent, reason));
            self.is_summed = true;
        }
    }

    /// Refuses copies for an error that keeps them from being sent.
    pub fn refuse_copies(&mut self, count: u32, error: &Error) {
        if count == 1 && self.summary.is_empty() {
            let message = self.message(Vec::new());
            self.settle_message(&message, &Err(error.clone()));
        } else if count > 0 {
            (0..count).for_each(|_| self.count(&Err(error.clone())));
            self.is_summed = true;
        }
    }

    /// Counts and keeps what will not be sent.
    pub async fn give_up_rest(
        &mut self,
        source: &mut Source,
        reason: &str,
        interruptions: &Interruptions,
    ) -> Result<(), CliError> {
        self.settle_rest(source, interruptions, |recorder, line| recorder.give_up(&line, Delivery::NotSent, reason))
            .await
    }

    /// Refuses the rest for an error that keeps all of it from being sent.
    pub async fn refuse_rest(
        &mut self,
        source: &mut Source,
        error: &Error,
        interruptions: &Interruptions,
    ) -> Result<(), CliError> {
        self.settle_rest(source, interruptions, |recorder, line| recorder.refuse(&line, error)).await
    }

    /// Settles a line that was not sent, as nothing could be.
    pub fn refuse(&mut self, line: &Line, error: &Error) {
        match line.is_too_long() {
            true => self.give_up(line, Delivery::NotSent, TOO_LONG),
            false => self.settle(line, &Err(error.clone())),
        }
    }

    /// Settles every line that is left, while there is time, and says what is left of a pipe.
    pub async fn settle_rest(
        &mut self,
        source: &mut Source,
        interruptions: &Interruptions,
        mut settle: impl FnMut(&mut Self, Line),
    ) -> Result<(), CliError> {
        let mut is_over = pin!(interruptions.copying_is_over());
        let mut last = None;
        loop {
            let next = tokio::select! {
                biased;
                () = &mut is_over => {
                    self.secure();
                    return Err(left_over(last));
                }
                next = source.next_left() => next,
            };
            match next {
                None => break,
                Some(Err(error)) => return Err(unreadable(error)),
                Some(Ok(line)) => {
                    last = Some(line.number);
                    if !line.is_empty() {
                        settle(self, line);
                    }
                }
            }
        }
        self.secure();
        if source.has_more() {
            let after = last.map_or_else(String::new, |number| format!(" after line {number}"));
            self.progress.suspend(|| {
                complain(format_args!("there was more to be read{after}: it is neither counted nor kept"));
            });
        }
        Ok(())
    }

    /// Nothing has begun: all is as it was before.
    pub fn leave(mut self) -> Result<(), CliError> {
        self.progress.finish_and_clear();
        self.failed.take().map_or(Ok(()), |failed| failed.finish(false))
    }

    /// Whatever the end was like, all that is known is said and kept.
    pub fn finish(mut self, ended: Result<(), CliError>) -> Result<Exit, CliError> {
        self.progress.finish_and_clear();
        let kept = self.failed.take().map_or(Ok(()), |failed| failed.finish(ended.is_ok()));
        let nothing_happened = self.summary.is_empty();
        match ended.and(kept) {
            Err(error) if nothing_happened => Err(error),
            Err(error) => {
                self.summarize();
                complain(format_args!("thingpost: {error}"));
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
            return record(self.summary.json(), "the summary");
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

/// There was no time for all lines.
fn left_over(last: Option<u64>) -> CliError {
    let first = last.map_or(1, |last| last + 1);
    CliError::sentence(format!(
        "no time is left: line {first} and those after it are neither counted nor kept; `tail -n +{first}` of the input \
         gives them"
    ))
}

/// The lines have an end that is none.
pub fn unreadable(error: io::Error) -> CliError {
    CliError::new("the lines could not be read to the end", error)
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
