//! `thingpost connection`.

use serde_json::{Value, json};
use thingpost_host::runtime::types::{Connection, ConnectionQuery, Disconnection, Socket, SubscriptionListing};

use super::moment::date;
use super::pages::Pagination;
use super::retained::level;
use super::{QueryError, QueryRunner};
use crate::args::{ConnectionArgs, ConnectionCommand, DeleteArgs, SubscriptionsArgs};
use crate::error::one_line;
use crate::output::report;
use crate::terminal::answer;

/// Subscriptions that AWS gives at once.
const LARGEST_PAGE: u32 = 100;

pub(super) async fn run(command: &ConnectionCommand) -> Result<(), QueryError> {
    match command {
        ConnectionCommand::Get(arguments) => get(arguments).await,
        ConnectionCommand::Subscriptions(arguments) => subscriptions(arguments).await,
        ConnectionCommand::Delete(arguments) => delete(arguments).await,
    }
}

async fn get(arguments: &ConnectionArgs) -> Result<(), QueryError> {
    let query = ConnectionQuery { client_id: arguments.client_id.clone(), socket_information: arguments.socket };
    let mut runner = QueryRunner::open(&arguments.operation, &[]).await?;
    let connection = runner.ask(async |mut aws| aws.get_connection(&query).await).await?;
    match runner.json {
        true => answer(object(&connection)),
        false => show(&connection),
    }
    Ok(())
}

async fn subscriptions(arguments: &SubscriptionsArgs) -> Result<(), QueryError> {
    let mut runner = QueryRunner::open(&arguments.list.operation, &[]).await?;
    let mut pages = Pagination::new(arguments.list.limit, LARGEST_PAGE);
    while let Some(page) = pages.next() {
        let listing = SubscriptionListing { client_id: arguments.client_id.clone(), page };
        let part = runner.ask(async |mut aws| aws.list_subscriptions(&listing).await).await?;
        for subscription in pages.take(part.entries, part.next)? {
            let (filter, qos) = (subscription.topic_filter, level(subscription.qos));
            match runner.json {
                true => answer(json!({ "topic_filter": filter, "qos": qos })),
                false => answer(one_line(&format!("{filter}  (qos {qos})"))),
            }
        }
    }
    Ok(())
}

async fn delete(arguments: &DeleteArgs) -> Result<(), QueryError> {
    let disconnection = Disconnection {
        client_id: arguments.client_id.clone(),
        clean_session: arguments.clean_session,
        prevent_will: arguments.prevent_will,
    };
    let mut runner = QueryRunner::open(&arguments.operation, &[]).await?;
    let receipt = runner.ask(async |mut aws| aws.delete_connection(&disconnection).await).await?;
    match runner.json {
        true => answer(json!({
            "outcome": "done",
            "client_id": arguments.client_id,
            "trace_id": receipt.trace_id,
            "attempts": receipt.attempts,
        })),
        false => answer(one_line(&format!("disconnected {}{}", arguments.client_id, report::facts(&receipt)))),
    }
    Ok(())
}

fn object(connection: &Connection) -> Value {
    let socket = |socket: &Option<Socket>| socket.as_ref().map(|it| json!({ "ip": it.ip, "port": it.port }));
    json!({
        "outcome": "done",
        "connected": connection.connected,
        "client_id": connection.client_id,
        "thing_name": connection.thing_name,
        "clean_session": connection.clean_session,
        "keep_alive_s": connection.keep_alive_s,
        "session_expiry_s": connection.session_expiry_s,
        "connected_since_ms": connection.connected_since_ms,
        "disconnected_since_ms": connection.disconnected_since_ms,
        "disconnect_reason": connection.disconnect_reason,
        "source": socket(&connection.source),
        "target": socket(&connection.target),
        "vpc_endpoint_id": connection.vpc_endpoint_id,
    })
}

/// One line for each thing that AWS has told.
fn show(connection: &Connection) {
    let yes_or_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let seconds = |seconds: Option<u64>| seconds.map(|seconds| format!("{seconds} s"));
    let socket = |socket: &Option<Socket>| {
        socket.as_ref().map(|Socket { ip, port }| port.map_or_else(|| ip.clone(), |port| format!("{ip} port {port}")))
    };
    for (name, value) in [
        ("connected", Some(yes_or_no(connection.connected))),
        ("client id", connection.client_id.clone()),
        ("thing", connection.thing_name.clone()),
        ("connected since", connection.connected_since_ms.map(date)),
        ("disconnected since", connection.disconnected_since_ms.map(date)),
        ("disconnect reason", connection.disconnect_reason.clone()),
        ("clean session", connection.clean_session.map(yes_or_no)),
        ("keep alive", seconds(connection.keep_alive_s)),
        ("session expiry", seconds(connection.session_expiry_s)),
        ("source", socket(&connection.source)),
        ("target", socket(&connection.target)),
        ("VPC endpoint", connection.vpc_endpoint_id.clone()),
    ] {
        if let Some(value) = value {
            answer(one_line(&format!("{name}: {value}")));
        }
    }
}
