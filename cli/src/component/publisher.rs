//! Component, device, routes and credential put together: a publisher, and again one if the first has failed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Options, Platform, SigV4};
use thingpost_host::runtime::{CompilationCache, MqttPre, OpenError, Publisher, PublisherPre, Runtime};
use thingpost_host::{ExpiresSoon, Pool, Route, RouteTable, Timeouts, Transport, WorkloadConfig};

use crate::device::reload::{NotTakenUp, Reloaded};
use crate::device::{Device, Network};
use crate::error::CliError;
use crate::files::credential_file::CredentialFile;
use crate::files::input_file::InputFile;
use crate::output::report::LastFailure;
use crate::terminal::complain;

/// What the component allows if it is not told anything else.
const MAX_IN_FLIGHT: u32 = 32;

/// What a publisher is started from.
pub struct PublisherFactory {
    component: PublisherPre,
    device: Device,
    transport: Transport,
    options: Options,
    credential: Option<CredentialFile>,
    /// What the host saw of the last failed connection.
    pub last_failure: LastFailure,
}

impl PublisherFactory {
    /// Puts component, device and routes together.
    pub fn new(component: PublisherPre, device: Device, timeout_ms: u32) -> Result<Self, CliError> {
        device.warn();
        let (transport, last_failure) = transport(device.routes.clone(), device.network.clone(), timeout_ms)?;
        let options = Options { timeout_ms: Some(timeout_ms), ..Options::default() };
        Ok(Self { component, device, transport, options, credential: None, last_failure })
    }

    /// Has no more than this under way at once.
    pub fn limit_in_flight(&mut self, requests: u32) {
        self.options.max_in_flight = Some(requests.min(MAX_IN_FLIGHT));
    }

    /// Withholds all requests but those to these paths, when there is a connection for them.
    pub fn permit_only(&mut self, permits: impl Fn(&str) -> bool + Send + Sync + 'static) {
        self.transport = self.transport.clone().permit_only(permits);
    }

    /// A publisher without a way to anywhere. What it refuses, no answer can change.
    pub async fn open_nowhere(&self) -> Result<Publisher, CliError> {
        let (transport, _) = transport(Vec::new(), Network::default(), u32::MAX)?;
        let publisher = self.component.builder(transport, &self.device.platform).options(self.options);
        let opened = publisher.secrets(Arc::clone(&self.device.secrets)).open().await;
        opened.map_err(|error| CliError::new("the component cannot be started", error))
    }

    /// Keeps the credential in a file, if there is one to be kept: most ways to authenticate need none. The file must be none
    /// of the inputs, nor of those that the device was made from.
    pub fn keep_credential(&mut self, file: Option<&PathBuf>, inputs: &[InputFile]) -> Result<(), CliError> {
        if let Some(path) = file
            && has_credential(&self.device.platform)
        {
            let inputs = [inputs, &self.device.files].concat();
            self.credential = Some(CredentialFile::open(path, &inputs)?);
            self.device.files.push(InputFile { option: "--session-file", path: path.clone() });
        }
        Ok(())
    }

    /// A fresh instance of the component.
    pub async fn open(&mut self) -> Result<Publisher, CliError> {
        let credential = self.credential.as_ref().and_then(CredentialFile::credential);
        let opened = match self.open_with(credential.as_deref()).await {
            Err(OpenError::Configuration(_)) if credential.is_some() => {
                let opened = self.open_with(None).await;
                // Without the credential all is well, so it was the credential.
                if let (Ok(_), Some(file)) = (&opened, &self.credential) {
                    file.reject();
                }
                opened
            }
            opened => opened,
        };
        opened.map_err(|error| match error {
            OpenError::Configuration(_) => CliError::sentence(error),
            OpenError::Runtime(error) => CliError::new("the component cannot be started", format!("{error:#}")),
        })
    }

    async fn open_with(&self, credential: Option<&str>) -> Result<Publisher, OpenError> {
        let (transport, mut secrets) = (self.transport.clone(), Arc::clone(&self.device.secrets));
        if let Some(file) = &self.credential {
            secrets = Arc::new(secrets.sharing(Arc::new(file.clone())));
        }
        let publisher = self.component.builder(transport, &self.device.platform).options(self.options);
        publisher.secrets(secrets).credential(credential).open().await
    }

    /// Before a call: where the key of the device is about to end, asks for the next one, and gives a publisher that has it. If
    /// there is no next one, or none that can be used, the publisher there is goes on with the key that it has.
    pub async fn renew(&mut self) -> Option<Publisher> {
        let mut renewed = self.key()?.clone();
        let mut renewal = self.device.renewal.take_if(|renewal| renewal.is_due())?;
        // It waits for a server, and an interruption must not.
        let asked = tokio::task::spawn_blocking(move || {
            let result = renewal.renew(&mut renewed);
            (renewal, result.map(|()| renewed))
        });
        let (renewal, result) = asked.await.ok()?;
        self.device.renewal = Some(renewal);
        let opened = match result {
            Ok(renewed) => self.open_with_key(renewed).await,
            Err(error) => Err(error),
        };
        opened
            .inspect_err(|error| {
                complain(format_args!("thingpost: {error}; the key there is stays in use, and another try follows"));
            })
            .ok()
    }

