//! Port, ALPN and way of authentication go together, and a client that mixes them up gets a 403 without a word or no answer at
//! all. Here is every combination, with what becomes of a message and, where nothing does, what its sender is told.

use thingpost_emulator::{Authorizer, Device, Listener};
use thingpost_host::runtime::types::{
    AwsAuthentication, Cause, CustomAuthorizer, Delivery, Options, Placement, Scope, SigV4, TransportErrorKind,
};
use thingpost_host::{AWS_HTTPS_WITH_CERTIFICATE, Alpn, Route};

use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::options;
use crate::fixtures::message::at_most_once;
use crate::fixtures::ways::{
    ACCESS_KEY_ID, AUTHORIZER, TEMPORARY_KEY_ID, TOKEN, TOKEN_NAME, TOKEN_SIGNATURE, Way, access_key,
    custom_authorizer, temporary_key,
};

/// Takes requests without a name and without a signature.
const DEFAULT_AUTHORIZER: &str = "everyday";

/// What the route of the host offers by ALPN.
#[derive(Clone, Copy, Debug)]
enum Offer {
    /// As the host decides.
    Automatic,
    Nothing,
    HttpCa,
    /// `x-amzn-http-ca` behind another one.
    HttpCaSecond,
}

/// Whether the route of the host has the certificate of the device.
#[derive(Clone, Copy, Debug)]
enum Identity {
    Ours,
    None,
}

use Identity::{None as Nobody, Ours};
use Offer::{Automatic, HttpCa, HttpCaSecond, Nothing};

impl Identity {
    fn route(self, cloud: &AwsCloud, offer: Offer) -> Route {
        let route = match self {
            Self::Ours => cloud.route(),
            Self::None => cloud.anonymous_route(),
        };
        let http_ca = AWS_HTTPS_WITH_CERTIFICATE.to_vec();
        match offer {
            Automatic => route,
            Nothing => route.alpn(Alpn::Offer(Vec::new())),
            HttpCa => route.alpn(Alpn::Offer(vec![http_ca])),
            HttpCaSecond => route.alpn(Alpn::Offer(vec![b"http/1.1".to_vec(), http_ca])),
        }
    }
}

fn certificate(_: &AwsCloud) -> AwsAuthentication {
    AwsAuthentication::Certificate
}

fn signed(_: &AwsCloud) -> AwsAuthentication {
    AwsAuthentication::SigV4(access_key())
}

fn signed_for(region: Option<&str>, service: &str) -> AwsAuthentication {
    let scope = Scope { region: region.map(str::to_owned), service: Some(service.to_owned()) };
    AwsAuthentication::SigV4(SigV4 { scope, ..access_key() })
}

fn signed_with_temporary_key(_: &AwsCloud) -> AwsAuthentication {
    AwsAuthentication::SigV4(temporary_key())
}

fn token_in_headers(_: &AwsCloud) -> AwsAuthentication {
    AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Headers))
}

fn token_in_query(_: &AwsCloud) -> AwsAuthentication {
    AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Query))
}

/// For the authorizer that takes requests without a name.
fn by_default(placement: Placement) -> AwsAuthentication {
    AwsAuthentication::CustomAuthorizer(CustomAuthorizer {
        name: None,
        signature: None,
        ..custom_authorizer(placement)
    })
}

fn with_given_key(cloud: &AwsCloud) -> AwsAuthentication {
    cloud.authentication(Way::CredentialsProvider)
}

/// With an authorizer that looks at signatures, and a default one that does not.
async fn start() -> AwsCloud {
    let cloud = AwsCloud::start_for_everybody().await;
    cloud.emulator.add_authorizer(Authorizer {
        name: DEFAULT_AUTHORIZER.to_owned(),
        token_key_name: TOKEN_NAME.to_owned(),
        token: TOKEN.to_owned(),
        signature: None,
        is_default: true,
    });
    cloud
}

type Chosen = fn(&AwsCloud) -> AwsAuthentication;

