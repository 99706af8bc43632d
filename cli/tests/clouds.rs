//! Both clouds in the process of the test, with a device on each and its files in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use thingpost_emulator::{
    AccessKey, AliyunEmulator, AliyunOptions, Authority, Authorizer, AwsConnections, AwsEmulator, AwsOptions,
    Connections, DeviceCertificate, Entry, Faults, Ledger,
};
use thingpost_patience::patience;
use tokio::runtime::Runtime;

use crate::command::{CommandLine, fixture};
use crate::process::{Output, Process, THINGPOST, command};

pub const AWS: &str = "a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com";
pub const ALIYUN: &str = "iot-as-http.cn-shanghai.aliyuncs.com";
pub const AWS_TOPIC: &str = "sensors/kitchen";
pub const ALIYUN_TOPIC: &str = "/a1B2c3D4e5F/thermometer/user/update";
pub const SECRET: &str = "h7sh-d3vice-s3cret";
pub const PRODUCT_SECRET: &str = "h7sh-pr0duct-s3cret";
pub const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
/// With what a reader of INI files might stumble over.
pub const ACCESS_KEY: &str = "h7sh/acc3ss+key#with;signs\\n=";
pub const SESSION_TOKEN: &str = "h7sh-s3ssion-tok3n/+==";
pub const AUTHORIZER: &str = "gatekeeper";
pub const TOKEN: &str = "h7sh.auth0rizer.tok3n";
pub const TOKEN_SIGNATURE: &str = "aDdzaC1zaWduYXR1cmU+Lz8=";
pub const PASSWORD: &str = "h7sh-passw0rd";
pub const ROLE_ALIAS: &str = "publisher";

pub struct Clouds {
    pub aws: AwsEmulator,
    pub aliyun: AliyunEmulator,
    pub certificate: DeviceCertificate,
    pub authority: Authority,
    folder: TempDir,
    /// Last, as the emulators live in it.
    runtime: Runtime,
}

impl Clouds {
    pub fn start() -> Self {
        Self::start_with(|authority| AwsOptions::new(authority, AWS))
    }

    /// With another AWS.
    pub fn start_with(aws: impl FnOnce(&Authority) -> AwsOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let authority = Authority::new();
        let certificate = authority.issue_device("thermometer");
        let aws = runtime.block_on(AwsEmulator::start(aws(&authority))).unwrap();
        aws.register(&certificate);
        aws.add_role_alias(ROLE_ALIAS, Duration::from_secs(3600));
        let aliyun = runtime.block_on(AliyunEmulator::start(AliyunOptions::new(&authority, ALIYUN))).unwrap();
        aliyun.add_device("a1B2c3D4e5F", "thermometer", SECRET);
        let clouds = Self { aws, aliyun, certificate, authority, folder: TempDir::new().unwrap(), runtime };
        clouds.write("ca.pem", clouds.authority.ca_pem());
        clouds.write("device.pem.crt", &clouds.certificate.certificate_pem);
        clouds.write("private.pem.key", &clouds.certificate.private_key_pem);
        clouds.write("secret.txt", format!("{SECRET}\n"));
        clouds
    }

    /// A path in the folder of this test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a file in it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Publishes to AWS, port 8443.
    pub fn publish_aws(&self) -> CommandLine {
        let line = CommandLine::new(&["publish", "aws"]).with("--topic", AWS_TOPIC).with("--message", "21.5");
        self.with_certificate(line).with("--connect-to", to(self.aws.addr_mutual_tls()))
    }

    /// Publishes to AWS, port 443, without a way to show who the device is.
    pub fn publish_aws_anonymously(&self) -> CommandLine {
        let line = CommandLine::new(&["publish", "aws"]).with("--topic", AWS_TOPIC).with("--message", "21.5");
        self.anonymous(line)
    }

    /// Does something else with AWS, port 8443.
    pub fn aws(&self, words: &[&str]) -> CommandLine {
        self.with_certificate(CommandLine::new(words)).with("--connect-to", to(self.aws.addr_mutual_tls()))
    }

    pub fn anonymous(&self, line: CommandLine) -> CommandLine {
        line.with("--endpoint", AWS).with("--ca", self.path("ca.pem")).with("--connect-to", to(self.aws.addr_alpn()))
    }