    async fn open_with_key(&mut self, mut key: SigV4) -> Result<Publisher, CliError> {
        if let Some(current) = self.key() {
            std::mem::swap(current, &mut key);
        }
        let opened = self.open().await;
        if opened.is_err() {
            if let Some(current) = self.key() {
                *current = key;
            }
            if let Some(renewal) = &mut self.device.renewal {
                renewal.put_off();
            }
        }
        opened
    }

    /// Takes up a device that was made anew: its routes for all requests from now on, its secrets with another publisher, which is
    /// given then. If that cannot be opened, all stays as it was.
    pub async fn take_up(&mut self, reloaded: Reloaded<Platform>) -> Result<Option<Publisher>, NotTakenUp> {
        let (has_other_routes, has_other_secrets) = (reloaded.has_other_routes(), reloaded.has_other_secrets());
        let (device, changed) = reloaded.into_parts();
        let config = match reconfigured(&self.transport, device.routes, device.network) {
            Ok(config) => config,
            Err(error) => return Err(NotTakenUp { error, changed }),
        };
        let mut publisher = None;
        if has_other_secrets {
            let platform = std::mem::replace(&mut self.device.platform, device.platform);
            let secrets = std::mem::replace(&mut self.device.secrets, device.secrets);
            match self.open().await {
                Ok(opened) => publisher = Some(opened),
                Err(error) => {
                    (self.device.platform, self.device.secrets) = (platform, secrets);
                    return Err(NotTakenUp { error, changed });
                }
            }
            self.device.renewal = device.renewal;
        }
        if has_other_routes {
            self.transport.reconfigure(config);
        }
        Ok(publisher)
    }

    /// Takes up the routes of a device that was made anew and nothing else of it, under a call that is under way too.
    pub fn take_up_routes(&self, reloaded: Reloaded<Platform>) -> Result<(), NotTakenUp> {
        let (device, changed) = reloaded.into_parts();
        let config = reconfigured(&self.transport, device.routes, device.network)
            .map_err(|error| NotTakenUp { error, changed })?;
        self.transport.reconfigure(config);
        Ok(())
    }

    /// The end of the device's certificate, if it is soon.
    pub fn expires_soon(&self) -> Option<ExpiresSoon> {
        self.transport.expires_soon()
    }

    fn key(&mut self) -> Option<&mut SigV4> {
        match &mut self.device.platform {
            Platform::Aws(AwsConfig { authentication: AwsAuthentication::SigV4(key), .. }) => Some(key),
            Platform::Aws(_) | Platform::Aliyun(_) => None,
        }
    }

    /// After a call: leaves in the file what the publisher has obtained, for the next one.
    pub async fn save_credential(&mut self, publisher: &mut Publisher) {
        // A publisher that has trapped has none any more.
        if let Some(file) = &self.credential
            && let Ok(Some(credential)) = publisher.credential().await
        {
            file.keep(credential);
        }
    }

    /// How long a message is tried.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.options.timeout_ms.unwrap_or_default().into())
    }

    /// What the device was made from, and where its credential is.
    pub fn files(&self) -> &[InputFile] {
        &self.device.files
    }
}

/// A way along these routes and no others, and what went wrong on it last.
pub fn transport(routes: Vec<Route>, network: Network, timeout_ms: u32) -> Result<(Transport, LastFailure), CliError> {
    let routes = RouteTable::new(routes).map_err(|error| CliError::new("--endpoint", error))?;
    let workload = network.apply_to(WorkloadConfig::new("thingpost", routes));
    let last_failure = LastFailure::default();
    // The timeout was typed by the user, who is no guest.
    let maximum = Duration::from_millis(timeout_ms.into());
    let transport = Transport::new(Pool::default(), workload)
        .timeouts(Timeouts::default().maximum(maximum).maximum_connect(maximum))
        .observer(Arc::new(last_failure.clone()));
    Ok((transport, last_failure))
}

/// The configuration of a transport, with other routes and another way to them.
pub fn reconfigured(transport: &Transport, routes: Vec<Route>, network: Network) -> Result<WorkloadConfig, CliError> {
    let mut config = transport.config();
    config.routes = RouteTable::new(routes).map_err(|error| CliError::new("--endpoint", error))?;
    Ok(network.apply_to(config))
}

/// Whether the device obtains something by authenticating.
fn has_credential(platform: &Platform) -> bool {
    match platform {
        Platform::Aws(AwsConfig { authentication, .. }) => {
            matches!(authentication, AwsAuthentication::CredentialsProvider(_))
        }
        Platform::Aliyun(_) => true,
    }
}

/// The publisher component that this command carries with it: the one that lets the host sign, so that no device secret is
/// in the sandbox.
pub fn load() -> Result<PublisherPre, CliError> {
    load_with(|runtime| runtime.load(thingpost_artifacts::SIGNED_PUBLISHER.bytes))
}

/// The component for MQTT that this command carries with it.
pub fn load_mqtt() -> Result<MqttPre, CliError> {
    load_with(|runtime| runtime.load_mqtt(thingpost_artifacts::MQTT.bytes))
}

fn load_with<T>(load: impl FnOnce(Runtime) -> wasmtime::Result<T>) -> Result<T, CliError> {
    let component = Runtime::new(&CompilationCache::System).and_then(load);
    component.map_err(|error| CliError::new("the component cannot be loaded", format!("{error:#}")))
}
