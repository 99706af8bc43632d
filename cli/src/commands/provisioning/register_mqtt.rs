//! `thingpost register --mqtt`: the platform answers a CONNECT that is signed with the secret of the product by a message that
//! nobody has subscribed to. A device that the product does not know can register in no other way.

use std::sync::Arc;
use std::time::Duration;

use thingpost::aliyun::RegistrationMessage;
use thingpost_host::runtime::MqttSession;
use thingpost_host::runtime::types::Delivery;
use thingpost_host::runtime::types::mqtt::{
    AliyunBroker, AliyunMqttAuthentication, AliyunMqttRegistration, Broker, Event, MqttConfig, SessionConfig,
    SessionOptions, Version,
};
use thingpost_host::{Alpn, Route};
use tokio::time::Instant;

use super::issued::Issued;
use super::{Destination, QueryError};
use crate::args::RegisterAliyun;
use crate::component::mqtt::MqttSessionFactory;
use crate::device::{Device, Network};
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::output::interruption::give_up_question;
use crate::output::{printer, report};
use crate::terminal::complain;
use crate::terminal::interrupt::Interruptions;

/// A device that registers, and has sent nothing yet.
pub(super) struct Registration {
    factory: MqttSessionFactory,
    session: MqttSession,
}

impl Registration {
    /// Finds all that can be wrong before the platform is asked.
    pub(super) async fn prepare(
        arguments: &RegisterAliyun,
        to: &Destination,
        product_secret: String,
        random: String,
    ) -> Result<Self, CliError> {
        let registration = AliyunMqttRegistration {
            product_secret,
            sign_method: arguments.sign_method.into(),
            random,
            is_known: !arguments.mqtt.no_preregistration,
            instance_id: arguments.mqtt.instance_id.clone(),
        };
        let broker = AliyunBroker {
            endpoint: to.host.clone(),
            port: to.port,
            product_key: arguments.product_key.clone(),
            device_name: arguments.device_name.clone(),
            authentication: AliyunMqttAuthentication::Registration(registration),
            client_id: arguments.mqtt.client_id.clone(),
            client_id_parameters: arguments.mqtt.client_id_parameter.clone(),
            unchecked: false,
        };
        let session = SessionConfig { version: Version::V311, ..SessionConfig::default() };
        let config = MqttConfig { broker: Broker::Aliyun(broker), session };
        let route = Route::new(&to.host, to.roots.clone()).port(to.port).mqtt_alpn(Alpn::Offer(Vec::new()));
        let device = Device {
            platform: config,
            routes: vec![route],
            secrets: Arc::default(),
            network: Network::of(&arguments.network)?,
            files: Vec::new(),
            renewal: None,
            warnings: Vec::new(),
        };
        let factory = MqttSessionFactory::new(device, arguments.network.timeout, SessionOptions::default())?;
        let session = factory.open().await?;
        Ok(Self { factory, session })
    }

    /// Connects, and waits for what the device is given. Where there is nothing, that has been said.
    pub(super) async fn ask(&mut self, arguments: &RegisterAliyun) -> Result<Issued, QueryError> {
        let interruptions = Interruptions::count();
        let last_failure = self.factory.last_failure.clone();
        let end = Instant::now() + Duration::from_millis(arguments.network.timeout.into());
        tokio::select! {
            answered = self.answer(arguments, end) => answered,
            () = interruptions.reached(1) => {
                Err(QueryError::Said(give_up_question(match last_failure.connections() {
                    0 => Delivery::NotSent,
                    _ => Delivery::Unknown,
                })))
            }
        }
    }

    async fn answer(&mut self, arguments: &RegisterAliyun, end: Instant) -> Result<Issued, QueryError> {
        let failed = |trap: wasmtime::Error| unknown(&format!("the component failed: {trap:#}"));
        if let Err(error) = self.session.connect().await.map_err(failed)? {
            printer::failure(&error, &self.factory.last_failure, arguments.json);
            return Err(QueryError::Said(report::exit_of_failure(&error)));
        }
        loop {
            let left = end.saturating_duration_since(Instant::now());
            for event in self.session.receive(left).await.map_err(failed)? {
                match event {
                    Event::Message(message) => match RegistrationMessage::read(&message.topic, &message.payload) {
                        Ok(given) => return Issued::of(arguments, given),
                        Err(error) => complain(one_line(&format!("thingpost: {}: {error}", message.topic))),
                    },
                    Event::Disconnected(lost) => {
                        let why = report::explained(&lost.error, &self.factory.last_failure);
                        return Err(unknown(&format!("the connection ended before anything was given out: {why}")));
                    }
                    _ => {}
                }
            }
            if left.is_zero() {
                return Err(unknown("the platform has accepted the device, and given nothing out in the time for it"));
            }
        }
    }

    /// Acknowledges what came, and closes the connection.
    pub(super) async fn goodbye(mut self) {
        // What was given is kept. The platform closes the connection anyway.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.session.disconnect()).await;
    }
}

fn unknown(why: &str) -> QueryError {
    complain(one_line(&format!(
        "unknown: {why}; register once more: until a device has used a secret, it is given another"
    )));
    QueryError::Said(Exit::Unknown)
}
