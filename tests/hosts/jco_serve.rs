//! `jco serve`, which translates a component for Node and has neither configuration nor a key-value store.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use thingpost_edge_artifacts::EDGE_MIN;

use super::clouds::Clouds;
use super::process::{Running, command, free_port, installed};
use super::scenarios::Front;

/// jco has a default port and takes no 0, so another program may be quicker.
async fn start(jco: &Path, folder: &Path) -> (Running, String) {
    loop {
        let port = free_port().to_string();
        let mut serve = command(jco);
        serve.arg("serve").arg(folder.join("edge.wasm")).args(["--host", "127.0.0.1", "--port", &port, "--jco-dir"]);
        serve.arg(folder.join("translated")).env("NODE_EXTRA_CA_CERTS", folder.join("ca.pem"));
        match Running::start(serve, |line| line.contains("Server listening @").then_some(())).await {
            Ok((running, ())) => return (running, format!("127.0.0.1:{port}")),
            Err(said) => assert!(said.contains("EADDRINUSE"), "{said}"),
        }
    }
}

#[tokio::test]
async fn jco_delivers_over_tls_with_settings_in_a_header_of_a_proxy_in_front_of_it() {
    let Some(jco) = installed("jco") else { return };
    let clouds = Clouds::start().await;
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("edge.wasm"), EDGE_MIN.bytes).unwrap();
    fs::write(folder.path().join("ca.pem"), clouds.authority.ca_pem()).unwrap();
    let (_running, address) = start(&jco, folder.path()).await;
    // This test is the proxy.
    let settings = clouds.settings().to_string();
    let headers = [("thingpost-settings", settings.as_str())];
    let front = Front { headers: &headers, ..Front::new(&address) };
    front.delivers_to_both_clouds(&clouds).await;
    front.refuses_what_is_wrong(&clouds).await;
}
