//! The file for lines that were not delivered, to be published again. It is there only if there are any.
//!
//! What an earlier run left in it may be the only copy of its lines. So it stays until a line of this run has met its
//! fate, and a run that ends with wrong input changes nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::input_file::{InputFile, refuse_any_of};
use super::problem::Problem;

/// Lines go to it in their order.
pub struct Failed {
    path: PathBuf,
    file: BufWriter<File>,
    /// Not a device such as `/dev/null`, which is left where it is.
    is_regular: bool,
    /// Whether there was no such file before.
    is_new: bool,
    /// Whether a line of this run has been settled. Until then the file is that of an earlier run.
    is_ours: bool,
    is_empty: bool,
}

impl Failed {
    /// Makes sure that the file can be written, and leaves in it what there is. It must be none of those that are read:
    /// it will be emptied, and a private key is hard to come by again.
    pub fn open(path: &Path, inputs: &[InputFile]) -> Result<Self, Problem> {
        refuse_any_of(inputs, "--failed", path)?;
        let mut options = OpenOptions::new();
        options.write(true);
        let (file, is_new) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (options.create(true).open(path), false),
            created => (created, true),
        };
        let file = file.map_err(|error| cannot_write(path, error))?;
        let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let file = BufWriter::new(file);
        Ok(Self { path: path.to_owned(), file, is_regular, is_new, is_ours: false, is_empty: true })
    }

    /// A line has met its fate: it is delivered, or these bytes are to be kept.
    pub fn settle(&mut self, kept: Option<&[u8]>) -> Result<(), Problem> {
        self.try_settle(kept).map_err(|error| cannot_write(&self.path, error))
    }

    fn try_settle(&mut self, kept: Option<&[u8]>) -> io::Result<()> {
        if !self.is_ours && self.is_regular {
            self.file.get_ref().set_len(0)?;
        }
        self.is_ours = true;
        let Some(line) = kept else { return Ok(()) };
        self.is_empty = false;
        self.file.write_all(line)?;
        self.file.write_all(b"\n")
    }

    /// Leaves nothing in memory: the process may be killed.
    pub fn flush(&mut self) -> Result<(), Problem> {
        self.file.flush().map_err(|error| cannot_write(&self.path, error))
    }

    /// Takes the file away if all was delivered. After wrong input it is as it was before.
    pub fn finish(mut self, was_input_right: bool) -> Result<(), Problem> {
        self.flush()?;
        let has_no_lines = if self.is_ours || was_input_right { self.is_empty } else { self.is_new };
        if has_no_lines && self.is_regular {
            fs::remove_file(&self.path).map_err(|error| cannot_write(&self.path, error))?;
        }
        Ok(())
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Problem {
    Problem::new(format!("cannot write failed lines to {}", path.display()), error)
}
