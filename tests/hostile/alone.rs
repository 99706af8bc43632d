//! A process for one test, and how large it has become.

use std::env;
use std::fs;
use std::process::Command;

/// Says to this program that it is the process of one attack.
const ALONE: &str = "THINGPOST_ATTACK_ALONE";

/// Whether this process is there for the one test. If not, carries the test out in one that is.
pub fn is_alone(test: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let program = env::current_exe().unwrap();
    let name = format!("hostile::{test}");
    let output = Command::new(program).args([&name, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "no test has the name {name}: {said}");
    false
}

/// The most that this process has ever had in memory, in bytes.
pub fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
