//! What a guest reads.

use std::future::poll_fn;

use bytes::Bytes;
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, StreamError, StreamResult};

use super::Shared;

pub(super) struct Input {
    connection: Shared,
    /// The guest knows that it is over.
    is_over: bool,
}

impl Input {
    pub fn new(connection: Shared) -> Self {
        Self { connection, is_over: false }
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        if self.is_over {
            return;
        }
        poll_fn(|cx| {
            let mut connection = self.connection.lock();
            // A guest that waits for an answer wants the question to arrive.
            let _ = connection.poll_sent(cx);
            connection.poll_readable(cx)
        })
        .await;
    }
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.is_over {
            return Err(StreamError::Closed);
        }
        self.connection.lock().read(size).map_err(|end| {
            self.is_over = true;
            end.error()
        })
    }
}
