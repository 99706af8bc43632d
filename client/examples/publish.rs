//! Publishes one message as a device on AWS IoT Core, with the certificate and the key in this folder.
//!
//! ```sh
//! cargo run --package thingpost-client --example publish -- a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com
//! ```

use std::error::Error;

use thingpost_client::{Client, Message, Qos};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoint = std::env::args().nth(1).ok_or("give the endpoint of your account")?;
    let client = Client::aws(endpoint).certificate("device.pem.crt", "private.pem.key").port(443).open()?;
    let receipt = client.publish(Message::new("sensors/kitchen", *b"21.5", Qos::AtLeastOnce)).await?;
    println!("delivered in {} attempts", receipt.attempts);
    Ok(())
}
