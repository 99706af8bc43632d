//! The whole server, with a component that uses all that it may be granted, and a client that speaks over a socket.

mod interfaces;
mod reload;
mod shutdown;
mod start;
mod tls;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thingpost_hostile_guest::GRANTED;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::config::{ConfigError, Loader};

/// A folder with a component and a configuration.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(TempDir::new().unwrap());
        desk.write("granted.wasm", GRANTED);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Writes a configuration that grants all, with further lines.
    fn configure(&self, lines: &str) {
        let begin = "component = \"granted.wasm\"\n[listen]\nhttp = \"127.0.0.1:0\"\n[log]\nguest = true\n";
        self.write("serve.toml", format!("{begin}{lines}"));
    }

    fn file(&self) -> PathBuf {
        self.path("serve.toml")
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        Loader::default().load(Config::read(&self.file())?)
    }

    async fn start(&self) -> Server {
        Server::start(self.load().unwrap(), None).await.unwrap()
    }

    /// Why it does not start, which who only looks is told as well.
    async fn refusal(&self) -> String {
        let started = Server::start(self.load().unwrap(), None).await.err().unwrap().to_string();
        let checked = Server::check(self.load().unwrap(), None).unwrap_err().to_string();
        assert_eq!(started, checked);
        assert!(!started.contains('\n'), "{started}");
        started
    }
}

/// One that grants settings and a store in memory.
const GENEROUS: &str = "[config]\nendpoint = \"nowhere\"\ncolour = \"blue\"\n[store]\n";

/// Asks over a connection of its own. The head and the body of the answer.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{request} HTTP/1.1\r\nhost: edge.example\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request}: {answer}"));
    let body = if head.contains("chunked") { unchunked(body) } else { body.to_owned() };
    (head.to_owned(), body)
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    whole
}

/// The status and the body of an answer.
async fn get(server: &Server, path: &str) -> (u16, String) {
    request(server, &format!("GET {path}")).await
}

async fn request(server: &Server, request: &str) -> (u16, String) {
    let (head, body) = ask(server.local_addr(), request).await;
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
