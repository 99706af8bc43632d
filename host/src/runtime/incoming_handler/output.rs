//! What a guest prints, in the log.
//!
//! A panic of a guest says what is wrong, on its standard error, and nowhere else; so that must not be lost. But a guest that prints
//! without end would fill the disk of its host, and one that prints control characters the terminal in which the log is read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{OutputStream, StreamResult};

use super::log::HandlerLog;

/// What is longer goes on in the next line.
const LINE_BYTES: usize = 1024;

/// What a guest may print for one request.
const REQUEST_BYTES: usize = 8 * 1024;

/// In place of what it prints above that.
const LEFT_OUT: &str = "(for one request the guest prints more than 8192 bytes: the rest is left out)";

/// Standard output, or standard error.
#[derive(Clone)]
pub(super) struct GuestOutput {
    stream: &'static str,
    log: Arc<HandlerLog>,
    lines: Arc<Mutex<Lines>>,
}

struct Lines {
    /// A line without its end.
    begun: Vec<u8>,
    /// How many bytes more the guest may print.
    left: usize,
}

impl GuestOutput {
    pub fn new(stream: &'static str, log: &Arc<HandlerLog>) -> Self {
        Self {
            stream,
            log: Arc::clone(log),
            lines: Arc::new(Mutex::new(Lines { begun: Vec::new(), left: REQUEST_BYTES })),
        }
    }

    /// A request begins, or is over: what was printed last is a line, and there is room again.
    pub fn turn_over(&self) {
        let mut lines = self.lines();
        lines.end(self);
        lines.left = REQUEST_BYTES;
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn print(&mut self, bytes: &[u8], output: &GuestOutput) {
        for &byte in bytes {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match byte {
                b'\n' => self.end(output),
                byte => self.begun.push(byte),
            }
            if self.begun.len() >= LINE_BYTES {
                self.end(output);
            }
            if self.left == 0 {
                self.end(output);
                output.log.printed(output.stream, LEFT_OUT);
            }
        }
    }

    fn end(&mut self, output: &GuestOutput) {
        let line = printable(&std::mem::take(&mut self.begun));
        if !line.is_empty() {
            output.log.printed(output.stream, &line);
        }
    }
}

fn printable(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    line.trim_end().chars().map(|char| if char.is_control() && char != '\t' { ' ' } else { char }).collect()
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    /// For versions of WASI that are not linked here.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.lines().print(&bytes, self);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(REQUEST_BYTES)
    }
}
