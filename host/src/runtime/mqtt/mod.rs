//! A device on an MQTT broker: one instance of a component of world `mqtt`.

mod session;
pub(super) mod state;

use std::sync::Arc;

use wasmtime::component::{HasSelf, InstancePre, Linker};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::clocks::WasiClocks;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi_io::bindings::wasi::io;

pub use session::MqttSession;

use super::Table;
use super::bindings::mqtt::exports::thingpost::iot::{aliyun_mqtt, aws_mqtt, mqtt_session};
use super::bindings::mqtt::thingpost::iot::{dialer, interrupt};
use super::interfaces::exported;
use super::publisher::OpenError;
use super::secrets::DeviceSecrets;
use super::types::mqtt::{Broker, FullQueue, MqttConfig, SessionOptions, Unfinished};
use crate::transport::Transport;
use state::{Dials, MqttState};

/// Leaves every bound to the component, and refuses the newest message when the queue is full.
pub const DEFAULT_SESSION_OPTIONS: SessionOptions = SessionOptions {
    queue_limit: None,
    queue_unlimited: false,
    full_queue: FullQueue::DropNewest,
    drain_per_second: None,
    max_per_second: None,
    reconnect_base_ms: None,
    reconnect_max_ms: None,
    stable_ms: None,
    connect_timeout_ms: None,
    operation_timeout_ms: None,
    message_timeout_ms: None,
    max_in_flight: None,
    max_attempts: None,
};

/// A component of world `mqtt` that is compiled and linked, ready to be instantiated many times.
#[derive(Clone)]
pub struct MqttPre {
    engine: Engine,
    pre: InstancePre<MqttState>,
    session: mqtt_session::GuestIndices,
    aws: Option<aws_mqtt::GuestIndices>,
    aliyun: Option<aliyun_mqtt::GuestIndices>,
}

impl MqttPre {
    pub(super) fn new(pre: InstancePre<MqttState>) -> Result<Self> {
        Ok(Self {
            engine: pre.engine().clone(),
            session: mqtt_session::GuestIndices::new(&pre)?,
            aws: aws_mqtt::GuestIndices::new(&pre).ok(),
            aliyun: aliyun_mqtt::GuestIndices::new(&pre).ok(),
            pre,
        })
    }

    /// Starts an instance whose connections go through `transport`, and which signs with these secrets where the
    /// configuration leaves that to the host; and opens a session in it, with what an earlier one left unfinished. Sends
    /// nothing.
    pub async fn open(
        &self,
        transport: Transport,
        secrets: Arc<DeviceSecrets>,
        config: &MqttConfig,
        options: &SessionOptions,
        unfinished: &[Unfinished],
    ) -> Result<MqttSession, OpenError> {
        let mut store = Store::new(&self.engine, MqttState::new(transport, secrets));
        store.limiter(MqttState::limits);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let guest = self.session.load(&mut store, &instance)?;
        let MqttConfig { broker, session } = config;
        let session = match broker {
            Broker::Aws(broker) => {
                let aws = exported(self.aws.as_ref(), "aws-mqtt")?.load(&mut store, &instance)?;
                aws.call_open(&mut store, broker, session, *options, unfinished).await?
            }
            Broker::Aliyun(broker) => {
                let aliyun = exported(self.aliyun.as_ref(), "aliyun-mqtt")?.load(&mut store, &instance)?;
                aliyun.call_open(&mut store, broker, session, *options, unfinished).await?
            }
        };
        let session = session.map_err(OpenError::Configuration)?;
        Ok(MqttSession::new(store, guest, session))
    }
}

/// What the world `mqtt` imports, and nothing else.
pub(super) fn linker(engine: &Engine) -> Result<Linker<MqttState>> {
    let mut linker = Linker::new(engine);
    io::error::add_to_linker::<_, Table>(&mut linker, MqttState::table)?;
    io::poll::add_to_linker::<_, Table>(&mut linker, MqttState::table)?;
    io::streams::add_to_linker::<_, Table>(&mut linker, MqttState::table)?;
    monotonic_clock::add_to_linker::<_, WasiClocks>(&mut linker, MqttState::clocks)?;
    dialer::add_to_linker::<_, Dials>(&mut linker, MqttState::dialer)?;
    interrupt::add_to_linker::<_, HasSelf<MqttState>>(&mut linker, |state| state)?;
    super::bindings::thingpost::iot::signer::add_to_linker::<_, HasSelf<MqttState>>(&mut linker, |state| state)?;
    Ok(linker)
}
