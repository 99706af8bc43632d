//! A file that is read until it ends, or until it is told that it is enough. A thread that waits for a pipe cannot be told
//! anything, and what it takes out of it after that is lost: so it waits for both, the pipe and the word.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::terminal::blocking::Blocking;

/// What is read.
pub struct StoppableInput {
    file: Blocking<File>,
    /// Ends when it is enough. None for a file that is read to its end.
    #[cfg(unix)]
    word: Option<io::PipeReader>,
    state: Arc<State>,
}

/// Ends the reading when it is dropped.
pub struct Stop {
    #[cfg(unix)]
    _word: io::PipeWriter,
    state: Arc<State>,
}

/// What both ends know.
#[derive(Default)]
pub struct State {
    is_stopped: AtomicBool,
    has_more: AtomicBool,
}

impl State {
    /// Whether it was enough.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Whether there was more to be read then.
    pub fn has_more(&self) -> bool {
        self.has_more.load(Ordering::Acquire)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::Release);
    }
}

impl StoppableInput {
    /// Of which every byte is wanted.
    pub fn whole(file: File) -> Self {
        Self {
            file: Blocking(file),
            #[cfg(unix)]
            word: None,
            state: Arc::default(),
        }
    }

    /// That may go on for ever.
    #[cfg(unix)]
    pub fn stoppable(file: File) -> io::Result<(Self, Stop)> {
        let (word, writer) = io::pipe()?;
        let state = Arc::<State>::default();
        let stop = Stop { _word: writer, state: Arc::clone(&state) };
        Ok((Self { file: Blocking(file), word: Some(word), state }, stop))
    }

    /// That may go on for ever. A read that is under way takes out what it gets.
    #[cfg(not(unix))]
    pub fn stoppable(file: File) -> io::Result<(Self, Stop)> {
        let state = Arc::<State>::default();
        let stop = Stop { state: Arc::clone(&state) };
        Ok((Self { file: Blocking(file), state }, stop))
    }

    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    pub fn is_stopped(&self) -> bool {
        self.state.is_stopped()
    }

    /// It is left as it is, with these bytes read and not used.
    pub fn leave(&self, unused: &[u8]) {
        self.state.has_more.store(!unused.is_empty() || self.has_unread(), Ordering::Release);
    }

    #[cfg(unix)]
    fn has_unread(&self) -> bool {
        rustix::io::ioctl_fionread(&self.file.0).is_ok_and(|bytes| bytes > 0)
    }

    #[cfg(not(unix))]
    fn has_unread(&self) -> bool {
        false
    }

    /// Waits until there is something. False if it is enough.
    #[cfg(unix)]
    fn may_read(&self) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, poll};
        let Some(word) = &self.word else { return Ok(true) };
        let mut both = [PollFd::new(&self.file.0, PollFlags::IN), PollFd::new(word, PollFlags::IN)];
        match poll(&mut both, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(both[1].revents().is_empty()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(unix))]
    fn may_read(&self) -> io::Result<bool> {
        Ok(!self.state.is_stopped())
    }
}

impl Read for StoppableInput {
    /// An end is the end, or it was told that it is enough.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.may_read()? { self.file.read(buffer) } else { Ok(0) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::thread;

    use super::*;

    #[test]
    fn whoever_waits_for_a_silent_pipe_is_told_and_takes_nothing_out_of_it_any_more() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (mut input, stop) = StoppableInput::stoppable(File::from(OwnedFd::from(reader))).unwrap();
        writer.write_all(b"one").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(input.read(&mut buffer).unwrap(), 3);
        thread::scope(|scope| {
            let waits = scope.spawn(|| input.read(&mut [0; 8]).unwrap());
            drop(stop);
            assert_eq!(waits.join().unwrap(), 0);
        });
        writer.write_all(b"two").unwrap();
        assert_eq!(input.read(&mut buffer).unwrap(), 0);
        let state = input.state();
        assert!(state.is_stopped() && !state.has_more());
        input.leave(b"");
        assert!(state.has_more());
    }
}
