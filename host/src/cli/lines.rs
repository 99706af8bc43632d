//! One message for each line, many in flight.
//!
//! A file of a million lines must not be held in memory, and a line of a slow pipe must not wait for the next one. So
//! a thread reads ahead a little, and each call of the component takes what is there.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Delivery, Error, Message, Receipt};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Exit;
use super::arguments::CommonArguments;
use super::problem::{Problem, one_line};
use super::publish::Starter;
use super::report;
use super::summary::Summary;

/// Messages for one call of the component. At 32 in flight, all but the last few of so many go out without a pause.
const BATCH_LINES: usize = 1024;

/// Their bytes. The component holds a call's messages in its memory, which is at most 4 GB.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Lines beyond this are not even shown to the component. No platform takes more than 128 KB.
const LONGEST_LINE: usize = 1024 * 1024;

/// Where lines come from, and where those go that were not delivered.
pub struct Source {
    lines: Receiver<io::Result<Line>>,
    total_bytes: Option<u64>,
    failed: Option<Failed>,
}

struct Line {
    number: u64,
    /// Without its end.
    text: Vec<u8>,
    /// With its end.
    bytes: u64,
}

impl Source {
    /// Opens both before anything is sent.
    pub fn open(path: &Path, failed: Option<&Path>) -> Result<Self, Problem> {
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
        let failed = failed.map(|failed| Failed::open(failed, path)).transpose()?;
        let (sender, lines) = channel(BATCH_LINES);
        thread::spawn(move || read_lines(input, &sender));
        Ok(Self { lines, total_bytes, failed })
    }
}

