//! AWS IoT Core's HTTPS data plane has no emulator that looks at what most often goes wrong: the port, the ALPN, the
//! client certificate and the exact bytes of the path. This one does, and answers with what was captured from AWS.
//!
//! | Where | What |
//! |---|---|
//! | `gate.rs` | which handshake a client gets, and what it proves |
//! | `sigv4/`, `access_key.rs` | the signatures of those who sign |
//! | `authorizer.rs` | the tokens of those who come by a custom authorizer |
//! | `registry.rs`, `policy.rs` | who is known, and what they may publish |
//! | `publish.rs`, `topic.rs`, `properties.rs` | the checks of one message |
//! | `retained.rs` | the messages that topics retain |
//! | `region.rs` | the region in the name of an endpoint |
//! | `answer.rs` | the answers, byte for byte |

mod access_key;
mod answer;
mod authorizer;
mod gate;
mod policy;
mod properties;
mod publish;
mod region;
mod registry;
mod retained;
mod sigv4;
mod topic;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::clock::Clock;
use crate::fault::Faults;
use crate::ledger::Ledger;
use crate::pki::{Authority, DeviceCertificate};
use crate::platform::Listener;
use crate::serve::{Connections, Deadlines, Port};
use crate::tls::{ClientCertificates, server_config};
pub use access_key::AccessKey;
pub use authorizer::Authorizer;
use gate::{ALPN_HTTP_CA, Configurations, Gate};
use registry::Registry;
pub use retained::Retained;
use retained::Store;

/// How to start an [`AwsEmulator`].
#[derive(Clone, Debug)]
pub struct AwsOptions {
    /// Who signs the server certificate. Its root is what clients must trust.
    pub authority: Authority,
    /// The endpoint's name, such as `a1b2c3-ats.iot.eu-central-1.amazonaws.com`. Clients must send it as SNI.
    pub server_name: String,
    /// The region that requests have to be signed for. `None` for the one in the server name; if that has none either,
    /// no signature is good.
    pub region: Option<String>,
    /// Where to listen.
    pub ip: IpAddr,
}

impl AwsOptions {
    /// Listens on 127.0.0.1, in the region of the server name.
    pub fn new(authority: &Authority, server_name: &str) -> Self {
        Self {
            authority: authority.clone(),
            server_name: server_name.to_owned(),
            region: None,
            ip: Ipv4Addr::LOCALHOST.into(),
        }
    }
}

/// AWS IoT Core on two ports of this machine. Dropping it closes both and aborts their connections.
pub struct AwsEmulator {
    cloud: Arc<Cloud>,
    server_name: String,
    mutual_tls: Port,
    alpn: Port,
}

/// What the two ports share.
struct Cloud {
    ledger: Ledger,
    faults: Faults,
    clock: Clock,
    region: Option<String>,
    registry: Mutex<Registry>,
    retained: Mutex<Store>,
    throttled: AtomicUsize,
}

/// How many connections the two ports have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AwsConnections {
    /// Of the port that stands for 8443.
    pub mutual_tls: Connections,
    /// Of the port that stands for 443.
    pub alpn: Connections,
}

impl AwsEmulator {
    /// Binds both ports and starts to accept. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound, or no certificate can hold the server name.
    pub async fn start(options: AwsOptions) -> io::Result<Self> {
        Self::start_with(options, Deadlines::default()).await
    }

    async fn start_with(options: AwsOptions, deadlines: Deadlines) -> io::Result<Self> {
        let AwsOptions { authority, server_name, region, ip } = options;
        let identity = authority.issue_server(std::slice::from_ref(&server_name)).map_err(io::Error::other)?;
        let config = |clients, alpn: &[&[u8]]| server_config(&identity, clients, alpn).map_err(io::Error::other);
        let configurations = Configurations {
            mutual_tls: config(ClientCertificates::AnyOrNone, &[])?,
            http_ca: config(ClientCertificates::AnyOrNone, &[ALPN_HTTP_CA])?,
            no_certificate: config(ClientCertificates::NotAsked, &[])?,
        };
        let cloud = Arc::new(Cloud {
            ledger: Ledger::new(),
            faults: Faults::default(),
            clock: Clock::default(),
            region: region.or_else(|| region::of(&server_name)),
            registry: Mutex::default(),
            retained: Mutex::default(),
            throttled: AtomicUsize::new(0),
        });
        let open = |listener| {
            let gate = Gate::new(listener, server_name.clone(), configurations.clone(), Arc::clone(&cloud));
            Port::open(ip, Arc::new(gate), deadlines)
        };
        let mutual_tls = open(Listener::AwsMutualTls).await?;
        let alpn = open(Listener::AwsAlpn).await?;
        Ok(Self { cloud, server_name, mutual_tls, alpn })
    }

