//! The server process, as its clients see it.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use thingpost_host::{Identity, TrustRoots};

use crate::Failure;
use crate::device::{Device, Way};
use crate::mqtt::MqttDevice;

/// A server process. Dropping this ends it.
pub struct Cloud {
    process: Child,
    greeting: Value,
    roots: TrustRoots,
}

impl Cloud {
    /// Starts `program`, which must call [`server::run`](crate::server::run).
    pub fn start(mut program: Command) -> io::Result<Self> {
        let mut process = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let greeting: Value = serde_json::from_str(&line)?;
        let ca = greeting["ca"].as_str().unwrap_or_default();
        let roots = TrustRoots::from_pem(ca.as_bytes()).map_err(io::Error::other)?;
        Ok(Self { process, greeting, roots })
    }

    /// A device that the server knows.
    ///
    /// # Panics
    /// When the server was started with fewer devices.
    pub fn device(&self, way: Way, number: usize) -> Device {
        let (name, identity) = match way {
            Way::AwsCertificate => ("mutual_tls", Some(self.identity(number))),
            Way::AwsSigV4 | Way::Aliyun => ("tls", None),
        };
        let address = self.greeting[name].as_str().expect("the server says where it listens");
        Device::new(way, address, self.roots.clone(), identity)
    }

    /// The first of them, as it speaks MQTT; or what is missing for that.
    pub fn mqtt_device(&self) -> Result<MqttDevice, Failure> {
        let mqtt = &self.greeting["mqtt"];
        match mqtt["port"].as_u64().and_then(|port| port.try_into().ok()) {
            Some(port) => Ok(MqttDevice::new(port, self.roots.clone(), self.identity(0))),
            None => Err(mqtt["missing"].as_str().unwrap_or("the server does not say where it listens").into()),
        }
    }

    fn identity(&self, number: usize) -> Identity {
        let device = &self.greeting["devices"][number];
        let pem = |name: &str| device[name].as_str().expect("the server was started with fewer devices").as_bytes();
        Identity::from_pem(pem("certificate"), pem("key")).expect("the server makes usable devices")
    }

    /// What the server said of itself when it started, for programs in other languages.
    pub fn greeting(&self) -> &Value {
        &self.greeting
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // The end of its standard input tells it to go.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
