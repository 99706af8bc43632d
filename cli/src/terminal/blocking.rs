//! Standard input and output that another program has made non-blocking. The flag belongs to the open file and not to the
//! process: node, tmux and some supervisors set it for themselves, and a program that shares the file with them reads "resource
//! temporarily unavailable" where nothing is wrong. To clear it would take it from them, so it is waited out.

use std::io::{self, ErrorKind, Read, Write};

/// Waits for room and for bytes as a blocking file does.
pub struct Blocking<T>(pub T);

#[cfg(unix)]
impl<T: Read + std::os::fd::AsFd> Read for Blocking<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait(&self.0, PollFlags::IN)?,
                read => return read,
            }
        }
    }
}

#[cfg(unix)]
impl<T: Write + std::os::fd::AsFd> Write for Blocking<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait(&self.0, PollFlags::OUT)?,
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.0.flush() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait(&self.0, PollFlags::OUT)?,
                flushed => return flushed,
            }
        }
    }
}

#[cfg(unix)]
use rustix::event::PollFlags;

#[cfg(unix)]
fn wait(file: &impl std::os::fd::AsFd, flags: PollFlags) -> io::Result<()> {
    use rustix::event::{PollFd, poll};
    match poll(&mut [PollFd::new(file, flags)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// There is no such flag here.
#[cfg(not(unix))]
impl<T: Read> Read for Blocking<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

#[cfg(not(unix))]
impl<T: Write> Write for Blocking<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_between_two_ends_that_never_block() {
        let (reader, writer) = io::pipe().unwrap();
        for end in [std::os::fd::AsFd::as_fd(&reader), std::os::fd::AsFd::as_fd(&writer)] {
            rustix::fs::fcntl_setfl(end, rustix::fs::OFlags::NONBLOCK).unwrap();
        }
        // Many times what a pipe holds, so that each end has to wait for the other.
        let sent: Vec<u8> = (0..4_000_000_u32).map(|number| (number % 251) as u8).collect();
        let received = thread::scope(|scope| {
            let reads = scope.spawn(|| {
                let mut received = Vec::new();
                Blocking(reader).read_to_end(&mut received).map(|_| received)
            });
            let mut writer = Blocking(writer);
            writer.write_all(&sent).and_then(|()| writer.flush()).unwrap();
            drop(writer);
            reads.join().unwrap().unwrap()
        });
        assert!(received == sent);
    }
}
