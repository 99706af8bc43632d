//! A host of your own: publish one message to AWS IoT Core from the sandboxed component.
//!
//! `cargo xtask components dist` writes the component; then
//! `cargo run --example embed -- dist/publisher.wasm ENDPOINT device.pem.crt private.pem.key`

use std::error::Error;
use std::path::Path;

use thingpost_host::runtime::types::{AwsAuthentication, AwsConfig, Message, Platform, Qos};
use thingpost_host::runtime::{CompilationCache, Runtime};
use thingpost_host::{Identity, Pool, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, endpoint, certificate, key] = arguments.as_slice() else {
        return Err("give four arguments: COMPONENT ENDPOINT CERTIFICATE KEY".into());
    };

    // What the sandbox never sees: the key, and where it may be used.
    let identity = Identity::from_pem_files(Path::new(certificate), Path::new(key))?;
    let route = Route::new(endpoint, TrustRoots::system_or_webpki()?).identity(identity);
    let workload = WorkloadConfig::new("thermometer", RouteTable::new(vec![route])?);
    let transport = Transport::new(Pool::default(), workload);

    // What the sandbox is told: where to publish.
    let authentication = AwsAuthentication::Certificate;
    let platform = Platform::Aws(AwsConfig { endpoint: endpoint.clone(), port: 8443, authentication });
    let component = Runtime::new(&CompilationCache::System)?.load(&std::fs::read(component)?)?;
    let mut publisher = component.builder(transport, &platform).open().await?;

    let message = Message::new("sensors/kitchen/temperature", *b"21.5", Qos::AtLeastOnce);
    match publisher.publish(&message).await? {
        Ok(receipt) => println!("delivered, trace id {:?}", receipt.trace_id),
        Err(error) => println!("{:?}: {}", error.delivery, error.explanation),
    }
    Ok(())
}
