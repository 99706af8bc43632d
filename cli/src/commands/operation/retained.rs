//! `thingpost retained`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use thingpost_host::runtime::types::{Qos, RetainedEntry, RetainedMessage};

use super::moment::date;
use super::pages::Pagination;
use super::{QueryError, QueryRunner};
use crate::args::{ListArgs, RetainedArgs, RetainedCommand};
use crate::error::one_line;
use crate::terminal::{answer, put};

/// Entries that AWS gives at once.
const LARGEST_PAGE: u32 = 200;

pub(super) async fn run(command: &RetainedCommand) -> Result<(), QueryError> {
    match command {
        RetainedCommand::Get(arguments) => get(arguments).await,
        RetainedCommand::List(arguments) => list(arguments).await,
    }
}

async fn get(arguments: &RetainedArgs) -> Result<(), QueryError> {
    let mut runner = QueryRunner::open(&arguments.operation, &[]).await?;
    let message = runner.ask(async |mut aws| aws.get_retained_message(&arguments.topic).await).await?;
    match runner.json {
        true => answer(object(&message)),
        false => put(&message.payload),
    }
    Ok(())
}

async fn list(arguments: &ListArgs) -> Result<(), QueryError> {
    let mut runner = QueryRunner::open(&arguments.operation, &[]).await?;
    let mut pages = Pagination::new(arguments.limit, LARGEST_PAGE);
    while let Some(page) = pages.next() {
        let part = runner.ask(async |mut aws| aws.list_retained_messages(&page).await).await?;
        for entry in pages.take(part.entries, part.next)? {
            show(&entry, runner.json);
        }
    }
    Ok(())
}

fn object(message: &RetainedMessage) -> Value {
    json!({
        "outcome": "done",
        "topic": message.topic,
        "payload_base64": BASE64.encode(&message.payload),
        "qos": level(message.qos),
        "last_modified_ms": message.last_modified_ms,
        "user_properties": message.user_properties,
    })
}

fn show(entry: &RetainedEntry, json: bool) {
    let RetainedEntry { topic, payload_size, qos, last_modified_ms } = entry;
    let qos = level(*qos);
    if json {
        return answer(json!({
            "topic": topic, "payload_size": payload_size, "qos": qos, "last_modified_ms": last_modified_ms,
        }));
    }
    let kept = date(*last_modified_ms);
    answer(one_line(&format!("{topic}  ({payload_size} bytes, qos {qos}, {kept})")));
}

pub(super) fn level(qos: Qos) -> u8 {
    match qos {
        Qos::AtMostOnce => 0,
        Qos::AtLeastOnce => 1,
    }
}
