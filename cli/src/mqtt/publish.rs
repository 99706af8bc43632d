//! `thingpost mqtt publish`: reads, sends and listens at the same time, and ends when every message has its outcome.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU32;
use std::pin::pin;
use std::time::Duration;

use thingpost_host::runtime::types::mqtt::{Event, FullQueue, SessionOptions};
use thingpost_host::runtime::types::{Message, Stage};
use thingpost_host::runtime::{DEFAULT_SESSION_OPTIONS, MqttSession};
use tokio::time::Instant;

use super::feed::{Fed, Feed};
use super::link::{First, Link, connect};
use super::outstanding::{Origin, Outstanding};
use super::starter::MqttStarter;
use super::trapped;
use super::unfinished_file::UnfinishedFile;
use crate::arguments::{Drop, MqttPublish, QueueArguments, QueueLimit};
use crate::failed::Failed;
use crate::interrupt::{Interruptions, WAITING};
use crate::problem::Problem;
use crate::publish::inputs;
use crate::source::Source;
use crate::tally::{self, Tally};
use crate::terminal::complain;
use crate::{Exit, device, message, payload, report, say};

/// How many messages without an outcome there are before no more are read, unless they cannot wait. More than the session has
/// under way at once, so that it never waits for us; few enough that draining them after a loss takes seconds.
const WINDOW: usize = 128;

/// Messages for one call of the component.
const BATCH: usize = 256;

/// Their bytes. The component holds them in its memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// As good as for ever.
const LONG: Duration = Duration::from_secs(3600);

pub async fn run(arguments: &MqttPublish) -> Result<Exit, Problem> {
    if arguments.interval.is_some() && arguments.count.is_none() && arguments.source.lines.is_none() {
        return Err(Problem::sentence(
            "--interval is of use only with --count or --lines: give one of them, or leave it out",
        ));
    }
    let reach = &arguments.device.reach;
    let device = device::mqtt(&arguments.device)?;
    let max_per_second = arguments.max_per_second.map(NonZeroU32::get);
    let options = SessionOptions { max_per_second, ..options(&arguments.queue) };
    let starter = MqttStarter::new(device, reach.connect_to.clone(), reach.timeout, options)?;
    let message = message::with(arguments.topic.as_ref(), arguments.message.qos, &arguments.message.options);
    let json = arguments.report.json;

    // All that can be wrong is found before there is a connection.
    let (feed, payload) = feed(arguments)?;
    let message = Message { payload, ..message };
    if let Err(error) = starter.rehearse(&message).await? {
        if arguments.source.lines.is_some() {
            // The same for every line, so it is said once.
            return Err(Problem::new("not sent", error.explanation));
        }
        let refused = Err(error);
        say::outcome(&message, &refused, &starter.last_failure, json);
        return Ok(report::exit(&refused));
    }
    let mut files = inputs(&arguments.source);
    files.extend(starter.files().iter().cloned());
    let (file, earlier) = match &arguments.unfinished {
        Some(path) => {
            let (file, earlier) = UnfinishedFile::open(path, &files)?;
            files.push(crate::input_file::InputFile { option: "--unfinished", path: path.clone() });
            (Some(file), earlier)
        }
        None => (None, Vec::new()),
    };
    let session = starter.open(&earlier).await.map_err(|problem| match (&file, earlier.is_empty()) {
        // Without them all was well.
        (Some(file), false) => Problem::new(
            format!(
                "--unfinished: what is in {} cannot be sent by this device, give another file",
                file.path().display()
            ),
            problem,
        ),
        _ => problem,
    })?;
    let failed = arguments.report.failed.as_deref().map(|failed| Failed::open(failed, &files)).transpose()?;

    let keeps_lines = failed.is_some();
    let last_failure = starter.last_failure.clone();
    let tally = match &arguments.source.lines {
        Some(_) => Tally::of_lines(message, json, failed, tally::progress(feed.total_bytes(), json), last_failure),
        None => Tally::of_messages(message, json, last_failure),
    };
    let mut run = Run {
        session,
        link: Link::new(starter.last_failure.clone()),
        starter,
        feed,
        waiting: VecDeque::new(),
        outstanding: Outstanding::new(tally, keeps_lines, &earlier),
        file,
        interruptions: Interruptions::count(),
        heeded: 0,
        timeout: Duration::from_millis(reach.timeout.into()),
        quiet_since: Instant::now(),
        is_all_read: false,
        window: window(&arguments.queue),
        reason: String::new(),
        unsent: 0,
        unreadable: None,
    };
    match run.connect(json).await {
        Ok(None) => {}
        // None of the lines was sent, and all of them are in the book.
        Ok(Some(_)) if !run.outstanding.tally().summary.is_empty() => {
            return run.outstanding.into_tally().finish(Ok(()));
        }
        Ok(Some(exit)) => return run.outstanding.into_tally().leave().map(|()| exit),
        Err(problem) => return run.outstanding.into_tally().finish(Err(problem)),
    }
    let ended = run.all().await;
    let ended = run.end(ended).await;
    run.outstanding.into_tally().finish(ended)
}

