//! What a client is made of: the device that it publishes as, and the way to its platform.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thingpost::aws::Authentication;
use thingpost::{ConfigError, Endpoint, Options, Platform, Secret, aliyun, aws, generic};
use thingpost_host::{ConnectTo, Identity, Pool, Proxy, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};

use crate::clock::now;
use crate::error::OpenError;
use crate::https::{Client, Credentials, Device};
use crate::mqtt::{MqttBuilder, MqttClient};

/// Of MQTT over TLS.
const MQTT_PORT: u16 = 8883;

/// A client that is being put together: [`Client::aws`], [`Client::aliyun`].
#[must_use = "there is no client before `open`"]
pub struct Builder<P> {
    platform: P,
    port: Option<u16>,
    network: Network,
    options: Options,
    credential: Option<String>,
}

/// A device on AWS IoT Core.
pub struct Aws {
    endpoint: String,
    identity: Option<DeviceIdentity>,
    authentication: Authentication,
}

/// A device on Aliyun IoT Platform.
pub struct Aliyun {
    endpoint: String,
    product_key: String,
    device_name: String,
    secret: Secret,
    client_id: Option<String>,
    sign_method: aliyun::SignMethod,
    timestamp: aliyun::TimestampPolicy,
}

/// A device on a broker that belongs to no cloud.
pub struct Generic {
    endpoint: String,
    identity: Option<DeviceIdentity>,
    user_name: Option<Secret>,
    password: Option<Secret>,
}

enum DeviceIdentity {
    Files(PathBuf, PathBuf),
    Loaded(Identity),
}

/// The way to the platform.
#[derive(Default)]
pub(crate) struct Network {
    roots: Option<Roots>,
    connect_to: Option<String>,
    proxy: Option<Proxy>,
    pool: Option<Pool>,
}

enum Roots {
    File(PathBuf),
    Loaded(TrustRoots),
}

impl<P> Builder<P> {
    fn new(platform: P) -> Self {
        Self { platform, port: None, network: Network::default(), options: Options::default(), credential: None }
    }

    /// The port. By default 8443 over HTTPS with a certificate on AWS, 443 over all other HTTPS, and 8883 over MQTT. On 443 a
    /// certificate works on AWS too: its ALPN is taken care of.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Trusts the authorities in this PEM file, and no others. By default those that this machine trusts.
    pub fn ca(mut self, file: impl AsRef<Path>) -> Self {
        self.network.roots = Some(Roots::File(file.as_ref().to_owned()));
        self
    }

    /// Trusts these authorities, and no others.
    pub fn roots(mut self, roots: TrustRoots) -> Self {
        self.network.roots = Some(Roots::Loaded(roots));
        self
    }

    /// Connects to this `ADDRESS:PORT` in place of the endpoint, whose name stays what is checked: for tunnels, and for emulators.
    pub fn connect_to(mut self, address: impl Into<String>) -> Self {
        self.network.connect_to = Some(address.into());
        self
    }

    /// Goes through this proxy. By default none: the variables of the environment are the program's to read.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.network.proxy = Some(proxy);
        self
    }

    /// Shares the connections of this pool with other clients. Those of another identity are never shared.
    pub fn pool(mut self, pool: &Pool) -> Self {
        self.network.pool = Some(pool.clone());
        self
    }

    /// How long one message may take over HTTPS, [`Options::timeout_ms`]. Default 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        self
    }

    /// All bounds and the pace of publishing over HTTPS.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Begins with what [`Client::credential`] gave in an earlier run. One that is of another device, or cannot be read, is an
    /// error of [`open`](Self::open).
    pub fn credential(mut self, saved: impl Into<String>) -> Self {
        self.credential = Some(saved.into());
        self
    }

    /// A session over MQTT has options and bounds of its own, and what is passed over would be missed when it matters.
    fn refuse_what_is_of_https(&self) -> Result<(), OpenError> {
        if self.options != Options::default() {
            return Err(OpenError::OfHttps("timeout and options"));
        }
        match self.credential {
            Some(_) => Err(OpenError::OfHttps("a saved credential")),
            None => Ok(()),
        }
    }

    fn device(
        self,
        platform: Arc<dyn Platform>,
        signs: Option<Arc<dyn Platform>>,
        routes: Vec<Route>,
        to: (&str, u16),
    ) -> Result<Client, OpenError> {
        self.options.check()?;
        let credential = self.credential.map(|saved| platform.import_credential(&saved)).transpose()?;
        let device = Device {
            transport: self.network.transport(routes, to)?,
            platform,
            signs,
            options: self.options,
            credentials: Credentials::starting_with(credential),
        };
        Ok(Client::new(device))
    }
}

impl Network {
    fn roots(&self) -> Result<TrustRoots, OpenError> {
        Ok(match &self.roots {
            None => TrustRoots::system_or_webpki()?,
            Some(Roots::File(file)) => TrustRoots::from_pem_file(file)?,
            Some(Roots::Loaded(roots)) => roots.clone(),
        })
    }

