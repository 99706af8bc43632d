//! Where lines come from.
//!
//! A file of a million lines must not be held in memory, nor a line without end, and a line of a slow pipe must not wait
//! for the next one. So a thread reads ahead a little, and puts aside what is too long for any platform.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use thingpost_host::file_hint;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::first_line;
use super::long_line::{LongLine, SpillFolder};
use super::stoppable_input::{State, Stop, StoppableInput};
use crate::error::CliError;

/// How many lines the thread is ahead.
const AHEAD: usize = 256;

/// Lines beyond this are not even shown to the component, and not held: as many as the thread is ahead lie in memory at
/// once. No platform takes more than 128 KB; up to here the component says what it thinks of the length.
pub const LONGEST_LINE: usize = 256 * 1024;

/// How long a pipe may be silent before it counts as empty for now.
const SILENCE: Duration = Duration::from_millis(100);

/// Lines to publish.
pub struct Source {
    lines: Receiver<io::Result<Line>>,
    /// The length of a regular file.
    pub total_bytes: Option<u64>,
    state: Arc<State>,
    /// Of what may go on for ever. Dropped when it is enough.
    stop: Option<Stop>,
}

/// One line.
pub struct Line {
    /// Counted from 1, empty ones included.
    pub number: u64,
    pub text: Text,
    /// With its end.
    pub bytes: u64,
}

/// What is in a line, without its end.
pub enum Text {
    Held(Vec<u8>),
    /// It is longer than [`LONGEST_LINE`].
    TooLong(LongLine),
    /// It was handed on, or is kept elsewhere.
    Gone,
}

impl Line {
    /// Whether there is nothing to publish.
    pub fn is_empty(&self) -> bool {
        matches!(&self.text, Text::Held(text) if text.is_empty())
    }

    pub fn is_too_long(&self) -> bool {
        matches!(self.text, Text::TooLong(_))
    }
}

impl Source {
    /// Opens a file, or standard input for `-`. Lines that are too long are put on the shelf.
    pub fn open(path: &Path, shelf: SpillFolder) -> Result<Self, CliError> {
        Self::try_open(path, shelf).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => CliError::new(format!("cannot read lines from {}", path.display()), error),
            _ => {
                let why = format!("{error}; {}", file_hint(path, &error));
                CliError::new(format!("cannot read lines from {}", path.display()), why)
            }
        })
    }

    fn try_open(path: &Path, shelf: SpillFolder) -> io::Result<Self> {
        let mut file = if path == Path::new("-") { standard_input()? } else { File::open(path)? };
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if metadata.is_file() && path != Path::new("-") {
            first_line::check_file(&mut file)?;
        }
        let total_bytes = metadata.is_file().then_some(metadata.len());
        let (input, stop) = match total_bytes {
            Some(_) => (StoppableInput::whole(file), None),
            None => StoppableInput::stoppable(file).map(|(input, stop)| (input, Some(stop)))?,
        };
        let (sender, lines) = channel(AHEAD);
        let state = input.state();
        thread::spawn(move || Reader { input: BufReader::new(input), shelf }.run(&sender));
        Ok(Self { lines, total_bytes, state, stop })
    }

    /// Waits for the next line. After an error there are no more.
    pub async fn next(&mut self) -> Option<io::Result<Line>> {
        self.lines.recv().await
    }

    /// The next line if it is there already.
    pub fn next_ready(&mut self) -> Option<io::Result<Line>> {
        self.lines.try_recv().ok()
    }

    /// The next line if it comes at once, as those of a file do, and those that were written into a pipe. None, and
    /// false, if more may come later.
    pub async fn next_soon(&mut self) -> (Option<io::Result<Line>>, bool) {
        match timeout(SILENCE, self.lines.recv()).await {
            Ok(line) => (line, true),
            Err(_silent) => (None, false),
        }
    }

    /// The next line after an interruption: of a regular file every line that is left, of a pipe, which may never end,
    /// those that were taken out of it.
    pub async fn next_left(&mut self) -> Option<io::Result<Line>> {
        self.stop = None;
        self.next().await
    }

    /// Whether there was more in a pipe when it was read no further.
    pub fn has_more(&self) -> bool {
        self.state.has_more()
    }
}

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// The other end, in a thread of its own.
struct Reader<T> {
    input: BufReader<T>,
    shelf: SpillFolder,
}

/// What may be stopped in the middle.
trait Stoppable: Read {
    fn is_stopped(&self) -> bool;

    /// It is left as it is, with these bytes read and not used.
    fn leave(&self, unused: &[u8]);
}

impl Stoppable for StoppableInput {
    fn is_stopped(&self) -> bool {
        self.is_stopped()
    }

    fn leave(&self, unused: &[u8]) {
        self.leave(unused);
    }
}

