//! The files of an emulated device. Its folder may be one in which real keys lie, so nothing is overwritten that an
//! emulator did not write.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{self, Path, PathBuf};

use super::clouds::{
    ACCESS_KEY_ID, AUTHORIZER_TOKEN, Clouds, DEVICE_SECRET, DEVICE_TOKEN, IOT_TOKEN, PRODUCT_SECRET, SECRET_ACCESS_KEY,
};
use crate::error::CliError;

/// What stands in every file first. PEM readers pass over what is before the first block.
const MARK: &str = "Made by `thingpost emulate`. Worth nothing elsewhere.\n";

/// The section of the file with the access key, which may lie about where a real one is.
pub const PROFILE: &str = "thingpost-emulator";

/// Where the files are. The first three have the names that AWS gives them.
pub struct KeyFiles {
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub private_key: PathBuf,
    pub device_secret: PathBuf,
    pub product_secret: PathBuf,
    /// Where the secret of a device goes that registers. Not written here.
    pub new_device_secret: PathBuf,
    /// Where that of a device goes which registers over MQTT.
    pub new_mqtt_device_secret: PathBuf,
    pub device_token: PathBuf,
    pub iot_token: PathBuf,
    /// As the tools of AWS read it.
    pub access_key: PathBuf,
    pub authorizer_token: PathBuf,
}

impl KeyFiles {
    /// Writes them.
    pub fn write(folder: &Path, clouds: &Clouds) -> Result<Self, CliError> {
        let cannot_make = |error| CliError::new(format!("cannot make the folder {}", folder.display()), error);
        fs::create_dir_all(folder).map_err(cannot_make)?;
        // The commands will be typed in another terminal, perhaps in another folder.
        let folder = path::absolute(folder).map_err(cannot_make)?;
        let files = Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("device.pem.crt"),
            private_key: folder.join("private.pem.key"),
            device_secret: folder.join("device-secret.txt"),
            product_secret: folder.join("product-secret.txt"),
            new_device_secret: folder.join("registered-secret.txt"),
            new_mqtt_device_secret: folder.join("registered-mqtt-secret.txt"),
            device_token: folder.join("device-token.txt"),
            iot_token: folder.join("iot-token.txt"),
            access_key: folder.join("aws-credentials.txt"),
            authorizer_token: folder.join("authorizer-token.txt"),
        };
        let marked = |pem: &str| format!("{MARK}{pem}");
        let contents = [
            (&files.ca, marked(clouds.authority.ca_pem())),
            (&files.certificate, marked(&clouds.certificate.certificate_pem)),
            (&files.private_key, marked(&clouds.certificate.private_key_pem)),
            (&files.device_secret, format!("{DEVICE_SECRET}\n")),
            (&files.product_secret, format!("{PRODUCT_SECRET}\n")),
            (&files.device_token, format!("{DEVICE_TOKEN}\n")),
            (&files.iot_token, format!("{IOT_TOKEN}\n")),
            (&files.access_key, access_key()),
            (&files.authorizer_token, format!("{AUTHORIZER_TOKEN}\n")),
        ];
        for (file, _) in &contents {
            refuse_foreign(file)?;
        }
        for (file, content) in &contents {
            write_private(file, content)
                .map_err(|error| CliError::new(format!("cannot write {}", file.display()), error))?;
        }
        Ok(files)
    }
}

fn access_key() -> String {
    format!("# {MARK}[{PROFILE}]\naws_access_key_id = {ACCESS_KEY_ID}\naws_secret_access_key = {SECRET_ACCESS_KEY}\n")
}

fn refuse_foreign(file: &Path) -> Result<(), CliError> {
    let is_ours = |text: &str| {
        text.starts_with(MARK)
            || [DEVICE_SECRET, PRODUCT_SECRET, DEVICE_TOKEN, IOT_TOKEN, AUTHORIZER_TOKEN].contains(&text.trim_end())
            || text == access_key()
    };
    match fs::read_to_string(file) {
        Ok(text) if is_ours(&text) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(CliError::sentence(format!(
            "{} is there already and was not made by an emulator; give another folder with --dir",
            file.display()
        ))),
    }
}

/// Readable by nobody else, from the first byte on. What an emulator left there before may have been, so it goes first.
fn write_private(file: &Path, content: &str) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(content.as_bytes())
}
