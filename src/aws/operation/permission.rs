//! A refusal does not say which permission is missing. It follows from the operation: the action and the resource that a
//! policy must allow.

use alloc::string::String;

use super::{Operation, Shadow};

impl Operation {
    /// The action that a policy must allow.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::GetShadow(_) => "iot:GetThingShadow",
            Self::UpdateShadow { .. } => "iot:UpdateThingShadow",
            Self::DeleteShadow(_) => "iot:DeleteThingShadow",
            Self::ListNamedShadows { .. } => "iot:ListNamedShadowsForThing",
            Self::GetRetainedMessage { .. } => "iot:GetRetainedMessage",
            Self::ListRetainedMessages(_) => "iot:ListRetainedMessages",
            Self::SendDirectMessage(_) => "iot:SendDirectMessage",
            Self::GetConnection { .. } => "iot:GetConnection",
            Self::ListSubscriptions { .. } => "iot:ListSubscriptions",
            Self::DeleteConnection(_) => "iot:DeleteConnection",
        }
    }

    /// What it must allow it on, after account and region. Lists of all topics have no resource.
    pub(crate) fn resource(&self) -> Option<String> {
        Some(match self {
            Self::GetShadow(shadow) | Self::UpdateShadow { shadow, .. } | Self::DeleteShadow(shadow) => {
                shadow.resource()
            }
            Self::ListNamedShadows { thing, .. } => ["thing/", thing].concat(),
            Self::GetRetainedMessage { topic } => ["topic/", topic].concat(),
            Self::ListRetainedMessages(_) => return None,
            Self::SendDirectMessage(direct) => ["client/", &direct.client_id].concat(),
            Self::GetConnection { client_id, .. } | Self::ListSubscriptions { client_id, .. } => {
                ["client/", client_id].concat()
            }
            Self::DeleteConnection(disconnection) => ["client/", &disconnection.client_id].concat(),
        })
    }
}

impl Shadow {
    fn resource(&self) -> String {
        match &self.name {
            Some(name) => ["thing/", &self.thing, "/", name].concat(),
            None => ["thing/", &self.thing].concat(),
        }
    }
}
