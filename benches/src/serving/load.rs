//! Clients: some that ask as fast as they can, and many that have something to say.

use std::net::SocketAddr;
use std::process;
use std::time::{Duration, Instant};

use thingpost_measure::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A server, which ends with this.
pub struct Child(pub process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What came of the messages of a crowd.
#[derive(Debug, Default)]
pub struct Answers {
    pub delivered: usize,
    pub come_back: usize,
    pub other: usize,
    pub none: usize,
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Longer than any message may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks over so many connections for so long, and says how many answers came in a second.
pub async fn per_second(address: SocketAddr, connections: usize, turn: Duration) -> Result<f64, Failure> {
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut answered = 0_u32;
            while begun.elapsed() < turn {
                match client.ask(HEALTH).await? {
                    200 => answered += 1,
                    other => return Err(std::io::Error::other(format!("the server answers {other} to /healthz"))),
                }
            }
            Ok(answered)
        });
    }
    let mut all = 0;
    while let Some(answered) = clients.join_next().await {
        all += answered??;
    }
    Ok(f64::from(all) / begun.elapsed().as_secs_f64())
}

/// Publishes from so many clients at once, some messages each.
pub async fn crowd(address: SocketAddr, clients: usize, messages: usize, settings: &str) -> Answers {
    let request = format!(
        "POST /topics/a/b?qos=0 HTTP/1.1\r\nhost: localhost\r\nthingpost-settings: {settings}\r\ncontent-length: 4\r\n\r\n21.5"
    );
    let mut crowd = JoinSet::new();
    for _ in 0..clients {
        let request = request.clone().into_bytes();
        crowd.spawn(async move {
            let mut statuses = Vec::new();
            let mut client = None;
            for _ in 0..messages {
                statuses.push(timeout(PATIENCE, publish(&mut client, address, &request)).await.ok().flatten());
            }
            statuses
        });
    }
    let mut answers = Answers::default();
    while let Some(statuses) = crowd.join_next().await {
        for status in statuses.unwrap_or_default() {
            match status {
                Some(200) => answers.delivered += 1,
                Some(503) => answers.come_back += 1,
                Some(_) => answers.other += 1,
                None => answers.none += 1,
            }
        }
    }
    answers
}

/// Over the connection that there is, or over a new one.
async fn publish(client: &mut Option<Client>, address: SocketAddr, request: &[u8]) -> Option<u16> {
    let mut kept = match client.take() {
        Some(kept) => kept,
        None => Client::connect(address).await.ok()?,
    };
    let status = kept.ask(request).await.ok()?;
    *client = Some(kept).filter(|kept| kept.stays);
    Some(status)
}

/// One connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Whether the server keeps it.
    stays: bool,
}

impl Client {
    async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096), stays: true })
    }

    /// The status of the answer, which is read to its end.
    async fn ask(&mut self, request: &[u8]) -> std::io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.read().await?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("what came is no HTTP"))?;
        self.stays = !text.contains("connection: close");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        match length {
            Some(length) => {
                while self.buffer.len() < head + length {
                    self.read().await?;
                }
            }
            // In pieces: the last one is empty.
            None => {
                while !self.buffer.ends_with(b"0\r\n\r\n") {
                    self.read().await?;
                }
            }
        }
        Ok(status)
    }

    async fn read(&mut self) -> std::io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
