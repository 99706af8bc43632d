//! The tests of MQTT want a real broker, which is no Rust program: mosquitto, as Debian has it.

use std::path::Path;
use std::process::Command;

/// Where Debian puts it, and who builds it himself: often in no `PATH` but that of root.
const FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

const BY_HAND: &str = "the tests need the MQTT broker mosquitto, version 2: sudo apt-get install mosquitto, or as your system \
                       installs it";

/// Installs it if it is missing and that can be done without asking anybody.
pub fn ensure() -> Result<(), String> {
    if is_installed() {
        return Ok(());
    }
    if !is_root() || Command::new("apt-get").arg("--version").output().is_err() {
        return Err(BY_HAND.to_owned());
    }
    eprintln!("installing the broker of the tests: apt-get install mosquitto");
    // The list of packages may be as old as the machine's image.
    for arguments in
        [&["update", "--quiet"][..], &["install", "--quiet", "--yes", "--no-install-recommends", "mosquitto"]]
    {
        let mut apt_get = Command::new("apt-get");
        // It is the tests that start it, each time anew, and no service is wanted.
        let apt_get = apt_get.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
        match apt_get.output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => {
                let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(format!("{BY_HAND}\napt-get {}: {complaint}", arguments.join(" ")));
            }
            Err(error) => return Err(format!("{BY_HAND}\napt-get: {error}")),
        }
    }
    match is_installed() {
        true => Ok(()),
        false => Err(BY_HAND.to_owned()),
    }
}

fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.iter().map(|folder| Path::new(folder).to_owned()));
    folders.map(|folder| folder.join("mosquitto")).any(|file| file.is_file())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
