//! The component, compiled and started in the runtime that publishes. Where memory may not be made executable, or files may not be
//! opened, all else is well and nothing can be published.

use crate::commands::doctor::finding::{Check, Finding};
use crate::commands::doctor::report::Report;
use crate::error::CliError;

/// Says whether it could be made, and gives what was made.
pub fn started<T>(report: &mut Report, made: Result<T, CliError>) -> Option<T> {
    match made {
        Ok(made) => {
            let mut finding = Finding::new();
            finding.see("the component is compiled, started, and takes this configuration");
            report.add(Check::Component, finding);
            Some(made)
        }
        Err(error) => {
            let text = error.to_string();
            let mut finding = Finding::new();
            finding.fail_with(&text, way_out(&text));
            report.add(Check::Component, finding);
            None
        }
    }
}

/// What to do about a component that cannot be compiled or started, by the words of the system.
fn way_out(text: &str) -> &'static str {
    let says = |word| text.contains(word);
    if says("executable") {
        "allow it for this command (MemoryDenyWriteExecute=no in a unit of systemd, `execmem` in a policy of SELinux), or build it \
         with the cargo feature `interpreter`"
    } else if says("memfd") || says("Too many open files") {
        "this process may open too few files: raise the limit (`ulimit -n 1024`; LimitNOFILE in a unit of systemd)"
    } else if says("memory") {
        "this process gets too little memory: raise the limit (`ulimit -v`), or that of its container"
    } else {
        "correct it where it comes from: an option, a file or a variable"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_follows_from_the_words_of_the_system() {
        for (text, words) in [
            ("the component cannot be loaded: unable to make memory executable: EACCES", "MemoryDenyWriteExecute"),
            ("the component cannot be started: cannot create a memfd", "ulimit -n"),
            ("the component cannot be started: Cannot allocate memory (os error 12)", "ulimit -v"),
            ("the client id has more than 64 characters", "an option"),
        ] {
            assert!(way_out(text).contains(words), "{text}");
        }
    }
}
