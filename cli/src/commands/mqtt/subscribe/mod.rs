//! `thingpost mqtt subscribe`: prints what comes, until it is interrupted.

mod incoming;

use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::time::Duration;

use thingpost_host::runtime::MqttSession;
use thingpost_host::runtime::types::mqtt::{
    Event, Incoming, MqttConfig, RetainHandling, SessionOptions, Subscribed, Subscription, SubscriptionOptions,
};
use thingpost_host::runtime::types::{Error, Qos};
use tokio::time::Instant;

use super::connection_log::ConnectionLog;
use super::next_attempt::NextAttempt;
use crate::args::{self, MqttSubscribe};
use crate::component::mqtt::{MqttSessionFactory, trapped};
use crate::device::reload::{DeviceSource, Reload};
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::output::printer;
use crate::output::report::{self, LastFailure};
use crate::terminal::interrupt::Interruptions;
use crate::terminal::{closed_output, complain, try_print};
use crate::{device, message};

/// As good as for ever.
const LONG: Duration = Duration::from_secs(3600);

pub async fn run(arguments: &MqttSubscribe) -> Result<Exit, CliError> {
    let network = &arguments.device.network;
    let make = || device::mqtt(&arguments.device);
    let source = DeviceSource { files: device::mqtt_files(&arguments.device), make: &make };
    let (device, reload) = Reload::make(source)?;
    let factory = MqttSessionFactory::new(device, network.timeout, SessionOptions::default())?
        .expiring(arguments.device.session.session_expiry_at_disconnect);
    let last_failure = factory.last_failure.clone();
    let mut session = open(&factory, arguments).await?;
    if closed_output::is_closed() {
        return Err(CliError::sentence(
            "standard output is closed, so nothing could be printed: leave out `>&-`, or give it a file or a pipe",
        ));
    }
    let interruptions = Interruptions::count_for_long_run();
    session.keep_connecting().await.map_err(trapped)?;
    let mut run = Run {
        connection: ConnectionLog::new(last_failure.clone()),
        next_attempt: NextAttempt::default(),
        connect_by: arguments.connect_within.map(|ms| Instant::now() + Duration::from_millis(ms.into())),
        last_failure: last_failure.clone(),
        factory,
        reload: reload.heeding_hang_ups(),
        arguments,
        has_old_session: false,
        wanted: message::qos(arguments.qos),
        granted: HashMap::new(),
        topics: arguments.topics.iter().collect::<std::collections::HashSet<_>>().len(),
        left: arguments.count,
        json: arguments.json,
    };
    match run.all(&mut session, &interruptions).await {
        Ok(End::Reached(exit)) => {
            // It acknowledges what was received last. What it did not come to comes again.
            tokio::select! {
                over = session.disconnect() => over.map_err(trapped)?,
                () = interruptions.goodbye_is_over() => {}
                () = interruptions.reached(2) => {}
            }
            Ok(exit)
        }
        Ok(End::NeverConnected(error)) => {
            let Some(error) = error else {
                complain("no connection in the time that it may take");
                return Ok(Exit::NotSent);
            };
            match arguments.json {
                true => printer::failure(&error, &last_failure, true),
                false => {
                    complain(one_line(&format!("no connection: {}", report::explained(&error, &last_failure))));
                }
            }
            Ok(report::exit_of_failure(&error))
        }
        // Without a goodbye: that would acknowledge what was not taken.
        Ok(End::Unwritten(error)) => {
            if error.kind() != io::ErrorKind::BrokenPipe {
                complain(format_args!("thingpost: cannot write the output: {error}"));
            }
            Ok(Exit::Unknown)
        }
        Err(error) => {
            complain(format_args!("unknown: {error}"));
            Ok(Exit::Unknown)
        }
    }
}

/// A session that asks for the topics as soon as it is connected.
async fn open(factory: &MqttSessionFactory, arguments: &MqttSubscribe) -> Result<MqttSession, CliError> {
    let mut session = factory.open().await?;
    let qos = message::qos(arguments.qos);
    for filter in &arguments.topics {
        let subscription = Subscription { filter: filter.clone(), qos, options: options(arguments) };
        if let Err(error) = session.subscribe(&subscription).await.map_err(trapped)? {
            return Err(CliError::new(format!("--topic {filter}"), error.explanation));
        }
    }
    Ok(session)
}

/// None where none was asked for: MQTT 3.1.1 has none.
fn options(arguments: &MqttSubscribe) -> Option<SubscriptionOptions> {
    let MqttSubscribe { no_local, retain_as_published, retain_handling, .. } = *arguments;
    let is_any = no_local || retain_as_published || retain_handling.is_some();
    is_any.then_some(SubscriptionOptions {
        no_local,
        retain_as_published,
        retain_handling: match retain_handling {
            None | Some(args::RetainHandling::Always) => RetainHandling::Always,
            Some(args::RetainHandling::New) => RetainHandling::IfNew,
            Some(args::RetainHandling::Never) => RetainHandling::Never,
        },
    })
}

/// What there is to an end.
enum End {
    Reached(Exit),
    /// A message that was received could not be printed.
    Unwritten(io::Error),
    /// There was no connection, and why.
    NeverConnected(Option<Box<Error>>),
}

struct Run<'a> {
    factory: MqttSessionFactory,
    reload: Reload<'a, MqttConfig>,
    arguments: &'a MqttSubscribe,
    /// The session has a secret that is no longer right.
    has_old_session: bool,
    connection: ConnectionLog,
    next_attempt: NextAttempt,
    /// When there must have been a connection.
    connect_by: Option<Instant>,
    last_failure: LastFailure,
    wanted: Qos,
    /// What was answered last, by filter.
    granted: HashMap<String, bool>,
    /// How many filters there are.
    topics: usize,
    /// How many messages are still wanted, if not all.
    left: Option<u32>,
    json: bool,
}

