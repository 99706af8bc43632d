//! A device on AWS IoT Core that listens over MQTT, and answers what it is asked.
//!
//! ```sh
//! cargo run --package thingpost-client --example mqtt -- a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com
//! ```

use std::error::Error;

use thingpost_client::{Client, Message, Qos};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).ok_or("give the endpoint of your account")?;
    let device = Client::aws(endpoint).certificate("device.pem.crt", "private.pem.key").mqtt("thermometer-7")?;
    let (client, mut messages) = device.open()?;
    client.subscribe("sensors/kitchen/ask", Qos::AtLeastOnce).await?;
    // The session ends with the process, and comes back by itself until then.
    while let Some(question) = messages.next().await {
        println!("asked for {}", String::from_utf8_lossy(&question.payload));
        client.publish(Message::new("sensors/kitchen", *b"21.5", Qos::AtLeastOnce)).await?;
    }
    Ok(())
}
