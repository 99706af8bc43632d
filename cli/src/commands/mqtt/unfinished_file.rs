//! The file for messages that have no outcome when a run ends. The next run sends them first; until then it is the only place
//! where they are, so a file that cannot be read is not written over.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use thingpost_host::runtime::types::mqtt::Unfinished;
use thingpost_host::runtime::types::{Message, Qos};

use super::properties::{self, optional, text};
use crate::error::CliError;
use crate::files::input_file::{InputFile, refuse_any_of};
use crate::files::lock::Lock;
use crate::files::private_file;

/// Of the form of the file.
const VERSION: u64 = 1;

/// Where messages are kept from one run to the next.
pub struct UnfinishedFile {
    /// Behind links: a link stays where it is.
    path: PathBuf,
    /// Two runs would each keep their own messages in the place of those of the other.
    _lock: Lock,
}

impl UnfinishedFile {
    /// Reads what there is. The file must be none of those that are read otherwise.
    pub fn open(path: &Path, inputs: &[InputFile]) -> Result<(Self, Vec<Unfinished>), CliError> {
        refuse_any_of(inputs, "--unfinished", path)?;
        let cannot_keep = |error| {
            let what = format!("--unfinished: cannot keep messages in {}", path.display());
            CliError::new(what, format_args!("{error}; give another file"))
        };
        // Where it is; what is in it counts only when no other process can change it.
        let (place, _) = private_file::read(path, 0).map_err(cannot_keep)?;
        let lock = Lock::take(&place).map_err(cannot_keep)?.ok_or_else(|| {
            CliError::sentence(format!(
                "--unfinished: another run uses {}: wait for its end, or give another file",
                path.display()
            ))
        })?;
        let (path, content) = private_file::read(&place, u64::MAX).map_err(cannot_keep)?;
        let left = if content.trim_ascii().is_empty() { Ok(Vec::new()) } else { all_from(&content) };
        let left = left.map_err(|other| {
            let holds = match other {
                OtherContent::Version => "messages that another version of thingpost has kept: run that one, or",
                OtherContent::NoMessages => "something else than the messages of an earlier run:",
            };
            CliError::sentence(format!("--unfinished: {} holds {holds} give another file", path.display()))
        })?;
        Ok((Self { path, _lock: lock }, left))
    }

    /// Keeps these and no others. Without any there is no file.
    pub fn keep(&self, unfinished: &[Unfinished]) -> Result<(), CliError> {
        let kept = if unfinished.is_empty() {
            match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        } else {
            let all: Vec<Value> = unfinished.iter().map(to_json).collect();
            let content = json!({ "version": VERSION, "unfinished": all }).to_string();
            private_file::write(&self.path, ".thingpost-unfinished-", content.as_bytes())
        };
        let what = || format!("--unfinished: cannot write {}", self.path.display());
        kept.map_err(|error| CliError::new(what(), error))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn to_json(unfinished: &Unfinished) -> Value {
    let Unfinished { id, message, attempts, packet_id, age_ms } = unfinished;
    json!({
        "id": id,
        "attempts": attempts,
        "packet_id": packet_id,
        // Its message expiry goes on between the runs.
        "taken_unix_ms": age_ms.map(|age_ms| now_unix_ms().saturating_sub(age_ms)),
        "topic": message.topic,
        "payload_base64": BASE64.encode(&message.payload),
        "qos": match message.qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
        },
        "retain": message.retain,
        "rule": message.rule,
        "properties": message.properties.as_ref().map(properties::to_json),
    })
}

/// What stands in a file in place of messages that can be read.
enum OtherContent {
    NoMessages,
    Version,
}

fn all_from(content: &[u8]) -> Result<Vec<Unfinished>, OtherContent> {
    let value: Value = serde_json::from_slice(content).map_err(|_| OtherContent::NoMessages)?;
    match (value["version"].as_u64(), value["unfinished"].as_array()) {
        (Some(VERSION), Some(all)) => {
            let all: Option<Vec<_>> = all.iter().map(from_json).collect();
            all.filter(|all| are_different(all)).ok_or(OtherContent::NoMessages)
        }
        (Some(_), Some(_)) => Err(OtherContent::Version),
        _ => Err(OtherContent::NoMessages),
    }
}

/// Whether no two of them have one identifier, as no session leaves them.
fn are_different(all: &[Unfinished]) -> bool {
    let (mut ids, mut packet_ids) = (HashSet::new(), HashSet::new());
    all.iter().all(|it| ids.insert(it.id) && it.packet_id.is_none_or(|packet_id| packet_ids.insert(packet_id)))
}

fn from_json(value: &Value) -> Option<Unfinished> {
    let message = Message {
        topic: value["topic"].as_str()?.to_owned(),
        payload: BASE64.decode(value["payload_base64"].as_str()?).ok()?,
        qos: match value["qos"].as_u64()? {
            0 => Qos::AtMostOnce,
            1 => Qos::AtLeastOnce,
            _ => return None,
        },
        retain: value["retain"].as_bool()?,
        rule: text(&value["rule"])?,
        properties: optional(&value["properties"], properties::from_json)?,
    };
    Some(Unfinished {
        id: value["id"].as_u64()?,
        message,
        attempts: u32::try_from(value["attempts"].as_u64()?).ok()?,
        packet_id: optional(&value["packet_id"], |id| u16::try_from(id.as_u64()?).ok())?,
        // A clock that was put back makes it as young as it can be.
        age_ms: optional(&value["taken_unix_ms"], |taken_ms| Some(now_unix_ms().saturating_sub(taken_ms.as_u64()?)))?,
    })
}

fn now_unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use thingpost_host::runtime::types::{PayloadFormat, Properties};