/// Who the ledger is to say has sent it.
enum Sender {
    Certificate,
    AccessKey(&'static str),
    GivenKey,
    Authorizer(&'static str),
}

fn assert_sender(sender: &Sender, cloud: &AwsCloud, device: Option<Device>, row: &str) {
    match (sender, device) {
        (Sender::Certificate, Some(Device::Certificate { fingerprint, .. })) => {
            assert_eq!(fingerprint, cloud.device.fingerprint, "{row}");
        }
        (Sender::AccessKey(id), Some(Device::AccessKey { access_key_id })) => assert_eq!(access_key_id, *id, "{row}"),
        (Sender::GivenKey, Some(Device::AccessKey { access_key_id })) => {
            assert!(![ACCESS_KEY_ID, TEMPORARY_KEY_ID].contains(&access_key_id.as_str()), "{row}");
        }
        (Sender::Authorizer(expected), Some(Device::Authorizer { name })) => assert_eq!(name, *expected, "{row}"),
        (_, other) => panic!("{row}: {other:?}"),
    }
}

#[tokio::test]
async fn every_combination_that_aws_takes_delivers_in_the_right_name() {
    within(async {
        let rows: Vec<(Chosen, Identity, u16, Offer, Sender)> = vec![
            (certificate, Ours, 8443, Automatic, Sender::Certificate),
            (certificate, Ours, 8443, HttpCa, Sender::Certificate),
            (certificate, Ours, 443, Automatic, Sender::Certificate),
            (certificate, Ours, 443, HttpCa, Sender::Certificate),
            (certificate, Ours, 443, HttpCaSecond, Sender::Certificate),
            (signed, Nobody, 443, Automatic, Sender::AccessKey(ACCESS_KEY_ID)),
            (signed, Nobody, 443, Nothing, Sender::AccessKey(ACCESS_KEY_ID)),
            // The certificate is there, but it is not asked for.
            (signed, Ours, 443, Nothing, Sender::AccessKey(ACCESS_KEY_ID)),
            (|_| signed_for(None, "iotdata"), Nobody, 443, Automatic, Sender::AccessKey(ACCESS_KEY_ID)),
            (|_| signed_for(None, "iotdevicegateway"), Nobody, 443, Automatic, Sender::AccessKey(ACCESS_KEY_ID)),
            (|_| signed_for(Some("eu-central-1"), "iotdata"), Nobody, 443, Automatic, Sender::AccessKey(ACCESS_KEY_ID)),
            (signed_with_temporary_key, Nobody, 443, Automatic, Sender::AccessKey(TEMPORARY_KEY_ID)),
            (token_in_headers, Nobody, 443, Automatic, Sender::Authorizer(AUTHORIZER)),
            (token_in_query, Nobody, 443, Automatic, Sender::Authorizer(AUTHORIZER)),
            (token_in_headers, Ours, 443, Nothing, Sender::Authorizer(AUTHORIZER)),
            (|_| by_default(Placement::Headers), Nobody, 443, Automatic, Sender::Authorizer(DEFAULT_AUTHORIZER)),
            (|_| by_default(Placement::Query), Nobody, 443, Automatic, Sender::Authorizer(DEFAULT_AUTHORIZER)),
            (with_given_key, Nobody, 443, Automatic, Sender::GivenKey),
            // Where AWS looks at certificates, the certificate is who sends, whatever else the request shows.
            (signed, Ours, 8443, Automatic, Sender::Certificate),
            (token_in_headers, Ours, 443, HttpCa, Sender::Certificate),
        ];
        for (index, (chosen, identity, port, offer, sender)) in rows.iter().enumerate() {
            let cloud = start().await;
            let authentication = chosen(&cloud);
            let row = format!("row {index}: {authentication:?}, {identity:?}, {port}, {offer:?}");
            let routes = vec![identity.route(&cloud, *offer), cloud.credentials_route()];
            let mut publisher = cloud.open_as(authentication, *port, routes, &options()).await;
            let receipt = publisher.publish(&at_most_once("devices/7/up", b"21.5")).await.unwrap();
            let receipt = receipt.unwrap_or_else(|error| panic!("{row}: {error:?}"));

            let entry = cloud.only_entry();
            assert_eq!(receipt.trace_id, entry.trace_id, "{row}");
            assert_eq!(receipt.attempts, 1, "{row}");
            let listener = if *port == 443 { Listener::AwsAlpn } else { Listener::AwsMutualTls };
            assert_eq!(entry.listener, listener, "{row}");
            assert_eq!(entry.topic.as_deref(), Some("devices/7/up"), "{row}");
            assert_eq!(entry.payload, b"21.5", "{row}");
            assert_sender(sender, &cloud, entry.device, &row);
        }
    })
    .await;
}

/// A message that must not be delivered, and what its sender is told.
async fn refusal(
    cloud: &AwsCloud,
    authentication: AwsAuthentication,
    identity: Identity,
    port: u16,
    offer: Offer,
) -> (Cause, Delivery, String) {
    let row = format!("{authentication:?}, {identity:?}, {port}, {offer:?}");
    let options = Options { timeout_ms: Some(3_000), max_attempts: Some(1), ..options() };
    let routes = vec![identity.route(cloud, offer), cloud.credentials_route()];
    let mut publisher = cloud.open_as(authentication, port, routes, &options).await;
    match publisher.publish(&at_most_once("devices/7/up", b"21.5")).await.unwrap() {
        Ok(_) => panic!("delivered: {row}"),
        Err(error) => {
            assert_eq!(cloud.emulator.ledger().accepted(), [], "{row}");
            (error.cause, error.delivery, error.explanation)
        }
    }
}

const CLOSED: Cause = Cause::Transport(TransportErrorKind::ConnectionClosed);

#[tokio::test]
async fn every_combination_that_aws_refuses_is_explained_by_its_cause() {
    within(async {
        let nobodys_token = |placement| {
            let token = Some((TOKEN_NAME.to_owned(), "guessed".to_owned()));
            AwsAuthentication::CustomAuthorizer(CustomAuthorizer { token, ..custom_authorizer(placement) })
        };
        let without_signature = |placement| CustomAuthorizer { signature: None, ..custom_authorizer(placement) };
        let rows: Vec<(AwsAuthentication, Identity, u16, Offer, Cause, &str)> = vec![
            (AwsAuthentication::Certificate, Ours, 443, Nothing, Cause::Forbidden, "x-amzn-http-ca"),
            (AwsAuthentication::Certificate, Nobody, 443, Automatic, Cause::Forbidden, "client certificate"),
            (AwsAuthentication::Certificate, Nobody, 8443, Automatic, CLOSED, "certificate"),
            (AwsAuthentication::SigV4(access_key()), Nobody, 8443, Automatic, CLOSED, "use port 443"),
            (
                AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Headers)),
                Nobody,
                8443,
                Automatic,
                CLOSED,
                "use port 443",
            ),
            (
                AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Query)),
                Nobody,
                8443,
                Automatic,
                CLOSED,
                "use port 443",
            ),
            (signed_for(Some("us-east-1"), "iotdata"), Nobody, 443, Automatic, Cause::Forbidden, "region us-east-1"),
            (signed_for(None, "iot"), Nobody, 443, Automatic, Cause::Forbidden, "sign for iotdata"),
            (nobodys_token(Placement::Headers), Nobody, 443, Automatic, Cause::Forbidden, "authorizer says no"),
            (nobodys_token(Placement::Query), Nobody, 443, Automatic, Cause::Forbidden, "authorizer says no"),
            (
                AwsAuthentication::CustomAuthorizer(without_signature(Placement::Headers)),
                Nobody,
                443,
                Automatic,
                Cause::Forbidden,
                "and the signature",
            ),
            (
                AwsAuthentication::CustomAuthorizer(without_signature(Placement::Query)),
                Nobody,
                443,
                Automatic,
                Cause::Forbidden,
                "and the signature",
            ),
            (by_default(Placement::Headers), Nobody, 443, Automatic, Cause::Forbidden, "give its name"),
            (by_default(Placement::Query), Nobody, 443, Automatic, Cause::Forbidden, "give its name"),
        ];
        for (authentication, identity, port, offer, expected, named) in rows {
            let cloud = AwsCloud::start_for_everybody().await;
            let row = format!("{authentication:?}, {identity:?}, {port}, {offer:?}");
            let (cause, delivery, explanation) = refusal(&cloud, authentication, identity, port, offer).await;
            assert_eq!(cause, expected, "{row}: {explanation}");
            let closed = if cause == CLOSED { Delivery::Unknown } else { Delivery::Refused };
            assert_eq!(delivery, closed, "{row}: {explanation}");
            assert!(explanation.contains(named), "{row}: {explanation}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_alpn_of_certificates_is_named_to_those_who_show_something_else() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let others = [signed(&cloud), token_in_headers(&cloud), token_in_query(&cloud), with_given_key(&cloud)];
        for authentication in others {
            let row = format!("{authentication:?}");
            let (cause, _, explanation) = refusal(&cloud, authentication, Nobody, 443, HttpCa).await;
            assert_eq!(cause, CLOSED, "{row}: {explanation}");
            assert!(explanation.contains("ALPN"), "{row}: {explanation}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_an_authorizer_needs_stands_where_it_was_asked_to_stand() {
    within(async {
        for (placement, in_headers) in [(Placement::Headers, true), (Placement::Query, false)] {
            let cloud = AwsCloud::start_for_everybody().await;
            let authentication = AwsAuthentication::CustomAuthorizer(custom_authorizer(placement));
            let routes = vec![cloud.anonymous_route()];
            let mut publisher = cloud.open_as(authentication, 443, routes, &options()).await;
            publisher.publish(&at_most_once("a", b"x")).await.unwrap().unwrap();
            let entry = cloud.only_entry();
            for (name, value) in [
                ("x-amz-customauthorizer-name", AUTHORIZER),
                ("x-amz-customauthorizer-signature", TOKEN_SIGNATURE),
                (TOKEN_NAME, TOKEN),
            ] {
                assert_eq!(entry.header(name), in_headers.then_some(value), "{placement:?}");
                assert_eq!(entry.target.contains(name), !in_headers, "{placement:?}, {name}");
            }
            // A slash, a plus or an equals sign that is not encoded is another token.
            assert!(!entry.target.split_once('?').unwrap().1.contains(['/', '+', '*']), "{placement:?}");
        }
    })
    .await;
}
