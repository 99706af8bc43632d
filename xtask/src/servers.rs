//! The tests want real programs that are not of Rust, as Debian has them: the MQTT broker mosquitto, two proxies, and a PKCS#11 token that
//! is made of files.

use std::path::Path;
use std::process::Command;

/// Where Debian puts them, and who builds them himself: often in no `PATH` but that of root.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"];

/// A program, and the package that has it. Of tinyproxy the one that comes without a service.
struct Server {
    program: &'static str,
    package: &'static str,
    /// Whether the tests fail without it. Where it is not there, the others say what they skip.
    is_needed: bool,
}

const SERVERS: [Server; 4] = [
    Server { program: "mosquitto", package: "mosquitto", is_needed: true },
    Server { program: "tinyproxy", package: "tinyproxy-bin", is_needed: false },
    Server { program: "microsocks", package: "microsocks", is_needed: false },
    Server { program: "softhsm2-util", package: "softhsm2", is_needed: false },
];

const BY_HAND: &str = "the tests need the MQTT broker mosquitto, version 2, and would like the proxies tinyproxy and microsocks, and \
                       SoftHSM: sudo apt-get install mosquitto tinyproxy-bin microsocks softhsm2, or as your system installs them";

/// Installs those that are missing, if that can be done without asking anybody.
pub fn ensure() -> Result<(), String> {
    let missing: Vec<&Server> = SERVERS.iter().filter(|server| !server.is_installed()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let installed = install(&missing);
    match (missing.iter().any(|server| server.is_needed && !server.is_installed()), installed) {
        (true, Err(error)) => Err(error),
        (true, Ok(())) => Err(BY_HAND.to_owned()),
        (false, Err(error)) => {
            eprintln!("some tests will be skipped: {error}");
            Ok(())
        }
        (false, Ok(())) => Ok(()),
    }
}

fn install(missing: &[&Server]) -> Result<(), String> {
    if !is_root() || Command::new("apt-get").arg("--version").output().is_err() {
        return Err(BY_HAND.to_owned());
    }
    let packages: Vec<_> = missing.iter().map(|server| server.package).collect();
    eprintln!("installing servers of the tests: apt-get install {}", packages.join(" "));
    // The list of packages may be as old as the machine's image. One package that cannot be had keeps no other away.
    apt_get(&["update", "--quiet"])?;
    let mut outcome = Ok(());
    for package in packages {
        outcome = outcome.and(apt_get(&["install", "--quiet", "--yes", "--no-install-recommends", package]));
    }
    outcome
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let mut apt_get = Command::new("apt-get");
    // It is the tests that start them, each time anew, and no service is wanted.
    let apt_get = apt_get.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    match apt_get.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(format!("{BY_HAND}\napt-get {}: {complaint}", arguments.join(" ")))
        }
        Err(error) => Err(format!("{BY_HAND}\napt-get: {error}")),
    }
}

impl Server {
    fn is_installed(&self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(FOLDERS.iter().map(|folder| Path::new(folder).to_owned()));
        folders.map(|folder| folder.join(self.program)).any(|file| file.is_file())
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
