//! `thingpost mqtt publish`: reads, sends and listens at the same time, and ends when every message has its outcome.

mod farewell;
mod feed;
mod outstanding;
mod replacing;
mod saving;

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU32;
use std::pin::pin;
use std::time::Duration;

use thingpost_host::runtime::MqttSession;
use thingpost_host::runtime::types::mqtt::{Event, FullQueue, MqttConfig, SessionOptions, Unfinished};
use thingpost_host::runtime::types::{Cause, Delivery, Error, Message};
use tokio::time::Instant;

use super::connection_log::ConnectionLog;
use super::next_attempt::NextAttempt;
use super::unfinished_file::UnfinishedFile;
use crate::args::{Drop, MqttPublish, QueueArgs, QueueLimit};
use crate::commands::publish::inputs;
use crate::component::mqtt::{MqttSessionFactory, trapped};
use crate::device::reload::{DeviceSource, Reload};
use crate::error::CliError;
use crate::exit::Exit;
use crate::lines::failed_lines::FailedLines;
use crate::lines::long_line::SpillFolder;
use crate::lines::recorder::{self, OutcomeRecorder};
use crate::lines::source::Source;
use crate::message::payload;
use crate::output::{printer, report};
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;
use crate::{device, message};
use feed::{MessageFeed, NextMessage};
use outstanding::{Origin, Outstanding};
use replacing::Replacement;
use saving::SaveSchedule;

/// How many messages without an outcome there are before no more are read, unless they cannot wait. More than the session has
/// under way at once, so that it never waits for us; few enough that draining them after a loss takes seconds.
const WINDOW: usize = 128;

/// Messages for one call of the component.
const BATCH: usize = 256;

/// Their bytes. The component holds them in its memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How much longer than its timeout an attempt to connect may take.
const GRACE: Duration = Duration::from_millis(1500);

/// How much longer a message may take than the run waits for it, where it is kept then.
const MARGIN_MS: u32 = 2_000;

/// As good as for ever.
const LONG: Duration = Duration::from_secs(3600);

pub async fn run(arguments: &MqttPublish) -> Result<Exit, CliError> {
    if arguments.interval.is_some() && arguments.count.is_none() && arguments.source.lines.is_none() {
        return Err(CliError::sentence(
            "--interval is of use only with --count or --lines: give one of them, or leave it out",
        ));
    }
    let network = &arguments.device.network;
    let make = || device::mqtt(&arguments.device);
    let source = DeviceSource { files: device::mqtt_files(&arguments.device), make: &make };
    let (device, reload) = Reload::make(source)?;
    let max_per_second = arguments.max_per_second.map(NonZeroU32::get);
    // A run whose time is over keeps its messages: none of them is to get its outcome a moment before.
    let message_timeout_ms = arguments.unfinished.as_ref().map(|_| network.timeout.saturating_add(MARGIN_MS));
    let options = SessionOptions { max_per_second, message_timeout_ms, ..options(&arguments.queue) };
    let factory = MqttSessionFactory::new(device, network.timeout, options)?
        .expiring(arguments.device.session.session_expiry_at_disconnect);
    let message = message::with(arguments.topic.as_ref(), arguments.message.qos, &arguments.message.options);
    let json = arguments.report.json;

    // All that can be wrong is found before there is a connection.
    let (feed, payload) = feed(arguments)?;
    let message = Message { payload, ..message };
    if let Err(error) = factory.rehearse(&message).await? {
        if arguments.source.lines.is_some() {
            // The same for every line, so it is said once.
            return Err(CliError::new("not sent", error.explanation));
        }
        let refused = Err(error);
        printer::outcome(&message, &refused, &factory.last_failure, json);
        return Ok(report::exit(&refused));
    }
    let mut files = inputs(&arguments.source);
    files.extend(factory.files().iter().cloned());
    let (file, earlier) = match &arguments.unfinished {
        Some(path) => {
            let (file, earlier) = UnfinishedFile::open(path, &files)?;
            files.push(crate::files::input_file::InputFile { option: "--unfinished", path: path.clone() });
            (Some(file), earlier)
        }
        None => (None, Vec::new()),
    };
    let (session, refused) = factory.resume(&earlier).await.map_err(|error| match (&file, earlier.is_empty()) {
        // Without them all was well.
        (Some(file), false) => CliError::new(
            format!(
                "--unfinished: what is in {} cannot be sent by this device, give another file",
                file.path().display()
            ),
            error,
        ),
        _ => error,
    })?;
    let failed = arguments.report.failed.as_deref().map(|failed| FailedLines::open(failed, &files)).transpose()?;
    if let (Some(file), Some(first)) = (&file, refused.first()) {
        farewell::say_what_stays(file, refused.len(), &first.reason);
    }

    let keeps_lines = failed.is_some();
    let last_failure = factory.last_failure.clone();
    let recorder = match &arguments.source.lines {
        Some(_) => {
            OutcomeRecorder::of_lines(message, json, failed, recorder::progress(feed.total_bytes(), json), last_failure)
        }
        None => OutcomeRecorder::of_messages(message, json, last_failure),
    };
    let now = Instant::now();
    let mut run = Run {
        session,
        connection: ConnectionLog::new(factory.last_failure.clone()),
        next_attempt: NextAttempt::default(),
        feed,
        waiting: VecDeque::new(),
        outstanding: Outstanding::new(recorder, keeps_lines, &earlier),
        saving: file.as_ref().map(|_| SaveSchedule::new(earlier.is_empty(), now)),
        file,
        interruptions: Interruptions::count_for_long_run(),
        reload: reload.heeding_hang_ups(),
        is_reload_due: false,
        replacement: None,
        factory,
        heeded: 0,
        is_impatient: false,
        timeout: Duration::from_millis(network.timeout.into()),
        connect_by: arguments.connect_within.map(|ms| now + Duration::from_millis(ms.into())),
        quiet_since: now,
        is_all_read: false,
        window: window(&arguments.queue),
        reason: String::new(),
        unsent: 0,
        left_over: Vec::new(),
        refused: refused.into_iter().map(|it| it.unfinished).collect(),
        kept: 0,
        unreadable: None,
    };
    let ended = run.all().await;
    let ended = run.end(ended).await;
    let Run { outstanding, connection, reason, factory, .. } = run;
    let recorder = outstanding.into_tally();
    if connection.was_up || !recorder.summary.is_empty() || ended.is_err() {
        return recorder.finish(ended);
    }
    // There was neither a connection nor anything to send.
    recorder.leave()?;
    Ok(match connection.never_up() {
        Some(error) => {
            printer::failure(error, &factory.last_failure, json);
            report::exit_of_failure(error)
        }
        None => {
            complain(format_args!("not sent: {reason}"));
            Exit::NotSent
        }
    })
}

