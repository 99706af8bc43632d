//! One message for each line, many in flight. Each call of the component takes what is there, so that a line of a slow
//! pipe does not wait for the next one.

use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::path::Path;
use std::pin::pin;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Cause, Delivery, Error, Message, Receipt};

use super::Exit;
use super::arguments::PublishArguments;
use super::failed::Failed;
use super::input_file::InputFile;
use super::interrupt::Interruptions;
use super::problem::{Problem, one_line};
use super::report;
use super::source::{Line, Source};
use super::starter::Starter;
use super::summary::Summary;
use super::terminal::{complain, print};

/// Messages for one call of the component, which an interruption waits for. At 32 in flight, most of so many go out
/// without a pause.
const BATCH_LINES: usize = 256;

/// Their bytes. The component holds a call's messages in its memory, which is at most 256 MiB.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// With a pace, what goes out in a second: nothing is heard of a call before its end, and an interruption waits for it.
fn most_lines(per_second: Option<NonZeroU32>) -> usize {
    per_second.and_then(|pace| usize::try_from(pace.get()).ok()).map_or(BATCH_LINES, |pace| pace.min(BATCH_LINES))
}

/// What is said of a line that was read over.
const TOO_LONG: &str = "the line is longer than any platform takes (128 KB), and too long to be kept";

/// Publishes every line and says what became of them.
pub async fn publish(
    starter: &mut Starter,
    path: &Path,
    message: Message,
    arguments: &PublishArguments,
) -> Result<Exit, Problem> {
    // All that can be wrong is found before anything is sent.
    let mut source = Source::open(path)?;
    let publisher = starter.open().await?;
    let mut inputs = vec![InputFile { option: "--lines", path: path.to_owned() }];
    inputs.extend(starter.files().iter().cloned());
    let mut run = Run {
        publisher,
        starter,
        message,
        json: arguments.json,
        most_lines: most_lines(arguments.max_per_second),
        interruptions: Interruptions::count(),
        summary: Summary::default(),
        failed: arguments.failed.as_deref().map(|failed| Failed::open(failed, &inputs)).transpose()?,
        progress: progress(source.total_bytes, arguments.json),
        host_says: None,
    };
    let ended = run.all(&mut source).await;
    run.finish(ended)
}

struct Run<'a> {
    publisher: Publisher,
    starter: &'a mut Starter,
    /// What all lines have in common: all but the payload.
    message: Message,
    json: bool,
    /// Of one call.
    most_lines: usize,
    interruptions: Interruptions,
    summary: Summary,
    failed: Option<Failed>,
    progress: ProgressBar,
    /// What the host knows of the last message that got no answer.
    host_says: Option<String>,
}