    fn with_certificate(&self, line: CommandLine) -> CommandLine {
        self.anonymous(line).with("--cert", self.path("device.pem.crt")).with("--key", self.path("private.pem.key"))
    }

    /// A command by a temporary key.
    pub fn by_role_alias(&self, line: CommandLine) -> CommandLine {
        let host = self.aws.credentials_server_name();
        self.with_certificate(line)
            .with("--role-alias", ROLE_ALIAS)
            .with("--credentials-endpoint", host)
            .with("--connect-to", format!("{AWS}:443:{}", self.aws.addr_alpn()))
            .and(&["--connect-to", &format!("{host}:443:{}", self.aws.addr_credentials())])
    }

    /// Makes the access key known, with its session token or without.
    pub fn add_access_key(&self, session_token: Option<&str>) {
        self.aws.add_access_key(AccessKey {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: ACCESS_KEY.to_owned(),
            session_token: session_token.map(str::to_owned),
        });
    }

    /// Makes a custom authorizer known that takes the token.
    pub fn add_authorizer(&self, signature: Option<&str>) {
        self.aws.add_authorizer(authorizer(signature));
    }

    /// Publishes to AWS, port 443.
    pub fn publish_aws_443(&self) -> CommandLine {
        self.publish_aws().with("--port", "443").with("--connect-to", to(self.aws.addr_alpn()))
    }

    /// Publishes to Aliyun.
    pub fn publish_aliyun(&self) -> CommandLine {
        CommandLine::new(&["publish", "aliyun"])
            .with("--endpoint", ALIYUN)
            .with("--product-key", "a1B2c3D4e5F")
            .with("--device-name", "thermometer")
            .with("--device-secret-file", self.path("secret.txt"))
            .with("--topic", ALIYUN_TOPIC)
            .with("--message", "21.5")
            .with("--ca", self.path("ca.pem"))
            .with("--connect-to", to(self.aliyun.addr()))
    }

    /// Runs it to its end.
    pub fn run(&self, line: CommandLine) -> Output {
        self.run_command(self.command(line))
    }

    /// Runs it with as much time as it takes until all these words are said. What ends an attempt is told only where the attempt
    /// comes to its end in time, and how long one takes depends on the machine.
    pub fn run_until(&self, line: &CommandLine, words: &[&str]) -> Output {
        self.run_until_in(line, words, &[])
    }

    /// Likewise, with all these in the environment.
    pub fn run_until_in(&self, line: &CommandLine, words: &[&str], variables: &[(&str, &OsStr)]) -> Output {
        let mut last = None;
        for seconds in ["0.5", "2", "10", "60", "300"] {
            let output = self.run_in(line.clone().with("--timeout", seconds), variables);
            if words.iter().all(|word| output.stderr.contains(word) || output.stdout.contains(word)) {
                return output;
            }
            last = Some(output);
        }
        last.expect("it has run")
    }

    /// Runs it with this in the environment.
    pub fn run_with(&self, line: CommandLine, variable: &str, value: impl AsRef<OsStr>) -> Output {
        self.run_in(line, &[(variable, value.as_ref())])
    }

    /// Runs it with all these in the environment.
    pub fn run_in(&self, line: CommandLine, variables: &[(&str, &OsStr)]) -> Output {
        let mut command = self.command(line);
        command.envs(variables.iter().copied());
        self.run_command(command)
    }

    /// Runs it with this on standard input.
    pub fn run_on(&self, line: CommandLine, input: &[u8]) -> Output {
        let mut process = self.start_piped(line);
        process.write(input);
        self.checked(process.end())
    }

    pub fn run_command(&self, command: Command) -> Output {
        self.checked(self.start_command(command).end())
    }

    /// Starts it with a pipe for standard input.
    pub fn start_piped(&self, line: CommandLine) -> Process {
        let mut command = self.command(line);
        command.stdin(Stdio::piped());
        self.start_command(command)
    }

    pub fn start_command(&self, command: Command) -> Process {
        Process::start(command, self.secrets())
    }

