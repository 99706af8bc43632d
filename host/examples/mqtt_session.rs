//! A host of your own: publish ten messages to AWS IoT Core over MQTT on port 443, one a second, from the sandboxed
//! component.
//!
//! `cargo xtask components dist` writes the component; then
//! `cargo run --example mqtt_session -- dist/mqtt.wasm ENDPOINT device.pem.crt private.pem.key`

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use thingpost_host::runtime::types::mqtt::{AwsBroker, Broker, Event, MqttAuthentication, MqttConfig, SessionConfig};
use thingpost_host::runtime::types::{Message, Qos};
use thingpost_host::runtime::{CompilationCache, MqttSession, Runtime};
use thingpost_host::{Identity, Pool, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, endpoint, certificate, key] = arguments.as_slice() else {
        return Err("give four arguments: COMPONENT ENDPOINT CERTIFICATE KEY".into());
    };

    // What the sandbox never sees: the key, and where it may be used. With ALPN, as AWS wants it on this port.
    let identity = Identity::from_pem_files(Path::new(certificate), Path::new(key))?;
    let route = Route::new(endpoint, TrustRoots::system_or_webpki()?).port(443).identity(identity).mqtt();
    let workload = WorkloadConfig::new("thermometer", RouteTable::new(vec![route])?);
    let transport = Transport::new(Pool::default(), workload);

    // What the sandbox is told: where to publish, and as whom.
    let authentication = MqttAuthentication::Certificate;
    let client_id = "thermometer".to_owned();
    let broker = Broker::Aws(AwsBroker { endpoint: endpoint.clone(), port: 443, client_id, authentication });
    let config = MqttConfig { broker, session: SessionConfig::default() };
    let component = Runtime::new(&CompilationCache::System)?.load_mqtt(&std::fs::read(component)?)?;
    let mut session = component.builder(transport, &config).open().await?;

    // A lost connection comes back by itself, and the messages with it.
    session.keep_connecting().await?;
    for reading in 1..=10 {
        let message = Message::new("sensors/kitchen/temperature", reading.to_string(), Qos::AtLeastOnce);
        if let Err(error) = session.publish(&message).await? {
            println!("{:?}: {}", error.delivery, error.explanation);
        }
        serve(&mut session, Duration::from_secs(1)).await?;
    }
    while session.outstanding().await? > 0 {
        serve(&mut session, Duration::from_secs(1)).await?;
    }
    Ok(session.disconnect().await?)
}

/// Nothing happens between calls: the holder of a session receives.
async fn serve(session: &mut MqttSession, time: Duration) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + time;
    while let left @ 1.. = end.saturating_duration_since(Instant::now()).as_millis() {
        for event in session.receive(Duration::from_millis(left.try_into()?)).await? {
            match event {
                Event::Published(published) => println!("message {} is confirmed", published.id),
                Event::NotPublished(failed) => println!("message {}: {}", failed.id, failed.error.explanation),
                Event::Disconnected(lost) => println!("no connection: {}", lost.error.explanation),
                _ => {}
            }
        }
    }
    Ok(())
}