/// What the session is to do while there is no connection.
pub fn options(arguments: &QueueArguments) -> SessionOptions {
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
        ..DEFAULT_SESSION_OPTIONS
    }
}

/// After a loss, all that are outstanding must fit into the queue.
fn window(arguments: &QueueArguments) -> usize {
    match arguments.queue {
        Some(QueueLimit::Messages(limit)) => usize::try_from(limit.get()).map_or(WINDOW, |limit| limit.min(WINDOW)),
        Some(QueueLimit::Off | QueueLimit::Unlimited) | None => WINDOW,
    }
}

/// Where the messages come from, and the payload if it is always the same.
fn feed(arguments: &MqttPublish) -> Result<(Feed, Vec<u8>), Problem> {
    let interval = arguments.interval.map(|ms| Duration::from_millis(ms.into()));
    if let Some(path) = &arguments.source.lines {
        return Ok((Feed::lines(Source::open(path)?, interval), Vec::new()));
    }
    let payload = payload::of(&arguments.source)?;
    Ok((Feed::copies(payload.clone(), arguments.count.unwrap_or(1), interval), payload))
}

struct Run {
    starter: MqttStarter,
    session: MqttSession,
    link: Link,
    feed: Feed,
    /// Read, and not given to the session yet.
    waiting: VecDeque<Fed>,
    outstanding: Outstanding,
    file: Option<UnfinishedFile>,
    interruptions: Interruptions,
    /// How many interruptions have had their effect.
    heeded: u32,
    timeout: Duration,
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
    /// Why the feed has ended before its end.
    unreadable: Option<io::Error>,
}

impl Run {
    /// The first connection. If it fails, a single message is kept, as it is nowhere else, and the lines are counted as not sent.
    async fn connect(&mut self, json: bool) -> Result<Option<Exit>, Problem> {
        let error = match connect(&mut self.session, &self.interruptions).await? {
            First::Made => {
                self.quiet_since = Instant::now();
                return Ok(None);
            }
            First::Interrupted => {
                let reason = "interrupted before there was a connection";
                self.end_feed(reason.to_owned());
                if let Some(source) = self.feed.rest() {
                    self.outstanding.tally().give_up_rest(source, reason, &self.interruptions, 2).await?;
                }
                if self.outstanding.tally().summary.is_empty() {
                    complain(format_args!("not sent: {reason}"));
                }
                return Ok(Some(Exit::NotSent));
            }
            First::Failed(error) => error,
        };
        let exit = report::exit_of_failure(&error);
        if !self.feed.is_of_copies() {
            self.feed.end();
            if error.stage != Stage::Preparation
                && let Some(source) = self.feed.rest()
            {
                let (tally, interruptions) = (self.outstanding.tally(), &self.interruptions);
                tally.refuse_rest(source, error.clone(), interruptions, 2).await?;
            }
            if self.outstanding.tally().summary.is_empty() {
                say::failure(&error, &self.starter.last_failure, json);
            }
            if self.outstanding.count() > 0 {
                self.keep().await?;
            }
            return Ok(Some(exit));
        }
        let message = self.outstanding.tally().message(Vec::new());
        say::outcome(&message, &Err(error), &self.starter.last_failure, json);
        if self.file.is_some() {
            while let Some(Fed::Copy(payload)) = self.feed.next_at_once() {
                let message = self.outstanding.tally().message(payload);
                if self.session.publish(&message).await.map_err(trapped)?.is_err() {
                    break;
                }
            }
            self.keep().await?;
        }
        Ok(Some(exit))
    }

