//! Standard output and standard error, whose readers may be gone: `thingpost ... | head` is no reason for `println!` to
//! panic. What a message became does not depend on whether somebody reads it, so work goes on and the exit code tells.

use std::fmt;
use std::io::{self, Write};
use std::sync::Once;

/// Prints a line to standard output.
pub fn print(line: impl fmt::Display) {
    check(writeln!(io::stdout(), "{line}"));
}

/// Prints a line for which somebody answers: whether it is out decides what is done next.
pub fn try_print(line: impl fmt::Display) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush())
}

/// Puts these bytes on standard output, and nothing else.
pub fn put(bytes: &[u8]) {
    let mut stdout = io::stdout();
    check(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

fn check(written: io::Result<()>) {
    static COMPLAINT: Once = Once::new();
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            COMPLAINT.call_once(|| complain(format_args!("thingpost: cannot write the output: {error}")));
        }
        // Whoever closed it knows.
        Ok(()) | Err(_) => {}
    }
}

/// Prints a line to standard error.
pub fn complain(line: impl fmt::Display) {
    // There is nowhere left to say that this failed.
    let _ = writeln!(io::stderr(), "{line}");
}
