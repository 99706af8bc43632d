//! Topics that arrive, and not where they were meant to. In double quotes a shell takes `$aws` for a variable that is not set, so
//! `"$aws/things/x/shadow/update"` becomes `/things/x/shadow/update`: a topic like any other, without a subscriber.

use crate::args::lost_variable::has_lost_aws;
use crate::commands::doctor::finding::Finding;

/// Looks whether a topic of AWS has lost its beginning.
pub fn check(finding: &mut Finding, topic: &str) {
    if has_lost_aws(topic) {
        finding.warn(
            format!("the topic {topic} looks like $aws{topic}, of which the shell has taken the $aws away"),
            "write it in single quotes, as in double quotes a shell takes $aws for a variable",
        );
    }
}
