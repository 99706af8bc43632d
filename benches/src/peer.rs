//! What people use today: scripts in the style of the AWS documentation, each against the same server with the same
//! certificate. `benches/peers/` has them. A tool that is not there is left out.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A program that publishes, and how it is called.
pub struct Peer {
    kind: Kind,
    files: Arc<Files>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A Python script that publishes so many messages in one run, and says how long that took.
    Python(&'static str),
    /// One process for each message.
    Curl,
}

/// What they are given. Goes with the last of them.
struct Files {
    folder: TempDir,
    url: String,
    port: String,
}

const HTTP_CLIENT: &str = include_str!("../peers/http_client.py");
const HTTP_CLIENT_KEPT: &str = include_str!("../peers/http_client_kept.py");
const REQUESTS: &str = include_str!("../peers/requests_per_message.py");
const PAYLOAD: [u8; 200] = [b'x'; 200];

impl Peer {
    /// Each with its name, and without the peer where this machine has not what it takes.
    pub(crate) fn all(greeting: &Value) -> io::Result<Vec<(&'static str, Option<Self>)>> {
        let files = Arc::new(Files::write(greeting)?);
        let kinds = [
            ("Python http.client, connection kept", Kind::Python(HTTP_CLIENT_KEPT)),
            ("Python http.client per message", Kind::Python(HTTP_CLIENT)),
            ("Python requests per message", Kind::Python(REQUESTS)),
            ("curl per message", Kind::Curl),
        ];
        let peer = |(name, kind)| {
            let peer = Self { kind, files: Arc::clone(&files) };
            let works = peer.publish(1).is_ok();
            (name, works.then_some(peer))
        };
        Ok(kinds.into_iter().map(peer).collect())
    }

    /// # Panics
    /// When it fails, having worked before.
    pub(crate) fn run(&mut self, messages: u32) -> Duration {
        self.publish(messages).expect("the peer has worked before") / messages
    }

    fn publish(&self, messages: u32) -> io::Result<Duration> {
        match self.kind {
            Kind::Python(script) => {
                let mut python = Command::new("python3");
                let Files { folder, port, .. } = &*self.files;
                python.args(["-c", script, port]).args(Files::in_order(folder.path())).arg(messages.to_string());
                let seconds: f64 = output(python)?.trim().parse().map_err(io::Error::other)?;
                Ok(Duration::from_secs_f64(seconds))
            }
            Kind::Curl => {
                let begin = Instant::now();
                for _ in 0..messages {
                    output(self.files.curl())?;
                }
                Ok(begin.elapsed())
            }
        }
    }
}

fn output(mut program: Command) -> io::Result<String> {
    let output = program.stdin(Stdio::null()).stderr(Stdio::null()).output()?;
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(io::Error::other),
        false => Err(io::Error::other("the program failed")),
    }
}

impl Files {
    fn write(greeting: &Value) -> io::Result<Self> {
        let folder = TempDir::with_prefix("thingpost-peers-")?;
        let device = &greeting["devices"][0];
        let [ca, certificate, key, payload] = Self::in_order(folder.path());
        for (file, pem) in [(ca, &greeting["ca"]), (certificate, &device["certificate"]), (key, &device["key"])] {
            std::fs::write(file, pem.as_str().unwrap_or_default())?;
        }
        std::fs::write(payload, PAYLOAD)?;
        let address = greeting["mutual_tls"].as_str().unwrap_or_default();
        let port = address.rsplit(':').next().unwrap_or_default().to_owned();
        Ok(Self { folder, url: format!("https://{address}/topics/plant/4/thermometer-7?qos=1"), port })
    }

    fn in_order(folder: &Path) -> [PathBuf; 4] {
        ["ca.pem", "certificate.pem", "key.pem", "payload"].map(|name| folder.join(name))
    }

    fn curl(&self) -> Command {
        let [ca, certificate, key, payload] = Self::in_order(self.folder.path());
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--tlsv1.2", "--request", "POST", "--cacert"]).arg(ca);
        curl.arg("--cert").arg(certificate).arg("--key").arg(key);
        curl.arg("--data-binary").arg(format!("@{}", payload.display())).arg(&self.url);
        curl
    }
}
