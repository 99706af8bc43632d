//! One message for each line, many in flight. Each call of the component takes what is there, so that a line of a slow
//! pipe does not wait for the next one.

use std::num::NonZeroU32;
use std::path::Path;
use std::pin::pin;

use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Cause, Delivery, Error, Message, Receipt};

use super::Exit;
use super::arguments::PublishArguments;
use super::failed::Failed;
use super::input_file::InputFile;
use super::interrupt::{Interruptions, WAITING};
use super::problem::Problem;
use super::source::{Line, Source};
use super::starter::Starter;
use super::tally::{self, TOO_LONG, Tally};
use super::terminal::complain;

/// Messages for one call of the component, which an interruption waits for. At 32 in flight, most of so many go out
/// without a pause.
const BATCH_LINES: usize = 256;

/// Their bytes. The component holds a call's messages in its memory, which is at most 256 MiB.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// With a pace, what goes out in a second: nothing is heard of a call before its end, and an interruption waits for it.
fn most_lines(per_second: Option<NonZeroU32>) -> usize {
    per_second.and_then(|pace| usize::try_from(pace.get()).ok()).map_or(BATCH_LINES, |pace| pace.min(BATCH_LINES))
}

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
    let interruptions = Interruptions::count();
    let json = arguments.report.json;
    let failed = arguments.report.failed.as_deref().map(|failed| Failed::open(failed, &inputs)).transpose()?;
    let progress = tally::progress(source.total_bytes, json);
    let tally = Tally::of_lines(message, json, failed, progress, starter.last_failure.clone());
    let most_lines = most_lines(arguments.max_per_second);
    let mut run = Run { publisher, starter, most_lines, interruptions, tally };
    let ended = run.all(&mut source).await;
    run.tally.finish(ended)
}

struct Run<'a> {
    publisher: Publisher,
    starter: &'a mut Starter,
    /// Of one call.
    most_lines: usize,
    interruptions: Interruptions,
    tally: Tally,
}

impl Run<'_> {
    /// Ends with the input, with an interruption, or with a problem that keeps the rest from being sent.
    async fn all(&mut self, source: &mut Source) -> Result<(), Problem> {
        loop {
            let mut next = tokio::select! {
                biased;
                () = self.interruptions.reached(1) => {
                    // After an interruption, what was not sent is counted and kept.
                    return self.tally.give_up_rest(source, "interrupted", &self.interruptions, 2).await;
                }
                next = source.next() => next,
            };
            if next.is_none() {
                return Ok(());
            }
            let (mut batch, mut taken, mut bytes, mut unreadable) = (Vec::new(), 0, 0, None);
            while let Some(line) = next {
                taken += 1;
                match line {
                    Ok(line) if line.is_empty() => self.tally.progress.inc(line.bytes),
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
                return Err(tally::unreadable(error));
            }
        }
    }

    async fn publish(&mut self, mut batch: Vec<Line>) -> Result<(), Problem> {
        if self.starter.renew().await {
            self.publisher = self.starter.open().await?;
        }
        let message = |text: &mut Vec<u8>| self.tally.message(std::mem::take(text));
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
                self.tally.give_up(line, Delivery::NotSent, TOO_LONG)?;
            } else if let Some(outcome) = outcomes.next() {
                self.tally.settle(line, outcome)?;
            } else {
                self.tally.give_up(line, Delivery::Unknown, &otherwise)?;
            }
        }
        if has_trapped {
            self.publisher = self.starter.open().await?;
        } else {
            self.starter.save_session(&mut self.publisher).await;
        }
        self.tally.flush()
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
                self.tally.progress.suspend(|| complain(WAITING));
                tokio::select! {
                    answered = &mut call => Some(answered),
                    () = self.interruptions.reached(2) => None,
                }
            }
        }
    }
}

/// Of the lines that were not too long to be held.
fn texts(lines: &mut [Line]) -> impl Iterator<Item = &mut Vec<u8>> {
    lines.iter_mut().filter_map(|line| line.text.as_mut())
}
