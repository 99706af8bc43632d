//! What a guest writes.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{OutputStream, StreamError, StreamResult};

use super::Shared;
use super::connection::StreamConnection;

pub(super) struct Output {
    connection: Shared,
    /// Nothing may be written before all that was written has left.
    is_flushing: bool,
    /// The guest knows that it is over.
    is_over: bool,
}

impl Output {
    pub fn new(connection: Shared) -> Self {
        Self { connection, is_flushing: false, is_over: false }
    }

    /// Moves on, and fails once it is known why it cannot.
    fn advance(&mut self) -> StreamResult<usize> {
        if self.is_over {
            return Err(StreamError::Closed);
        }
        let mut connection = self.connection.lock();
        let is_ready = poll_writable(&mut connection, &mut self.is_flushing, &mut Context::from_waker(Waker::noop()));
        if let Some(end) = connection.end_of_writing() {
            self.is_over = true;
            return Err(end.error());
        }
        Ok(if is_ready.is_ready() { connection.room() } else { 0 })
    }
}

/// Waits until there is room for more, or it is known why there never will be.
fn poll_writable(connection: &mut StreamConnection, is_flushing: &mut bool, cx: &mut Context<'_>) -> Poll<()> {
    if connection.end_of_writing().is_some() {
        return Poll::Ready(());
    }
    let sent = connection.poll_sent(cx);
    if connection.is_broken() {
        return connection.poll_reason(cx);
    }
    *is_flushing &= sent.is_pending();
    if !*is_flushing && connection.room() > 0 { Poll::Ready(()) } else { Poll::Pending }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        if self.is_over {
            return;
        }
        let Self { connection, is_flushing, .. } = self;
        poll_fn(|cx| poll_writable(&mut connection.lock(), is_flushing, cx)).await;
    }
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.is_over {
            return Err(StreamError::Closed);
        }
        let mut connection = self.connection.lock();
        if bytes.len() > connection.room() {
            return Err(StreamError::trap("more was written than `check-write` allowed"));
        }
        connection.write(bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.is_flushing = true;
        self.advance().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.advance()
    }
}
