//! What the manifests promise to users of a single crate: a host that wants `TransportHooks` alone compiles no compiler, a
//! native client nothing of wasmtime; and a package holds what it is built from.

use std::env;
use std::path::Path;
use std::process::Command;

fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(cargo).current_dir(workspace).args(arguments).arg("--offline").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The crates that `thingpost-host` is built from with these features.
fn crates(features: &str) -> Vec<String> {
    let tree = ["tree", "--package", "thingpost-host", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let tree = cargo(&[&tree[..], &["--no-default-features", "--features", features]].concat());
    tree.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

#[test]
fn a_feature_of_the_host_brings_what_it_needs_and_no_more() {
    const COMPILER: &str = "cranelift-codegen";
    const CACHE: &str = "wasmtime-internal-cache";
    for (features, present, absent) in [
        ("", "rustls", &["wasmtime", "wasmtime-wasi", "wasmtime-wasi-io", "hmac", "cryptoki"][..]),
        ("pkcs11", "cryptoki", &["wasmtime", "hmac"]),
        ("mqtt", "wasmtime-wasi-io", &[COMPILER, CACHE, "hmac"]),
        ("hooks", "wasmtime-wasi-http", &[COMPILER, CACHE, "hmac"]),
        ("runtime", "wasmtime-wasi", &[COMPILER, CACHE, "hmac"]),
        ("signer", "hmac", &[COMPILER, CACHE]),
        ("compiler", COMPILER, &["hmac", "cryptoki"]),
    ] {
        let crates = crates(features);
        assert!(crates.iter().any(|name| name == present), "{features}: {present} is not in {crates:?}");
        for absent in absent {
            assert!(!crates.iter().any(|name| name == absent), "{features}: {absent} is there");
        }
    }
}

#[test]
fn a_package_holds_what_it_is_built_from_and_nothing_else() {
    for (package, folders) in [("thingpost", &["examples", "src"][..]), ("thingpost-host", &["examples", "src", "wit"])]
    {
        let files = cargo(&["package", "--list", "--allow-dirty", "--package", package]);
        for file in files.lines().map(|file| file.replace('\\', "/")) {
            let (folder, is_in_folder) = file.split_once('/').map_or((&*file, false), |(folder, _)| (folder, true));
            let is_wanted = if is_in_folder { folders.contains(&folder) } else { !file.ends_with(".rs") };
            assert!(is_wanted, "{package} holds {file}");
        }
        assert!(files.contains("src/lib.rs"), "{package}: {files}");
        let interfaces = files.lines().filter(|file| file.ends_with(".wit")).count();
        assert_eq!(interfaces > 0, folders.contains(&"wit"), "{package}: {files}");
    }
}

/// A copy would be another interface one day.
#[test]
fn the_interfaces_of_the_host_are_those_of_the_repository() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (host, root) = (workspace.join("host/wit"), workspace.join("wit"));
    assert_eq!(host.canonicalize().unwrap(), root.canonicalize().unwrap());
}
