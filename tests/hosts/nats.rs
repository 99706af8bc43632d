//! The operator of wasmCloud tells hosts what to run by requests over NATS, in JSON. This is an operator for one request at a time.

use std::time::Duration;

use serde_json::Value;
use thingpost_patience::within;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub struct Nats {
    connection: BufReader<TcpStream>,
}

impl Nats {
    pub async fn connect(address: &str) -> Self {
        let mut connection = BufReader::new(TcpStream::connect(address).await.unwrap());
        let hello = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB answers 1\r\n";
        connection.write_all(hello.as_bytes()).await.unwrap();
        Self { connection }
    }

    /// The answer to a request. A host says that it is there a moment before it listens, so it is asked until it does.
    pub async fn request(&mut self, subject: &str, request: &Value) -> Value {
        let request = request.to_string();
        let message = format!("PUB {subject} answers {}\r\n{request}\r\n", request.len());
        within(async {
            loop {
                self.connection.write_all(message.as_bytes()).await.unwrap();
                match self.answer().await {
                    Some(answer) => return answer,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        })
        .await
    }

    /// None if there was no receiver of the request.
    async fn answer(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            assert_ne!(self.connection.read_line(&mut line).await.unwrap(), 0, "NATS has hung up");
            let mut words = line.split_whitespace();
            let kind = words.next();
            match kind {
                Some("PING") => self.connection.write_all(b"PONG\r\n").await.unwrap(),
                Some("MSG" | "HMSG") => {
                    let length: usize = words.next_back().unwrap().parse().unwrap();
                    let mut message = vec![0; length];
                    self.connection.read_exact(&mut message).await.unwrap();
                    // Headers of the server's own, which are the status 503; hosts answer without any.
                    return (kind == Some("MSG")).then(|| serde_json::from_slice(&message).unwrap());
                }
                Some("-ERR") => panic!("{line}"),
                _ => {}
            }
        }
    }
}