/// What the session is to do while there is no connection.
pub fn options(arguments: &QueueArgs) -> SessionOptions {
    SessionOptions {
        queue_limit: match arguments.queue {
            Some(QueueLimit::Off) => Some(0),
            Some(QueueLimit::Messages(limit)) => Some(limit.get()),
            Some(QueueLimit::Unlimited) | None => None,
        },
        queue_unlimited: arguments.queue == Some(QueueLimit::Unlimited),
        full_queue: match arguments.drop {
            Some(Drop::Oldest) => FullQueue::DropOldest,
            Some(Drop::Newest) | None => FullQueue::DropNewest,
        },
        drain_per_second: arguments.drain_per_second,
        ..SessionOptions::default()
    }
}

/// After a loss, all that are outstanding must fit into the queue.
fn window(arguments: &QueueArgs) -> usize {
    match arguments.queue {
        Some(QueueLimit::Messages(limit)) => usize::try_from(limit.get()).map_or(WINDOW, |limit| limit.min(WINDOW)),
        Some(QueueLimit::Off | QueueLimit::Unlimited) | None => WINDOW,
    }
}

/// Where the messages come from, and the payload if it is always the same.
fn feed(arguments: &MqttPublish) -> Result<(MessageFeed, Vec<u8>), CliError> {
    let interval = arguments.interval.map(|ms| Duration::from_millis(ms.into()));
    if let Some(path) = &arguments.source.lines {
        let shelf = arguments.report.failed.as_deref().map_or_else(SpillFolder::none, SpillFolder::beside);
        return Ok((MessageFeed::lines(Source::open(path, shelf)?, interval), Vec::new()));
    }
    let payload = payload::of(&arguments.source)?;
    Ok((MessageFeed::copies(payload.clone(), arguments.count.unwrap_or(1), interval), payload))
}