    fn transport_to_broker(self, to: &Endpoint, identity: Option<Identity>) -> Result<Transport, OpenError> {
        let route = Route::new(to.host(), self.roots()?).mqtt().port(to.port());
        let route = match identity {
            Some(identity) => route.identity(identity),
            None => route,
        };
        self.transport(vec![route], (to.host(), to.port()))
    }

    fn transport(self, routes: Vec<Route>, (host, port): (&str, u16)) -> Result<Transport, OpenError> {
        let mut workload = WorkloadConfig::new("client", RouteTable::new(routes)?).proxy(self.proxy);
        if let Some(address) = self.connect_to {
            let overridden = format!("{host}:{port}:{address}").parse::<ConnectTo>();
            workload = workload.connect_to([overridden.map_err(|_| OpenError::ConnectTo(address))?]);
        }
        Ok(Transport::new(self.pool.unwrap_or_default(), workload))
    }
}

impl DeviceIdentity {
    fn files(certificate: &Path, key: &Path) -> Self {
        Self::Files(certificate.to_owned(), key.to_owned())
    }

    fn load(self) -> Result<Identity, OpenError> {
        Ok(match self {
            Self::Files(certificate, key) => Identity::from_pem_files(&certificate, &key)?,
            Self::Loaded(identity) => identity,
        })
    }
}

impl Client {
    /// A device on AWS IoT Core, by the endpoint of its account: `a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com`.
    pub fn aws(endpoint: impl Into<String>) -> Builder<Aws> {
        Builder::new(Aws { endpoint: endpoint.into(), identity: None, authentication: Authentication::Certificate })
    }

    /// A device on Aliyun IoT Platform, by its endpoint and the three values of its console.
    pub fn aliyun(
        endpoint: impl Into<String>,
        product_key: impl Into<String>,
        device_name: impl Into<String>,
        device_secret: impl Into<String>,
    ) -> Builder<Aliyun> {
        Builder::new(Aliyun {
            endpoint: endpoint.into(),
            product_key: product_key.into(),
            device_name: device_name.into(),
            secret: Secret::new(device_secret),
            client_id: None,
            sign_method: aliyun::SignMethod::HmacSha1,
            timestamp: aliyun::TimestampPolicy::Corrected,
        })
    }
}

impl MqttClient {
    /// A device on a broker that belongs to no cloud: mosquitto, EMQX, HiveMQ and others, over TLS.
    pub fn generic(endpoint: impl Into<String>) -> Builder<Generic> {
        let endpoint = endpoint.into();
        Builder::new(Generic { endpoint, identity: None, user_name: None, password: None })
    }
}

impl Builder<Generic> {
    /// Shows the certificate in this PEM file, with the key in that one.
    pub fn certificate(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.platform.identity = Some(DeviceIdentity::files(certificate.as_ref(), key.as_ref()));
        self
    }

    /// Shows this certificate.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.platform.identity = Some(DeviceIdentity::Loaded(identity));
        self
    }

    /// Says this name and this password.
    pub fn password(mut self, user_name: impl Into<String>, password: impl Into<String>) -> Self {
        self.platform.user_name = Some(Secret::new(user_name));
        self.platform.password = Some(Secret::new(password));
        self
    }

    /// A session under this client id, which no other client of the broker may have.
    ///
    /// # Errors
    ///
    /// Something that was given cannot be used; the [`OpenError`] names it.
    pub fn mqtt(self, client_id: impl Into<String>) -> Result<MqttBuilder, OpenError> {
        self.refuse_what_is_of_https()?;
        let Generic { endpoint, identity, user_name, password } = self.platform;
        let endpoint = Endpoint::new(&endpoint, self.port.unwrap_or(MQTT_PORT))?;
        let identity = identity.map(DeviceIdentity::load).transpose()?;
        let transport = self.network.transport_to_broker(&endpoint, identity)?;
        let broker = generic::BrokerConfig::new(endpoint, client_id.into(), user_name, password)?;
        Ok(MqttBuilder::new(Arc::new(broker), transport))
    }
}

impl Builder<Aws> {
    /// Shows the certificate in this PEM file, with the key in that one.
    pub fn certificate(mut self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.platform.identity = Some(DeviceIdentity::files(certificate.as_ref(), key.as_ref()));
        self
    }

