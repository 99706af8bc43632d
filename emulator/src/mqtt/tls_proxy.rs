//! One endpoint has several ports, and what a test says about the endpoint holds for all of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::{AccessPolicy, ClientSlots, EndpointPort};
use super::connection;
use super::ledger::MqttLedger;
use super::link_faults::LinkFaults;
use crate::chaos::Conditions;
use crate::serve::{Deadlines, Port};

/// What the connections of a proxy share.
pub(super) struct TlsProxy {
    pub(super) access: AccessPolicy,
    pub(super) ledger: MqttLedger,
    pub(super) link: LinkFaults,
    pub(super) conditions: Conditions,
    pub(super) slots: ClientSlots,
    /// The socket of the broker.
    pub(super) broker: PathBuf,
    pub(super) deadlines: Deadlines,
}

impl TlsProxy {
    pub(super) fn new(access: AccessPolicy, broker: &Path) -> Arc<Self> {
        Arc::new(Self {
            access,
            ledger: MqttLedger::default(),
            link: LinkFaults::default(),
            conditions: Conditions::default(),
            slots: ClientSlots::default(),
            broker: broker.to_owned(),
            deadlines: Deadlines::default(),
        })
    }

    /// Opens a port on loopback.
    pub(super) async fn open(self: &Arc<Self>, port: EndpointPort) -> io::Result<Port> {
        let proxy = Arc::clone(self);
        let ip = IpAddr::from(Ipv4Addr::LOCALHOST);
        let serve = move |tcp, counters| connection::serve(Arc::clone(&proxy), port, tcp, counters);
        Port::open_with(ip, self.conditions.clone(), serve).await
    }
}
