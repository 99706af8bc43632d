//! Where lines come from.
//!
//! A file of a million lines must not be held in memory, nor a line without end, and a line of a slow pipe must not wait
//! for the next one. So a thread reads ahead a little, and reads over what no platform takes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use thingpost_host::way_out;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::first_line;
use super::problem::Problem;

/// How many lines the thread is ahead.
const AHEAD: usize = 256;

/// Lines beyond this are not even shown to the component, and not held: as many as the thread is ahead lie in memory at
/// once. No platform takes more than 128 KB; up to here the component says what it thinks of the length.
pub const LONGEST_LINE: usize = 256 * 1024;

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
    /// Without its end. None if it is longer than [`LONGEST_LINE`].
    pub text: Option<Vec<u8>>,
    /// With its end.
    pub bytes: u64,
}

impl Line {
    /// Whether there is nothing to publish.
    pub fn is_empty(&self) -> bool {
        self.text.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let cannot_read = |error: io::Error| match error.kind() {
            io::ErrorKind::InvalidData => Problem::new(format!("cannot read lines from {}", path.display()), error),
            _ => {
                let why = format!("{error}; {}", way_out(path, &error));
                Problem::new(format!("cannot read lines from {}", path.display()), why)
            }
        };
        let (input, total_bytes): (Box<dyn Read + Send>, _) = if path == Path::new("-") {
            (Box::new(io::stdin()), None)
        } else {
            let mut file = File::open(path).map_err(cannot_read)?;
            let metadata = file.metadata().map_err(cannot_read)?;
            if metadata.is_dir() {
                return Err(cannot_read(io::ErrorKind::IsADirectory.into()));
            }
            if metadata.is_file() {
                first_line::check_file(&mut file).map_err(cannot_read)?;
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
        let line = match read_line(&mut input) {
            Ok((_, 0)) => return,
            Ok((mut text, bytes)) => {
                let checked = text.as_mut().filter(|_| number == 1).map_or(Ok(()), first_line::check);
                checked.map(|()| Line { number, text, bytes })
            }
            Err(error) => Err(error),
        };
        let is_last = line.is_err();
        if lines.blocking_send(line).is_err() || is_last {
            return;
        }
    }
}

/// A line without its end, unless it is too long to be held, and how many bytes it took with its end.
fn read_line(input: &mut impl BufRead) -> io::Result<(Option<Vec<u8>>, u64)> {
    const WITH_END: u64 = LONGEST_LINE as u64 + 2;
    let mut text = Vec::new();
    let mut bytes = input.take(WITH_END).read_until(b'\n', &mut text)? as u64;
    if bytes == WITH_END && !text.ends_with(b"\n") {
        bytes += input.skip_until(b'\n')? as u64;
    }
    text.truncate(without_end(&text).len());
    Ok(((text.len() <= LONGEST_LINE).then_some(text), bytes))
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: impl Read) -> Vec<(u64, Option<usize>, u64)> {
        let (sender, mut lines) = channel(AHEAD);
        read_lines(input, &sender, &AtomicBool::new(false));
        drop(sender);
        let lines = std::iter::from_fn(|| lines.blocking_recv()).map(Result::unwrap);
        lines.map(|line| (line.number, line.text.map(|text| text.len()), line.bytes)).collect()
    }

    #[test]
    fn a_line_without_end_is_counted_and_not_held() {
        const LENGTH: u64 = 64 << 20;
        let input = io::repeat(b'x').take(LENGTH).chain(&b"\nnext\n"[..]);
        assert_eq!(lines(input), [(1, None, LENGTH + 1), (2, Some(4), 5)]);
        assert_eq!(lines(io::repeat(b'x').take(LENGTH)), [(1, None, LENGTH)]);
    }

    #[test]
    fn the_longest_line_is_held_whatever_its_end_is() {
        let longest = "x".repeat(LONGEST_LINE);
        for (end, bytes) in [("", 0), ("\n", 1), ("\r\n", 2)] {
            let (whole, beyond) = (format!("{longest}{end}"), format!("x{longest}{end}"));
            let bytes = LONGEST_LINE as u64 + bytes;
            assert_eq!(lines(whole.as_bytes()), [(1, Some(LONGEST_LINE), bytes)]);
            assert_eq!(lines(beyond.as_bytes()), [(1, None, bytes + 1)]);
        }
    }

    #[test]
    fn a_line_ends_with_a_line_feed_and_a_carriage_return_before_it() {
        assert_eq!(without_end(b"a\n"), b"a");
        assert_eq!(without_end(b"a\r\n"), b"a");
        assert_eq!(without_end(b"\r\r\n"), b"\r");
        assert_eq!(without_end(b"a\r"), b"a\r");
        assert_eq!(without_end(b"\n"), b"");
    }
}
