//! A test wants to say what the account is like, let a client at it, and ask what became of it. The handle that it does
//! all this with stands here; every method is a line or two, and what they mean is elsewhere.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::access::{ALPN_HTTP_CA, Configurations, DataPlane};
use super::access_key::AccessKey;
use super::authorizer::Authorizer;
use super::cloud::Cloud;
use super::connection::{ConnectedClient, Disconnection};
use super::direct::DirectMessage;
use super::options::AwsOptions;
use super::policy::AwsAction;
use super::provider::{self, Provider};
use super::region;
use super::retained::Retained;
use crate::chaos::Chaos;
use crate::fault::Faults;
use crate::ledger::Ledger;
use crate::pki::DeviceCertificate;
use crate::platform::Listener;
use crate::serve::{Connections, Deadlines, Port};
use crate::tls::ClientCertificates;

/// AWS IoT Core on three ports of this machine: the data plane on two, and the credentials provider. Dropping it closes
/// them and aborts their connections.
pub struct AwsEmulator {
    cloud: Arc<Cloud>,
    server_name: String,
    credentials_server_name: String,
    mutual_tls: Port,
    alpn: Port,
    credentials: Port,
}

/// How many connections the ports have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AwsConnections {
    /// Of the port that stands for 8443.
    pub mutual_tls: Connections,
    /// Of the port that stands for 443.
    pub alpn: Connections,
    /// Of the port of the credentials provider.
    pub credentials: Connections,
}

impl AwsEmulator {
    /// Binds the ports and starts to accept. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound, or no certificate can hold the server name.
    pub async fn start(options: AwsOptions) -> io::Result<Self> {
        Self::start_with(options, Deadlines::default()).await
    }

    async fn start_with(options: AwsOptions, deadlines: Deadlines) -> io::Result<Self> {
        let AwsOptions { authority, server_name, region, ip } = options;
        let credentials_server_name = provider::server_name(&server_name);
        let identity = |name: &String| authority.issue_server(std::slice::from_ref(name)).map_err(io::Error::other);
        let data_plane = identity(&server_name)?;
        let config = |clients, alpn: &[&[u8]]| data_plane.server_config(clients, alpn).map_err(io::Error::other);
        let configurations = Configurations {
            mutual_tls: config(ClientCertificates::AnyOrNone, &[])?,
            http_ca: config(ClientCertificates::AnyOrNone, &[ALPN_HTTP_CA])?,
            no_certificate: config(ClientCertificates::NotAsked, &[])?,
        };
        // A certificate of its own: one with both names would be good for a client that mixes them up.
        let provider = identity(&credentials_server_name)?.server_config(ClientCertificates::AnyOrNone, &[]);
        let provider = provider.map_err(io::Error::other)?;

        let cloud = Arc::new(Cloud::new(region.or_else(|| region::of(&server_name))));
        let open = |listener| {
            let access = DataPlane::new(listener, server_name.clone(), configurations.clone(), Arc::clone(&cloud));
            Port::open(ip, Arc::new(access), deadlines)
        };
        let mutual_tls = open(Listener::AwsMutualTls).await?;
        let alpn = open(Listener::AwsAlpn).await?;
        let provider = Provider::new(credentials_server_name.clone(), provider, Arc::clone(&cloud));
        let credentials = Port::open(ip, Arc::new(provider), deadlines).await?;
        Ok(Self { cloud, server_name, credentials_server_name, mutual_tls, alpn, credentials })
    }

