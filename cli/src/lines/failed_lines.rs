//! The file for lines that were not delivered, to be published again. It is there only if there are any.
//!
//! What an earlier run left in it may be the only copy of its lines. So it stays until a line of this run has met its
//! fate, and a run that ends with wrong input changes nothing.
//!
//! Two things keep lines out of it. A process is killed before it has heard what became of them: so those that are under way
//! are written first when there is little time, and taken out again if they turn out to be delivered. And the disk is full:
//! then the file ends with its last whole line, delivering goes on, and the lines that are missing are named.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::line_ranges::LineRanges;
use super::source::{Line, Text};
use crate::error::CliError;
use crate::files::input_file::{InputFile, refuse_any_of};
use crate::files::private_file::folder;
use crate::terminal::blocking::Blocking;

/// So much is written at once.
const BUFFER: usize = 64 * 1024;

/// Lines go to it in their order.
pub struct FailedLines {
    /// Behind links: a link stays where it is.
    path: PathBuf,
    file: File,
    /// Not a device such as `/dev/null`, which is left where it is.
    is_regular: bool,
    /// Whether there was no such file before.
    is_new: bool,
    /// Whether a line of this run has been settled. Until then the file is that of an earlier run.
    is_ours: bool,
    /// How long the file is, as far as it is whole lines.
    length: u64,
    /// What is to follow, and of which lines it is.
    buffer: Vec<u8>,
    buffered: Vec<u64>,
    /// Lines that are in it for the case that the process is killed, and where.
    provisional: BTreeMap<u64, Range<u64>>,
    /// Of those that were delivered after all.
    surplus: Vec<Range<u64>>,
    /// How many lines are in it.
    lines: u64,
    /// Lines that should be in it, and why they are not.
    missing: LineRanges,
    error: Option<io::Error>,
    has_complained: bool,
}

impl FailedLines {
    /// Makes sure that the file can be written, and leaves in it what there is. It must be none of those that are read:
    /// it will be emptied, and a private key is hard to come by again.
    pub fn open(path: &Path, inputs: &[InputFile]) -> Result<Self, CliError> {
        refuse_any_of(inputs, "--failed", path)?;
        Self::try_open(path).map_err(|error| match error.raw_os_error() {
            Some(_) => cannot_write(path, format_args!("{error}; give another file")),
            None => cannot_write(path, error),
        })
    }

