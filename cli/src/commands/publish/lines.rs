//! One message for each line, many in flight. Each call of the component takes what is there, so that a line of a slow
//! pipe does not wait for the next one.

use std::num::NonZeroU32;
use std::path::Path;
use std::pin::pin;

use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Cause, Delivery, Error, Message, Platform, Receipt};

use super::outage;
use crate::args::PublishArgs;
use crate::component::publisher::PublisherFactory;
use crate::device::reload::Reload;
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::input_file::InputFile;
use crate::lines::failed_lines::FailedLines;
use crate::lines::long_line::SpillFolder;
use crate::lines::recorder::{self, OutcomeRecorder, TOO_LONG};
use crate::lines::source::{Line, Source, Text};
use crate::output::interruption::Departures;
use crate::output::still_trying::StillTrying;
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;

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
    factory: &mut PublisherFactory,
    reload: Reload<'_, Platform>,
    path: &Path,
    message: Message,
    arguments: &PublishArgs,
) -> Result<Exit, CliError> {
    // All that can be wrong is found before anything is sent.
    let shelf = arguments.report.failed.as_deref().map_or_else(SpillFolder::none, SpillFolder::beside);
    let mut source = Source::open(path, shelf)?;
    let publisher = factory.open().await?;
    let mut inputs = vec![InputFile { option: "--lines", path: path.to_owned() }];
    inputs.extend(factory.files().iter().cloned());
    let interruptions = Interruptions::count_for_long_run();
    let reload = reload.heeding_hang_ups();
    let json = arguments.report.json;
    let failed = arguments.report.failed.as_deref().map(|failed| FailedLines::open(failed, &inputs)).transpose()?;
    let progress = recorder::progress(source.total_bytes, json);
    let recorder = OutcomeRecorder::of_lines(message, json, failed, progress, factory.last_failure.clone());
    let most_lines = most_lines(arguments.max_per_second);
    let mut run = Run { publisher, factory, reload, most_lines, interruptions, recorder };
    let ended = run.all(&mut source).await;
    run.recorder.finish(ended)
}

struct Run<'a> {
    publisher: Publisher,
    factory: &'a mut PublisherFactory,
    reload: Reload<'a, Platform>,
    /// Of one call.
    most_lines: usize,
    interruptions: Interruptions,
    recorder: OutcomeRecorder,
}

/// What came of the lines of one call.
enum Batch {
    /// They have their outcomes.
    Settled,
    /// So they have, and nothing has got through: this is why.
    Away(Box<Error>),
    /// So they have, and those that are left as well.
    Interrupted,
}

