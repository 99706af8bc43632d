//! The emulators keep every message, which is their purpose and here would be what is measured. This server reads a
//! request to its end, forgets it, and answers as the platform would. It runs in a process of its own, so that neither
//! side shares an allocator or a runtime with it. For MQTT it starts a broker, and the emulator's front before it, which
//! counts messages and does not keep them.

pub(crate) mod mqtt;

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use rustls::ServerConfig;
use serde_json::json;
use thingpost_emulator::{Authority, ClientCertificates, DeviceCertificate};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use wasmtime_wasi_http::io::TokioIo;

use crate::affinity::keep_to_the_last_core;
use crate::limits::raise_open_files;
use mqtt::Mqtt;

/// The names in the certificate of the server.
pub(crate) const AWS_ENDPOINT: &str = "a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com";
pub(crate) const ALIYUN_ENDPOINT: &str = "iot-as-http.cn-shanghai.aliyuncs.com";

/// What AWS wants to hear, and what curl and the libraries of Python say unasked.
const ALPN: [&[u8]; 2] = [b"x-amzn-http-ca", b"http/1.1"];

/// Serves until standard input ends. Writes one line of JSON first: where it listens, whom to trust, as many devices as
/// were asked for, and what is missing for MQTT, if anything is.
pub fn run(devices: usize) -> io::Result<()> {
    keep_to_the_last_core();
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            // First, and from the beginning: a thousand devices take a while, and who wants them may have been interrupted.
            biased;
            () = input_ended() => Ok(()),
            done = serve(devices) => done,
        }
    })
}

/// Serves for as long as anybody reads what it says first.
async fn serve(count: usize) -> io::Result<()> {
    let authority = Authority::new();
    // The address is for programs that cannot be told where to find a name.
    let names = [AWS_ENDPOINT, ALIYUN_ENDPOINT, "127.0.0.1"].map(str::to_owned);
    let identity = authority.issue_server(&names).map_err(io::Error::other)?;
    let mut devices = Vec::new();
    for number in 0..count {
        devices.push(authority.issue_device(&format!("device-{number}")));
        yield_now().await;
    }
    let mqtt = Mqtt::start(&authority, &devices).await;
    let config = |clients| identity.server_config(clients, &ALPN).map_err(io::Error::other);
    let greeting = json!({
        "mutual_tls": listen(config(ClientCertificates::AnyOrNone)?).await?.to_string(),
        "tls": listen(config(ClientCertificates::NotAsked)?).await?.to_string(),
        "ca": authority.ca_pem(),
        "devices": devices.iter().map(device).collect::<Vec<_>>(),
        "mqtt": mqtt::greeting(&mqtt),
    });
    match writeln!(io::stdout(), "{greeting}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error),
        Ok(()) => std::future::pending().await,
    }
}

fn device(device: &DeviceCertificate) -> serde_json::Value {
    json!({ "certificate": device.certificate_pem, "key": device.private_key_pem })
}

/// A thread waits for it: standard input cannot be waited for otherwise everywhere.
async fn input_ended() {
    let (ended, wait) = oneshot::channel();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let _ = wait.await;
}

async fn listen(config: Arc<ServerConfig>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let acceptor = TlsAcceptor::from(config);
    tokio::spawn(async move {
        loop {
            let Ok((tcp, _)) = listener.accept().await else {
                // Out of file descriptors, or a client that is gone again: neither gets better by trying at once.
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let _ = tcp.set_nodelay(true);
                // Who gives up in the handshake or later has said why on its own side.
                if let Ok(tls) = acceptor.accept(tcp).await {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(tls), service_fn(answer)).await;
                }
            });
        }
    });
    Ok(address)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    // Answers as in the documentation of the platforms.
    let body = if path.starts_with("/topics/") {
        r#"{"message":"OK","traceId":"b11bb5d2-a1d2-4f54-9e4c-7bb9d1c0a1f4"}"#
    } else if path == "/auth" {
        r#"{"code":0,"message":"success","info":{"token":"6944e5bfb92e4d4ea3918d1eda3942f6"}}"#
    } else {
        r#"{"code":0,"message":"success","info":{"messageId":892687627916247040}}"#
    };
    let mut incoming = request.into_body();
    while let Some(Ok(_)) = incoming.frame().await {}
    let answer = Response::builder().header("content-type", "application/json").body(Full::from(body));
    Ok(answer.expect("the header is valid"))
}
