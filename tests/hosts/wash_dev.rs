//! `wash dev`, wasmCloud's host for one workload: TLS from end to end, as it takes an authority of the user's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use thingpost_edge_artifacts::EDGE;

use super::clouds::{Clouds, as_texts};
use super::process::{Running, address_behind, command, installed};
use super::scenarios::Front;

/// The file of the example, as its users have it.
const EXAMPLE: &str = include_str!("../../examples/hosts/wasmcloud/.wash/config.yaml");

/// What it leaves to a file of its own.
const SECRETS: [&str; 3] = ["access_key_id", "secret_access_key", "token"];

/// The example, with what is different in a test: an address, an authority, and the settings.
fn configuration(settings: &[(String, String)]) -> String {
    let (before, rest) = EXAMPLE.split_once("  config:\n").expect("the example has settings");
    let (_, secrets) = rest.split_once("  environment:\n").expect("the example has secrets");
    let mut yaml = before.replace("address: 127.0.0.1:8000", "address: 127.0.0.1:0\n  http_client_ca_paths: [ca.pem]");
    yaml.push_str("  config:\n");
    for (name, value) in settings.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str())) {
        // A text of JSON is one of YAML.
        yaml.push_str(&format!("    {name}: {}\n", Value::from(value.as_str())));
    }
    yaml + "  environment:\n" + secrets
}

/// Lines for the file of secrets, which nothing but its owner may read.
fn write_secrets(path: &Path, settings: &[(String, String)]) {
    let secrets = settings.iter().filter(|(name, _)| SECRETS.contains(&name.as_str()));
    let lines: String = secrets.map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(path, lines).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn wasmcloud_delivers_over_tls_and_keeps_a_token_between_requests() {
    let Some(wash) = installed("wash") else { return };
    let clouds = Clouds::start().await;
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join(".wash")).unwrap();
    let settings = as_texts(&clouds.settings());
    fs::write(folder.path().join(".wash/config.yaml"), configuration(&settings)).unwrap();
    write_secrets(&folder.path().join("secrets.env"), &settings);
    fs::write(folder.path().join("ca.pem"), clouds.authority.ca_pem()).unwrap();
    fs::write(folder.path().join("edge.wasm"), EDGE.bytes).unwrap();
    let mut dev = command(&wash);
    dev.arg("dev").current_dir(folder.path());
    // It writes to its user's home.
    dev.env("HOME", folder.path())
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CACHE_HOME");
    let (mut running, address) = Running::start(dev, address_behind("HTTP server listening addr="))
        .await
        .unwrap_or_else(|said| panic!("{said}"));
    let deployed = running.wait_for(|line| line.contains("listening for HTTP requests").then_some(())).await;
    assert!(deployed.is_some(), "{}", running.said());

    let front = Front::new(&address);
    front.delivers_to_both_clouds(&clouds).await;
    front.refuses_what_is_wrong(&clouds).await;
    for _ in 0..3 {
        front.assert_delivered(&front.publish_to_aliyun(b"21.5").await);
    }
    assert_eq!(clouds.aliyun.authentications(), 1, "{}", running.said());
}
