//! What a workspace depends on grows by itself, a line at a time, and in a year nobody knows why. So each line has its reason
//! in `docs/dependencies.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The manifests of the workspace below a folder.
fn manifests(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "Cargo.toml" {
            found.push(fs::read_to_string(&path).unwrap());
        } else if path.is_dir() && !name.starts_with('.') && !["target", "deps"].contains(&name.as_str()) {
            manifests(&path, found);
        }
    }
}

/// The names in the tables of dependencies: `name = ..`, `name.workspace = true`.
fn names(manifest: &str) -> BTreeSet<String> {
    let mut is_dependencies = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if let Some(table) = line.strip_prefix('[') {
            is_dependencies = table.trim_end_matches(']').ends_with("dependencies");
        } else if is_dependencies && line.starts_with(|first: char| first.is_ascii_alphabetic()) {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            names.insert(line[..end].to_owned());
        }
    }
    names
}

#[test]
fn each_dependency_is_in_the_documentation_with_its_reason_and_nothing_else_is() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    manifests(workspace, &mut found);
    assert!(found.len() > 8, "{} manifests", found.len());
    let used: BTreeSet<_> = found.iter().flat_map(|manifest| names(manifest)).collect();
    assert!(used.contains("wasmtime") && used.contains("thingpost-host"), "{used:?}");
    let page = fs::read_to_string(workspace.join("docs/dependencies.md")).unwrap();
    for name in &used {
        assert!(page.contains(&format!("`{name}`")), "docs/dependencies.md does not say why there is {name}");
    }
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let mut seen = BTreeSet::new();
    for (name, _) in rows {
        assert!(used.contains(name), "docs/dependencies.md has {name}, which nothing depends on");
        assert!(seen.insert(name), "docs/dependencies.md has {name} twice");
    }
    // Crates of our own need no reason.
    let strangers = used.iter().filter(|name| !name.starts_with("thingpost"));
    for name in strangers {
        assert!(seen.contains(name.as_str()), "docs/dependencies.md has no line for {name}");
    }
}
