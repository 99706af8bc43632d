//! What a component may do is what it imports. A dependency that brings one more interface along must not get in
//! unseen, nor one that brings a hundred kilobytes.

use std::collections::BTreeSet;

use thingpost_artifacts::{ALL, Artifact, CODEC, MQTT, PUBLISHER, SANS_IO, SIGNED_PUBLISHER};
use thingpost_edge_artifacts::{EDGE, EDGE_MIN, EDGE_SPIN};
use thingpost_host::TransportHooks;
use thingpost_host::runtime::{CompilationCache, Runtime};
use wasmtime::Store;
use wasmtime::component::Linker;

use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::engine::{compiled, engine};
use crate::fixtures::host::cache_folder;
use crate::fixtures::stock_host::{StockPublisher, defaults};

fn imports(artifact: Artifact) -> Vec<String> {
    let component = compiled(artifact);
    component.component_type().imports(engine()).map(|(name, _)| name.to_owned()).collect()
}

fn exports(artifact: Artifact) -> BTreeSet<String> {
    let component = compiled(artifact);
    component.component_type().exports(engine()).map(|(name, _)| name.to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What both publishers import of WASI.
const WASI: [&str; 7] = [
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

#[test]
fn the_publisher_imports_http_streams_and_clocks_and_nothing_else() {
    let mut interfaces = BTreeSet::new();
    for import in imports(PUBLISHER) {
        let (interface, version) = import.split_once('@').unwrap();
        assert!(version.starts_with("0.2."), "{import}");
        assert!(interfaces.insert(interface.to_owned()), "twice: {import}");
    }
    assert_eq!(interfaces, set(&WASI));
}

#[test]
fn the_publisher_that_lets_the_host_sign_imports_the_signer_beside_that() {
    let without_version = |import: String| import.split_once('@').unwrap().0.to_owned();
    let interfaces: BTreeSet<String> = imports(SIGNED_PUBLISHER).into_iter().map(without_version).collect();
    let expected: Vec<&str> = WASI.into_iter().chain(["thingpost:iot/signer"]).collect();
    assert_eq!(interfaces, set(&expected));
    assert_eq!(imports(SIGNED_PUBLISHER).len(), expected.len());
}

#[test]
fn the_edge_function_that_has_its_settings_in_a_header_imports_what_a_publisher_does_and_nothing_else() {
    let without_version = |import: String| import.split_once('@').unwrap().0.to_owned();
    assert!(imports(EDGE_MIN).iter().all(|import| import.contains("@0.2.")));
    let interfaces: BTreeSet<String> = imports(EDGE_MIN).into_iter().map(without_version).collect();
    assert_eq!(interfaces, set(&WASI));
    assert_eq!(exports(EDGE_MIN), set(&["wasi:http/incoming-handler@0.2.12"]));
}

#[test]
fn the_edge_function_that_has_stores_imports_the_two_in_the_versions_of_its_hosts_beside_that() {
    // A draft stands for no other version, so these are compared to the letter.
    let min: BTreeSet<String> = imports(EDGE_MIN).into_iter().collect();
    for (artifact, stores) in [
        (EDGE, ["wasi:config/store@0.2.0-rc.1", "wasi:keyvalue/store@0.2.0-draft"]),
        (EDGE_SPIN, ["wasi:config/store@0.2.0-draft-2024-09-27", "wasi:keyvalue/store@0.2.0-draft2"]),
    ] {
        let expected: BTreeSet<String> = min.union(&set(&stores)).cloned().collect();
        assert_eq!(imports(artifact).into_iter().collect::<BTreeSet<_>>(), expected, "{}", artifact.name);
        assert_eq!(exports(artifact), exports(EDGE_MIN), "{}", artifact.name);
    }
}

#[test]
fn the_session_imports_dialer_interrupt_signer_streams_and_a_clock_and_nothing_else() {
    let without_version = |import: &String| import.split_once('@').unwrap().0.to_owned();
    let interfaces: BTreeSet<String> = imports(MQTT).iter().map(without_version).collect();
    let expected = [
        "thingpost:iot/dialer",
        "thingpost:iot/interrupt",
        "thingpost:iot/signer",
        // Has no functions: the failures that the dialer names.
        "thingpost:iot/types",
        "wasi:clocks/monotonic-clock",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
    ];
    assert_eq!(interfaces, set(&expected));
    assert_eq!(imports(MQTT).len(), expected.len());
    let of_wasi = imports(MQTT).into_iter().filter(|import| import.starts_with("wasi:"));
    assert!(of_wasi.into_iter().all(|import| import.contains("@0.2.")));
}

/// What a world of `wit/worlds.wit` says that it imports, without versions.
fn declared_imports(world: &str) -> BTreeSet<String> {
    let worlds = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/worlds.wit");
    let worlds = std::fs::read_to_string(worlds).unwrap();
    let (_, rest) = worlds.split_once(&format!("\nworld {world} {{\n")).unwrap();
    let lines = rest.lines().map(str::trim).take_while(|line| *line != "}");
    let mut imports = BTreeSet::new();
    for line in lines {
        if let Some(name) = line.strip_prefix("import ").and_then(|line| line.strip_suffix(';')) {
            let name = name.split('@').next().unwrap();
            imports.insert(if name.contains(':') { name.to_owned() } else { format!("thingpost:iot/{name}") });
        } else if let Some(included) = line.strip_prefix("include ").and_then(|line| line.strip_suffix(';')) {
            imports.extend(declared_imports(included));
        }
    }
    imports
}

#[test]
fn a_component_imports_what_its_world_declares() {
    let without_version = |import: String| import.split_once('@').unwrap().0.to_owned();
    for (artifact, world) in [
        (CODEC, "codec"),
        (SANS_IO, "sans-io"),
        (PUBLISHER, "publish"),
        (SIGNED_PUBLISHER, "publish-signed"),
        (MQTT, "mqtt"),
        (EDGE, "edge"),
        (EDGE_MIN, "edge-min"),
        (EDGE_SPIN, "edge-spin"),
    ] {
        let mut imported: BTreeSet<String> = imports(artifact).into_iter().map(without_version).collect();
        // Comes along with the dialer, which uses it, and has no functions.
        imported.remove("thingpost:iot/types");
        assert_eq!(imported, declared_imports(world), "{}", artifact.name);
    }
}

#[test]
fn the_codec_and_the_state_machine_import_nothing() {
    for artifact in [CODEC, SANS_IO] {
        assert_eq!(imports(artifact), Vec::<String>::new(), "{}", artifact.name);
    }
}

#[test]
fn every_component_exports_its_interfaces_and_nothing_else() {
    let interfaces = |names: &str| {
        let versioned = names.split_whitespace().map(|name| format!("thingpost:iot/{name}@0.2.0"));
        versioned.collect::<BTreeSet<String>>()
    };
    let publisher = "types publisher \
        aws-types aws-publisher aws-data-plane-types aws-data-plane \
        aliyun-types aliyun-publisher aliyun-provisioning aliyun-thing-model";
    for publishes in [PUBLISHER, SIGNED_PUBLISHER] {
        assert_eq!(exports(publishes), interfaces(publisher), "{}", publishes.name);
    }
    let codec = "types aws-types aws-data-plane-types aws-codec aliyun-types aliyun-codec aliyun-thing-model";
    assert_eq!(exports(CODEC), interfaces(codec));
    let sans_io = "types exchange aws-types aws-exchange aliyun-types aliyun-exchange";
    assert_eq!(exports(SANS_IO), interfaces(sans_io));
    assert_eq!(
        exports(MQTT),
        interfaces("types mqtt-session aws-types aws-mqtt aliyun-types aliyun-mqtt generic-types generic-mqtt")
    );
}

#[test]
fn every_component_stays_small() {
    for (artifact, ceiling) in [
        (PUBLISHER, 288),
        (SIGNED_PUBLISHER, 290),
        (CODEC, 223),
        (SANS_IO, 176),
        (MQTT, 250),
        (EDGE, 235),
        (EDGE_MIN, 232),
        (EDGE_SPIN, 235),
    ] {
        let ceiling = ceiling * 1024;
        let size = artifact.bytes.len();
        assert!(size <= ceiling, "{} has {size} bytes, {} too many", artifact.name, size - ceiling);
        // Of less than half one of the two is out of date.
        assert!(size > ceiling / 4, "{} has only {size} bytes", artifact.name);
    }
}

#[test]
fn no_component_tells_where_it_was_built() {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let workspace = std::path::Path::new(workspace).canonicalize().unwrap();
    let home = std::env::home_dir().unwrap().join("");
    let mut traces = vec!["/home/", "/Users/", "C:\\", ".cargo", "registry/src", ".rs:", "/rustc/"];
    traces.extend([workspace.to_str().unwrap(), home.to_str().unwrap()]);
    for artifact in ALL.into_iter().chain(thingpost_edge_artifacts::ALL) {
        let contains =
            |text: &str| artifact.bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()));
        for trace in &traces {
            assert!(!contains(trace), "{} has {trace} in it", artifact.name);
        }
        // So that the search is known to find.
        assert!(contains("iot:Publish") || contains("THINGPOST:IOT"), "{}", artifact.name);
    }
}

#[test]
fn the_codec_and_the_state_machine_run_in_a_host_that_offers_nothing() {
    for artifact in [CODEC, SANS_IO] {
        let mut store = Store::new(engine(), ());
        Linker::new(engine()).instantiate(&mut store, &compiled(artifact)).unwrap();
    }
}

#[test]
fn our_runtime_takes_the_publisher_and_refuses_what_is_no_publisher() {
    let runtime = Runtime::new(&CompilationCache::Folder(cache_folder())).unwrap();
    assert!(runtime.load(PUBLISHER.bytes).is_ok());
    assert!(runtime.load(CODEC.bytes).is_err());
    assert!(runtime.load(b"no component").is_err());
    let refusal = runtime.load(&importing("wasi:filesystem/preopens@0.2.0", "get-directories")).err().unwrap();
    assert!(format!("{refusal:#}").contains("wasi:filesystem/preopens"), "{refusal:#}");
}

#[test]
fn our_runtime_takes_the_session_and_refuses_what_is_none() {
    let runtime = Runtime::new(&CompilationCache::Folder(cache_folder())).unwrap();
    assert!(runtime.load_mqtt(MQTT.bytes).is_ok());
    for artifact in [CODEC, SANS_IO, PUBLISHER, SIGNED_PUBLISHER] {
        assert!(runtime.load_mqtt(artifact.bytes).is_err(), "{}", artifact.name);
    }
    assert!(runtime.load_mqtt(b"no component").is_err());
    assert!(runtime.load(MQTT.bytes).is_err());
    // As the linker has them for others, so that it is not the version that is missing.
    let missing = |refusal: Option<wasmtime::Error>, interface: &str| {
        let refusal = format!("{:#}", refusal.unwrap());
        assert!(refusal.contains(interface) && refusal.contains("implementation"), "{refusal}");
    };
    // What a session needs for its connections is the dialer; there is no other way out.
    for interface in [
        "wasi:sockets/tcp@0.2.12",
        "wasi:http/outgoing-handler@0.2.12",
        "wasi:clocks/wall-clock@0.2.12",
        "wasi:random/random@0.2.12",
    ] {
        missing(runtime.load_mqtt(&importing(interface, "f")).err(), interface);
    }
    // And a publisher over HTTPS cannot dial.
    for interface in ["thingpost:iot/dialer@0.2.0", "thingpost:iot/interrupt@0.2.0"] {
        missing(runtime.load(&importing(interface, "f")).err(), interface);
    }
}

/// The smallest component that imports one function of an interface. By hand: the text format is not in our runtime.
fn importing(interface: &str, function: &str) -> Vec<u8> {
    let sized = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let name = |name: &str| [&[0], &sized(name.as_bytes())[..]].concat();
    let function_type = [0x01, 0x40, 0, 1, 0];
    let export = [&[0x04], &name(function)[..], &[0x01, 0]].concat();
    let types = [&[1, 0x42, 2], &function_type[..], &export].concat();
    let imports = [&[1], &name(interface)[..], &[0x05, 0]].concat();
    [b"\0asm\x0d\0\x01\0", &[7][..], &sized(&types), &[10], &sized(&imports)].concat()
}

#[tokio::test]
async fn the_publisher_links_with_what_a_stock_host_of_wasi_http_offers() {
    within(async {
        let cloud = AwsCloud::start().await;
        let hooks = TransportHooks::new(cloud.transport(cloud.route()));
        StockPublisher::open(hooks, defaults()).await;
        assert_eq!(cloud.connections(), 0);
    })
    .await;
}
