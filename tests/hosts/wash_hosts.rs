//! Hosts of wasmCloud, told by an operator what to run, and the key-value store that they have in common by NATS.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use thingpost_edge_artifacts::EDGE;

use super::clouds::{Clouds, as_texts};
use super::nats::Nats;
use super::oci_registry::OciRegistry;
use super::process::{Running, address_behind, command, installed};
use super::scenarios::Front;

/// What is needed for hosts, and both clouds.
struct Cluster {
    clouds: Clouds,
    wash: PathBuf,
    nats: String,
    operator: Nats,
    registry: OciRegistry,
    _server: Running,
    /// Last, as all others write to it until they end.
    folder: TempDir,
}

struct Host {
    _running: Running,
    id: String,
    address: String,
}

impl Cluster {
    async fn start() -> Option<Self> {
        let (wash, server) = (installed("wash")?, installed("nats-server")?);
        let clouds = Clouds::start().await;
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), clouds.authority.ca_pem()).unwrap();
        let mut server = command(&server);
        server.args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd"]).arg(folder.path().join("jetstream"));
        let server = Running::start(server, address_behind("Listening for client connections on ")).await;
        let (server, nats) = server.unwrap_or_else(|said| panic!("{said}"));
        let operator = Nats::connect(&nats).await;
        let registry = OciRegistry::start(EDGE.bytes).await;
        Some(Self { clouds, wash, nats, operator, registry, _server: server, folder })
    }

    async fn start_host(&self, name: &str) -> Host {
        let home = self.folder.path().join(name);
        let nats = format!("nats://{}", self.nats);
        let mut host = command(&self.wash);
        host.args(["host", "--http-addr", "127.0.0.1:0", "--scheduler-nats-url", &nats, "--data-nats-url", &nats])
            .args(["--allow-insecure-registries", "--http-client-ca-path"])
            .arg(self.folder.path().join("ca.pem"))
            .arg("--oci-cache-dir")
            .arg(home.join("cache"))
            .env("HOME", &home)
            .current_dir(self.folder.path());
        let host = Running::start(host, address_behind("HTTP server listening addr=")).await;
        let (mut running, address) = host.unwrap_or_else(|said| panic!("{said}"));
        let id = |line: &str| Some(line.split_once("host_id=\"")?.1.split_once('"')?.0.to_owned());
        let id = running.wait_for(id).await.expect("it says who it is");
        Host { _running: running, id, address }
    }

    /// The settings as an operator hands them over: those from a `Secret` are in the environment.
    fn resources(&self, bucket: Option<&str>) -> Value {
        let mut settings = as_texts(&self.clouds.settings());
        settings.extend(bucket.map(|bucket| ("bucket".to_owned(), bucket.to_owned())));
        let (secrets, settings): (Vec<_>, Vec<_>) =
            settings.into_iter().partition(|(name, _)| ["token", "secret_access_key"].contains(&name.as_str()));
        let object = |pairs: Vec<(String, String)>| -> Map<String, Value> {
            pairs.into_iter().map(|(name, value)| (name, value.into())).collect()
        };
        json!({ "config": object(settings), "environment": object(secrets), "allowedHosts": ["https://localhost"] })
    }

    /// Lets a host run the function for requests with this name. What [`workload-deployment.yaml`] has, as the operator sends it.
    ///
    /// [`workload-deployment.yaml`]: ../../examples/hosts/wasmcloud/workload-deployment.yaml
    async fn start_workload(&mut self, host: &Host, name: &str, resources: &Value) {
        let request = json!({
            "workloadId": format!("{name}-on-{}", host.id),
            "workload": {
                "namespace": "default",
                "name": name,
                "witWorld": {
                    "components": [{ "name": "edge", "image": self.registry.image, "localResources": resources }],
                    "hostInterfaces": [
                        { "namespace": "wasi", "package": "http", "interfaces": ["incoming-handler"], "config": { "host": name } },
                        { "namespace": "wasi", "package": "config", "interfaces": ["store"] },
                        { "namespace": "wasi", "package": "keyvalue", "interfaces": ["store"] },
                    ],
                },
            },
        });
        let answer = self.operator.request(&format!("runtime.host.{}.workload.start", host.id), &request).await;
        assert_eq!(answer["workloadStatus"]["workloadState"], "WORKLOAD_STATE_RUNNING", "{answer}");
    }
}

#[tokio::test]
async fn a_host_of_wasmcloud_publishes_with_the_token_that_another_has_obtained() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let resources = cluster.resources(Some("thingpost"));
    let mut hosts = Vec::new();
    for name in ["first", "second"] {
        let host = cluster.start_host(name).await;
        cluster.start_workload(&host, "edge.example", &resources).await;
        hosts.push(host);
    }
    // Clients that know a port say it too.
    for (host, name) in hosts.iter().zip(["edge.example", "edge.example:8080"]) {
        let front = Front { headers: &[("host", name)], ..Front::new(&host.address) };
        front.assert_delivered(&front.publish_to_aliyun(name.as_bytes()).await);
        front.assert_delivered(&front.publish_to_aws("/topics/sensors", name.as_bytes()).await);
        let entries = cluster.clouds.aliyun.ledger().entries();
        assert_eq!(Clouds::accepted(entries, name.as_bytes()).len(), 1);
    }
    assert_eq!(cluster.clouds.aliyun.authentications(), 1);
}

#[tokio::test]
async fn a_workload_of_wasmcloud_that_lacks_something_loses_no_message() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let host = cluster.start_host("host").await;

    // JetStream has no bucket without a name.
    let without_bucket = cluster.resources(None);
    cluster.start_workload(&host, "without-bucket.example", &without_bucket).await;
    let front = Front { headers: &[("host", "without-bucket.example")], ..Front::new(&host.address) };
    front.delivers_to_both_clouds(&cluster.clouds).await;

    let mut without_hosts = cluster.resources(Some("thingpost"));
    without_hosts.as_object_mut().unwrap().remove("allowedHosts");
    cluster.start_workload(&host, "without-hosts.example", &without_hosts).await;
    let front = Front { headers: &[("host", "without-hosts.example")], ..Front::new(&host.address) };
    let denied = front.publish_to_aws("/topics/sensors", b"denied").await;
    front.assert_refused(&denied, 503, "transport/denied");
    assert_eq!(denied.json()["outcome"], "not-sent", "{denied:?}");
    assert!(Clouds::accepted(cluster.clouds.aws.ledger().entries(), b"denied").is_empty());
}
