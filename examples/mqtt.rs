//! Publishes over MQTT with nothing but the standard library: the loop of a [`Session`] over one blocking socket.
//!
//! A real client puts TLS with the certificate of the device between the two. A broker of two answers on loopback plays the other
//! end, so that the example runs anywhere:
//!
//! ```sh
//! cargo run --package thingpost --example mqtt
//! ```

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use thingpost::aws::mqtt::{AuthMethod, BrokerConfig};
use thingpost::http::{TransportError, TransportErrorKind};
use thingpost::mqtt::{Config, Event, Options, Session, Step, Version};
use thingpost::{Endpoint, Message, Qos};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let serving = thread::spawn(move || serve(&listener));

    let broker = BrokerConfig::new(Endpoint::new("127.0.0.1", port)?, "boiler".to_owned(), AuthMethod::Certificate)?;
    let config = Config {
        broker: Arc::new(broker),
        version: Version::V3,
        session_expiry_s: 0,
        clean_start: None,
        keep_alive_s: 60,
        will: None,
        will_delay_s: None,
    };
    // Any number that differs between devices: it spreads their reconnects.
    let seed = u64::from(std::process::id());
    let mut session = Session::open(0, config, Options::default(), Vec::new(), seed)?;
    session.keep_connecting();
    let message = Message::new("plant/boiler/celsius", *b"21.5", Qos::AtLeastOnce);
    session.publish(0, message).map_err(|(_, explanation)| explanation)?;

    drive(&mut session, Instant::now());
    serving.join().map_err(|_| "the broker has panicked")??;
    Ok(())
}

/// Does what the session says until its message has an outcome and the goodbye is over.
fn drive(session: &mut Session, start: Instant) {
    let now_ms = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut stream: Option<TcpStream> = None;
    loop {
        match session.poll(now_ms()) {
            // Only for a device whose secret is somewhere else.
            Step::Sign(_) => session.handle_signature(now_ms(), Err("nothing signs here".to_owned().into())),
            Step::Dial { authority, .. } => match TcpStream::connect(authority) {
                Ok(connected) => {
                    stream = Some(connected);
                    session.handle_dialed();
                }
                Err(error) => {
                    let detail = Some(error.to_string());
                    let refused = TransportError { kind: TransportErrorKind::ConnectionRefused, detail };
                    session.handle_transport_error(now_ms(), refused);
                }
            },
            Step::Close => stream = None,
            Step::Wait(until_ms) => {
                let Some(connected) = &mut stream else {
                    let Some(until_ms) = until_ms else { return };
                    thread::sleep(Duration::from_millis(until_ms.saturating_sub(now_ms())));
                    continue;
                };
                if let Err(kind) = exchange_bytes(session, connected, now_ms(), until_ms) {
                    session.handle_transport_error(now_ms(), kind.into());
                }
            }
        }
        while let Some(event) = session.poll_event() {
            match event {
                Event::Connected(connection) => println!("connected, keep-alive {} s", connection.keep_alive_s),
                Event::Published { id, .. } => {
                    println!("message {id} is acknowledged");
                    session.disconnect(now_ms());
                }
                Event::NotPublished { explanation, .. } => println!("{explanation}"),
                Event::Disconnected(disconnection) => println!("{}", disconnection.explanation),
                _ => {}
            }
        }
        // What was taken is safe: now the broker may forget it.
        session.acknowledge();
    }
}

/// Writes what is to be written, and reads what comes until the session wants to see the clock again.
fn exchange_bytes(
    session: &mut Session,
    stream: &mut TcpStream,
    now_ms: u64,
    until_ms: Option<u64>,
) -> Result<(), TransportErrorKind> {
    let output = session.output();
    if !output.is_empty() {
        let written = stream.write(output).map_err(|_| TransportErrorKind::ConnectionReset)?;
        session.handle_written(now_ms, written);
        return Ok(());
    }
    let wait = until_ms.map(|until_ms| Duration::from_millis(until_ms.saturating_sub(now_ms).max(1)));
    stream.set_read_timeout(wait).map_err(|_| TransportErrorKind::Other)?;
    let mut piece = [0; 4096];
    match stream.read(&mut piece) {
        Ok(0) => Err(TransportErrorKind::ConnectionClosed),
        Ok(count) => {
            session.handle_input(now_ms, &piece[..count]);
            Ok(())
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(()),
        Err(_) => Err(TransportErrorKind::ConnectionReset),
    }
}

/// Accepts one client and acknowledges its first message, whatever else it says.
fn serve(listener: &TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    read_packet(&mut stream)?;
    stream.write_all(&[0x20, 2, 0, 0])?;
    let publish = read_packet(&mut stream)?;
    let topic_bytes = usize::from(u16::from_be_bytes([publish[0], publish[1]]));
    stream.write_all(&[0x40, 2, publish[2 + topic_bytes], publish[3 + topic_bytes]])?;
    // The goodbye, and the end.
    read_packet(&mut stream)?;
    Ok(())
}

/// What follows the fixed header of a packet of fewer than 128 bytes.
fn read_packet(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut header = [0; 2];
    stream.read_exact(&mut header)?;
    let mut rest = vec![0; header[1].into()];
    stream.read_exact(&mut rest)?;
    Ok(rest)
}