    /// Ends when every message has its outcome, or when there is no more hope for those that are left.
    async fn all(&mut self) -> Result<(), Problem> {
        loop {
            self.take_ready();
            self.publish().await?;
            if self.feed.is_over() && !self.is_all_read {
                // A pipe may have been silent for long: what is waited for from now on is the broker.
                self.is_all_read = true;
                self.quiet_since = Instant::now();
            }
            if self.feed.is_over() && self.outstanding.count() == 0 {
                return self.unreadable.take().map_or(Ok(()), |error| Err(tally::unreadable(error)));
            }
            let is_over = self.deadline().is_some_and(|deadline| deadline <= Instant::now());
            if is_over {
                let seconds = self.timeout.as_secs_f64();
                let reason = if self.link.is_up { "no answer came" } else { "the connection did not come back" };
                self.end_feed(format!("{reason} in {seconds} s"));
                return Ok(());
            }
            let before = self.heeded;
            self.serve().await?;
            match self.heeded {
                1 if before == 0 => {
                    if self.outstanding.count() > 0 {
                        self.outstanding.tally().progress.suspend(|| complain(WAITING));
                    }
                    self.end_feed("interrupted".to_owned());
                }
                0 | 1 => {}
                _ => return Ok(()),
            }
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

    /// What cannot wait goes into the queue of the session, which has its own bounds.
    fn may_take(&self) -> bool {
        let has_room = if self.link.is_up {
            self.outstanding.count() + self.waiting.len() < self.window
        } else {
            self.feed.is_live() && self.waiting.len() < BATCH
        };
        has_room && !self.feed.is_over()
    }

    async fn publish(&mut self) -> Result<(), Problem> {
        while !self.waiting.is_empty() {
            let (messages, origins) = self.batch()?;
            let taken = self.session.publish_all(&messages).await.map_err(trapped)?;
            for (origin, taken) in origins.into_iter().zip(taken) {
                self.outstanding.taken(origin, taken)?;
            }
        }
        self.outstanding.tally().flush()
    }

    /// What goes in one call.
    fn batch(&mut self) -> Result<(Vec<Message>, Vec<Origin>), Problem> {
        let (mut messages, mut origins, mut bytes) = (Vec::new(), Vec::new(), 0);
        while messages.len() < BATCH
            && bytes < BATCH_BYTES
            && let Some(fed) = self.waiting.pop_front()
        {
            if let Some((message, origin)) = self.outstanding.message(fed)? {
                bytes += message.payload.len();
                messages.push(message);
                origins.push(origin);
            }
        }
        Ok((messages, origins))
    }

    /// Until when is waited for something good. A pipe may be silent for as long as it likes.
    fn deadline(&self) -> Option<Instant> {
        let is_waiting = self.feed.is_over() || (!self.link.is_up && !self.feed.is_live());
        is_waiting.then(|| self.quiet_since + self.timeout)
    }

    /// Serves the connection until something happens: on it, in the feed, or by a signal.
    async fn serve(&mut self) -> Result<(), Problem> {
        let until = self.deadline();
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

    fn heed(&mut self, events: Vec<Event>) -> Result<(), Problem> {
        for event in events {
            match event {
                Event::Published(published) => {
                    self.quiet_since = Instant::now();
                    self.outstanding.answered(published.id, &Ok(published.receipt))?;
                }
                Event::NotPublished(refused) => {
                    self.quiet_since = Instant::now();
                    self.outstanding.answered(refused.id, &Err(refused.error))?;
                }
                Event::Connected(_) => {
                    self.quiet_since = Instant::now();
                    let link = &mut self.link;
                    self.outstanding.tally().progress.suspend(|| link.connected());
                }
                Event::Disconnected(disconnection) => {
                    if self.link.is_up {
                        self.quiet_since = Instant::now();
                    }
                    let link = &mut self.link;
                    self.outstanding.tally().progress.suspend(|| link.disconnected(&disconnection));
                }
                Event::Message(_) | Event::Subscribed(_) | Event::Unsubscribed(_) => {}
            }
        }
        self.outstanding.tally().flush()
    }

    /// No more is read. What is left is given up when all that was sent has its outcome, so that lines are kept in their order.
    fn end_feed(&mut self, reason: String) {
        self.quiet_since = Instant::now();
        if !self.feed.is_over() {
            self.unsent = self.feed.end();
            self.reason = reason;
        }
    }

    /// Says goodbye, and gives those their outcome that have none.
    async fn end(&mut self, ended: Result<(), Problem>) -> Result<(), Problem> {
        let settled = self.settle_rest().await;
        let reason = match &settled {
            Err(problem) => problem.to_string(),
            Ok(()) => "the component failed: it gave no outcome".to_owned(),
        };
        let given_up = self.outstanding.give_up(&reason);
        self.outstanding.tally().give_up_copies(self.unsent, &self.reason);
        let rest = match self.feed.rest() {
            Some(source) => {
                let patience = self.heeded.max(1) + 1;
                self.outstanding.tally().give_up_rest(source, &self.reason, &self.interruptions, patience).await
            }
            None => Ok(()),
        };
        ended.and(settled).and(given_up).and(rest)
    }

    async fn settle_rest(&mut self) -> Result<(), Problem> {
        // Whoever has interrupted twice does not wait for a goodbye.
        if self.heeded < 2 {
            self.session.disconnect().await.map_err(trapped)?;
            self.receive_rest().await?;
        }
        let kept = self.keep().await;
        if self.outstanding.count() > 0 {
            self.session.abandon().await.map_err(trapped)?;
            self.receive_rest().await?;
        }
        kept
    }

    async fn receive_rest(&mut self) -> Result<(), Problem> {
        loop {
            let events = self.session.receive(Duration::ZERO).await.map_err(trapped)?;
            if events.is_empty() {
                return Ok(());
            }
            self.heed(events)?;
        }
    }

    /// Leaves what has no outcome for the next run.
    async fn keep(&mut self) -> Result<(), Problem> {
        let Some(file) = &self.file else { return Ok(()) };
        let unfinished = self.session.unfinished().await.map_err(trapped)?;
        file.keep(&unfinished)?;
        self.outstanding.are_kept = true;
        if !unfinished.is_empty() {
            let (count, path) = (unfinished.len(), file.path().display());
            let messages = if count == 1 { "1 message waits".to_owned() } else { format!("{count} messages wait") };
            complain(crate::problem::one_line(&format!("{messages} in {path} for the next run")));
        }
        Ok(())
    }
}
