//! What people use today: scripts in the style of the AWS documentation, each against the same server with the same
//! certificate. `measure/peers/` has them.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use thingpost::Qos;

use crate::Failure;
use crate::scratch::Scratch;

/// A program that publishes, and how it is called.
pub struct Peer {
    kind: Kind,
    files: Arc<Files>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A Python script that publishes so many messages in one run, and says how long that took.
    Python(&'static str),
    /// paho-mqtt, over MQTT, in batches of so many messages, with the QoS of all of them but the last.
    Paho { messages: usize, qos: Qos },
    /// One process for each message.
    Curl,
}

/// What they are given.
struct Files {
    folder: Arc<Scratch>,
    url: String,
    port: String,
    mqtt_port: String,
}

const HTTP_CLIENT: &str = include_str!("../peers/http_client.py");
const HTTP_CLIENT_KEPT: &str = include_str!("../peers/http_client_kept.py");
const REQUESTS: &str = include_str!("../peers/requests_per_message.py");
const PAHO: &str = include_str!("../peers/paho_mqtt.py");
const PAYLOAD: [u8; 200] = [b'x'; 200];

impl Peer {
    /// Each with its name; instead of one that this machine does not have, or that does not work here, what is the matter.
    pub(crate) fn all(
        greeting: &Value,
        folder: &Arc<Scratch>,
    ) -> io::Result<Vec<(&'static str, Result<Self, Failure>)>> {
        let files = Arc::new(Files::write(greeting, folder)?);
        let kinds = [
            ("Python http.client, connection kept", Kind::Python(HTTP_CLIENT_KEPT)),
            ("Python http.client per message", Kind::Python(HTTP_CLIENT)),
            ("Python requests per message", Kind::Python(REQUESTS)),
            ("curl per message", Kind::Curl),
        ];
        let peer = |(name, kind)| {
            let peer = Self { kind, files: Arc::clone(&files) };
            (name, peer.publish(1).map(|_| peer))
        };
        Ok(kinds.into_iter().map(peer).collect())
    }

    /// paho-mqtt, to publish so many messages at once; all of them with this QoS but the last, which is at least once. An
    /// error says what is the matter with it.
    pub(crate) fn paho(greeting: &Value, folder: &Arc<Scratch>, messages: usize, qos: Qos) -> Result<Self, Failure> {
        let files = Arc::new(Files::write(greeting, folder)?);
        let peer = Self { kind: Kind::Paho { messages, qos }, files };
        peer.publish(1).map(|_| peer)
    }

    /// How many messages each of the times has.
    pub(crate) fn messages(&self) -> usize {
        match self.kind {
            Kind::Paho { messages, .. } => messages,
            Kind::Python(_) | Kind::Curl => 1,
        }
    }

    /// How long that took so many times, without the start of an interpreter.
    pub(crate) fn publish(&self, times: u32) -> Result<Duration, Failure> {
        let Files { port, mqtt_port, .. } = &*self.files;
        match self.kind {
            Kind::Python(script) => self.python(script, port, &[times.to_string()]),
            Kind::Paho { messages, qos } => {
                let qos = match qos {
                    Qos::AtMostOnce => 0,
                    Qos::AtLeastOnce => 1,
                };
                self.python(PAHO, mqtt_port, &[times.to_string(), messages.to_string(), qos.to_string()])
            }
            Kind::Curl => {
                let begin = Instant::now();
                for _ in 0..times {
                    output(self.files.curl())?;
                }
                Ok(begin.elapsed())
            }
        }
    }

    /// What the script says.
    fn python(&self, script: &str, port: &str, what: &[String]) -> Result<Duration, Failure> {
        let mut python = Command::new("python3");
        python.args(["-c", script, port]).args(Files::in_order(self.files.folder.path())).args(what);
        let seconds: f64 = output(python)?.trim().parse()?;
        Ok(Duration::try_from_secs_f64(seconds)?)
    }
}

/// What a program says. Whatever proxy the user has is not meant for this machine.
fn output(mut program: Command) -> Result<String, Failure> {
    let output = program.env("NO_PROXY", "*").env("no_proxy", "*").stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", program.get_program().display()))?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            Err(complaint.lines().last().unwrap_or("it failed without a word").into())
        }
    }
}

impl Files {
    fn write(greeting: &Value, folder: &Arc<Scratch>) -> io::Result<Self> {
        let device = &greeting["devices"][0];
        let [ca, certificate, key, payload] = Self::in_order(folder.path());
        for (file, pem) in [(ca, &greeting["ca"]), (certificate, &device["certificate"]), (key, &device["key"])] {
            std::fs::write(file, pem.as_str().unwrap_or_default())?;
        }
        std::fs::write(payload, PAYLOAD)?;
        let address = greeting["mutual_tls"].as_str().unwrap_or_default();
        let port = address.rsplit(':').next().unwrap_or_default().to_owned();
        let url = format!("https://{address}/topics/plant/4/thermometer-7?qos=1");
        let mqtt_port = greeting["mqtt"]["port"].to_string();
        Ok(Self { folder: Arc::clone(folder), url, port, mqtt_port })
    }

    fn in_order(folder: &Path) -> [PathBuf; 4] {
        ["ca.pem", "certificate.pem", "key.pem", "payload"].map(|name| folder.join(name))
    }

    fn curl(&self) -> Command {
        let [ca, certificate, key, payload] = Self::in_order(self.folder.path());
        let mut curl = Command::new("curl");
        // The first of them keeps it from reading what the user has set for himself, and must be the first.
        curl.args(["--disable", "--silent", "--show-error", "--fail", "--tlsv1.2", "--request", "POST", "--cacert"])
            .arg(ca);
        curl.arg("--cert").arg(certificate).arg("--key").arg(key);
        curl.arg("--data-binary").arg(format!("@{}", payload.display())).arg(&self.url);
        curl
    }
}
