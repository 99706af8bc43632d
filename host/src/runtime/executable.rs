//! A hardened machine lets no memory be made executable, and then all is well until the first component is loaded. What wasmtime
//! says of that names neither the cause nor the way out.

use wasmtime::Error;
#[cfg(all(feature = "compiler", feature = "interpreter"))]
use wasmtime::{Engine, Module};

/// What wasmtime says of it, before the words of the system.
const REFUSED: &str = "unable to make memory executable";

const CAUSE: &str = "this machine forbids memory that is made executable, which a compiled component needs: systemd by \
                     MemoryDenyWriteExecute, SELinux by execmem, or a hardened kernel";

/// The error of loading a component, with the cause before it where the machine is that.
pub(super) fn explained(error: Error) -> Error {
    match is_refused(&error) {
        true => error.context(CAUSE),
        false => error,
    }
}

fn is_refused(error: &Error) -> bool {
    error.chain().any(|cause| cause.to_string() == REFUSED)
}

/// A module with one function, which returns.
#[cfg(all(feature = "compiler", feature = "interpreter"))]
const SMALLEST: [u8; 25] = *b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x01\x0b";

/// Whether what this engine compiles can run here.
#[cfg(all(feature = "compiler", feature = "interpreter"))]
pub(super) fn can_run(engine: &Engine) -> bool {
    Module::new(engine, SMALLEST).map_or_else(|error| !is_refused(&error), |_| true)
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use std::env;
    use std::io::Write;
    use std::process::Command;

    use super::super::{CompilationCache, Runtime};
    use super::*;

    /// From here on no memory can be made executable that was not so before (PR_SET_MDWE).
    const HARDENED: &str = "import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])";

    const NAME: &str =
        "runtime::executable::tests::where_no_memory_can_be_made_executable_that_is_said_or_components_are_interpreted";
    const CHILD: &str = "THINGPOST_TEST_WITHOUT_EXECUTABLE_MEMORY";

    #[test]
    fn where_no_memory_can_be_made_executable_that_is_said_or_components_are_interpreted() {
        if env::var_os(CHILD).is_some() {
            return in_the_hardened_process();
        }
        let mut child = Command::new("python3");
        child.args(["-c", HARDENED]).arg(env::current_exe().unwrap()).args(["--exact", NAME, "--nocapture"]);
        match child.env(CHILD, "1").output() {
            Ok(output) if output.status.code() != Some(77) => {
                let printed = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success() && printed.contains("1 passed"), "{output:?}");
            }
            // Past the harness, which shows nothing of a test that passes. `cargo xtask test` counts these lines.
            _ => writeln!(std::io::stderr(), "SKIPPED: {NAME}: needs python3, and a Linux with PR_SET_MDWE").unwrap(),
        }
    }

    fn in_the_hardened_process() {
        let loaded = Runtime::new(&CompilationCache::Off).unwrap().load(thingpost_artifacts::PUBLISHER.bytes);
        if cfg!(feature = "interpreter") {
            loaded.unwrap();
            return;
        }
        let text = format!("{:#}", loaded.err().unwrap());
        for named in ["MemoryDenyWriteExecute", "execmem", REFUSED] {
            assert!(text.contains(named) && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn other_errors_stay_as_they_are() {
        let error = explained(Error::msg("no component").context("cannot be loaded"));
        assert_eq!(format!("{error:#}"), "cannot be loaded: no component");
    }
}
