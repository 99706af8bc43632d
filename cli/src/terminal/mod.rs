//! Standard output and standard error, whose readers may be gone: `thingpost ... | head` is no reason for `println!` to
//! panic. What a message became does not depend on whether it is read, so work goes on and the exit code tells.
//!
//! A record for a program, or an answer that was asked for, is another matter: a program that does not get it because the disk
//! is full knows nothing, so the run is no success.

pub mod blocking;
pub mod closed_output;
pub mod hang_up;
pub mod interrupt;

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use blocking::Blocking;
use closed_output::is_closed;

/// Whether something was lost that was meant for a program.
static IS_INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// Prints a line to standard output.
pub fn print(line: impl fmt::Display) {
    complain_once(put_line(&line), &"");
}

/// Prints a line that counts: whether it is out decides what is done next.
pub fn try_print(line: impl fmt::Display) -> io::Result<()> {
    put_line(&line)
}

/// Prints what a program waits for. `what` names it, as in "the record of line 7".
pub fn record(line: impl fmt::Display, what: impl fmt::Display) {
    demand(put_line(&line), &what);
}

/// Prints an answer, or a part of it, to what was asked.
pub fn answer(line: impl fmt::Display) {
    demand(put_line(&line), &"the answer");
}

/// Puts these bytes on standard output, and nothing else: the answer to what was asked.
pub fn put(bytes: &[u8]) {
    demand(put_bytes(bytes), &"the answer");
}

/// Whether something that a program waits for could not be written.
pub fn is_incomplete() -> bool {
    IS_INCOMPLETE.load(Ordering::Relaxed)
}

fn put_line(line: &impl fmt::Display) -> io::Result<()> {
    // In one piece: of a line that is formatted while it is written, a part may be out when the rest fails.
    put_bytes(format!("{line}\n").as_bytes())
}

fn put_bytes(bytes: &[u8]) -> io::Result<()> {
    if is_closed() {
        return Err(io::Error::other("standard output is closed"));
    }
    let mut stdout = Blocking(io::stdout().lock());
    stdout.write_all(bytes).and_then(|()| stdout.flush())
}

fn demand(written: io::Result<()>, what: &dyn fmt::Display) {
    // The closer of a pipe knows.
    if written.as_ref().is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
        IS_INCOMPLETE.store(true, Ordering::Relaxed);
    }
    complain_once(written, what);
}

fn complain_once(written: io::Result<()>, what: &dyn fmt::Display) {
    static COMPLAINT: Once = Once::new();
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let what = what.to_string();
            let from = if what.is_empty() { what } else { format!(" from {what} on") };
            COMPLAINT.call_once(|| complain(format_args!("thingpost: cannot write the output{from}: {error}")));
        }
        Ok(()) | Err(_) => {}
    }
}

/// Prints a line to standard error.
pub fn complain(line: impl fmt::Display) {
    // There is nowhere left to say that this failed.
    let _ = Blocking(io::stderr().lock()).write_all(format!("{line}\n").as_bytes());
}
