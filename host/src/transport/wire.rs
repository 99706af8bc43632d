//! A socket that hears the peer out before it complains.
//!
//! A server that refuses a client certificate in TLS 1.3, or a request that is too large, says so and closes, while the
//! client is still writing. The next write then fails with "broken pipe", and hyper gives up on the connection with the
//! reason unread in the socket's buffer: with a refused certificate and 128 KiB to publish, the very first message
//! ended so. "Broken pipe" in mid-request must be taken for *unknown*; the alert behind it
//! means *not sent*.
//!
//! So a failed write only stops the writing. The reading side, which hyper always has under way, then finds what
//! there is to be found: an alert, an early answer, or the end, which on a broken socket comes at once.
//!
//! It also knows what hyper does not tell: whether all that was written has left. An answer that comes early leaves the
//! rest of its request in hyper's buffer, and hyper calls the connection ready for the next one behind it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncBufRead, AsyncWrite};

pub(crate) struct Wire<S> {
    stream: S,
    broken: bool,
    backlog: Arc<AtomicBool>,
}

/// Whether a [`Wire`] has bytes that it could not send.
#[derive(Debug, Clone)]
pub(crate) struct WriteBacklog(Arc<AtomicBool>);

impl WriteBacklog {
    pub(crate) fn is_present(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S> Wire<S> {
    pub(crate) fn new(stream: S) -> (Self, WriteBacklog) {
        let backlog = Arc::<AtomicBool>::default();
        let wire = Self { stream, broken: false, backlog: Arc::clone(&backlog) };
        (wire, WriteBacklog(backlog))
    }
}

/// Out of the buffer that TLS has anyway, so that the bytes are copied once and without unsafe code.
impl<S: AsyncBufRead + Unpin> Read for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(&mut self.stream);
        let data = ready!(stream.as_mut().poll_fill_buf(cx))?;
        let length = data.len().min(buffer.remaining());
        buffer.put_slice(&data[..length]);
        stream.consume(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Writes or flushes, unless that has failed before.
    fn attempt<T>(&mut self, write: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if self.broken {
            return Poll::Pending;
        }
        let outcome = match write(Pin::new(&mut self.stream)) {
            Poll::Ready(Err(error)) => {
                tracing::debug!("a write failed ({error}); waiting for what the peer has to say");
                self.broken = true;
                // No waker is registered here: the task is woken by its read.
                Poll::Pending
            }
            other => other,
        };
        if outcome.is_pending() {
            self.backlog.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> Write for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.attempt(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.attempt(|stream| stream.poll_flush(cx));
        if flushed.is_ready() {
            self.backlog.store(false, Ordering::Relaxed);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