impl Run<'_> {
    /// Ends with the input, with an interruption, or with a problem that keeps the rest from being sent.
    async fn all(&mut self, source: &mut Source) -> Result<(), Problem> {
        loop {
            let mut next = tokio::select! {
                biased;
                () = self.interruptions.reached(1) => return self.give_up_rest(source).await,
                next = source.next() => next,
            };
            if next.is_none() {
                return Ok(());
            }
            let (mut batch, mut taken, mut bytes, mut unreadable) = (Vec::new(), 0, 0, None);
            while let Some(line) = next {
                taken += 1;
                match line {
                    Ok(line) if line.is_empty() => self.progress.inc(line.bytes),
                    Ok(line) => {
                        bytes += line.text.as_ref().map_or(0, Vec::len);
                        batch.push(line);
                    }
                    Err(error) => unreadable = Some(error),
                }
                let has_room = taken < self.most_lines && bytes < BATCH_BYTES;
                next = if has_room { source.next_ready() } else { None };
            }
            self.publish(batch).await?;
            if let Some(error) = unreadable {
                return Err(Problem::new("the lines could not be read to the end", error));
            }
        }
    }

    async fn publish(&mut self, mut batch: Vec<Line>) -> Result<(), Problem> {
        let message = |text: &mut Vec<u8>| {
            let payload = std::mem::take(text);
            Message { payload, ..self.message.clone() }
        };
        let messages: Vec<Message> = texts(&mut batch).map(message).collect();
        let answered = self.call(&messages).await;
        for (text, message) in texts(&mut batch).zip(messages) {
            *text = message.payload;
        }
        let has_trapped = matches!(answered, Some(Err(_)));
        let (outcomes, otherwise) = match answered {
            // The same for every line, so it is said once, and nothing was sent.
            Some(Ok(outcomes)) => match outcomes.first() {
                Some(Err(Error {
                    cause: Cause::InvalidTopic(_) | Cause::InvalidField(_) | Cause::Unsupported,
                    explanation,
                    ..
                })) => return Err(Problem::new("not sent", explanation)),
                _ => (outcomes, "the component failed: it gave no outcome".to_owned()),
            },
            Some(Err(trap)) => (Vec::new(), format!("the component failed: {trap:#}")),
            None => (Vec::new(), "interrupted before all answers had come".to_owned()),
        };
        let mut outcomes = outcomes.iter();
        for line in &batch {
            if line.text.is_none() {
                self.give_up(line, Delivery::NotSent, TOO_LONG)?;
            } else if let Some(outcome) = outcomes.next() {
                self.settle(line, outcome)?;
            } else {
                self.give_up(line, Delivery::Unknown, &otherwise)?;
            }
        }
        if has_trapped {
            self.publisher = self.starter.open().await?;
        } else {
            self.starter.save_session(&mut self.publisher).await;
        }
        self.failed.as_mut().map_or(Ok(()), Failed::flush)
    }

    /// Waits for the outcomes, but no longer than until a second interruption.
    async fn call(&mut self, messages: &[Message]) -> Option<wasmtime::Result<Vec<Result<Receipt, Error>>>> {
        if messages.is_empty() {
            return Some(Ok(Vec::new()));
        }
        let mut call = pin!(self.publisher.publish_all(messages));
        tokio::select! {
            answered = &mut call => Some(answered),
            () = self.interruptions.reached(1) => {
                self.progress.suspend(|| complain("interrupted: waiting for the answers; again to leave them"));
                tokio::select! {
                    answered = &mut call => Some(answered),
                    () = self.interruptions.reached(2) => None,
                }
            }
        }
    }

    fn settle(&mut self, line: &Line, outcome: &Result<Receipt, Error>) -> Result<(), Problem> {
        self.progress.inc(line.bytes);
        if let Err(Error { cause: Cause::Transport(failure), .. }) = outcome
            && let Some(host_says) = self.starter.last_failure.about(*failure)
        {
            self.host_says = Some(host_says);
        }
        self.summary.count(outcome);
        if self.json {
            let mut object = report::json(&self.message, outcome);
            object.insert("line".to_owned(), line.number.into());
            print(Value::Object(object));
        }
        self.keep(if outcome.is_ok() { None } else { line.text.as_deref() })
    }

    /// Settles a line that has no outcome of the component.
    fn give_up(&mut self, line: &Line, delivery: Delivery, reason: &str) -> Result<(), Problem> {
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

    /// After an interruption, what was not sent is counted and kept.
    async fn give_up_rest(&mut self, source: &mut Source) -> Result<(), Problem> {
        loop {
            let next = tokio::select! {
                biased;
                () = self.interruptions.reached(2) => {
                    return Err(Problem::sentence("interrupted again; the lines that are left are neither counted nor kept"));
                }
                next = source.next_left() => next,
            };
            match next {
                None => return Ok(()),
                Some(Err(error)) => return Err(Problem::new("the lines could not be read to the end", error)),
                Some(Ok(line)) if line.is_empty() => {}
                Some(Ok(line)) => {
                    let reason = if line.text.is_some() { "interrupted" } else { TOO_LONG };
                    self.give_up(&line, Delivery::NotSent, reason)?;
                }
            }
        }
    }

    /// Whatever the end was like, all that is known is said and kept.
    fn finish(mut self, ended: Result<(), Problem>) -> Result<Exit, Problem> {
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

/// Of the lines that were not too long to be held.
fn texts(lines: &mut [Line]) -> impl Iterator<Item = &mut Vec<u8>> {
    lines.iter_mut().filter_map(|line| line.text.as_mut())
}

/// Shows on a terminal only.
fn progress(total_bytes: Option<u64>, json: bool) -> ProgressBar {
    if json || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total_bytes {
        Some(total) => (ProgressBar::new(total), "{bar:40} {percent:>3} %  {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} published"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the template is well-formed"))
}
