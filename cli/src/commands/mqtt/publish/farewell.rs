//! The end of a run. Whatever it is that ends it, what has no outcome is kept before anything is waited for: the sender of a
//! SIGTERM kills a few seconds later, and a broker that does not answer takes its time.

use std::collections::HashMap;

use thingpost_host::runtime::types::Delivery;
use thingpost_host::runtime::types::mqtt::Unfinished;
use tokio::time::Instant;

use super::{NextMessage, Run, UnfinishedFile, trapped};
use crate::error::{CliError, one_line};
use crate::lines::source::{Line, Text};
use crate::terminal::complain;

/// Lines that were not sent and lie in no file of their own are kept for the next run, up to so many bytes: it holds all of
/// them in memory.
const LEFT_OVER_BYTES: usize = 16 * 1024 * 1024;

impl Run<'_> {
    /// The first interruption: all that is to be kept is kept, and then answers are waited for.
    pub(super) async fn interrupted(&mut self) -> Result<(), CliError> {
        let reason = if self.connection.was_up { "interrupted" } else { "interrupted before there was a connection" };
        self.end_feed(reason.to_owned());
        // What was read is the session's, so that it is kept with the rest.
        self.publish().await?;
        if self.file.is_none() {
            self.outstanding.keep_for_now();
        }
        self.give_up_feed().await?;
        self.keep().await?;
        self.outstanding.recorder().secure();
        if self.outstanding.count() > 0 && self.connection.was_up {
            let hint = self.interruptions.hint();
            self.outstanding.recorder().progress.suspend(|| complain(hint));
        }
        Ok(())
    }

    /// No more is read. What is left is given up when all that was sent has its outcome, so that lines are kept in their order.
    pub(super) fn end_feed(&mut self, reason: String) {
        self.quiet_since = Instant::now();
        if !self.feed.is_over() {
            if self.file.is_some() && !self.connection.was_up && self.heeded == 0 {
                // Not enough of them were wanted.
                while let Some(copy @ NextMessage::Copy(_)) = self.feed.next_at_once() {
                    self.waiting.push_back(copy);
                }
            }
            self.unsent = self.feed.end();
            self.reason = reason;
        }
    }

    /// When what waits is to be written, while the run goes on.
    pub(super) fn save_at(&self) -> Option<Instant> {
        let (changes, messages) = (self.outstanding.changes, self.outstanding.count());
        self.saving.as_ref().filter(|_| self.heeded == 0)?.due(changes, messages, self.quiet_since)
    }

    pub(super) async fn save_if_due(&mut self) -> Result<(), CliError> {
        let begin = Instant::now();
        if self.save_at().is_some_and(|at| at <= begin) {
            let messages = self.keep().await?.len() - self.refused.len();
            if let Some(saving) = &mut self.saving {
                saving.saved(self.outstanding.changes, messages, begin.elapsed(), Instant::now());
            }
        }
        Ok(())
    }

    /// Says goodbye, and gives those their outcome that have none.
    pub(super) async fn end(&mut self, ended: Result<(), CliError>) -> Result<(), CliError> {
        let settled = self.settle_rest().await;
        let reason = match &settled {
            Err(error) => error.to_string(),
            Ok(_) => "the component failed: it gave no outcome".to_owned(),
        };
        let known = settled.as_ref().ok().cloned().unwrap_or_default();
        self.outstanding.give_up(&reason, |id| match known.get(&id) {
            Some(0) => Delivery::NotSent,
            Some(_) | None => Delivery::Unknown,
        });
        let rest = self.give_up_feed().await;
        self.say_what_is_kept();
        ended.and(settled.map(|_| ())).and(rest)
    }

    /// How often those were sent that the session could not be asked about any more.
    async fn settle_rest(&mut self) -> Result<HashMap<u64, u32>, CliError> {
        // Copies that are to be kept; it has its own bounds.
        self.publish().await?;
        if self.file.is_some() && !self.outstanding.recorder().keeps_lines() {
            self.give_up_feed().await?;
        }
        self.receive_rest().await?;
        let unfinished = self.keep().await?;
        let is_hurried = self.is_impatient || self.heeded >= 2;
        if !is_hurried && !self.goodbye().await? {
            self.kept = unfinished.len();
            self.outstanding.are_kept = self.file.is_some();
            return Ok(unfinished.iter().map(|it| (it.id, it.attempts)).collect());
        }
        if !is_hurried {
            self.receive_rest().await?;
        }
        self.kept = self.keep().await?.len();
        self.outstanding.are_kept = self.file.is_some();
        if self.outstanding.count() > 0 {
            self.session.abandon().await.map_err(trapped)?;
            self.receive_rest().await?;
        }
        // Without one the broker publishes the last will. A user who has interrupted twice does not wait for it.
        if is_hurried && self.heeded < 2 {
            self.goodbye().await?;
        }
        Ok(HashMap::new())
    }

    /// False if there was no time for it: the session is of no more use then.
    async fn goodbye(&mut self) -> Result<bool, CliError> {
        tokio::select! {
            biased;
            over = self.session.disconnect() => over.map(|()| true).map_err(trapped),
            () = self.interruptions.goodbye_is_over() => Ok(false),
            () = self.interruptions.reached(2) => Ok(false),
        }
    }

    pub(super) async fn receive_rest(&mut self) -> Result<(), CliError> {
        loop {
            let events = self.session.receive(std::time::Duration::ZERO).await.map_err(trapped)?;
            if events.is_empty() {
                return Ok(());
            }
            self.heed(events)?;
        }
    }

    /// Leaves what has no outcome for the next run, and what only another one can send.
    async fn keep(&mut self) -> Result<Vec<Unfinished>, CliError> {
        let mut unfinished = self.session.unfinished().await.map_err(trapped)?;
        if let Some(file) = &self.file {
            unfinished.extend(self.refused.iter().cloned());
            // The numbers of a file ascend.
            unfinished.sort_unstable_by_key(|it| it.id);
            let from = unfinished.last().map_or(1, |last| last.id + 1);
            let left_over = self.left_over.iter().zip(from..).map(|(it, id)| Unfinished { id, ..it.clone() });
            unfinished.extend(left_over);
            file.keep(&unfinished)?;
        }
        Ok(unfinished)
    }

    fn say_what_is_kept(&self) {
        let (Some(file), count @ 1..) = (&self.file, self.kept) else { return };
        let path = file.path().display();
        let messages = if count == 1 { "1 message waits".to_owned() } else { format!("{count} messages wait") };
        complain(one_line(&format!("{messages} in {path} for the next run")));
    }

    /// Counts what will not be sent any more, and keeps its lines, where lines are kept that were not delivered, or else for the
    /// next run.
    async fn give_up_feed(&mut self) -> Result<(), CliError> {
        let unsent = std::mem::take(&mut self.unsent);
        let why = self.connection.never_up().filter(|_| self.heeded == 0).cloned();
        let recorder = self.outstanding.recorder();
        match &why {
            Some(error) => recorder.refuse_copies(unsent, error),
            None => recorder.give_up_copies(unsent, &self.reason),
        }
        let Some(source) = self.feed.rest() else { return Ok(()) };
        let is_kept_here = self.file.is_some() && !recorder.keeps_lines();
        let (left_over, reason) = (&mut self.left_over, &self.reason);
        let (mut bytes, mut first_lost) = (0, None);
        let settled = recorder.settle_rest(source, &self.interruptions, |recorder, mut line: Line| {
            if is_kept_here && let Text::Held(text) = &mut line.text {
                bytes += text.len();
                if bytes <= LEFT_OVER_BYTES {
                    let message = recorder.message(std::mem::take(text));
                    left_over.push(Unfinished { id: 0, message, attempts: 0, packet_id: None, age_ms: Some(0) });
                } else {
                    first_lost.get_or_insert(line.number);
                }
            }
            match &why {
                Some(error) => recorder.refuse(&line, error),
                None => recorder.give_up(&line, Delivery::NotSent, reason),
            }
        });
        let settled = settled.await;
        if let Some(number) = first_lost {
            complain(format_args!("line {number} and those after it are too many to be kept for the next run"));
        }
        settled
    }
}

/// What of the file this run leaves where it is, and why.
pub(super) fn say_what_stays(file: &UnfinishedFile, count: usize, reason: &str) {
    let path = file.path().display();
    let messages = if count == 1 { "1 message stays".to_owned() } else { format!("{count} messages stay") };
    complain(one_line(&format!(
        "thingpost: warning: --unfinished: {messages} in {path}, as this device cannot send them: {reason}; run once more with the \
         options of the run that left them"
    )));
}
