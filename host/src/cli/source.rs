//! Where lines come from.
//!
//! A file of a million lines must not be held in memory, and a line of a slow pipe must not wait for the next one. So
//! a thread reads ahead a little.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::problem::Problem;

/// How many lines the thread is ahead.
const AHEAD: usize = 256;

/// How long a pipe may take to hand over what has been read from it already.
const LINGER: Duration = Duration::from_millis(100);

/// Lines to publish.
pub struct Source {
    lines: Receiver<io::Result<Line>>,
    /// The length of a regular file.
    pub total_bytes: Option<u64>,
    /// Tells the thread to read no further.
    stop: Arc<AtomicBool>,
}

/// One line.
pub struct Line {
    /// Counted from 1, empty ones included.
    pub number: u64,
    /// Without its end.
    pub text: Vec<u8>,
    /// With its end.
    pub bytes: u64,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let cannot_read = |error| Problem::new(format!("cannot read lines from {}", path.display()), error);
        let (input, total_bytes): (Box<dyn Read + Send>, _) = if path == Path::new("-") {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).map_err(cannot_read)?;
            let metadata = file.metadata().map_err(cannot_read)?;
            if metadata.is_dir() {
                return Err(cannot_read(io::ErrorKind::IsADirectory.into()));
            }
            (Box::new(file), metadata.is_file().then_some(metadata.len()))
        };
        let (sender, lines) = channel(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        thread::spawn(move || read_lines(input, &sender, &stopped));
        Ok(Self { lines, total_bytes, stop })
    }

    /// Waits for the next line. After an error there are no more.
    pub async fn next(&mut self) -> Option<io::Result<Line>> {
        self.lines.recv().await
    }

    /// The next line if it is there already.
    pub fn next_ready(&mut self) -> Option<io::Result<Line>> {
        self.lines.try_recv().ok()
    }

    /// The next line after an interruption: of a regular file every line that is left, of a pipe, which may never end,
    /// those that were taken out of it.
    pub async fn next_left(&mut self) -> Option<io::Result<Line>> {
        if self.total_bytes.is_some() {
            return self.next().await;
        }
        self.stop.store(true, Ordering::Relaxed);
        timeout(LINGER, self.lines.recv()).await.ok().flatten()
    }
}

/// Ends when the input does, when it cannot be read, or when nobody listens any more.
fn read_lines(input: impl Read, lines: &Sender<io::Result<Line>>, stop: &AtomicBool) {
    let mut input = BufReader::new(input);
    for number in 1.. {
        if stop.load(Ordering::Relaxed) && !input.buffer().contains(&b'\n') {
            return;
        }
        let mut text = Vec::new();
        let line = match input.read_until(b'\n', &mut text) {
            Ok(0) => return,
            Ok(bytes) => {
                text.truncate(without_end(&text).len());
                Ok(Line { number, text, bytes: bytes as u64 })
            }
            Err(error) => Err(error),
        };
        let is_last = line.is_err();
        if lines.blocking_send(line).is_err() || is_last {
            return;
        }
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_a_line_feed_and_a_carriage_return_before_it() {
        assert_eq!(without_end(b"a\n"), b"a");
        assert_eq!(without_end(b"a\r\n"), b"a");
        assert_eq!(without_end(b"\r\r\n"), b"\r");
        assert_eq!(without_end(b"a\r"), b"a\r");
        assert_eq!(without_end(b"\n"), b"");
    }
}