    use super::*;

    fn unfinished() -> [Unfinished; 2] {
        let plain = Message::new("a/b", [0, 255], Qos::AtMostOnce);
        let properties = Properties {
            content_type: Some("text/plain".to_owned()),
            response_topic: Some("r".to_owned()),
            message_expiry_s: Some(60),
            payload_format: Some(PayloadFormat::Utf8Data),
            correlation_data: Some(vec![0, 1, 255]),
            user_properties: vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        };
        let full = Message {
            retain: true,
            rule: Some("rule".to_owned()),
            properties: Some(properties),
            ..Message::new("é", [], Qos::AtLeastOnce)
        };
        [
            Unfinished { id: 1, message: plain, attempts: 0, packet_id: None, age_ms: None },
            Unfinished { id: u64::MAX, message: full, attempts: 3, packet_id: Some(65_535), age_ms: None },
        ]
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was_and_nobody_else_can_read_it() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("left");
        let (file, left) = UnfinishedFile::open(&path, &[]).unwrap();
        assert!(left.is_empty() && !path.exists());
        file.keep(&unfinished()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        drop(file);
        let (file, left) = UnfinishedFile::open(&path, &[]).unwrap();
        assert_eq!(left, unfinished());
        file.keep(&[]).unwrap();
        file.keep(&[]).unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_message_grows_older_between_two_runs() {
        let of = |age_ms| Unfinished { age_ms, ..unfinished()[0].clone() };
        let aged = from_json(&to_json(&of(Some(22_000)))).unwrap();
        assert!(aged.age_ms.unwrap() >= 22_000);
        // Of a version that did not know, and after the clock was put back.
        let mut value = to_json(&of(None));
        value.as_object_mut().unwrap().remove("taken_unix_ms");
        assert_eq!(from_json(&value).unwrap().age_ms, None);
        value["taken_unix_ms"] = u64::MAX.into();
        assert_eq!(from_json(&value).unwrap().age_ms, Some(0));
    }

    #[test]
    fn a_file_is_for_one_run_at_a_time() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("left");
        let (file, _) = UnfinishedFile::open(&path, &[]).unwrap();
        for _ in 0..2 {
            let error = UnfinishedFile::open(&path, &[]).err().unwrap().to_string();
            assert!(error.contains("another run uses") && !error.contains('\n'), "{error}");
            // The file is another one from now on.
            file.keep(&unfinished()).unwrap();
        }
        drop(file);
        let (file, left) = UnfinishedFile::open(&path, &[]).unwrap();
        assert_eq!(left.len(), 2);
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn something_else_is_left_as_it_is_and_named() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("left");
        let [first, _] = unfinished();
        let twice = json!({ "version": VERSION, "unfinished": [to_json(&first), to_json(&first)] }).to_string();
        for (content, said) in [
            ("-----BEGIN PRIVATE KEY-----", "something else"),
            ("{}", "something else"),
            (r#"{"version":2,"unfinished":[]}"#, "another version of thingpost"),
            ("\u{0}", "something else"),
            (&twice, "something else"),
        ] {
            fs::write(&path, content).unwrap();
            let error = UnfinishedFile::open(&path, &[]).err().unwrap().to_string();
            assert!(error.contains("--unfinished") && error.contains("give another file"), "{error}");
            assert!(error.contains(said), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        fs::write(&path, "\n").unwrap();
        assert!(UnfinishedFile::open(&path, &[]).is_ok());
    }
}
