//! A line that is longer than any platform takes cannot be sent, and is not held in memory: it may be gigabytes. Where lines are
//! kept that were not delivered it is kept all the same, so until its turn comes it lies in a file without a name, beside the
//! one that it will be copied to.

use std::env;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Where such lines are put, if anywhere.
pub struct SpillFolder(Option<PathBuf>);

impl SpillFolder {
    /// Nowhere: a long line is read over.
    pub fn none() -> Self {
        Self(None)
    }

    /// Beside this file, if it is one; otherwise where temporary files are.
    pub fn beside(path: &Path) -> Self {
        let is_device = path.metadata().is_ok_and(|metadata| !metadata.is_file());
        let folder = if is_device { env::temp_dir() } else { crate::files::private_file::folder(path).to_owned() };
        Self(Some(folder))
    }

    #[cfg(test)]
    pub fn in_folder(folder: &Path) -> Self {
        Self(Some(folder.to_owned()))
    }

    /// A new one, which is empty.
    pub fn line(&self) -> LongLine {
        LongLine(self.0.as_ref().map(tempfile::tempfile_in))
    }
}

/// A line that was put aside, if anybody wants it and there is room.
pub struct LongLine(Option<io::Result<File>>);

impl LongLine {
    /// What comes next of it. If that cannot be kept, nothing of it is: a part of a line would be another message.
    pub fn push(&mut self, piece: &[u8]) {
        if let Some(Ok(file)) = &mut self.0
            && let Err(error) = file.write_all(piece)
        {
            self.0 = Some(Err(error));
        }
    }

    /// It was the first half of the end of the line.
    pub fn drop_carriage_return(&mut self) {
        if let Some(Ok(file)) = &mut self.0
            && let Err(error) = drop_carriage_return(file)
        {
            self.0 = Some(Err(error));
        }
    }

    /// All of it.
    pub fn copy_to(&self, target: &mut impl Write) -> io::Result<()> {
        match &self.0 {
            Some(Ok(file)) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0))?;
                io::copy(&mut file, target).map(|_| ())
            }
            Some(Err(error)) => Err(io::Error::new(error.kind(), error.to_string())),
            None => Err(io::Error::other("it was not put aside")),
        }
    }
}

fn drop_carriage_return(mut file: &File) -> io::Result<()> {
    let last = file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    if byte == *b"\r" {
        file.set_len(last)?;
    }
    Ok(())
}
