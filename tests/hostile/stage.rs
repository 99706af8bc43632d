//! A host with a hostile guest and a good one, over one pool and on one thread.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use thingpost_emulator::{Authority, AwsEmulator, Entry};
use thingpost_host::runtime::types::mqtt::{Broker, GenericBroker, MqttConfig, SessionConfig};
use thingpost_host::runtime::types::{AliyunConfig, Message, Platform, Qos, SignMethod, Signer, TimestampPolicy};
use thingpost_host::runtime::{CompilationCache, DeviceSecrets, MqttSession, Publisher, PublisherPre, Runtime};
use thingpost_host::{Pool, PoolLimits, Route, RouteTable, Statistics, Timeouts, Transport, WorkloadConfig};
use thingpost_hostile_guest::{DIALER, GUEST};
use wasmtime::Error;

use super::GROWTH;
use super::alone::peak;
use crate::fixtures::aws::{AwsCloud, platform};
use crate::fixtures::host::{cache_folder, options, roots};

/// What the good guest publishes to.
const TOPIC: &str = "devices/thermometer-7/up";

/// So many messages of the good guest at least, beside the attack and after it.
const MESSAGES: usize = 5;

pub struct Stage {
    cloud: AwsCloud,
    pool: Pool,
    transport: Transport,
    good: Publisher,
    /// How many messages of the good guest were acknowledged.
    published: usize,
    runtime: Runtime,
    component: PublisherPre,
    platform: Platform,
    /// The size of this process before the attack.
    before: u64,
}

/// How a call of the hostile guest has ended: with what it says, or with a trap.
pub type Ended = Result<String, Error>;

impl Stage {
    /// A good guest that has published already, and the component of the hostile one.
    pub async fn set() -> Self {
        Self::set_within(PoolLimits::default()).await
    }

    /// Sets the stage with a pool of this size for both.
    pub async fn set_within(limits: PoolLimits) -> Self {
        let cloud = AwsCloud::start().await;
        let runtime = Runtime::new(&CompilationCache::Folder(cache_folder())).unwrap();
        let (pool, platform) = (Pool::new(limits), platform(8443));
        let component = runtime.load(thingpost_artifacts::PUBLISHER.bytes).unwrap();
        let transport = cloud.transport_over(pool.clone(), cloud.route());
        let mut good = component.builder(transport, &platform).options(options()).open().await.unwrap();
        good.publish(&message(0)).await.unwrap().unwrap();
        let component = runtime.load(GUEST).unwrap();
        let transport = Transport::new(pool.clone(), workload(&cloud, None));
        Self { cloud, pool, transport, good, published: 1, runtime, component, platform, before: peak() }
    }

    /// Changes what the hostile guest may do.
    pub fn with(mut self, change: impl FnOnce(PublisherPre) -> PublisherPre) -> Self {
        self.component = change(self.component);
        self
    }