/// Ends when the input does, when it cannot be read, or when nobody listens any more.
fn read_lines(input: impl Read, lines: &Sender<io::Result<Line>>) {
    let mut input = BufReader::new(input);
    for number in 1.. {
        let mut text = Vec::new();
        let line = match input.read_until(b'\n', &mut text) {
            Ok(0) => return,
            Ok(bytes) => {
                let end = text.strip_suffix(b"\n").map_or(text.len(), |line| line.strip_suffix(b"\r").unwrap_or(line).len());
                text.truncate(end);
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

/// Publishes every line and says what became of them.
pub async fn publish(
    starter: &Starter,
    mut source: Source,
    arguments: &CommonArguments,
) -> Result<Exit, Problem> {
    let mut run = Run {
        publisher: starter.open().await?,
        starter,
        arguments,
        summary: Summary::default(),
        failed: source.failed.take(),
        progress: progress(source.total_bytes, arguments.json),
    };
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let mut unreadable = None;
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            _ = &mut interrupted => {
                run.give_up_rest(&mut source.lines)?;
                break;
            }
            line = source.lines.recv() => match line {
                None => break,
                Some(Ok(line)) => batch.push(line),
                Some(Err(error)) => unreadable = Some(error),
            }
        }
        let mut bytes = batch.iter().map(|line| line.text.len()).sum::<usize>();
        while unreadable.is_none() && batch.len() < BATCH_LINES && bytes < BATCH_BYTES {
            match source.lines.try_recv() {
                Ok(Ok(line)) => {
                    bytes += line.text.len();
                    batch.push(line);
                }
                Ok(Err(error)) => unreadable = Some(error),
                Err(_) => break,
            }
        }
        run.publish(batch).await?;
        if unreadable.is_some() {
            break;
        }
    }
    let exit = run.finish()?;
    match unreadable {
        Some(error) => Err(Problem::new("the lines could not be read to the end", error)),
        None => Ok(exit),
    }
}

struct Run<'a> {
    publisher: Publisher,
    starter: &'a Starter,
    arguments: &'a CommonArguments,
    summary: Summary,
    failed: Option<Failed>,
    progress: ProgressBar,
}

impl Run<'_> {
    async fn publish(&mut self, batch: Vec<Line>) -> Result<(), Problem> {
        let mut lines = Vec::with_capacity(batch.len());
        for line in batch {
            match line.text.len() {
                0 => self.progress.inc(line.bytes),
                ..=LONGEST_LINE => lines.push(line),
                _ => self.give_up(&line, Delivery::NotSent, "the line is longer than any platform takes (128 KB)")?,
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        let message = |line: &mut Line| {
            let payload = std::mem::take(&mut line.text);
            Message { topic: self.arguments.topic.clone(), payload, qos: self.starter.qos() }
        };
        let messages: Vec<Message> = lines.iter_mut().map(message).collect();
        let outcomes = self.publisher.publish_all(&messages).await;
        for (line, message) in lines.iter_mut().zip(messages) {
            line.text = message.payload;
        }
        match outcomes {
            Ok(outcomes) => {
                for (line, outcome) in lines.iter().zip(outcomes) {
                    self.settle(line, &outcome)?;
                }
            }
            Err(trap) => {
                for line in &lines {
                    self.give_up(line, Delivery::Unknown, &format!("the component failed: {trap:#}"))?;
                }
                self.publisher = self.starter.open().await?;
            }
        }
        Ok(())
    }

    fn settle(&mut self, line: &Line, outcome: &Result<Receipt, Error>) -> Result<(), Problem> {
        self.progress.inc(line.bytes);
        self.summary.count(outcome);
        if self.arguments.json {
            let mut object = report::json(&self.arguments.topic, outcome);
            object.insert("line".to_owned(), line.number.into());
            println!("{}", Value::Object(object));
        }
        match (outcome, &mut self.failed) {
            (Err(_), Some(failed)) => failed.write(&line.text),
            _ => Ok(()),
        }
    }

    /// Settles a line that has no outcome of the component.
    fn give_up(&mut self, line: &Line, delivery: Delivery, reason: &str) -> Result<(), Problem> {
        self.progress.inc(line.bytes);
        self.summary.count_failure(delivery, reason);
        if self.arguments.json {
            let object = report::json_without_answer(&self.arguments.topic, delivery, reason, line.number);
            println!("{}", Value::Object(object));
        }
        match &mut self.failed {
            Some(failed) => failed.write(&line.text),
            None => Ok(()),
        }
    }

    /// After an interruption: what has been read and not sent is counted and kept.
    fn give_up_rest(&mut self, lines: &mut Receiver<io::Result<Line>>) -> Result<(), Problem> {
        lines.close();
        while let Ok(Ok(line)) = lines.try_recv() {
            if !line.text.is_empty() {
                self.give_up(&line, Delivery::NotSent, "interrupted; lines that were not read yet are not counted")?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Exit, Problem> {
        self.progress.finish_and_clear();
        if let Some(failed) = self.failed {
            failed.finish()?;
        }
        if self.arguments.json {
            println!("{}", self.summary.json());
        } else {
            println!("{}", self.summary);
            for reason in self.summary.reasons() {
                eprintln!("{}", one_line(&reason));
            }
        }
        Ok(self.summary.exit())
    }
}

/// Shows on a terminal only.
fn progress(total_bytes: Option<u64>, json: bool) -> ProgressBar {
    if json || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total_bytes {
        Some(total) => (ProgressBar::new(total), "{bar:40} {percent:>3} %  {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} published"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the template is well-formed"))
}

/// The file for lines that were not delivered. It is there only if there are any.
struct Failed {
    path: PathBuf,
    file: BufWriter<File>,
    is_empty: bool,
}

impl Failed {
    fn open(path: &Path, source: &Path) -> Result<Self, Problem> {
        let same = |path: &Path| fs::canonicalize(path).ok();
        if same(path).is_some() && same(path) == same(source) {
            return Err(Problem::sentence(format!(
                "--failed and --lines are both {}: give another file",
                path.display()
            )));
        }
        let file = File::create(path).map_err(|error| cannot_write(path, error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), is_empty: true })
    }

    fn write(&mut self, line: &[u8]) -> Result<(), Problem> {
        self.is_empty = false;
        let written = self.file.write_all(line).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| cannot_write(&self.path, error))
    }

    fn finish(mut self) -> Result<(), Problem> {
        self.file.flush().map_err(|error| cannot_write(&self.path, error))?;
        if self.is_empty {
            fs::remove_file(&self.path).map_err(|error| cannot_write(&self.path, error))?;
        }
        Ok(())
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Problem {
    Problem::new(format!("cannot write failed lines to {}", path.display()), error)
}
