//! Every caller, on whichever port, is treated in one order: a request that could never be good is refused for what
//! it is, then for who may not send it, then for its turn, and only then for what it meets. Each operation goes through
//! that order here.

use super::answer::{Refusal, Success};
use super::cloud::Cloud;
use super::connection::{self, Disconnection};
use super::direct::DirectMessage;
use super::operation::Operation;
use super::policy::AwsAction;
use super::publish::{self, Publish};
use super::query::flag;
use super::retained;
use super::shadow::{self, ShadowId, Update};
use crate::http1::Request;
use crate::ledger::Device;

/// A caller that has proved who it is.
pub(super) struct Caller {
    /// By which the policies know them.
    pub(super) principal: String,
    /// How a policy's denial reads to them.
    pub(super) denial: Refusal,
    pub(super) device: Device,
}

impl Caller {
    /// Whether they may do that, and whether it is their turn.
    fn enter(&self, cloud: &Cloud, action: AwsAction) -> Result<(), Refusal> {
        let may = cloud.registry().policy.may(&self.principal, action);
        self.enter_if(may, cloud)
    }

    fn enter_if(&self, may: bool, cloud: &Cloud) -> Result<(), Refusal> {
        if !may {
            return Err(self.denial.clone());
        }
        if cloud.throttles() { Err(Refusal::THROTTLED) } else { Ok(()) }
    }
}

/// Does what a request asks for.
pub(super) fn serve(cloud: &Cloud, caller: &Caller, request: &Request) -> Result<Success, Refusal> {
    let operation = Operation::of(request)?;
    publish::check_framing(request)?;
    match operation {
        Operation::Publish { topic } => publish(cloud, caller, request, topic),
        Operation::GetThingShadow { thing } => {
            let id = ShadowId::of(thing, request)?;
            caller.enter(cloud, AwsAction::GetThingShadow)?;
            cloud.shadows().get(&id, cloud.now()).map(Success::Document)
        }
        Operation::UpdateThingShadow { thing } => {
            let id = ShadowId::of(thing, request)?;
            let update = Update::parse(&request.body)?;
            caller.enter(cloud, AwsAction::UpdateThingShadow)?;
            cloud.shadows().update(id, &update, cloud.now()).map(Success::Document)
        }
        Operation::DeleteThingShadow { thing } => {
            let id = ShadowId::of(thing, request)?;
            caller.enter(cloud, AwsAction::DeleteThingShadow)?;
            cloud.shadows().delete(&id, cloud.now()).map(Success::Document)
        }
        Operation::ListNamedShadowsForThing { thing } => {
            let (thing, page) = (shadow::thing_name(thing)?, shadow::page(request)?);
            caller.enter(cloud, AwsAction::ListNamedShadowsForThing)?;
            Ok(Success::Document(cloud.shadows().list(&thing, &page, cloud.now())))
        }
        Operation::GetRetainedMessage { topic } => {
            let topic = retained::topic(topic)?;
            caller.enter(cloud, AwsAction::GetRetainedMessage)?;
            cloud.retained().get(&topic).map(Success::Document)
        }
        Operation::ListRetainedMessages => {
            let page = retained::page(request)?;
            caller.enter(cloud, AwsAction::ListRetainedMessages)?;
            Ok(Success::Document(cloud.retained().list(&page)))
        }
        Operation::SendDirectMessage { client } => send_direct_message(cloud, caller, request, client),
        Operation::GetConnection { client } => {
            let client_id = connection::client_id(client)?;
            let with_socket = flag(request, "includeSocketInformation")?;
            caller.enter(cloud, AwsAction::GetConnection)?;
            cloud.clients().get(&client_id, with_socket, cloud.clock.now_ms()).map(Success::Document)
        }
        Operation::ListSubscriptions { client } => {
            let (client_id, page) = (connection::client_id(client)?, connection::page(request)?);
            caller.enter(cloud, AwsAction::ListSubscriptions)?;
            cloud.clients().subscriptions(&client_id, &page, cloud.clock.now_ms()).map(Success::Document)
        }
        Operation::DeleteConnection { client } => {
            let disconnection = Disconnection {
                client_id: connection::client_id(client)?,
                clean_session: flag(request, "cleanSession")?,
                prevent_will_message: flag(request, "preventWillMessage")?,
                sender: caller.device.clone(),
            };
            caller.enter(cloud, AwsAction::DeleteConnection)?;
            cloud.clients().disconnect(disconnection, cloud.clock.now_ms()).map(|()| Success::Empty)
        }
    }
}

fn publish(cloud: &Cloud, caller: &Caller, request: &Request, topic: &str) -> Result<Success, Refusal> {
    let publish = Publish::check(request, topic)?;
    let may = {
        let registry = cloud.registry();
        let may_retain = registry.policy.may(&caller.principal, AwsAction::RetainPublish);
        registry.policy.may_publish(&caller.principal, &publish.topic) && (may_retain || !publish.retain)
    };
    caller.enter_if(may, cloud)?;
    cloud.retained().apply(publish, &request.body, cloud.clock.now_ms());
    Ok(Success::Ok)
}

fn send_direct_message(cloud: &Cloud, caller: &Caller, request: &Request, client: &str) -> Result<Success, Refusal> {
    let mut message = DirectMessage::check(request, client, &caller.device)?;
    caller.enter(cloud, AwsAction::SendDirectMessage)?;
    let acknowledges = cloud.clients().acknowledges(&message.client_id, cloud.clock.now_ms())?;
    let told = message.deliver(acknowledges);
    cloud.direct_messages().push(message);
    told.map(|()| Success::Ok)
}
