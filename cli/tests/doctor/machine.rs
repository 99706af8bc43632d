//! What a machine can forbid, with everything else well.

use std::ffi::OsStr;
use std::process::Command;

use super::agreement::{assert_agree, first_finding};
use super::outcome;
use crate::clouds::Clouds;
use crate::command::CommandLine;
use crate::process::{Output, THINGPOST, command, skipped};

/// Runs it under another program, which gets this before the words of the command.
fn run_under(clouds: &Clouds, program: &str, arguments: &[&str], line: CommandLine) -> Output {
    let mut command = command(program);
    command.args(arguments).arg(THINGPOST).args(line.into_arguments());
    clouds.run_command(command)
}

/// From here on no memory can be made executable that was not so before (PR_SET_MDWE).
const WITHOUT_EXECUTABLE_MEMORY: &str = "import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)
if len(sys.argv) > 1: os.execv(sys.argv[1], sys.argv[1:])";

#[test]
fn memory_that_may_not_be_executable_is_what_is_wrong() {
    let python = |arguments: &[&str]| Command::new("python3").args(arguments).output();
    match python(&["-c", WITHOUT_EXECUTABLE_MEMORY]) {
        Ok(output) if output.status.success() => {}
        _ => {
            skipped("memory_that_may_not_be_executable_is_what_is_wrong: needs python3, and a Linux with PR_SET_MDWE");
            return;
        }
    }
    let clouds = Clouds::start();
    let under = |line| run_under(&clouds, "python3", &["-c", WITHOUT_EXECUTABLE_MEMORY], line);
    for (line, platform) in [(clouds.publish_aws(), "aws"), (clouds.publish_aliyun(), "aliyun")] {
        let published = under(line.clone());
        let examined = under(line.of(&["doctor", platform]));
        assert_agree(&published, &examined, &["the component cannot be loaded", "executable"]);
        assert_eq!(outcome(&examined, "component"), Some("FAIL"), "{}", examined.stdout);
        assert!(first_finding(&examined).contains("MemoryDenyWriteExecute"), "{}", examined.stdout);
    }
    let line = clouds.aws(&["doctor", "mqtt"]).with("--topic", "t");
    let examined = under(line);
    assert_eq!(outcome(&examined, "component"), Some("FAIL"), "{}", examined.stdout);
}

#[cfg(unix)]
#[test]
fn with_few_open_files_all_is_well_only_where_it_would_publish() {
    let clouds = Clouds::start();
    let line = clouds.publish_aliyun().with("--timeout", "3");
    let mut have_failed = 0;
    for files in ["9", "10", "11", "12", "14", "64"] {
        let under = |line| run_under(&clouds, "sh", &["-c", "ulimit -n \"$0\" && exec \"$@\"", files], line);
        let published = under(line.clone());
        let examined = under(line.clone().of(&["doctor", "aliyun"]));
        if published.code != Some(0) {
            have_failed += 1;
            assert_ne!(examined.code, Some(0), "{files}: {}", examined.stdout);
            assert!(!examined.stdout.contains("all is well"), "{files}: {}", examined.stdout);
        }
        if outcome(&examined, "component") == Some("FAIL") || outcome(&examined, "tcp") == Some("FAIL") {
            assert!(first_finding(&examined).contains("ulimit -n"), "{files}: {}", examined.stdout);
        }
    }
    assert!(have_failed > 0, "with 9 open files nothing works");
}

#[test]
fn a_proxy_that_is_not_there_is_told_from_an_endpoint_that_is_not() {
    let clouds = Clouds::start();
    // No program on this machine listens there: the address is of loopback, and of no other server.
    let line = || super::doctor(&clouds).with("--endpoint", "127.9.8.7").without("--connect-to");
    let output = clouds.run_with(line(), "HTTPS_PROXY", "http://127.9.8.7:3128");
    super::assert_names(&output, "tcp", &["connection refused", "check the proxy of HTTPS_PROXY", "127.9.8.7:3128"]);
    let variables = [("HTTPS_PROXY", "http://127.9.8.7:3128"), ("NO_PROXY", "127.9.8.0/24")];
    let output = clouds.run_in(line(), &variables.map(|(name, value)| (name, OsStr::new(value))));
    super::assert_names(&output, "tcp", &["connection refused", "take 127.9.8.7 out of NO_PROXY"]);
}
