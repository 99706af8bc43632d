//! `thingpost demo`: the whole way once, without an account, a network or a file. MQTT needs a broker; where there is none, it is
//! left out.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use thingpost_host::runtime::types::mqtt::{
    AwsBroker, Broker, Event, MqttAuthentication, MqttConfig, SessionConfig, SessionOptions,
};
use thingpost_host::runtime::types::{
    AliyunConfig, AwsAuthentication, AwsConfig, Error, Message, Platform, Qos, Receipt, SignMethod, Signer,
    TimestampPolicy,
};
use thingpost_host::runtime::{DeviceSecrets, PublisherPre};
use thingpost_host::{AWS_HTTPS_WITH_CERTIFICATE, AWS_MQTT_WITH_CERTIFICATE, Alpn, Identity, Route, TrustRoots};

use super::clouds::{
    ALIYUN_ENDPOINT, ALIYUN_TOPIC, AWS_ENDPOINT, AWS_TOPIC, Clouds, DEVICE_NAME, DEVICE_SECRET, MqttClouds,
    PRODUCT_KEY, arrived, arrived_by_mqtt,
};
use crate::component::mqtt::{MqttSessionFactory, trapped};
use crate::component::publisher::{PublisherFactory, load};
use crate::device::{Device, Network};
use crate::error::{CliError, one_line};
use crate::exit::Exit;
use crate::output::report;
use crate::terminal::print;

const TIMEOUT_MS: u32 = 10_000;

/// Publishes in three ways that work and one that does not, and over MQTT if there is a broker, and shows what arrived.
pub async fn run() -> Result<Exit, CliError> {
    let clouds = Clouds::start(Ipv4Addr::LOCALHOST.into()).await?;
    let mqtt = MqttClouds::start(&clouds).await?;
    let component = load()?;
    print("The emulators listen on loopback, over TLS. The component holds no key: the host connects for it.\n");

    let (mutual_tls, alpn) = (clouds.aws.addr_mutual_tls(), clouds.aws.addr_alpn());
    let http_ca = || Alpn::Offer(vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()]);
    let none = || Alpn::Offer(Vec::new());
    let demo = Demo { component, clouds: &clouds };
    let mut delivered = vec![
        demo.aws("AWS, port 8443, client certificate", 8443, none(), mutual_tls).await?,
        demo.aws("AWS, port 443, client certificate and ALPN x-amzn-http-ca", 443, http_ca(), alpn).await?,
        demo.aliyun("Aliyun, HMAC signature, then a token").await?,
    ];
    match &mqtt {
        Some(mqtt) => delivered.push(demo.mqtt("AWS, MQTT on port 443, ALPN x-amzn-mqtt-ca", mqtt).await?),
        None => print(format_args!("{}\n", MqttClouds::left_out())),
    }
    let refused = demo.aws("AWS, port 443 without the ALPN, as stock hosts connect", 443, none(), alpn).await?;

    print("What arrived:");
    let mut accepted = 0;
    for entry in [clouds.aws.ledger(), clouds.aliyun.ledger()].iter().flat_map(|ledger| ledger.entries()) {
        print(format_args!("  {}", arrived(&entry)));
        accepted += usize::from(entry.disposition.is_accepted());
    }
    for entry in mqtt.iter().flat_map(|mqtt| mqtt.aws.ledger().entries()) {
        if let Some(line) = arrived_by_mqtt("AWS", &entry) {
            print(format_args!("  {line}"));
        }
    }
    accepted += mqtt.iter().map(|mqtt| mqtt.aws.ledger().acknowledged().len()).sum::<usize>();
    let as_expected = delivered.iter().all(Result::is_ok) && refused.is_err() && accepted == delivered.len();
    match as_expected {
        true => Ok(Exit::Delivered),
        false => Err(CliError::sentence("not what was expected; please report this")),
    }
}

struct Demo<'a> {
    component: PublisherPre,
    clouds: &'a Clouds,
}

