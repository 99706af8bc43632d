//! `thingpost serve`: plain HTTP in, and out as whom the configuration says.

mod descriptors;
mod summary;

use std::path::Path;

use thingpost_host::POLL_INTERVAL;
use thingpost_serve::{
    BuiltIn, Config, ConfigError, Drained, FollowEvent, Follower, Loaded, LogLevel, LogSettings, Server, init_log,
};
use tokio::time::{Instant, sleep_until};

use crate::args::ServeArgs;
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::terminal::answer;
use crate::terminal::hang_up::HangUps;
use crate::terminal::interrupt::Interruptions;

/// What is served where no component is named.
const BUILT_IN: Option<BuiltIn> = Some(BuiltIn { component: thingpost_edge_artifacts::EDGE.bytes });

/// What there is to begin with, for those without a configuration.
const FIRST: &str = "\
nothing is configured: give --config FILE, for AWS with [config] platform = \"aws\" and endpoint = \"HOST\", and [[route]] endpoint = \"HOST\", \
cert and key (docs/serve.md has each key, and one to copy); or give a COMPONENT of your own";

/// Serves until interrupted, in a runtime of its own: here each thread of the machine is of use.
pub fn run(arguments: &ServeArgs) -> Result<Exit, CliError> {
    if arguments.component.is_none() && arguments.config.is_none() {
        return Err(CliError::sentence(FIRST));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new("cannot start", error))?;
    let exit = runtime.block_on(async {
        match arguments.check {
            true => check(arguments),
            false => serve(arguments).await,
        }
    });
    // Nothing ends a name lookup that gets no answer.
    runtime.shutdown_background();
    exit
}

fn check(arguments: &ServeArgs) -> Result<Exit, CliError> {
    let (_, loaded) = follower(arguments)?;
    let summary = summary::of(&loaded, BUILT_IN.is_some());
    Server::check(loaded, BUILT_IN).map_err(CliError::sentence)?;
    summary.into_iter().for_each(|line| answer(one_line(&line)));
    Ok(Exit::Delivered)
}

async fn serve(arguments: &ServeArgs) -> Result<Exit, CliError> {
    // Before anything is loaded: what ends the process from here on ends it in order.
    let interruptions = Interruptions::count_for_long_run();
    let mut hang_ups = HangUps::listen();
    let (mut follower, loaded) = follower(arguments)?;
    let (log, wanted) = (loaded.config.log, descriptors::wanted(&loaded.config));
    init_log(log.format, &filter(&log)).map_err(CliError::sentence)?;
    descriptors::raise(wanted);
    let scheme = if loaded.tls.is_some() { "https" } else { "http" };
    let server = Server::start(loaded, BUILT_IN).await.map_err(CliError::sentence)?;
    tracing::info!("listening on {scheme}://{}", server.local_addr());
    if let Some(admin) = server.admin_addr() {
        tracing::info!("health and metrics at http://{admin}");
    }
    let mut next = Instant::now() + POLL_INTERVAL;
    loop {
        let is_asked = tokio::select! {
            () = interruptions.reached(1) => break,
            () = hang_ups.next() => true,
            () = sleep_until(next) => false,
        };
        // To read and compile what is new may take longer than there is for the end.
        let events = tokio::select! {
            () = interruptions.reached(1) => break,
            events = follower.check(&server, is_asked) => events,
        };
        events.iter().for_each(say);
        next = Instant::now() + POLL_INTERVAL;
    }
    tracing::info!("ending: no new connections, and those that have a request finish it");
    tokio::select! {
        drained = server.shutdown() => Ok(ended(drained)),
        () = interruptions.reached(2) => {
            tracing::warn!("ended at once, as asked twice; what became of requests under way is not known");
            Ok(Exit::Unknown)
        }
    }
}

fn ended(drained: Drained) -> Exit {
    match drained.cut_off {
        0 => {
            tracing::info!("ended; no request was cut off");
            Exit::Delivered
        }
        cut_off => {
            tracing::warn!("ended; {cut_off} requests were cut off when the time for them was over");
            Exit::Unknown
        }
    }
}

fn say(event: &FollowEvent) {
    let text = one_line(&event.to_string());
    match event {
        FollowEvent::Kept { .. } | FollowEvent::ExpiresSoon(_) => tracing::warn!("{text}"),
        _ => tracing::info!("{text}"),
    }
}

fn follower(arguments: &ServeArgs) -> Result<(Follower, Loaded), CliError> {
    let (file, component, insecure) = (arguments.config.clone(), arguments.component.clone(), arguments.insecure);
    let read = move || -> Result<Config, ConfigError> {
        let mut config = match &file {
            Some(file) => Config::read(file)?,
            // All defaults: it listens on loopback, and nothing is granted.
            None => Config::from_text(Path::new(""), "")?,
        };
        if let Some(component) = &component {
            config.component = Some(component.clone());
        }
        config.listen.insecure |= insecure;
        Ok(config)
    };
    Follower::new(read).map_err(CliError::sentence)
}

/// What others say at the finer levels is for those who write them.
fn filter(log: &LogSettings) -> String {
    let level = log.level.as_str();
    match log.level {
        LogLevel::Debug | LogLevel::Trace => format!("info,thingpost={level},guest={level}"),
        _ => level.to_owned(),
    }
}