impl<T: Stoppable> Reader<T> {
    /// Ends when the input does, when it cannot be read, or when its receiver is gone.
    fn run(mut self, lines: &Sender<io::Result<Line>>) {
        for number in 1.. {
            let line = match self.line() {
                Ok(Some((mut text, bytes))) => {
                    let checked = match &mut text {
                        Text::Held(text) if number == 1 => first_line::check(text),
                        _ => Ok(()),
                    };
                    checked.map(|()| Line { number, text, bytes })
                }
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let is_last = line.is_err();
            if lines.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    }

    /// A line, and how many bytes it took with its end. None at the end of the input, or when it was stopped in the middle of
    /// a line: the rest of that cannot be guessed.
    fn line(&mut self) -> io::Result<Option<(Text, u64)>> {
        const WITH_END: u64 = LONGEST_LINE as u64 + 2;
        let mut text = Vec::new();
        let bytes = (&mut self.input).take(WITH_END).read_until(b'\n', &mut text)? as u64;
        let has_end = text.ends_with(b"\n");
        if bytes == WITH_END && !has_end {
            return self.rest_of_long_line(&text, bytes);
        }
        if !has_end && self.input.get_ref().is_stopped() {
            self.input.get_ref().leave(&text);
            return Ok(None);
        }
        text.truncate(without_end(&text).len());
        Ok(match text.len() {
            _ if bytes == 0 => None,
            ..=LONGEST_LINE => Some((Text::Held(text), bytes)),
            _ => {
                let mut line = self.shelf.line();
                line.push(&text);
                Some((Text::TooLong(line), bytes))
            }
        })
    }

    fn rest_of_long_line(&mut self, begin: &[u8], mut bytes: u64) -> io::Result<Option<(Text, u64)>> {
        let mut line = self.shelf.line();
        line.push(begin);
        loop {
            let piece = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                piece => piece?,
            };
            if piece.is_empty() {
                if self.input.get_ref().is_stopped() {
                    self.input.get_ref().leave(begin);
                    return Ok(None);
                }
                return Ok(Some((Text::TooLong(line), bytes)));
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(piece.len(), |end| end + 1);
            line.push(&piece[..end.unwrap_or(taken)]);
            self.input.consume(taken);
            bytes += taken as u64;
            if end.is_some() {
                line.drop_carriage_return();
                return Ok(Some((Text::TooLong(line), bytes)));
            }
        }
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes without an end.
    struct Bytes<T>(T);

    impl<T: Read> Read for Bytes<T> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl<T: Read> Stoppable for Bytes<T> {
        fn is_stopped(&self) -> bool {
            false
        }

        fn leave(&self, _: &[u8]) {}
    }

    fn lines_on(input: impl Read, shelf: SpillFolder) -> Vec<Line> {
        let (sender, mut lines) = channel(AHEAD);
        Reader { input: BufReader::new(Bytes(input)), shelf }.run(&sender);
        drop(sender);
        std::iter::from_fn(|| lines.blocking_recv()).map(Result::unwrap).collect()
    }

    fn lines(input: impl Read) -> Vec<(u64, Option<usize>, u64)> {
        let held = |line: &Line| match &line.text {
            Text::Held(text) => Some(text.len()),
            Text::TooLong(_) | Text::Gone => None,
        };
        lines_on(input, SpillFolder::none()).iter().map(|line| (line.number, held(line), line.bytes)).collect()
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
    fn a_line_that_is_put_aside_is_whole_and_has_no_end() {
        let folder = tempfile::TempDir::new().unwrap();
        for beyond in [1, 2, 3, 100_000] {
            for end in ["", "\n", "\r\n"] {
                let text = "x".repeat(LONGEST_LINE + beyond - 1) + "y";
                let lines = lines_on(format!("{text}{end}").as_bytes(), SpillFolder::in_folder(folder.path()));
                let [Line { text: Text::TooLong(line), bytes, .. }] = &lines[..] else { panic!("one long line") };
                let mut kept = Vec::new();
                line.copy_to(&mut kept).unwrap();
                assert!(kept == text.as_bytes(), "{beyond} beyond, {end:?}");
                assert_eq!(*bytes, (text.len() + end.len()) as u64);
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has no name");
    }

    #[cfg(unix)]
    #[test]
    fn of_a_pipe_that_is_left_the_whole_lines_that_were_taken_out_of_it_come_and_no_part_of_one() {
        use std::io::Write;
        let (reader, mut writer) = io::pipe().unwrap();
        let (input, stop) = StoppableInput::stoppable(File::from(std::os::fd::OwnedFd::from(reader))).unwrap();
        let (state, (sender, mut lines)) = (input.state(), channel(AHEAD));
        let thread =
            thread::spawn(move || Reader { input: BufReader::new(input), shelf: SpillFolder::none() }.run(&sender));
        writer.write_all(b"a\nb\npart").unwrap();
        let mut next = || lines.blocking_recv().map(|line| line.unwrap().number);
        assert_eq!([next(), next()], [Some(1), Some(2)]);
        drop(stop);
        assert_eq!(next(), None);
        thread.join().unwrap();
        assert!(state.has_more());
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