    fn try_open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).read(true);
        let (file, is_new) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (open_there(&options, path)?, false),
            created => (created?, true),
        };
        Ok(Self {
            // What `/dev/stdout` leads to may have no name.
            path: fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            is_regular: file.metadata()?.is_file(),
            file,
            is_new,
            is_ours: false,
            length: 0,
            buffer: Vec::new(),
            buffered: Vec::new(),
            provisional: BTreeMap::new(),
            surplus: Vec::new(),
            lines: 0,
            missing: LineRanges::default(),
            error: None,
            has_complained: false,
        })
    }

    /// These are under way, and it is not known what becomes of them. If that is said no more they are in the file.
    pub fn keep_for_now<'a>(&mut self, lines: impl Iterator<Item = &'a Line>) {
        // What went to a device cannot be taken back.
        if !self.is_regular {
            return;
        }
        self.begin();
        self.flush();
        for line in lines {
            match self.write(|file| put(line, file)) {
                Ok(length) => {
                    self.provisional.insert(line.number, self.length..length);
                    self.length = length;
                    self.lines += 1;
                }
                // There will be another try when it has its outcome.
                Err(_) => self.cut(),
            }
        }
    }

    /// A line has met its fate: it is delivered, or it is to be kept.
    pub fn settle(&mut self, line: &Line, is_kept: bool) {
        self.begin();
        match self.provisional.remove(&line.number) {
            Some(_) if is_kept => {}
            Some(range) => {
                self.surplus.push(range);
                self.lines -= 1;
            }
            None if is_kept => self.append(line),
            None => {}
        }
    }

    /// From here on it is the file of this run.
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.is_ours, true)
            && self.is_regular
            && let Err(error) = self.file.set_len(0)
        {
            self.error.get_or_insert(error);
        }
    }

    fn append(&mut self, line: &Line) {
        self.begin();
        match &line.text {
            Text::Held(text) => {
                self.buffer.extend_from_slice(text);
                self.buffer.push(b'\n');
                self.buffered.push(line.number);
                if self.buffer.len() >= BUFFER {
                    self.flush();
                }
            }
            Text::TooLong(_) => {
                self.flush();
                let written = self.write(|file| put(line, file));
                self.written(written, &[line.number]);
            }
            Text::Gone => {}
        }
    }

    /// Leaves nothing in memory: the process may be killed.
    pub fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let (buffer, numbers) = (std::mem::take(&mut self.buffer), std::mem::take(&mut self.buffered));
        let written = self.write(|file| file.write_all(&buffer));
        self.written(written, &numbers);
    }

    /// Leaves nothing in the memory of the system either: the power may fail.
    pub fn secure(&mut self) {
        self.flush();
        if self.is_regular
            && let Err(error) = self.file.sync_data()
        {
            self.error.get_or_insert(error);
        }
    }

    fn write(&self, write: impl FnOnce(&mut Blocking<&File>) -> io::Result<()>) -> io::Result<u64> {
        let mut file = &self.file;
        if self.is_regular {
            file.seek(SeekFrom::Start(self.length))?;
        }
        write(&mut Blocking(file))?;
        if self.is_regular { file.stream_position() } else { Ok(0) }
    }

    fn written(&mut self, written: io::Result<u64>, numbers: &[u64]) {
        match written {
            Ok(length) => {
                self.length = length;
                self.lines += numbers.len() as u64;
            }
            Err(error) => {
                numbers.iter().for_each(|number| self.missing.add(*number));
                self.error.get_or_insert(error);
                self.cut();
            }
        }
    }

    /// A part of a line would be another message.
    fn cut(&self) {
        if self.is_regular {
            // To make a file shorter needs no room.
            let _ = self.file.set_len(self.length);
        }
    }

    /// What is wrong with the file, the first time that something is.
    pub fn complaint(&mut self) -> Option<CliError> {
        let error = self.error.as_ref().filter(|_| !self.has_complained)?;
        self.has_complained = true;
        Some(cannot_write(&self.path, error))
    }

    /// Takes the file away if all was delivered. After wrong input it is as it was before.
    pub fn finish(mut self, was_input_right: bool) -> Result<(), CliError> {
        self.flush();
        let has_no_lines = if self.is_ours || was_input_right { self.lines == 0 } else { self.is_new };
        let finished = match (self.is_regular, has_no_lines) {
            (true, true) => fs::remove_file(&self.path),
            (true, false) if self.is_ours => self.take_out_surplus().and_then(|()| self.file.sync_data()),
            _ => Ok(()),
        };
        let error = match (self.error, finished) {
            (Some(error), _) | (None, Err(error)) => error,
            (None, Ok(())) => return Ok(()),
        };
        let error = cannot_write(&self.path, &error);
        Err(match self.missing.is_empty() {
            true => error,
            false => CliError::sentence(format!("{error}: it lacks {}, not delivered", self.missing)),
        })
    }

    /// The file without the lines that were delivered, in the place of the one with them.
    fn take_out_surplus(&mut self) -> io::Result<()> {
        if self.surplus.is_empty() {
            return Ok(());
        }
        self.surplus.sort_unstable_by_key(|range| range.start);
        let mut without = tempfile::Builder::new().prefix(".thingpost-failed-").tempfile_in(folder(&self.path))?;
        let ends = self.surplus.iter().map(|range| range.end);
        let begins = self.surplus.iter().map(|range| range.start);
        for (from, to) in [0].into_iter().chain(ends).zip(begins.chain([self.length])) {
            self.file.seek(SeekFrom::Start(from))?;
            io::copy(&mut (&self.file).take(to - from), without.as_file_mut())?;
        }
        fs::set_permissions(without.path(), self.file.metadata()?.permissions())?;
        // The name must not survive a power cut without the content.
        without.as_file().sync_all()?;
        self.file = without.persist(&self.path)?;
        Ok(())
    }
}

/// What is there may be for writing only, as a pipe or a device is; and a pipe without a reader would be waited for.
fn open_there(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let metadata = fs::metadata(path);
    if metadata.as_ref().is_ok_and(fs::Metadata::is_file) {
        return options.open(path);
    }
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    if metadata.as_ref().is_ok_and(|metadata| std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())) {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
        return options.open(path).map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => {
                io::Error::other("it is a pipe that nobody reads from: start its reader first")
            }
            _ => error,
        });
    }
    // A link that leads nowhere yet.
    options.create(true).read(metadata.is_err());
    options.open(path)
}

/// A line and its end.
fn put(line: &Line, file: &mut impl Write) -> io::Result<()> {
    match &line.text {
        Text::Held(text) => file.write_all(text)?,
        Text::TooLong(text) => text.copy_to(file)?,
        Text::Gone => return Ok(()),
    }
    file.write_all(b"\n")
}

fn cannot_write(path: &Path, why: impl fmt::Display) -> CliError {
    CliError::new(format!("--failed: cannot write failed lines to {}", path.display()), why)
}