impl Run<'_> {
    /// Ends with the input, with an interruption, or with a problem that keeps the rest from being sent.
    async fn all(&mut self, source: &mut Source) -> Result<(), CliError> {
        loop {
            if self.reload.is_put_off() {
                self.reload().await;
            }
            let mut next = tokio::select! {
                biased;
                // After an interruption, what was not sent is counted and kept.
                () = self.interruptions.reached(1) => return self.give_up_rest(source).await,
                () = self.reload.is_due() => {
                    self.reload().await;
                    continue;
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
                    Ok(line) if line.is_empty() => self.recorder.progress.inc(line.bytes),
                    Ok(line) => {
                        bytes += held(&line).map_or(0, Vec::len);
                        batch.push(line);
                    }
                    Err(error) => unreadable = Some(error),
                }
                let has_room = taken < self.most_lines && bytes < BATCH_BYTES;
                next = if has_room { source.next_ready() } else { None };
            }
            let came_of_it = self.publish(batch, source).await?;
            if let Some(error) = unreadable {
                return Err(recorder::unreadable(error));
            }
            match came_of_it {
                Batch::Settled => {}
                Batch::Interrupted => return Ok(()),
                Batch::Away(error) => {
                    let (recorder, interruptions) = (&mut self.recorder, &self.interruptions);
                    if outage::settle_meanwhile(recorder, source, &error, interruptions).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Takes up what has changed of the device. No call is under way.
    async fn reload(&mut self) {
        let say = |line: &str| self.recorder.progress.suspend(|| complain(line));
        if let Some(reloaded) = self.reload.look(say) {
            let summary = reloaded.summary();
            match self.factory.take_up(reloaded).await {
                Ok(publisher) => {
                    say(&summary);
                    if let Some(publisher) = publisher {
                        self.publisher = publisher;
                    }
                }
                Err(not_taken_up) => self.reload.refuse(not_taken_up, say),
            }
        }
        if let Some(warning) = self.reload.reminder(self.factory.expires_soon()) {
            say(&warning);
        }
    }

    async fn give_up_rest(&mut self, source: &mut Source) -> Result<(), CliError> {
        self.recorder.give_up_rest(source, "interrupted", &self.interruptions).await
    }

    async fn publish(&mut self, batch: Vec<Line>, source: &mut Source) -> Result<Batch, CliError> {
        if let Some(publisher) = self.factory.renew().await {
            self.publisher = publisher;
        }
        let messages: Vec<Message> =
            batch.iter().filter_map(held).map(|text| self.recorder.message(text.clone())).collect();
        let departures = Departures::watch(&self.factory.last_failure);
        let (answered, is_interrupted) = self.call(&messages, &batch, source).await?;
        let has_trapped = matches!(answered, Some(Err(_)));
        let (outcomes, (delivery, otherwise)) = match answered {
            // The same for every line, so it is said once, and nothing was sent.
            Some(Ok(outcomes)) => match outcomes.first() {
                Some(Err(Error {
                    cause: Cause::InvalidTopic(_) | Cause::InvalidField(_) | Cause::Unsupported,
                    explanation,
                    ..
                })) => return Err(CliError::new("not sent", explanation)),
                _ => (outcomes, (Delivery::Unknown, "the component failed: it gave no outcome".to_owned())),
            },
            Some(Err(trap)) => (Vec::new(), (Delivery::Unknown, format!("the component failed: {trap:#}"))),
            None => (
                Vec::new(),
                match departures.delivery() {
                    Delivery::NotSent => (Delivery::NotSent, "interrupted before anything was sent".to_owned()),
                    delivery => (delivery, "interrupted before all answers had come".to_owned()),
                },
            ),
        };
        let away = outage::reason(&outcomes);
        let mut outcomes = outcomes.iter();
        for line in &batch {
            if line.is_too_long() {
                self.recorder.give_up(line, Delivery::NotSent, TOO_LONG);
            } else if let Some(outcome) = outcomes.next() {
                self.recorder.settle(line, outcome);
            } else {
                self.recorder.give_up(line, delivery, &otherwise);
            }
        }
        self.recorder.flush();
        if is_interrupted {
            self.factory.save_credential(&mut self.publisher).await;
            return Ok(Batch::Interrupted);
        }
        if has_trapped {
            if let Err(error) = self.reopen().await {
                self.recorder.give_up_rest(source, &error.to_string(), &self.interruptions).await?;
                return Err(error);
            }
        } else {
            self.factory.save_credential(&mut self.publisher).await;
        }
        Ok(away.map_or(Batch::Settled, |error| Batch::Away(Box::new(error))))
    }

    async fn reopen(&mut self) -> Result<(), CliError> {
        self.publisher = self.factory.open().await?;
        Ok(())
    }

    /// Waits for the outcomes, and says whether it was interrupted: then the lines of this call are kept for the case that there
    /// is no time to hear of them, and those that are left for good, before anything else is waited for.
    async fn call(
        &mut self,
        messages: &[Message],
        batch: &[Line],
        source: &mut Source,
    ) -> Result<(Option<Outcomes>, bool), CliError> {
        if messages.is_empty() {
            return Ok((Some(Ok(Vec::new())), false));
        }
        let (recorder, interruptions) = (&mut self.recorder, &self.interruptions);
        let (reload, factory) = (&mut self.reload, &*self.factory);
        let still_trying = StillTrying::new(factory.last_failure.clone(), factory.timeout());
        let mut call = pin!(self.publisher.publish_all(messages));
        {
            let say = |line: &str| recorder.progress.suspend(|| complain(line));
            let mut still_trying = pin!(still_trying.say(|line| say(&line)));
            loop {
                tokio::select! {
                    answered = &mut call => return Ok((Some(answered), false)),
                    () = interruptions.reached(1) => break,
                    // A call may be tried for all of the timeout, and the certificate may end meanwhile.
                    () = reload.is_due() => take_up_routes(reload, factory, say),
                    never = &mut still_trying => match never {},
                }
            }
        }
        recorder.keep_for_now(batch.iter());
        recorder.secure();
        recorder.give_up_rest(source, "interrupted", interruptions).await?;
        recorder.progress.suspend(|| complain(interruptions.hint()));
        Ok(tokio::select! {
            answered = &mut call => (Some(answered), true),
            () = interruptions.patience_is_over() => (None, true),
        })
    }
}

/// Takes up what has changed of the routes while a call is under way.
fn take_up_routes(reload: &mut Reload<'_, Platform>, factory: &PublisherFactory, say: impl Fn(&str)) {
    if let Some(reloaded) = reload.look_amid_call(&say) {
        let summary = reloaded.summary();
        match factory.take_up_routes(reloaded) {
            Ok(()) => say(&summary),
            Err(not_taken_up) => reload.refuse(not_taken_up, say),
        }
    }
}

/// What one call of the component gives.
type Outcomes = wasmtime::Result<Vec<Result<Receipt, Error>>>;

/// The text of a line that is not too long to be held.
fn held(line: &Line) -> Option<&Vec<u8>> {
    match &line.text {
        Text::Held(text) => Some(text),
        Text::TooLong(_) | Text::Gone => None,
    }
}
