//! What a test must be able to rely on is not what mosquitto does by default: as root it becomes a user who cannot
//! write to the folder, it saves sessions every half hour, and it drops messages of which it has too many.

use std::path::Path;

/// How to start a [`Broker`](super::Broker).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerOptions {
    /// Whether sessions, queues and retained messages are saved after each change rather than only in the end, so that
    /// they survive a kill. Each time the whole database is written; a benchmark that queues messages wants this off.
    pub saves_each_change: bool,
    /// How many messages may be under way to a client without being acknowledged, and how many a client of MQTT 5 is
    /// told that it may have under way. 0 for any number, of which clients are told nothing. AWS's is 100.
    pub receive_maximum: u16,
    /// The length of the longest packet, which clients of MQTT 5 are told. 0 for MQTT's own limit. AWS's is 149504.
    pub maximum_packet_size: u32,
    /// The highest quality of service that is taken. 1 is what both clouds have; what is beyond it ends the connection of a
    /// client of MQTT 3.1.1.
    pub max_qos: u8,
    /// The user names that are admitted, each with its password. Every client is admitted while there are none.
    pub users: &'static [(&'static str, &'static str)],
}

impl Default for BrokerOptions {
    /// Saves each change, and has no limits.
    fn default() -> Self {
        Self { saves_each_change: true, receive_maximum: 0, maximum_packet_size: 0, max_qos: 1, users: &[] }
    }
}

impl BrokerOptions {
    /// The limits that AWS tells clients of MQTT 5.
    pub fn like_aws() -> Self {
        Self { receive_maximum: 100, maximum_packet_size: 149_504, ..Self::default() }
    }

    /// For benchmarks: nothing is saved before the end.
    pub fn fast() -> Self {
        Self { saves_each_change: false, ..Self::default() }
    }
}

/// The file of user names and passwords, in the folder of the broker.
pub(super) const PASSWORDS: &str = "passwords";

/// The configuration file.
pub(super) fn text(options: &BrokerOptions, folder: &Path, socket: &Path, log: &Path) -> String {
    let BrokerOptions { saves_each_change, receive_maximum, maximum_packet_size, max_qos, users } = options;
    // With `autosave_on_changes` the interval counts changes, otherwise seconds, and 0 means never.
    let interval = u8::from(*saves_each_change);
    let mut text = format!(
        "# A Unix socket: no port, so none that is taken.\n\
         listener 0 {socket}\n\
         allow_anonymous {is_open}\n\
         # Only means something to root, who would become somebody else who cannot write here.\n\
         user root\n\
         max_qos {max_qos}\n\
         # As AWS does it.\n\
         max_topic_alias 8\n\
         # By default messages of which there are too many are dropped without a word, and a test would look for them\n\
         # at its client.\n\
         max_queued_messages 0\n\
         max_queued_bytes 0\n\
         max_inflight_messages {receive_maximum}\n\
         persistence true\n\
         persistence_location {folder}/\n\
         autosave_on_changes {saves_each_change}\n\
         autosave_interval {interval}\n\
         # Nobody reads these, and they would be changes.\n\
         sys_interval 0\n\
         log_dest file {log}\n\
         log_type error\n\
         log_type warning\n\
         log_type notice\n\
         log_type information\n",
        is_open = users.is_empty(),
        socket = socket.display(),
        folder = folder.display(),
        log = log.display(),
    );
    if *maximum_packet_size > 0 {
        text.push_str(&format!("max_packet_size {maximum_packet_size}\n"));
    }
    if !users.is_empty() {
        text.push_str(&format!("password_file {}\n", folder.join(PASSWORDS).display()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_listens_on_its_socket_alone() {
        let folder = Path::new("/f");
        let text = text(&BrokerOptions::default(), folder, &folder.join("s"), &folder.join("l"));
        assert_eq!(text.matches("listener").count(), 1, "{text}");
        assert!(text.contains("listener 0 /f/s\n") && text.contains("persistence_location /f/\n"), "{text}");
        assert!(text.contains("autosave_on_changes true\nautosave_interval 1\n"), "{text}");
        assert!(!text.contains("max_packet_size"), "{text}");
    }

    #[test]
    fn a_fast_broker_saves_nothing_before_the_end() {
        let folder = Path::new("/f");
        let text = text(&BrokerOptions::fast(), folder, &folder.join("s"), &folder.join("l"));
        assert!(text.contains("autosave_on_changes false\nautosave_interval 0\n"), "{text}");
    }
}
