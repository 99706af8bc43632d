//! One endpoint has several ports, and what a test says about the endpoint holds for all of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection;
use super::gate::{Door, Gate, Seats};
use super::ledger::MqttLedger;
use super::link::MqttLink;
use crate::chaos::Conditions;
use crate::serve::{Deadlines, Port};

/// What the connections of a front share.
pub(super) struct Front {
    pub(super) gate: Gate,
    pub(super) ledger: MqttLedger,
    pub(super) link: MqttLink,
    pub(super) conditions: Conditions,
    pub(super) seats: Seats,
    /// The socket of the broker.
    pub(super) broker: PathBuf,
    pub(super) deadlines: Deadlines,
}

impl Front {
    pub(super) fn new(gate: Gate, broker: &Path) -> Arc<Self> {
        Arc::new(Self {
            gate,
            ledger: MqttLedger::default(),
            link: MqttLink::default(),
            conditions: Conditions::default(),
            seats: Seats::default(),
            broker: broker.to_owned(),
            deadlines: Deadlines::default(),
        })
    }

    /// Opens a port on loopback.
    pub(super) async fn open(self: &Arc<Self>, door: Door) -> io::Result<Port> {
        let front = Arc::clone(self);
        let ip = IpAddr::from(Ipv4Addr::LOCALHOST);
        let serve = move |tcp, counters| connection::serve(Arc::clone(&front), door, tcp, counters);
        Port::open_with(ip, self.conditions.clone(), serve).await
    }
}
