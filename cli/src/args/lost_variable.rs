//! A topic that has lost its `$aws`.
//!
//! In double quotes the shell puts the value of a variable `aws`, which is none, in place of `$aws`. What is left begins with a
//! slash, is a topic like any other, and the broker takes it: the message is delivered, and no shadow and no rule ever sees it.

use super::{Command, MqttCommand, PublishCommand, RetainedCommand};
use crate::error::one_line;
use crate::terminal::complain;

/// Warns of topics of AWS on the command line that look as if they had lost it.
pub fn warn(command: &Command) {
    for (option, topic) in topics(command) {
        if has_lost_aws(topic) {
            complain(one_line(&format!(
                "thingpost: warning: {option} {topic} looks like $aws{topic}, of which the shell has taken the $aws away, as it does \
                 in double quotes; if so, write it in single quotes: '$aws{topic}'"
            )));
        }
    }
}

/// The topics of a command, if it is one for AWS.
fn topics(command: &Command) -> Vec<(&'static str, &String)> {
    match command {
        Command::Publish(PublishCommand::Aws(arguments)) => {
            let response = &arguments.message.options.properties.response_topic;
            given([("--topic", &arguments.topic), ("--response-topic", response)])
        }
        Command::Mqtt(MqttCommand::Publish(arguments)) if arguments.device.aliyun.product_key.is_none() => {
            let response = &arguments.message.options.properties.response_topic;
            let will = &arguments.device.session.will_topic;
            given([("--topic", &arguments.topic), ("--response-topic", response), ("--will-topic", will)])
        }
        Command::Mqtt(MqttCommand::Subscribe(arguments)) if arguments.device.aliyun.product_key.is_none() => {
            arguments.topics.iter().map(|topic| ("--topic", topic)).collect()
        }
        Command::Retained(RetainedCommand::Get(arguments)) => vec![("--topic", &arguments.topic)],
        _ => Vec::new(),
    }
}

fn given<'a, const N: usize>(options: [(&'static str, &'a Option<String>); N]) -> Vec<(&'static str, &'a String)> {
    options.into_iter().filter_map(|(option, topic)| Some((option, topic.as_ref()?))).collect()
}

/// Whether it is one of the topics of AWS but for its beginning. Of the families only those that are hardly ever chosen
/// for topics of his own.
pub fn has_lost_aws(topic: &str) -> bool {
    let Some(rest) = topic.strip_prefix('/') else { return false };
    let levels: Vec<&str> = rest.split('/').collect();
    match levels[..] {
        ["things", _, family, ..] => ["shadow", "jobs", "streams", "tunnels", "defender"].contains(&family),
        ["rules", _, ..] => true,
        ["certificates", "create" | "create-from-csr", ..] => true,
        ["provisioning-templates", _, "provision", ..] => true,
        [
            "events",
            "presence" | "subscriptions" | "job" | "jobExecution" | "thing" | "thingGroup" | "certificates",
            ..,
        ] => true,
        ["device_location", ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_aws_is_known_and_other_topics_are_let_be() {
        for topic in [
            "/things/x/shadow/update",
            "/things/x/shadow/name/a/get",
            "/things/x/jobs/get",
            "/things/+/shadow/#",
            "/rules/r/a",
            "/certificates/create/json",
            "/provisioning-templates/t/provision/json",
            "/events/presence/connected/#",
        ] {
            assert!(has_lost_aws(topic), "{topic}");
        }
        for topic in
            ["", "/", "/things/x/up", "/things", "things/x/shadow/update", "/rules", "/events/door", "$aws/rules/r"]
        {
            assert!(!has_lost_aws(topic), "{topic}");
        }
    }
}