impl Run<'_> {
    async fn all(&mut self, session: &mut MqttSession, interruptions: &Interruptions) -> Result<End, CliError> {
        loop {
            let interrupt = session.interrupt();
            // What is received counts as delivered: so no more than is printed.
            let most = self.left.unwrap_or(u32::MAX);
            let connect_by = self.connect_by.filter(|_| !self.connection.was_up);
            let now = Instant::now();
            if connect_by.is_some_and(|at| at <= now) || self.connection.is_in_vain() {
                return Ok(End::NeverConnected(self.connection.never_up().cloned().map(Box::new)));
            }
            let until = [connect_by, self.next_attempt.due()].into_iter().flatten().min();
            let time = until.map_or(LONG, |at| at.saturating_duration_since(now).max(Duration::from_millis(1)));
            let mut is_reload_due = false;
            let (events, is_interrupted) = {
                let mut receive = pin!(session.receive_at_most(time, most));
                tokio::select! {
                    biased;
                    events = &mut receive => (events, false),
                    () = interruptions.reached(1) => {
                        interrupt.now();
                        (receive.await, true)
                    }
                    () = self.reload.is_due() => {
                        is_reload_due = true;
                        interrupt.now();
                        (receive.await, false)
                    }
                }
            };
            let mut is_lost = false;
            for event in events.map_err(trapped)? {
                is_lost |= matches!(event, Event::Disconnected(_));
                if let Some(end) = self.heed(event) {
                    return Ok(end);
                }
            }
            if is_interrupted {
                return Ok(End::Reached(Exit::Delivered));
            }
            if self.next_attempt.take_due() {
                session.keep_connecting().await.map_err(trapped)?;
            }
            let is_next = is_reload_due && self.reload().await;
            if (is_next || (is_lost && self.has_old_session))
                && let Some(end) = self.connect_again(session).await?
            {
                return Ok(end);
            }
        }
    }

    /// Takes up what has changed of the device, and says whether the connection is to be made anew for that. A broker that does not keep
    /// the session would forget what comes between two connections, so such a connection is left as it is until it ends.
    async fn reload(&mut self) -> bool {
        let say = |line: &str| complain(line);
        let mut is_next = false;
        if let Some(reloaded) = self.reload.look(say) {
            let summary = reloaded.summary();
            match self.factory.take_up(reloaded).await {
                Ok(needs_session) => {
                    self.has_old_session |= needs_session;
                    let session = &self.arguments.device.session;
                    let is_kept = session.session_expiry > 0 && session.session_expiry_at_disconnect.is_none();
                    is_next = is_kept || !self.connection.is_up;
                    let from_when = if is_next { "" } else { "; in use from the next connection on" };
                    say(&format!("{summary}{from_when}"));
                }
                Err(not_taken_up) => self.reload.refuse(not_taken_up, say),
            }
        }
        if let Some(warning) = self.reload.reminder(self.factory.expires_soon()) {
            say(&warning);
        }
        is_next
    }

    /// Says goodbye, which acknowledges what was printed, and connects as the device is now.
    async fn connect_again(&mut self, session: &mut MqttSession) -> Result<Option<End>, CliError> {
        session.disconnect().await.map_err(trapped)?;
        if std::mem::take(&mut self.has_old_session) {
            let most = self.left.unwrap_or(u32::MAX);
            for event in session.receive_at_most(Duration::ZERO, most).await.map_err(trapped)? {
                if let Some(end) = self.heed(event) {
                    return Ok(Some(end));
                }
            }
            *session = open(&self.factory, self.arguments).await?;
        }
        self.connection.is_up = false;
        session.keep_connecting().await.map_err(trapped)?;
        Ok(None)
    }

    /// Says what happened, and whether that was all.
    fn heed(&mut self, event: Event) -> Option<End> {
        match event {
            Event::Message(message) => match self.show(&message) {
                Ok(was_last) => return was_last.then_some(End::Reached(Exit::Delivered)),
                Err(error) => return Some(End::Unwritten(error)),
            },
            Event::Connected(_) => {
                self.next_attempt.begun();
                self.connection.connected();
            }
            Event::Disconnected(mut disconnection) => {
                let connect_by = self.connect_by.filter(|_| !self.connection.was_up);
                disconnection.retry_ms = self.next_attempt.pauses(disconnection.retry_ms, connect_by);
                self.connection.disconnected(&disconnection, self.connect_by);
            }
            Event::Subscribed(answer) => return self.answered(answer).then_some(End::Reached(Exit::Refused)),
            Event::Published(_) | Event::NotPublished(_) | Event::Unsubscribed(_) | Event::Other(_) => {}
        }
        None
    }

    /// Prints a message. True if it was the last one.
    fn show(&mut self, message: &Incoming) -> io::Result<bool> {
        match self.json {
            true => try_print(incoming::json(message))?,
            false => try_print(incoming::text(message))?,
        }
        self.left = self.left.map(|left| left - 1);
        Ok(self.left == Some(0))
    }

    /// Says what became of a subscription, unless it is what it was. True if none is left.
    fn answered(&mut self, Subscribed { filter, granted }: Subscribed) -> bool {
        let said = match &granted {
            Ok(qos) if *qos == self.wanted => format!("subscribed to {filter}"),
            Ok(_) => format!("subscribed to {filter}, at most once"),
            Err(error) => format!("refused: {filter}: {}", report::explained(error, &self.last_failure)),
        };
        let before = self.granted.insert(filter, granted.is_ok());
        if before != Some(granted.is_ok()) {
            complain(one_line(&said));
        }
        self.granted.len() == self.topics && !self.granted.values().any(|is_granted| *is_granted)
    }
}