impl Demo<'_> {
    async fn aws(
        &self,
        title: &str,
        port: u16,
        alpn: Alpn,
        address: SocketAddr,
    ) -> Result<Result<Receipt, Error>, CliError> {
        let route = self.route(AWS_ENDPOINT)?.port(port).identity(self.identity()?).alpn(alpn);
        let platform = Platform::Aws(AwsConfig {
            endpoint: AWS_ENDPOINT.to_owned(),
            port,
            authentication: AwsAuthentication::Certificate,
        });
        let connect_to = Clouds::connect_to(AWS_ENDPOINT, port, address);
        let device = Device {
            platform,
            routes: vec![route],
            secrets: Arc::default(),
            network: past_proxies(&connect_to)?,
            files: Vec::new(),
            renewal: None,
            warnings: Vec::new(),
        };
        self.publish(title, device, AWS_TOPIC).await
    }

    fn identity(&self) -> Result<Identity, CliError> {
        let certificate = &self.clouds.certificate;
        Identity::from_pem(certificate.certificate_pem.as_bytes(), certificate.private_key_pem.as_bytes())
            .map_err(CliError::sentence)
    }

    async fn mqtt(&self, title: &str, clouds: &MqttClouds) -> Result<Result<Receipt, Error>, CliError> {
        let alpn = Alpn::Offer(vec![AWS_MQTT_WITH_CERTIFICATE.to_vec()]);
        let route = self.route(AWS_ENDPOINT)?.port(443).identity(self.identity()?).mqtt_alpn(alpn);
        let broker = Broker::Aws(AwsBroker {
            endpoint: AWS_ENDPOINT.to_owned(),
            port: 443,
            client_id: DEVICE_NAME.to_owned(),
            authentication: MqttAuthentication::Certificate,
        });
        let platform = MqttConfig { broker, session: SessionConfig::default() };
        let connect_to = Clouds::connect_to(AWS_ENDPOINT, 443, clouds.aws.addr_alpn());
        let device = Device {
            platform,
            routes: vec![route],
            secrets: Arc::default(),
            network: past_proxies(&connect_to)?,
            files: Vec::new(),
            renewal: None,
            warnings: Vec::new(),
        };
        let factory = MqttSessionFactory::new(device, TIMEOUT_MS, SessionOptions::default())?;
        let message = message(AWS_TOPIC);
        let outcome = over_mqtt(&factory, &message).await?;
        let text = one_line(&report::text(&message, &outcome, &factory.last_failure));
        print(format_args!("{title}\n  {text}\n"));
        Ok(outcome)
    }

    async fn aliyun(&self, title: &str) -> Result<Result<Receipt, Error>, CliError> {
        let platform = Platform::Aliyun(AliyunConfig {
            endpoint: ALIYUN_ENDPOINT.to_owned(),
            port: 443,
            product_key: PRODUCT_KEY.to_owned(),
            device_name: DEVICE_NAME.to_owned(),
            signer: Signer::Host,
            client_id: None,
            sign_method: SignMethod::HmacSha256,
            timestamp: TimestampPolicy::None,
        });
        let connect_to = Clouds::connect_to(ALIYUN_ENDPOINT, 443, self.clouds.aliyun.addr());
        let secrets = DeviceSecrets::new().with(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET).into();
        let device = Device {
            platform,
            routes: vec![self.route(ALIYUN_ENDPOINT)?],
            secrets,
            network: past_proxies(&connect_to)?,
            files: Vec::new(),
            renewal: None,
            warnings: Vec::new(),
        };
        self.publish(title, device, ALIYUN_TOPIC).await
    }

    fn route(&self, host: &str) -> Result<Route, CliError> {
        let roots = TrustRoots::from_pem(self.clouds.authority.ca_pem().as_bytes()).map_err(CliError::sentence)?;
        Ok(Route::new(host, roots))
    }

    async fn publish(&self, title: &str, device: Device, topic: &str) -> Result<Result<Receipt, Error>, CliError> {
        let message = message(topic);
        let mut factory = PublisherFactory::new(self.component.clone(), device, TIMEOUT_MS)?;
        let outcome = factory.open().await?.publish(&message).await;
        let outcome = outcome.map_err(trapped)?;
        let text = one_line(&report::text(&message, &outcome, &factory.last_failure));
        print(format_args!("{title}\n  {text}\n"));
        Ok(outcome)
    }
}

/// The way to a server on this machine.
fn past_proxies(connect_to: &str) -> Result<Network, CliError> {
    Ok(Network::without_proxy(connect_to.parse().map_err(CliError::sentence)?))
}

fn message(topic: &str) -> Message {
    Message::new(topic, *br#"{"celsius":21.5}"#, Qos::AtLeastOnce)
}

/// Connects, publishes, waits for the outcome, and says goodbye.
async fn over_mqtt(factory: &MqttSessionFactory, message: &Message) -> Result<Result<Receipt, Error>, CliError> {
    let mut session = factory.open().await?;
    if let Err(error) = session.connect().await.map_err(trapped)? {
        return Ok(Err(error));
    }
    if let Err(error) = session.publish(message).await.map_err(trapped)? {
        return Ok(Err(error));
    }
    let deadline = Instant::now() + Duration::from_millis(TIMEOUT_MS.into());
    while Instant::now() < deadline {
        for event in session.receive(Duration::from_millis(TIMEOUT_MS.into())).await.map_err(trapped)? {
            let outcome = match event {
                Event::Published(published) => Ok(published.receipt),
                Event::NotPublished(refused) => Err(refused.error),
                _ => continue,
            };
            session.disconnect().await.map_err(trapped)?;
            return Ok(outcome);
        }
    }
    Err(CliError::sentence("the broker has not answered; please report this"))
}