    /// Sets how long the requests of the hostile guest wait.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.transport = self.transport.timeouts(timeouts);
        self
    }

    /// Lets the hostile guest go here too, by this name. The emulator's authority is the one to trust.
    pub fn with_route(mut self, host: &str, address: SocketAddr) -> Self {
        self.transport = Transport::new(self.pool.clone(), workload(&self.cloud, Some((host, address))));
        self
    }

    /// The authority of all servers.
    pub fn authority(&self) -> &Authority {
        &self.cloud.authority
    }

    /// The pool of both guests now.
    pub fn connections(&self) -> Statistics {
        self.pool.statistics()
    }

    /// How many connections the emulator has had.
    pub fn accepted(&self) -> u64 {
        self.cloud.emulator.connections().mutual_tls.accepted
    }

    /// Waits until it is so.
    pub async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// An instance of the hostile guest.
    pub async fn guest(&self) -> Publisher {
        self.component.builder(self.transport.clone(), &self.platform).open().await.unwrap()
    }

    /// An instance of the hostile guest for a device on Aliyun whose secret the host keeps, beside that of another one.
    pub async fn guest_that_may_ask_for_signatures(&self, product_key: &str) -> Publisher {
        let platform = Platform::Aliyun(AliyunConfig {
            endpoint: "iot.example".to_owned(),
            port: 443,
            product_key: product_key.to_owned(),
            device_name: "device".to_owned(),
            signer: Signer::Host,
            client_id: Some("device".to_owned()),
            sign_method: SignMethod::HmacSha1,
            timestamp: TimestampPolicy::Now,
        });
        let secrets = DeviceSecrets::new().with(product_key, "device", "secret").with(product_key, "other", "secret");
        let builder = self.component.builder(self.transport.clone(), &platform).secrets(secrets.into());
        builder.open().await.unwrap()
    }

    /// Has a guest carry out this attack, while the good one publishes.
    pub async fn suffer(&mut self, attack: &str) -> Ended {
        let mut guest = self.guest().await;
        self.suffer_from(&mut guest, attack).await
    }

    /// Has this guest carry it out, which may have carried out others.
    pub async fn suffer_from(&mut self, guest: &mut Publisher, attack: &str) -> Ended {
        let endpoint = authority(&self.cloud.emulator);
        self.suffer_with(guest, attack, &endpoint).await
    }

    /// Has this guest carry it out, and tells it this in place of the endpoint.
    pub async fn suffer_with(&mut self, guest: &mut Publisher, attack: &str, known: &str) -> Ended {
        let order = Message::new(attack, known, Qos::AtMostOnce);
        self.beside(async { Ok(guest.publish(&order).await?.unwrap_err().explanation) }).await
    }

    /// An instance of the hostile guest that dials.
    pub async fn dialing_guest(&self) -> MqttSession {
        let component = self.runtime.load_mqtt(DIALER).unwrap();
        let broker = GenericBroker {
            endpoint: "broker.example".to_owned(),
            port: 8883,
            client_id: "hostile".to_owned(),
            user_name: None,
            password: None,
        };
        let config = MqttConfig { broker: Broker::Generic(broker), session: SessionConfig::default() };
        component.builder(self.transport.clone(), &config).open().await.unwrap()
    }

    /// Has it carry out this attack on a destination, while the good one publishes.
    pub async fn suffer_dialing(&mut self, guest: &mut MqttSession, attack: &str, destination: &str) -> Ended {
        let order = Message::new(attack, destination, Qos::AtMostOnce);
        self.beside(async { Ok(guest.publish(&order).await?.unwrap_err().explanation) }).await
    }

    /// Waits for the end of an attack, while the good guest publishes, and has it publish after that.
    async fn beside(&mut self, attack: impl Future<Output = Ended>) -> Ended {
        let is_over = Cell::new(false);
        let hostile = async {
            let ended = attack.await;
            is_over.set(true);
            ended
        };
        let good = async {
            let mut left = MESSAGES;
            while left > 0 || !is_over.get() {
                self.good.publish(&message(self.published)).await.unwrap().unwrap();
                self.published += 1;
                left = left.saturating_sub(1);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let (ended, ()) = tokio::join!(hostile, good);
        // What the attack has left behind does not keep the good guest from anything either.
        for _ in 0..MESSAGES {
            self.good.publish(&message(self.published)).await.unwrap().unwrap();
            self.published += 1;
        }
        ended
    }

    /// What has arrived from the hostile guest. All else that has is what the good one was told to have published, once each.
    pub fn of_the_guest(&self) -> Vec<Entry> {
        let is_good = |entry: &Entry| entry.payload.starts_with(b"good");
        let (mut good, hostile): (Vec<_>, Vec<_>) =
            self.cloud.emulator.ledger().entries().into_iter().partition(is_good);
        good.dedup_by(|one, other| one.payload == other.payload);
        assert_eq!(good.len(), self.published);
        hostile
    }

    /// How much this process has grown, at its largest.
    pub fn growth(&self) -> u64 {
        peak() - self.before
    }

    /// Fails if this process has grown by more than a guest may cost.
    pub fn assert_small(&self) {
        let growth = self.growth();
        assert!(growth <= GROWTH, "the host has grown by {} KiB", growth / 1024);
        println!("the host has grown by {} KiB", growth / 1024);
    }
}

/// The hostile guest may go where the good one goes, as the same device, and where the other route leads.
fn workload(cloud: &AwsCloud, other: Option<(&str, SocketAddr)>) -> WorkloadConfig {
    let mut routes = vec![cloud.route()];
    let mut connect_to = vec![format!("{}:8443:{}", cloud.emulator.server_name(), cloud.emulator.addr_mutual_tls())];
    if let Some((host, address)) = other {
        routes.push(Route::new(host, roots(&cloud.authority)).mqtt());
        connect_to.extend([443, 8443, 8883].map(|port| format!("{host}:{port}:{address}")));
    }
    let connect_to = connect_to.iter().map(|way| way.parse().unwrap());
    WorkloadConfig::new("hostile", RouteTable::new(routes).unwrap()).connect_to(connect_to.collect::<Vec<_>>())
}

fn message(index: usize) -> Message {
    Message::new(TOPIC, format!("good {index}"), Qos::AtLeastOnce)
}

fn authority(emulator: &AwsEmulator) -> String {
    format!("{}:8443", emulator.server_name())
}