    /// The name that clients have to ask for.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The port that stands for 8443: a client certificate, and no matter what ALPN.
    pub fn addr_mutual_tls(&self) -> SocketAddr {
        self.mutual_tls.address()
    }

    /// The port that stands for 443: a client certificate counts only with the ALPN `x-amzn-http-ca`, and without that
    /// ALPN requests are signed with an access key or go by a custom authorizer.
    pub fn addr_alpn(&self) -> SocketAddr {
        self.alpn.address()
    }

    /// Every message of both ports.
    pub fn ledger(&self) -> Ledger {
        self.cloud.ledger.clone()
    }

    /// What is to go wrong next, on whichever port.
    pub fn faults(&self) -> Faults {
        self.cloud.faults.clone()
    }

    /// Makes a certificate known and active, whoever signed it. It may publish everywhere.
    pub fn register(&self, device: &DeviceCertificate) {
        self.cloud.registry().register(device);
    }

    /// Makes a certificate inactive: from its next request on, its connections are closed without an answer.
    pub fn deactivate(&self, fingerprint: &str) {
        self.cloud.registry().deactivate(fingerprint);
    }

    /// Makes an access key known, or gives it another secret and another session token. It may publish everywhere.
    pub fn add_access_key(&self, key: AccessKey) {
        self.cloud.registry().add_access_key(key);
    }

    /// Adds a custom authorizer, or replaces the one of that name. Whoever it admits may publish everywhere.
    pub fn add_authorizer(&self, authorizer: Authorizer) {
        self.cloud.registry().add_authorizer(authorizer);
    }

    /// Denies everybody to publish to topics that begin like this.
    pub fn deny_topic_prefix(&self, prefix: &str) {
        self.cloud.registry().policy.deny(prefix);
    }

    /// Lets somebody who is known publish only to topics that begin like this: the holder of the certificate with this
    /// fingerprint, of the access key with this id, or whoever the custom authorizer of this name admits. More calls
    /// allow more prefixes.
    pub fn allow_only_topic_prefix(&self, principal: &str, prefix: &str) {
        self.cloud.registry().policy.allow_only(principal, prefix);
    }

    /// Refuses the next `count` good messages with 429, on top of those that are still to be refused.
    pub fn throttle_next(&self, count: usize) {
        self.cloud.throttled.fetch_add(count, Ordering::SeqCst);
    }

    /// The messages that topics retain, by the order of their topics: what a subscriber would get first.
    pub fn retained(&self) -> Vec<Retained> {
        self.cloud.retained().all()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> AwsConnections {
        AwsConnections { mutual_tls: self.mutual_tls.connections(), alpn: self.alpn.connections() }
    }

    /// Sets the emulator's clock to true time plus this many milliseconds. It decides about the
    /// time stamps of signatures, and shows in the `date` header.
    pub fn shift_clock_ms(&self, offset_ms: i64) {
        self.cloud.clock.set_offset_ms(offset_ms);
    }
}

impl fmt::Debug for AwsEmulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsEmulator")
            .field("server_name", &self.server_name)
            .field("addr_mutual_tls", &self.addr_mutual_tls())
            .field("addr_alpn", &self.addr_alpn())
            .finish_non_exhaustive()
    }
}

impl Cloud {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().expect("nothing panics while it holds the registry")
    }

    fn retained(&self) -> MutexGuard<'_, Store> {
        self.retained.lock().expect("nothing panics while it holds the retained messages")
    }

    /// Whether this message is one of those to be throttled.
    fn throttles(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.throttled.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;
    use tokio::time::timeout;
    use tokio_rustls::TlsConnector;

    use super::*;

    const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

    #[tokio::test]
    async fn a_client_that_says_nothing_is_closed_on_before_and_after_the_handshake() {
        let authority = Authority::new();
        let idle = Duration::from_millis(100);
        let deadlines = Deadlines { idle, ..Deadlines::default() };
        let emulator = AwsEmulator::start_with(AwsOptions::new(&authority, NAME), deadlines).await.unwrap();
        let patience = Duration::from_secs(10);
        let mut byte = [0];

        let mut tcp = TcpStream::connect(emulator.addr_alpn()).await.unwrap();
        assert_eq!(timeout(patience, tcp.read(&mut byte)).await.unwrap().unwrap(), 0);

        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.ca_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(emulator.addr_alpn()).await.unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let mut tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        assert_eq!(timeout(patience, tls.read(&mut byte)).await.unwrap().unwrap(), 0);
    }
}
