//! `thingpost demo`: the whole way once, without an account, a network or a file.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use thingpost_host::runtime::types::{
    AliyunConfig, AwsAuthentication, AwsConfig, Error, Message, Platform, Qos, Receipt, SignMethod, Signer,
    TimestampPolicy,
};
use thingpost_host::runtime::{DeviceSecrets, PublisherPre};
use thingpost_host::{AWS_HTTPS_WITH_CERTIFICATE, Alpn, Identity, Route, TrustRoots};

use super::clouds::{
    ALIYUN_ENDPOINT, ALIYUN_TOPIC, AWS_ENDPOINT, AWS_TOPIC, Clouds, DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY, arrived,
};
use super::device::Device;
use super::problem::{Problem, one_line};
use super::starter::{Starter, load};
use super::terminal::print;
use super::{Exit, report};

const TIMEOUT_MS: u32 = 10_000;

/// Publishes in three ways that work and one that does not, and shows what arrived.
pub async fn run() -> Result<Exit, Problem> {
    let clouds = Clouds::start(Ipv4Addr::LOCALHOST.into()).await?;
    let component = load()?;
    print("The emulators listen on loopback, over TLS. The component holds no key: the host connects for it.\n");

    let (mutual_tls, alpn) = (clouds.aws.addr_mutual_tls(), clouds.aws.addr_alpn());
    let http_ca = || Alpn::Offer(vec![AWS_HTTPS_WITH_CERTIFICATE.to_vec()]);
    let none = || Alpn::Offer(Vec::new());
    let demo = Demo { component, clouds: &clouds };
    let delivered = [
        demo.aws("AWS, port 8443, client certificate", 8443, none(), mutual_tls).await?,
        demo.aws("AWS, port 443, client certificate and ALPN x-amzn-http-ca", 443, http_ca(), alpn).await?,
        demo.aliyun("Aliyun, HMAC signature, then a token").await?,
    ];
    let refused = demo.aws("AWS, port 443 without the ALPN, as stock hosts connect", 443, none(), alpn).await?;

    print("What arrived:");
    let mut accepted = 0;
    for entry in [clouds.aws.ledger(), clouds.aliyun.ledger()].iter().flat_map(|ledger| ledger.entries()) {
        print(format_args!("  {}", arrived(&entry)));
        accepted += usize::from(entry.disposition.is_accepted());
    }
    let as_expected = delivered.iter().all(Result::is_ok) && refused.is_err() && accepted == delivered.len();
    match as_expected {
        true => Ok(Exit::Delivered),
        false => Err(Problem::sentence("not what was expected; please report this")),
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
    ) -> Result<Result<Receipt, Error>, Problem> {
        let certificate = &self.clouds.certificate;
        let identity =
            Identity::from_pem(certificate.certificate_pem.as_bytes(), certificate.private_key_pem.as_bytes())
                .map_err(Problem::sentence)?;
        let route = self.route(AWS_ENDPOINT)?.port(port).identity(identity).alpn(alpn);
        let platform = Platform::Aws(AwsConfig {
            endpoint: AWS_ENDPOINT.to_owned(),
            port,
            authentication: AwsAuthentication::Certificate,
        });
        let connect_to = Clouds::connect_to(AWS_ENDPOINT, port, address);
        let device = Device { platform, routes: vec![route], secrets: Arc::default(), files: Vec::new() };
        self.publish(title, device, &connect_to, AWS_TOPIC).await
    }

    async fn aliyun(&self, title: &str) -> Result<Result<Receipt, Error>, Problem> {
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
        let device = Device { platform, routes: vec![self.route(ALIYUN_ENDPOINT)?], secrets, files: Vec::new() };
        self.publish(title, device, &connect_to, ALIYUN_TOPIC).await
    }

    fn route(&self, host: &str) -> Result<Route, Problem> {
        let roots = TrustRoots::from_pem(self.clouds.authority.ca_pem().as_bytes()).map_err(Problem::sentence)?;
        Ok(Route::new(host, roots))
    }

    async fn publish(
        &self,
        title: &str,
        device: Device,
        connect_to: &str,
        topic: &str,
    ) -> Result<Result<Receipt, Error>, Problem> {
        let connect_to = connect_to.parse().map_err(Problem::sentence)?;
        let message = Message::new(topic, *br#"{"celsius":21.5}"#, Qos::AtLeastOnce);
        let mut starter = Starter::new(self.component.clone(), device, vec![connect_to], TIMEOUT_MS)?;
        let outcome = starter.open().await?.publish(&message).await;
        let outcome = outcome.map_err(|trap| Problem::new("the component failed", format!("{trap:#}")))?;
        let text = one_line(&report::text(&message, &outcome, &starter.last_failure));
        print(format_args!("{title}\n  {text}\n"));
        Ok(outcome)
    }
}
