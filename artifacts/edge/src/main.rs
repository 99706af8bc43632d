//! Writes all components into a folder, those of `thingpost-artifacts` too, for hosts that load files, and shows how large
//! they are.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    match write(folder.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write the components: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: Option<&PathBuf>) -> io::Result<()> {
    for artifact in thingpost_artifacts::ALL.into_iter().chain(thingpost_edge_artifacts::ALL) {
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
            fs::write(folder.join(artifact.name), artifact.bytes)?;
        }
        println!("| `{}` | {:.1} KB |", artifact.name, artifact.bytes.len() as f64 / 1024.0);
    }
    Ok(())
}