    pub fn command(&self, line: CommandLine) -> Command {
        let mut command = command(THINGPOST);
        command.args(line.into_arguments());
        command
    }

    /// Once more, now that the tokens are known which were made meanwhile.
    pub fn checked(&self, output: Output) -> Output {
        output.assert_without(&self.secrets());
        output
    }

    /// That wrong input is answered with this exit code and one line that has all these words, and without a connection.
    #[track_caller]
    pub fn assert_usage(&self, line: CommandLine, words: &[&str]) {
        self.assert_wrong(&self.run(line), words);
    }

    /// That a run that is over was answered so, without a connection.
    #[track_caller]
    pub fn assert_wrong(&self, output: &Output, words: &[&str]) {
        assert_explained(output, words);
        self.assert_nothing_came();
    }

    /// That wrong input is answered so, where there have been connections before.
    #[track_caller]
    pub fn assert_usage_after(&self, line: CommandLine, words: &[&str]) {
        let before = self.aws.connections();
        assert_explained(&self.run(line), words);
        assert_eq!(self.aws.connections(), before);
    }

    #[track_caller]
    pub fn assert_nothing_came(&self) {
        assert_eq!(self.aws.connections(), AwsConnections::default());
        assert_eq!(self.aliyun.connections(), Connections::default());
        assert!(self.aws.ledger().entries().is_empty() && self.aliyun.ledger().entries().is_empty());
    }

    /// The payloads that AWS has, in the order of arrival.
    pub fn aws_accepted(&self) -> Vec<String> {
        payloads(&self.aws.ledger().accepted())
    }

    /// Waits until AWS has seen so many messages, whatever became of them.
    pub fn wait_for_aws(&self, count: usize) -> Vec<Entry> {
        self.wait_for(&self.aws.ledger(), count)
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn wait_for(&self, ledger: &Ledger, count: usize) -> Vec<Entry> {
        self.runtime.block_on(ledger.wait_for(count, patience())).unwrap()
    }

    pub fn faults(&self) -> Faults {
        self.aws.faults()
    }

    /// All that must show nowhere: secrets, private keys, the tokens made so far.
    pub fn secrets(&self) -> Vec<String> {
        let fixtures =
            ["ec-sec1.key.pem", "rsa-pkcs1.key.pem", "pkcs8-encrypted.key.pem", "rsa-pkcs1-encrypted.key.pem"];
        let fixtures = fixtures.map(|name| fs::read_to_string(fixture(name)).unwrap());
        let keys = fixtures.iter().chain([&self.certificate.private_key_pem]);
        let bodies = keys.flat_map(|pem| pem.lines()).filter(|line| line.len() >= 20 && !line.contains([' ', ':']));
        let entries = self.aliyun.ledger().entries();
        let tokens = entries.iter().filter_map(|entry| entry.header("password"));
        let entries = self.aws.ledger().entries();
        let session_tokens = entries.iter().filter_map(|entry| entry.header("x-amz-security-token"));
        let tokens = tokens.chain(session_tokens);
        let constants = [SECRET, PRODUCT_SECRET, ACCESS_KEY, SESSION_TOKEN, TOKEN, TOKEN_SIGNATURE, PASSWORD];
        bodies.chain(tokens).chain(constants).map(str::to_owned).collect()
    }
}

/// The custom authorizer that takes the token.
pub fn authorizer(signature: Option<&str>) -> Authorizer {
    Authorizer {
        name: AUTHORIZER.to_owned(),
        token_key_name: "X-Token".to_owned(),
        token: TOKEN.to_owned(),
        signature: signature.map(str::to_owned),
        is_default: true,
    }
}

#[track_caller]
pub fn assert_explained(output: &Output, words: &[&str]) {
    assert_eq!(output.code, Some(2), "{output:?}");
    let complaint = output.only_complaint();
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
}

pub fn payloads(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| String::from_utf8_lossy(&entry.payload).into_owned()).collect()
}

/// As `--connect-to` wants it: whatever the endpoint, go there.
pub fn to(address: SocketAddr) -> String {
    format!("::{address}")
}

/// So many lines, all different.
pub fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("line {number}")).collect()
}

/// The lines of a file for failed lines; none if there is no file.
pub fn failed_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
