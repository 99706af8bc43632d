//! `wasmtime serve`: by its script in `examples/hosts/`, and with the options that it leaves out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use thingpost_edge_artifacts::{EDGE, EDGE_MIN};

use super::client::Request;
use super::clouds::{Clouds, as_texts};
use super::process::{Running, address_behind, command, installed};
use super::scenarios::Front;

const SERVING: &str = "Serving HTTP on http://";

/// wasmtime with a component, and the folder of its files.
struct Serve {
    folder: TempDir,
    wasmtime: PathBuf,
}

impl Serve {
    fn new(component: &[u8]) -> Option<Self> {
        let wasmtime = installed("wasmtime")?;
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("edge.wasm"), component).unwrap();
        Some(Self { folder, wasmtime })
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn start(&self, options: &[String]) -> (Running, String) {
        let mut serve = command(&self.wasmtime);
        serve.args(["serve", "--addr", "127.0.0.1:0"]).args(options).arg(self.folder.path().join("edge.wasm"));
        start(serve).await
    }
}

async fn start(command: Command) -> (Running, String) {
    Running::start(command, address_behind(SERVING)).await.unwrap_or_else(|said| panic!("{said}"))
}

/// Options with these settings. A value ends at a comma, and so there is no list of devices.
fn configured(settings: &serde_json::Value) -> Vec<String> {
    let variables = as_texts(settings).into_iter().map(|(name, value)| format!("-Sconfig-var={name}={value}"));
    std::iter::once("-Sconfig,keyvalue".to_owned()).chain(variables).collect()
}

#[tokio::test]
async fn wasmtime_delivers_with_settings_in_a_header_that_its_script_sets() {
    let Some(serve) = Serve::new(EDGE_MIN.bytes) else { return };
    let clouds = Clouds::start().await;
    let settings = serve.file("settings.json", &serde_json::to_string_pretty(&clouds.plain_settings()).unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hosts/wasmtime-serve.sh");
    let mut serving = command(&script);
    serving.arg(serve.folder.path().join("edge.wasm")).arg(settings);
    serving.env("WASMTIME", &serve.wasmtime).env("ADDRESS", "127.0.0.1:0");
    let (_running, address) = start(serving).await;
    let front = Front::new(&address);
    front.delivers_to_both_clouds(&clouds).await;
    front.refuses_what_is_wrong(&clouds).await;
    // What a client sends under that name is replaced, and not put beside it.
    let settings = [("thingpost-settings", r#"{"platform":"aws"}"#), ("thingpost-settings", "{}")];
    let ready = front.send(Request::get("/readyz").headers(&settings)).await;
    assert_eq!(ready.status, 200, "{ready:?}");
}

#[tokio::test]
async fn wasmtime_without_that_header_serves_nothing_but_refusals() {
    let Some(serve) = Serve::new(EDGE_MIN.bytes) else { return };
    let (_running, address) = serve.start(&[]).await;
    let front = Front::new(&address);
    front.refuses_what_needs_no_settings().await;
    front.assert_refused(&front.publish_to_aws("/topics/a", b"x").await, 503, "not-configured");
}

#[tokio::test]
async fn wasmtime_delivers_with_settings_in_its_store_of_configuration() {
    let Some(serve) = Serve::new(EDGE.bytes) else { return };
    let clouds = Clouds::start().await;
    let (_running, address) = serve.start(&configured(&clouds.plain_aws())).await;
    let front = Front::new(&address);
    front.delivers_to_aws(&clouds).await;
    front.refuses_what_is_wrong(&clouds).await;
    let (_running, address) = serve.start(&configured(&clouds.plain_aliyun())).await;
    Front { pump: "", ..Front::new(&address) }.delivers_to_aliyun(&clouds).await;
}

#[tokio::test]
async fn wasmtime_forgets_a_token_with_the_instance_and_keeps_it_with_an_instance_that_it_keeps() {
    const MESSAGES: u64 = 8;
    let Some(serve) = Serve::new(EDGE.bytes) else { return };
    for is_kept in [false, true] {
        let clouds = Clouds::start().await;
        let mut options = configured(&clouds.plain_aliyun());
        if is_kept {
            options.extend(["--max-instance-reuse-count=1000", "--idle-instance-timeout=3600s"].map(str::to_owned));
        }
        let (_running, address) = serve.start(&options).await;
        let front = Front { pump: "", ..Front::new(&address) };
        for _ in 0..MESSAGES {
            front.assert_delivered(&front.publish_to_aliyun(b"21.5").await);
        }
        let authentications = clouds.aliyun.authentications();
        if is_kept {
            // A request that comes before the last instance is at rest gets another one.
            assert!(authentications < MESSAGES, "{authentications}");
        } else {
            assert_eq!(authentications, MESSAGES);
        }
    }
}
