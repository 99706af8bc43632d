//! A server that takes down what comes over each connection, and answers in the middle of a message.
//!
//! The emulator is of no use here: as the platforms do, it refuses a message that does not say first how long it is.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use thingpost_emulator::{Authority, ClientCertificates};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What it waits for before it answers.
const HALF: &[u8] = b"half a mess";

/// An answer that does not end, so that its connection stays.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";

pub struct Listener {
    pub address: SocketAddr,
    heard: UnboundedReceiver<Vec<u8>>,
}

impl Listener {
    /// Listens until the process ends.
    pub fn start(authority: &Authority, name: &str) -> Self {
        let certificate = authority.issue_server(&[name.to_owned()]).unwrap();
        let tls = certificate.server_config(ClientCertificates::NotAsked, &[]).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, heard) = unbounded_channel();
        thread::spawn(move || {
            for tcp in listener.incoming() {
                let (tls, tell) = (Arc::clone(&tls), tell.clone());
                // The test may have failed by then.
                thread::spawn(move || tell.send(listen(tcp.unwrap(), tls)));
            }
        });
        Self { address, heard }
    }

    /// All that came over the next connection that is over, or has carried a whole message.
    pub async fn heard(&mut self) -> Vec<u8> {
        self.heard.recv().await.unwrap()
    }
}

/// Whether a message without a length is one that has ended.
pub fn is_whole(message: &[u8]) -> bool {
    message.ends_with(b"\r\n0\r\n\r\n")
}

fn listen(tcp: TcpStream, tls: Arc<ServerConfig>) -> Vec<u8> {
    let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), tcp);
    let (mut heard, mut piece, mut is_answered) = (Vec::new(), [0; 1024], false);
    // A connection that breaks is over as one that is closed is.
    while !is_whole(&heard)
        && let Ok(length @ 1..) = stream.read(&mut piece)
    {
        heard.extend_from_slice(&piece[..length]);
        if !is_answered && memchr::memmem::find(&heard, HALF).is_some() {
            stream.write_all(ANSWER).unwrap();
            is_answered = true;
        }
    }
    heard
}
