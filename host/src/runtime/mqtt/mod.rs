//! A device on an MQTT broker: one instance of a component of world `mqtt`.

pub(super) mod bindings;
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
use super::publisher::OpenError;
use super::secrets::DeviceSecrets;
use super::types::mqtt::{FullQueue, MqttConfig, SessionOptions, Unfinished};
use crate::transport::Transport;
use bindings::exports::thingpost::iot::mqtt_session;
use bindings::thingpost::iot::{dialer, interrupt};
use state::{Dials, MqttState};

/// Leaves every bound to the component, and refuses the newest message when the queue is full.
pub const DEFAULT_SESSION_OPTIONS: SessionOptions = SessionOptions {
    queue_limit: None,
    queue_unlimited: false,
    full_queue: FullQueue::DropNewest,
    drain_per_second: None,
    reconnect_base_ms: None,
    reconnect_max_ms: None,
    stable_ms: None,
    connect_timeout_ms: None,
    operation_timeout_ms: None,
    max_in_flight: None,
    max_attempts: None,
};

/// A component of world `mqtt` that is compiled and linked, ready to be instantiated many times.
#[derive(Clone)]
pub struct MqttPre {
    engine: Engine,
    pre: InstancePre<MqttState>,
    interface: mqtt_session::GuestIndices,
}

impl MqttPre {
    pub(super) fn new(pre: InstancePre<MqttState>) -> Result<Self> {
        Ok(Self { engine: pre.engine().clone(), interface: mqtt_session::GuestIndices::new(&pre)?, pre })
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
        let guest = self.interface.load(&mut store, &instance)?;
        let config = config.clone().into();
        let session = guest.session().call_open(&mut store, &config, *options, unfinished).await?;
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

#[cfg(test)]
mod tests {
    use super::super::{CompilationCache, Runtime};

    /// The smallest component that imports one function of an interface. By hand: the text format is not in our runtime.
    fn importing(interface: &str, function: &str) -> Vec<u8> {
        let sized = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes].concat();
        let name = |name: &str| [&[0], &sized(name.as_bytes())[..]].concat();
        let function_type = [0x01, 0x40, 0, 1, 0];
        let export = [&[0x04], &name(function)[..], &[0x01, 0]].concat();
        let types = [&[1, 0x42, 2], &function_type[..], &export].concat();
        let imports = [&[1], &name(interface)[..], &[0x05, 0]].concat();
        [b"\0asm\x0d\0\x01\0", &[7][..], &sized(&types), &[10], &sized(&imports)].concat()
    }

    #[test]
    fn who_publishes_over_https_cannot_dial_and_who_dials_cannot_send_requests() {
        let runtime = Runtime::new(&CompilationCache::System).unwrap();
        let missing = |refusal: Option<wasmtime::Error>, interface: &str| {
            let refusal = format!("{:#}", refusal.unwrap());
            assert!(refusal.contains(interface) && refusal.contains("implementation"), "{refusal}");
        };
        for interface in ["thingpost:iot/dialer@0.1.0", "thingpost:iot/interrupt@0.1.0"] {
            missing(runtime.load(&importing(interface, "begin")).err(), interface);
        }
        for interface in ["wasi:http/outgoing-handler@0.2.12", "wasi:clocks/wall-clock@0.2.12"] {
            missing(runtime.load_mqtt(&importing(interface, "begin")).err(), interface);
        }
        assert!(runtime.load_mqtt(thingpost_artifacts::PUBLISHER.bytes).is_err());
        assert!(runtime.load_mqtt(thingpost_artifacts::CODEC.bytes).is_err());
    }
}