struct Run<'a> {
    factory: MqttSessionFactory,
    session: MqttSession,
    connection: ConnectionLog,
    next_attempt: NextAttempt,
    feed: MessageFeed,
    /// Read, and not given to the session yet.
    waiting: VecDeque<NextMessage>,
    outstanding: Outstanding,
    file: Option<UnfinishedFile>,
    /// When it is written in the middle, if there is one.
    saving: Option<SaveSchedule>,
    interruptions: Interruptions,
    reload: Reload<'a, MqttConfig>,
    is_reload_due: bool,
    /// Of the connection, as the device has changed.
    replacement: Option<Replacement>,
    /// How many interruptions have had their effect.
    heeded: u32,
    /// After an interruption, the time for answers is over.
    is_impatient: bool,
    timeout: Duration,
    /// When there must have been a connection.
    connect_by: Option<Instant>,
    /// Since when nothing good has happened.
    quiet_since: Instant,
    /// Whether the feed was over when it was looked at last.
    is_all_read: bool,
    /// Messages without an outcome, before no more are read that can wait.
    window: usize,
    /// Why what is left of the feed is not sent.
    reason: String,
    /// How many copies those are.
    unsent: u32,
    /// Lines that were not sent and are kept for the next run.
    left_over: Vec<Unfinished>,
    /// Of an earlier run, what this device cannot send. It stays in the file.
    refused: Vec<Unfinished>,
    /// How many messages wait for the next run.
    kept: usize,
    /// Why the feed has ended before its end.
    unreadable: Option<io::Error>,
}

