//! The baseline: the state machine of the component over the TLS of its host, and no WebAssembly.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use thingpost::Message;
use thingpost::mqtt::{Event, Options, Session, Step};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Batch;
use super::device::MqttDevice;
use crate::Failure;
use crate::server::mqtt::ENDPOINT;

/// As much as the component reads at once.
const READ: usize = 64 * 1024;

pub(crate) struct Client {
    session: Session,
    stream: TlsStream<TcpStream>,
    alarm: Alarm,
    input: Box<[u8]>,
}

/// A timer, made again only when the one that is there would come too late, as in the component.
#[derive(Default)]
struct Alarm(Option<(u64, Pin<Box<Sleep>>)>);

impl Client {
    pub async fn connect(device: &MqttDevice) -> Result<Self, Failure> {
        let mut session = Session::open(0, device.core_config(), Options::default(), Vec::new(), 0)
            .map_err(|problem| problem.to_string())?;
        session.connect_once();
        let Step::Dial { .. } = session.poll(now_ms()) else { return Err("the session does not dial".into()) };
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, device.port())).await?;
        tcp.set_nodelay(true)?;
        let stream = TlsConnector::from(device.tls()).connect(ServerName::try_from(ENDPOINT)?, tcp).await?;
        session.handle_dialed();
        let mut client = Self { session, stream, alarm: Alarm::default(), input: vec![0; READ].into() };
        loop {
            match client.session.poll_attempt() {
                None => client.turn().await?,
                Some(Ok(_)) => return Ok(client),
                Some(Err(disconnection)) => return Err(disconnection.explanation.into()),
            }
        }
    }

    pub async fn publish(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let now_ms = now_ms();
        for qos in batch.each() {
            let message = Message::new(batch.topic, batch.payload(), qos);
            self.session.publish(now_ms, message).map_err(|(_, explanation)| explanation)?;
        }
        let mut left = batch.messages;
        loop {
            while let Some(event) = self.session.poll_event() {
                match event {
                    Event::Published { .. } => left -= 1,
                    other => return Err(format!("something else has happened: {other:?}").into()),
                }
            }
            if left == 0 {
                return Ok(());
            }
            self.turn().await?;
        }
    }

    /// Waits until something has moved, or until the session wants to see the clock.
    async fn turn(&mut self) -> Result<(), Failure> {
        let now_ms = now_ms();
        let Step::Wait(wakes_ms) = self.session.poll(now_ms) else { return Err("the connection is lost".into()) };
        self.alarm.set(wakes_ms, now_ms);
        poll_fn(|cx| self.poll(cx, now_ms)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>, now_ms: u64) -> Poll<Result<(), Failure>> {
        let has_written = self.write(cx, now_ms)?;
        let has_read = self.read(cx, now_ms)?;
        if has_written || has_read || self.alarm.rings(cx) { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Writes as much as the connection takes. False if that was nothing.
    fn write(&mut self, cx: &mut Context<'_>, now_ms: u64) -> Result<bool, Failure> {
        let mut has_written = false;
        while !self.session.output().is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, self.session.output()) {
                Poll::Ready(count) => self.session.handle_written(now_ms, count?),
                Poll::Pending => break,
            }
            has_written = true;
        }
        if self.stream.get_ref().1.wants_write()
            && let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_flush(cx)
        {
            return Err(error.into());
        }
        Ok(has_written)
    }

    /// Reads what is there, though TLS hands it out record by record. False if that was nothing.
    fn read(&mut self, cx: &mut Context<'_>, now_ms: u64) -> Result<bool, Failure> {
        let mut input = ReadBuf::new(&mut self.input);
        while input.remaining() > 0 {
            let before = input.filled().len();
            match Pin::new(&mut self.stream).poll_read(cx, &mut input) {
                Poll::Ready(read) => read?,
                Poll::Pending => break,
            }
            if input.filled().len() == before {
                return Err("the broker has closed the connection".into());
            }
        }
        if input.filled().is_empty() {
            return Ok(false);
        }
        self.session.handle_input(now_ms, input.filled());
        Ok(true)
    }
}

impl Alarm {
    fn set(&mut self, wakes_ms: Option<u64>, now_ms: u64) {
        let Some(wakes_ms) = wakes_ms else { return };
        if self.0.as_ref().is_none_or(|(earlier_ms, _)| *earlier_ms > wakes_ms) {
            let pause = Duration::from_millis(wakes_ms.saturating_sub(now_ms));
            self.0 = Some((wakes_ms, Box::pin(sleep(pause))));
        }
    }

    fn rings(&mut self, cx: &mut Context<'_>) -> bool {
        let rings = self.0.as_mut().is_some_and(|(_, sleep)| sleep.as_mut().poll(cx).is_ready());
        if rings {
            self.0 = None;
        }
        rings
    }
}

fn now_ms() -> u64 {
    static ZERO: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(ZERO.elapsed().as_millis()).unwrap_or(u64::MAX)
}