    /// The name that clients of the data plane have to ask for.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The name that clients of the credentials provider have to ask for: for
    /// `a1b2c3-ats.iot.eu-central-1.amazonaws.com` that is `a1b2c3.credentials.iot.eu-central-1.amazonaws.com`, and
    /// `credentials.` in front of a name that is not of AWS's form.
    pub fn credentials_server_name(&self) -> &str {
        &self.credentials_server_name
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

    /// The port of the credentials provider, which stands for 443 of another endpoint: `GET
    /// /role-aliases/{alias}/credentials` with a client certificate, whatever the ALPN.
    pub fn addr_credentials(&self) -> SocketAddr {
        self.credentials.address()
    }

    /// Every message that was published, by either port of the data plane.
    pub fn ledger(&self) -> Ledger {
        self.cloud.ledger.clone()
    }

    /// What is to go wrong next, on whichever port.
    pub fn faults(&self) -> Faults {
        self.cloud.faults.clone()
    }

    /// Begins a bad day on all ports, in the place of one that there was.
    pub fn chaos(&self, plan: Chaos) {
        self.cloud.conditions.set(plan);
    }

    /// Ends the bad day.
    pub fn calm(&self) {
        self.cloud.conditions.calm();
    }

    /// Makes a certificate known and active, whichever authority signed it. It may do everything.
    pub fn register(&self, device: &DeviceCertificate) {
        self.cloud.registry().register(device);
    }

    /// Makes a certificate inactive: from its next request on, its connections are closed without an answer.
    pub fn deactivate(&self, fingerprint: &str) {
        self.cloud.registry().deactivate(fingerprint);
    }

    /// Lets certificates that are not registered register themselves, as just-in-time registration does: the connection
    /// of the first request is closed without an answer, and from then on the certificate is known and active. Whoever
    /// signed it: the emulator knows no authority for devices. Off at first.
    pub fn register_on_first_contact(&self, on: bool) {
        self.cloud.registry().registers_on_first_contact = on;
    }

    /// Says which thing a certificate belongs to. From then on the credentials provider refuses it another name in
    /// `x-amzn-iot-thingname`; without this it takes any.
    pub fn attach_thing(&self, fingerprint: &str, thing: &str) {
        self.cloud.registry().attach_thing(fingerprint, thing);
    }

    /// Makes an access key known, or gives it another secret and another session token. It may do everything.
    pub fn add_access_key(&self, key: AccessKey) {
        self.cloud.registry().add_access_key(key);
    }

    /// Adds a role alias, or gives it another lifetime for keys that are issued from now on, in whole seconds. AWS's
    /// own are between 15 minutes and 12 hours.
    pub fn add_role_alias(&self, name: &str, lifetime: Duration) {
        self.cloud.registry().add_role_alias(name, lifetime);
    }

    /// How many keys the credentials provider has issued, whether or not its answer arrived.
    pub fn credentials_issued(&self) -> usize {
        self.cloud.registry().roles.count()
    }

    /// Makes all keys invalid that the credentials provider has issued so far.
    pub fn revoke_issued_keys(&self) {
        self.cloud.registry().roles.revoke_all();
    }

    /// Adds a custom authorizer, or replaces the one of that name. A client that it admits may publish everywhere, and
    /// send messages to all clients.
    pub fn add_authorizer(&self, authorizer: Authorizer) {
        self.cloud.registry().add_authorizer(authorizer);
    }

    /// Denies everybody to publish to topics that begin like this.
    pub fn deny_topic_prefix(&self, prefix: &str) {
        self.cloud.registry().policy.deny_prefix(prefix);
    }

    /// Denies a known caller an action: the holder of the certificate with this fingerprint, of the access key
    /// with this id, of any key that was issued for the role alias of this name, or a client of the custom authorizer
    /// of this name admits. Until they are registered or added again.
    pub fn deny_action(&self, principal: &str, action: AwsAction) {
        self.cloud.registry().policy.deny_action(principal, action);
    }

    /// Denies a known caller to publish messages that are to be retained.
    pub fn deny_retain(&self, principal: &str) {
        self.deny_action(principal, AwsAction::RetainPublish);
    }

    /// Lets a known caller publish only to topics that begin like this; who it is, is said as in
    /// [`AwsEmulator::deny_action`]. More calls allow more prefixes.
    pub fn allow_only_topic_prefix(&self, principal: &str, prefix: &str) {
        self.cloud.registry().policy.allow_only(principal, prefix);
    }

    /// Refuses the next `count` good requests to the data plane with 429, on top of those that are still to be refused.
    /// A request is good when its sender may send it; what it would have met, such as a shadow of another version, is
    /// not looked at.
    pub fn throttle_next(&self, count: usize) {
        self.cloud.throttled.fetch_add(count, Ordering::SeqCst);
    }

    /// The messages that topics retain, by the order of their topics: what a subscriber would get first.
    pub fn retained(&self) -> Vec<Retained> {
        self.cloud.retained().all()
    }

    /// Puts an MQTT client on line that messages can be sent to, in the place of one that has its id.
    pub fn add_client(&self, client: ConnectedClient) {
        self.cloud.clients().add(client, self.cloud.clock.now_ms());
    }

    /// Takes a client off line as if its network had failed. Its session stays as long as it asked for.
    pub fn lose_client(&self, client_id: &str) {
        self.cloud.clients().lose(client_id, self.cloud.clock.now_ms());
    }

    /// Every message that was delivered to a client, confirmed or not, in their order. They are not in the ledger.
    pub fn direct_messages(&self) -> Vec<DirectMessage> {
        self.cloud.direct_messages().clone()
    }

    /// Every client that was disconnected by a request, in their order.
    pub fn disconnections(&self) -> Vec<Disconnection> {
        self.cloud.clients().disconnections.clone()
    }

    /// Lets the data plane's ports answer as AWS's control plane does to requests of the data plane, for clients that
    /// were given `iot.<region>.amazonaws.com` for an endpoint: signatures are for the wrong service, and everybody
    /// else misses a token.
    pub fn pose_as_control_plane(&self, on: bool) {
        self.cloud.is_control_plane.store(on, Ordering::SeqCst);
    }

    /// How many connections there have been.
    pub fn connections(&self) -> AwsConnections {
        AwsConnections {
            mutual_tls: self.mutual_tls.connections(),
            alpn: self.alpn.connections(),
            credentials: self.credentials.connections(),
        }
    }

    /// Sets the emulator's clock to true time plus this many milliseconds. It decides about the time stamps of
    /// signatures and the end of issued keys and sessions, and shows in the `date` header and in every other time of an
    /// answer.
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
            .field("credentials_server_name", &self.credentials_server_name)
            .field("addr_credentials", &self.addr_credentials())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    use thingpost_patience::{Clock, within};
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::pki::Authority;

    const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

    async fn as_time_goes_by<T>(clock: &Clock, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        within(async {
            loop {
                tokio::select! {
                    biased;
                    done = &mut work => return done,
                    () = clock.pass(Duration::from_millis(100)) => {}
                }
            }
        })
        .await
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_is_closed_on_before_and_after_the_handshake() {
        // Handshakes have that time, too.
        let clock = Clock::stop();
        let authority = Authority::new();
        let idle = Duration::from_millis(100);
        let deadlines = Deadlines { idle, ..Deadlines::default() };
        let emulator = AwsEmulator::start_with(AwsOptions::new(&authority, NAME), deadlines).await.unwrap();
        let mut byte = [0];

        let mut tcp = TcpStream::connect(emulator.addr_alpn()).await.unwrap();
        assert_eq!(as_time_goes_by(&clock, tcp.read(&mut byte)).await.unwrap(), 0);

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
        assert_eq!(as_time_goes_by(&clock, tls.read(&mut byte)).await.unwrap(), 0);
    }
}
