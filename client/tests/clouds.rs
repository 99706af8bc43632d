//! Emulated clouds, and clients of them.

use std::path::PathBuf;

use tempfile::TempDir;
use thingpost_client::thingpost_host::{Identity, TrustRoots};
use thingpost_client::{Aliyun, Aws, Builder, Client};
use thingpost_emulator::{AliyunEmulator, AliyunOptions, Authority, AwsEmulator, AwsOptions, DeviceCertificate};

pub const ENDPOINT: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";
pub const ALIYUN: &str = "iot-as-http.cn-shanghai.aliyuncs.com";
pub const PRODUCT: &str = "a1B2c3D4e5F";
pub const SECRET: &str = "jmQ3nW8rT5yU2iO9pA6sD1fG4hJ7kL0z";

pub fn identity(device: &DeviceCertificate) -> Identity {
    Identity::from_pem(device.certificate_pem.as_bytes(), device.private_key_pem.as_bytes()).unwrap()
}

pub fn roots(authority: &Authority) -> TrustRoots {
    TrustRoots::from_pem(authority.ca_pem().as_bytes()).unwrap()
}

pub struct AwsCloud {
    pub emulator: AwsEmulator,
    folder: TempDir,
}

impl AwsCloud {
    pub async fn start() -> Self {
        let authority = Authority::new();
        let emulator = AwsEmulator::start(AwsOptions::new(&authority, ENDPOINT)).await.unwrap();
        let device = authority.issue_device("thermometer-7");
        emulator.register(&device);
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.ca_pem()).unwrap();
        std::fs::write(folder.path().join("device.pem"), &device.certificate_pem).unwrap();
        std::fs::write(folder.path().join("device.key"), &device.private_key_pem).unwrap();
        Self { emulator, folder }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// On port 443, with the certificate.
    pub fn builder(&self) -> Builder<Aws> {
        Client::aws(ENDPOINT)
            .certificate(self.file("device.pem"), self.file("device.key"))
            .ca(self.file("ca.pem"))
            .port(443)
            .connect_to(self.emulator.addr_alpn().to_string())
    }
}

pub struct AliyunCloud {
    pub emulator: AliyunEmulator,
    folder: TempDir,
}

impl AliyunCloud {
    pub async fn start() -> Self {
        let authority = Authority::new();
        let emulator = AliyunEmulator::start(AliyunOptions::new(&authority, ALIYUN)).await.unwrap();
        emulator.add_device(PRODUCT, "pump-1", SECRET);
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.ca_pem()).unwrap();
        Self { emulator, folder }
    }

    pub fn builder(&self) -> Builder<Aliyun> {
        Client::aliyun(ALIYUN, PRODUCT, "pump-1", SECRET)
            .ca(self.folder.path().join("ca.pem"))
            .connect_to(self.emulator.addr().to_string())
    }
}