    /// Shows this certificate: from memory, or with a key that never leaves its token.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.platform.identity = Some(DeviceIdentity::Loaded(identity));
        self
    }

    /// Shows in another way who the device is: signatures, an authorizer, temporary keys for its certificate.
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.platform.authentication = authentication;
        self
    }

    /// The client. It connects with its first message.
    ///
    /// # Errors
    ///
    /// Something that was given cannot be used; the [`OpenError`] names it.
    pub fn open(mut self) -> Result<Client, OpenError> {
        let Aws { endpoint, identity, authentication } = &mut self.platform;
        let identity = identity.take().map(DeviceIdentity::load).transpose()?;
        let is_certificate = matches!(authentication, Authentication::Certificate);
        let port = self.port.unwrap_or(if is_certificate { 8443 } else { 443 });
        let (endpoint, roots) = (std::mem::take(endpoint), self.network.roots()?);
        let config = aws::Config::new(Endpoint::new(&endpoint, port)?, authentication.clone())?;
        let mut routes = Vec::new();
        let data = Route::new(config.endpoint().host(), roots.clone()).port(port);
        match (identity, config.credentials_provider()) {
            // The certificate is for those who give out keys, and the keys are for the rest.
            (Some(identity), Some(provider)) => {
                let to = provider.endpoint.clone();
                routes.extend([Route::new(to.host(), roots).port(to.port()).identity(identity), data]);
            }
            (Some(identity), None) => routes.push(data.identity(identity)),
            (None, _) => routes.push(data),
        }
        let host = config.endpoint().host().to_owned();
        self.device(Arc::new(config), None, routes, (&host, port))
    }
}

impl Builder<Aws> {
    /// A session over MQTT under this client id, in place of publishing over HTTPS: with the certificate, on port 8883 unless
    /// another was given. No other client of the account may have the client id.
    ///
    /// # Errors
    ///
    /// Something that was given cannot be used, or is for HTTPS alone; the [`OpenError`] names it.
    pub fn mqtt(self, client_id: impl Into<String>) -> Result<MqttBuilder, OpenError> {
        self.refuse_what_is_of_https()?;
        let Aws { endpoint, identity, authentication } = self.platform;
        if !matches!(authentication, Authentication::Certificate) {
            return Err(ConfigError::Unsupported("way to authenticate over MQTT that is not a certificate").into());
        }
        let endpoint = Endpoint::new(&endpoint, self.port.unwrap_or(MQTT_PORT))?;
        let identity = identity.map(DeviceIdentity::load).transpose()?;
        let transport = self.network.transport_to_broker(&endpoint, identity)?;
        let certificate = aws::mqtt::AuthMethod::Certificate;
        let broker = aws::mqtt::BrokerConfig::new(endpoint, client_id.into(), certificate)?;
        Ok(MqttBuilder::new(Arc::new(broker), transport))
    }
}

impl Builder<Aliyun> {
    /// The client id. By default product key and device name with a dot between them.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.platform.client_id = Some(client_id.into());
        self
    }

    /// How the device signs. By default HMAC with SHA-1.
    pub fn sign_method(mut self, method: aliyun::SignMethod) -> Self {
        self.platform.sign_method = method;
        self
    }

    /// Whether what is signed has a time in it. By default it has, and a wrong clock is corrected by that of the platform.
    pub fn timestamp(mut self, policy: aliyun::TimestampPolicy) -> Self {
        self.platform.timestamp = policy;
        self
    }

    /// The client. It connects with its first message.
    ///
    /// # Errors
    ///
    /// Something that was given cannot be used; the [`OpenError`] names it.
    pub fn open(self) -> Result<Client, OpenError> {
        let Aliyun { endpoint, product_key, device_name, secret, client_id, sign_method, timestamp } = &self.platform;
        let port = self.port.unwrap_or(443);
        let endpoint = Endpoint::new(endpoint, port)?;
        let (host, roots) = (endpoint.host().to_owned(), self.network.roots()?);
        let device = aliyun::Device::new(endpoint, product_key, device_name, client_id.as_deref())?;
        let config = |signer| aliyun::Config::new(device.clone(), signer, *sign_method, *timestamp).map(Arc::new);
        let signs = config(aliyun::Signer::Secret(secret.clone()))?;
        let platform = config(aliyun::Signer::External)?;
        self.device(platform, Some(signs), vec![Route::new(&host, roots).port(port)], (&host, port))
    }

    /// A session over MQTT in place of publishing over HTTPS: on port 8883 of the broker of the instance unless another was given.
    ///
    /// # Errors
    ///
    /// Something that was given cannot be used; the [`OpenError`] names it.
    pub fn mqtt(self) -> Result<MqttBuilder, OpenError> {
        self.refuse_what_is_of_https()?;
        let Aliyun { endpoint, product_key, device_name, secret, client_id, sign_method, timestamp } = self.platform;
        let endpoint = Endpoint::new(&endpoint, self.port.unwrap_or(MQTT_PORT))?;
        let transport = self.network.transport_to_broker(&endpoint, None)?;
        let device = aliyun::Device::new(endpoint, &product_key, &device_name, client_id.as_deref())?;
        let signature = aliyun::mqtt::AuthMethod::Signature {
            signer: aliyun::Signer::Secret(secret),
            sign_method,
            // The platform does not compare it with its clock, so a wrong one does no harm.
            timestamp_ms: (timestamp != aliyun::TimestampPolicy::None).then(|| now().unix_ms),
        };
        Ok(MqttBuilder::new(Arc::new(aliyun::mqtt::BrokerConfig::new(device, signature)?), transport))
    }
}