impl Run<'_> {
    /// Ends when every message has its outcome, or when there is no more hope for those that are left.
    async fn all(&mut self) -> Result<(), CliError> {
        self.session.keep_connecting().await.map_err(trapped)?;
        loop {
            self.take_ready();
            self.publish().await?;
            if self.feed.is_over() && !self.is_all_read {
                // A pipe may have been silent for long: what is waited for from now on is the broker.
                self.is_all_read = true;
                self.quiet_since = Instant::now();
                self.next_attempt.ends_by(self.wanted_by());
            }
            if self.feed.is_over() && self.outstanding.count() == 0 {
                return self.unreadable.take().map_or(Ok(()), |error| Err(recorder::unreadable(error)));
            }
            let is_over = self.deadline().is_some_and(|deadline| deadline <= Instant::now());
            if is_over || self.connection.is_in_vain() {
                let reason = self.why_it_is_over();
                self.end_feed(reason);
                return Ok(());
            }
            let before = self.heeded;
            self.serve().await?;
            if self.next_attempt.take_due() {
                self.session.keep_connecting().await.map_err(trapped)?;
            }
            self.save_if_due().await?;
            self.replace_if_due().await?;
            match self.heeded {
                1 if before == 0 => {
                    self.interrupted().await?;
                    if !self.connection.was_up {
                        return Ok(());
                    }
                }
                0 | 1 if !self.is_impatient => {}
                _ => return Ok(()),
            }
        }
    }

    fn why_it_is_over(&self) -> String {
        let seconds = self.timeout.as_secs_f64();
        match (self.connection.is_up, self.connection.was_up) {
            (true, _) => format!("no answer came in {seconds} s"),
            (false, true) => format!("the connection did not come back in {seconds} s"),
            (false, false) => "there was no connection".to_owned(),
        }
    }

    /// What is there to be sent, as far as there is room for it.
    fn take_ready(&mut self) {
        while self.may_take() {
            match self.feed.next_ready() {
                Some(Ok(fed)) => self.waiting.push_back(fed),
                Some(Err(error)) => self.unreadable = Some(error),
                None => break,
            }
        }
    }

    /// What cannot wait goes into the queue of the session, which has its own bounds; but for a first connection that comes at
    /// once it can wait.
    fn may_take(&self) -> bool {
        let has_room = if self.connection.is_up {
            self.outstanding.count() + self.waiting.len() < self.window
        } else {
            let is_missing = self.connection.was_up || self.connection.never_up().is_some();
            is_missing && self.feed.is_live() && self.waiting.len() < BATCH
        };
        has_room && !self.feed.is_over() && self.replacement.is_none()
    }

    async fn publish(&mut self) -> Result<(), CliError> {
        if self.is_being_replaced() {
            return Ok(());
        }
        while !self.waiting.is_empty() {
            let (messages, origins) = self.batch();
            let taken = self.session.publish_all(&messages).await.map_err(trapped)?;
            for (origin, taken) in origins.into_iter().zip(taken) {
                self.outstanding.taken(origin, taken);
            }
        }
        self.outstanding.recorder().flush();
        Ok(())
    }

    /// What goes in one call.
    fn batch(&mut self) -> (Vec<Message>, Vec<Origin>) {
        let (mut messages, mut origins, mut bytes) = (Vec::new(), Vec::new(), 0);
        while messages.len() < BATCH
            && bytes < BATCH_BYTES
            && let Some(fed) = self.waiting.pop_front()
        {
            if let Some((message, origin)) = self.outstanding.message(fed) {
                bytes += message.payload.len();
                messages.push(message);
                origins.push(origin);
            }
        }
        (messages, origins)
    }

    /// Until when is waited for something good. A pipe may be silent for as long as it likes.
    fn deadline(&self) -> Option<Instant> {
        // An attempt that takes all of the time is to have a moment to say why.
        let has_no_reason = !self.connection.was_up && self.connection.never_up().is_none();
        self.wanted_by().map(|at| if has_no_reason { at + GRACE } else { at })
    }

    fn wanted_by(&self) -> Option<Instant> {
        self.wanted_by_while(self.connection.is_up)
    }

    fn wanted_by_while(&self, is_up: bool) -> Option<Instant> {
        let is_waiting = self.feed.is_over() || (!is_up && !self.feed.is_live());
        let answers = is_waiting.then(|| self.quiet_since + self.timeout);
        [answers, self.connect_by.filter(|_| !self.connection.was_up)].into_iter().flatten().min()
    }

    /// Serves the connection until something happens: on it, in the feed, or by a signal.
    async fn serve(&mut self) -> Result<(), CliError> {
        let until =
            [self.deadline(), self.save_at(), self.replace_at(), self.next_attempt.due()].into_iter().flatten().min();
        let time = until.map_or(LONG, |deadline| deadline.saturating_duration_since(Instant::now()));
        let may_take = self.may_take();
        let interrupt = self.session.interrupt();
        let events = {
            let mut receive = pin!(self.session.receive(time.max(Duration::from_millis(1))));
            tokio::select! {
                biased;
                events = &mut receive => events,
                () = self.interruptions.reached(self.heeded + 1) => {
                    self.heeded += 1;
                    interrupt.now();
                    receive.await
                }
                () = self.interruptions.patience_is_over(), if self.heeded > 0 => {
                    self.is_impatient = true;
                    interrupt.now();
                    receive.await
                }
                () = self.reload.is_due(), if self.heeded == 0 => {
                    self.is_reload_due = true;
                    interrupt.now();
                    receive.await
                }
                fed = self.feed.next(), if may_take => {
                    match fed {
                        Some(Ok(fed)) => self.waiting.push_back(fed),
                        Some(Err(error)) => self.unreadable = Some(error),
                        None => {}
                    }
                    interrupt.now();
                    receive.await
                }
            }
        };
        self.heed(events.map_err(trapped)?)
    }

    fn heed(&mut self, events: Vec<Event>) -> Result<(), CliError> {
        for event in events {
            match event {
                Event::Published(published) => {
                    self.quiet_since = Instant::now();
                    self.outstanding.answered(published.id, &Ok(published.receipt));
                }
                Event::NotPublished(refused) => {
                    self.quiet_since = Instant::now();
                    self.outstanding.answered(refused.id, &Err(self.explained(refused.error)));
                }
                Event::Connected(_) => {
                    self.replaced();
                    self.next_attempt.begun();
                    self.quiet_since = Instant::now();
                    let connection = &mut self.connection;
                    self.outstanding.recorder().progress.suspend(|| connection.connected());
                }
                Event::Disconnected(mut disconnection) => {
                    self.replaced();
                    if self.connection.is_up {
                        self.quiet_since = Instant::now();
                    }
                    let deadline = self.wanted_by_while(false);
                    disconnection.retry_ms = self.next_attempt.pauses(disconnection.retry_ms, deadline);
                    let connection = &mut self.connection;
                    self.outstanding.recorder().progress.suspend(|| connection.disconnected(&disconnection, deadline));
                }
                Event::Message(_) | Event::Subscribed(_) | Event::Unsubscribed(_) | Event::Other(_) => {}
            }
        }
        self.outstanding.recorder().flush();
        Ok(())
    }

    /// Of a message that was given up as there was never a connection, why there was none tells more.
    fn explained(&self, error: Error) -> Error {
        match self.connection.never_up() {
            Some(why) if error.cause == Cause::Abandoned && error.delivery == Delivery::NotSent => {
                Error { attempts: error.attempts, ..why.clone() }
            }
            _ => error,
        }
    }
}
