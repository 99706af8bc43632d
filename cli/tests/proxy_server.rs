//! Proxies that others have written, as Debian has them: tinyproxy for CONNECT, microsocks for SOCKS5. Where they are not installed
//! and cannot be, what needs them is skipped, aloud.

use std::env;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use thingpost_patience::patience;

use crate::process::skipped;

const USER: &str = "gateway";
pub const PASSWORD: &str = "h7sh-pr0xy-pass";

/// Its parameters are those of a program. A test that is killed runs no destructors, but the pipe closes.
const WATCHED: &str = r#""$@" & read -r _; kill -9 $!; wait"#;

/// Debian puts some programs where only root's PATH looks.
const FOLDERS_BESIDE_PATH: [&str; 4] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

pub struct ProxyServer {
    pub address: SocketAddr,
    log: PathBuf,
    process: Child,
    _folder: TempDir,
}

impl ProxyServer {
    /// CONNECT to any of these ports, by user and password.
    pub fn tinyproxy(ports: &[u16]) -> Option<Self> {
        let program = find("tinyproxy")?;
        Some(Self::start(|folder, port| {
            let file = folder.join("tinyproxy.conf");
            let log = folder.join("log");
            let mut config = fs::File::create(&file).unwrap();
            writeln!(config, "Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 20\nAllow 127.0.0.1").unwrap();
            writeln!(config, "BasicAuth {USER} {PASSWORD}\nLogFile \"{}\"\nLogLevel Connect", log.display()).unwrap();
            ports.iter().for_each(|port| writeln!(config, "ConnectPort {port}").unwrap());
            vec![program.clone(), "-d".into(), "-c".into(), file]
        }))
    }

    /// SOCKS5, by user and password.
    pub fn microsocks() -> Option<Self> {
        let program = find("microsocks")?;
        Some(Self::start(|_, port| {
            let port = port.to_string();
            let arguments = ["-i", "127.0.0.1", "-p", &port, "-u", USER, "-P", PASSWORD];
            [program.clone()].into_iter().chain(arguments.map(PathBuf::from)).collect()
        }))
    }

    fn start(command: impl Fn(&Path, u16) -> Vec<PathBuf>) -> Self {
        let begin = Instant::now();
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("log");
        loop {
            // Neither of them takes a port of the system's choosing.
            let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
            let mut process = Command::new("sh")
                .args(["-c", WATCHED, "sh"])
                .args(command(folder.path(), address.port()))
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::from(fs::File::create(folder.path().join("stderr")).unwrap()))
                .spawn()
                .unwrap();
            // Another process may have taken the port meanwhile.
            for _ in 0..600 {
                if TcpStream::connect(address).is_ok() {
                    return Self { address, log, process, _folder: folder };
                }
                thread::sleep(Duration::from_millis(50));
            }
            end(&mut process);
            let said = fs::read_to_string(folder.path().join("stderr")).unwrap_or_default();
            assert!(begin.elapsed() < patience(), "the proxy does not start: {said}");
        }
    }

    /// Its URL, with user and password, which are percent-encoded in part.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{USER}:{}@{}", PASSWORD.replace('-', "%2D"), self.address)
    }

    /// Its URL without them.
    pub fn bare_url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// User and password, as a file has them.
    pub fn user(&self) -> String {
        format!("{USER}:{PASSWORD}\n")
    }

    /// How often it was asked for a way. Only tinyproxy keeps a log.
    pub fn requests(&self) -> usize {
        fs::read_to_string(&self.log).unwrap_or_default().matches(": CONNECT ").count()
    }

    /// Waits until its log has this.
    pub fn wait_for_log(&self, words: &str) {
        let begin = Instant::now();
        loop {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            if log.contains(words) {
                return;
            }
            assert!(begin.elapsed() < patience(), "{words} is not in: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Closes the pipe, upon which the shell kills the proxy.
fn end(process: &mut Child) {
    drop(process.stdin.take());
    let _ = process.wait();
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(FOLDERS_BESIDE_PATH.map(PathBuf::from));
    let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file());
    if found.is_none() {
        skipped(&format!("{program} is not installed"));
    }
    found
}
