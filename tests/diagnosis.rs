//! The table of what goes wrong with AWS, and of what is to be told about it. Each row is brought about at the emulated
//! account, over TLS and through the component; what the sender is told must name the cause, and not only the symptom.

use std::time::Duration;

use serde_json::Value;
use thingpost_emulator::{Authority, AwsAction};
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{
    AwsAuthentication, AwsConfig, Cause, CustomAuthorizer, Delivery, Error, Message, Options, Placement, Platform, Qos,
    Retry, Scope, Shadow, ShadowUpdate, SigV4, TransportErrorKind,
};
use thingpost_host::{Alpn, Pool, Route};

use crate::fixtures::aws::{AwsCloud, ENDPOINT};
use crate::fixtures::deadline::within;
use crate::fixtures::host::{identity, options, roots, try_open};
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::ways::{
    AUTHORIZER, ROLE_ALIAS, SESSION_TOKEN, TOKEN_NAME, Way, access_key, custom_authorizer, temporary_key,
};

const TOPIC: &str = "devices/7/up";
const ARN: &str = "arn:aws:iot:eu-central-1:*:topic/devices/7/up";
const LEGACY: &str = "a1b2c3.iot.eu-central-1.amazonaws.com";
const CONTROL_PLANE: &str = "iot.eu-central-1.amazonaws.com";
const CLOSED: Cause = Cause::Transport(TransportErrorKind::ConnectionClosed);

/// What is wrong, and what is to be told about it.
struct Row {
    name: &'static str,
    /// The name of the emulated endpoint.
    endpoint: &'static str,
    /// What is peculiar about the account.
    account: fn(&AwsCloud),
    way: Way,
    /// As usual for the way if there is none.
    authentication: Option<fn(&AwsCloud) -> AwsAuthentication>,
    port: Option<u16>,
    routes: Option<fn(&AwsCloud) -> Vec<Route>>,
    request: Asked,
    cause: Cause,
    /// All of it must be in the explanation.
    named: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Asked {
    Publish,
    Retain,
    GetShadow,
    UpdateStaleShadow,
}

/// Nothing is wrong yet.
fn row(name: &'static str, way: Way, cause: Cause, named: &'static [&'static str]) -> Row {
    Row {
        name,
        endpoint: ENDPOINT,
        account: |_| {},
        way,
        authentication: None,
        port: None,
        routes: None,
        request: Asked::Publish,
        cause,
        named,
    }
}

impl Row {
    async fn open(&self, cloud: &AwsCloud) -> Publisher {
        let authentication = match self.authentication {
            Some(authentication) => authentication(cloud),
            None => cloud.authentication(self.way),
        };
        let routes = match self.routes {
            Some(routes) => routes(cloud),
            None => cloud.routes(self.way),
        };
        let port = self.port.unwrap_or(self.way.port());
        let transport = cloud.transport_along(Pool::default(), routes);
        let options = Options { timeout_ms: Some(4_000), max_attempts: Some(2), ..options() };
        try_open(transport, &cloud.platform(authentication, port), &options, None).await.unwrap()
    }

    async fn run(&self) {
        let cloud = AwsCloud::start_at(self.endpoint).await;
        cloud.know_everybody();
        if matches!(self.request, Asked::UpdateStaleShadow) {
            let update = ShadowUpdate {
                shadow: shadow(),
                document: br#"{"state":{"reported":{"a":1}}}"#.to_vec(),
                max_state_bytes: None,
            };
            cloud.open_way(Way::Certificate, &options()).await.aws().update_shadow(&update).await.unwrap().unwrap();
        }
        (self.account)(&cloud);
        let mut publisher = self.open(&cloud).await;
        let error = ask(&mut publisher, self.request).await;
        let told = format!("{}: {error:?}", self.name);
        assert_eq!(error.cause, self.cause, "{told}");
        let delivery = match self.cause {
            CLOSED => Delivery::Unknown,
            Cause::Transport(_) => Delivery::NotSent,
            _ => Delivery::Refused,
        };
        assert_eq!(error.delivery, delivery, "{told}");
        for named in self.named {
            assert!(error.explanation.contains(named), "{named:?} is not named; {told}");
        }
        assert_eq!(cloud.emulator.ledger().accepted(), [], "{told}");
    }
}

async fn ask(publisher: &mut Publisher, asked: Asked) -> Error {
    match asked {
        Asked::Publish => publisher.publish(&at_most_once(TOPIC, b"21.5")).await.unwrap().unwrap_err(),
        Asked::Retain => {
            let message = Message { retain: true, ..at_most_once(TOPIC, b"21.5") };
            publisher.publish(&message).await.unwrap().unwrap_err()
        }
        Asked::GetShadow => publisher.aws().get_shadow(&shadow()).await.unwrap().unwrap_err(),
        Asked::UpdateStaleShadow => {
            let document = br#"{"state":{"reported":{"a":2}},"version":9}"#.to_vec();
            let update = ShadowUpdate { shadow: shadow(), document, max_state_bytes: None };
            publisher.aws().update_shadow(&update).await.unwrap().unwrap_err()
        }
    }
}

fn shadow() -> Shadow {
    Shadow { thing: "thermometer-7".to_owned(), name: None }
}

async fn run(rows: Vec<Row>) {
    within(async {
        for row in rows {
            row.run().await;
        }
    })
    .await;
}

fn deny(cloud: &AwsCloud, way: Way, action: AwsAction) {
    cloud.emulator.deny_action(cloud.principal(way), action);
}

#[tokio::test]
async fn a_certificate_that_is_not_looked_at_or_not_good_is_told_from_one_that_may_not() {
    use Way::Certificate;
    run(vec![
        Row {
            port: Some(443),
            routes: Some(|cloud| vec![cloud.route().alpn(Alpn::Offer(Vec::new()))]),
            ..row("443 without ALPN", Certificate, Cause::Forbidden, &["port 443", "x-amzn-http-ca"])
        },
        Row {
            port: Some(443),
            routes: Some(|cloud| vec![cloud.route().alpn(Alpn::Offer(vec![b"http/1.1".to_vec()]))]),
            ..row("443 with another ALPN", Certificate, Cause::Forbidden, &["port 443", "x-amzn-http-ca"])
        },
        Row {
            account: |cloud| cloud.emulator.deactivate(&cloud.device.fingerprint),
            ..row("inactive on 8443", Certificate, CLOSED, &["inactive or not registered in this account and region"])
        },
        Row {
            port: Some(443),
            account: |cloud| cloud.emulator.deactivate(&cloud.device.fingerprint),
            ..row("inactive on 443", Certificate, CLOSED, &["inactive or not registered in this account and region"])
        },
        Row {
            routes: Some(|cloud| {
                let stranger = cloud.authority.issue_device("never registered");
                vec![cloud.anonymous_route().identity(identity(&stranger))]
            }),
            ..row("not registered", Certificate, CLOSED, &["inactive or not registered in this account and region"])
        },
        Row {
            account: |cloud| cloud.emulator.deny_topic_prefix("devices/7/"),
            ..row(
                "policy",
                Certificate,
                Cause::Forbidden,
                &["policy of the device's certificate", "iot:Publish on", ARN],
            )
        },
    ])
    .await;
}

#[tokio::test]
async fn the_permission_that_a_policy_lacks_is_named_with_its_resource_in_every_way() {
    for way in Way::ALL {
        let publish = Row {
            account: match way {
                Way::Certificate => |cloud| deny(cloud, Way::Certificate, AwsAction::Publish),
                Way::SigV4 => |cloud| deny(cloud, Way::SigV4, AwsAction::Publish),
                Way::CustomAuthorizer => |cloud| deny(cloud, Way::CustomAuthorizer, AwsAction::Publish),
                Way::CredentialsProvider => |cloud| deny(cloud, Way::CredentialsProvider, AwsAction::Publish),
            },
            ..row("iot:Publish", way, Cause::Forbidden, &["policy", "iot:Publish on", ARN])
        };
        let retain = Row {
            account: match way {
                Way::Certificate => |cloud| cloud.emulator.deny_retain(cloud.principal(Way::Certificate)),
                Way::SigV4 => |cloud| cloud.emulator.deny_retain(cloud.principal(Way::SigV4)),
                Way::CustomAuthorizer => |cloud| cloud.emulator.deny_retain(AUTHORIZER),
                Way::CredentialsProvider => |cloud| cloud.emulator.deny_retain(ROLE_ALIAS),
            },
            request: Asked::Retain,
            ..row("iot:RetainPublish", way, Cause::Forbidden, &["policy", "iot:RetainPublish", ARN])
        };
        run(vec![publish, retain]).await;
    }
}

#[tokio::test]
async fn the_wrong_endpoint_is_told_by_its_name_and_by_what_answers_there() {
    run(vec![
        Row {
            endpoint: LEGACY,
            routes: Some(|_| vec![Route::new(LEGACY, roots(&Authority::new()))]),
            ..row(
                "not the ATS endpoint",
                Way::Certificate,
                Cause::Transport(TransportErrorKind::TlsCertificate),
                &["without `-ats`", "--endpoint-type iot:Data-ATS"],
            )
        },
        Row {
            endpoint: CONTROL_PLANE,
            port: Some(443),
            account: |cloud| cloud.emulator.pose_as_control_plane(true),
            ..row("control plane, certificate", Way::Certificate, Cause::Forbidden, &["control plane", "iot:Data-ATS"])
        },
        Row {
            endpoint: CONTROL_PLANE,
            account: |cloud| cloud.emulator.pose_as_control_plane(true),
            ..row("control plane, signature", Way::SigV4, Cause::Forbidden, &["control plane", "iot:Data-ATS"])
        },
        Row {
            endpoint: CONTROL_PLANE,
            account: |cloud| cloud.emulator.pose_as_control_plane(true),
            ..row("control plane, token", Way::CustomAuthorizer, Cause::Forbidden, &["control plane", "iot:Data-ATS"])
        },
        // Behind a name that says nothing, the message still does.
        Row {
            account: |cloud| cloud.emulator.pose_as_control_plane(true),
            ..row("execute-api", Way::SigV4, Cause::Forbidden, &["control plane", "iot:Data-ATS"])
        },
    ])
    .await;
}

#[tokio::test]
async fn a_message_for_the_endpoint_that_gives_out_keys_is_told_where_it_belongs() {
    within(async {
        let cloud = AwsCloud::start().await;
        let provider = cloud.emulator.credentials_server_name().to_owned();
        let config = AwsConfig { endpoint: provider, port: 443, authentication: AwsAuthentication::Certificate };
        let transport = cloud.transport(cloud.credentials_route());
        let platform = Platform::Aws(config);
        let mut publisher = try_open(transport, &platform, &options(), None).await.unwrap();
        let error = ask(&mut publisher, Asked::Publish).await;
        assert_eq!((error.cause, error.delivery), (Cause::NotFound, Delivery::Refused));
        for named in ["temporary keys", "iot:Data-ATS"] {
            assert!(error.explanation.contains(named), "{}", error.explanation);
        }
    })
    .await;
}

fn signed_for(region: Option<&str>, service: Option<&str>) -> AwsAuthentication {
    let scope = Scope { region: region.map(str::to_owned), service: service.map(str::to_owned) };
    AwsAuthentication::SigV4(SigV4 { scope, ..access_key() })
}

#[tokio::test]
async fn why_a_signature_is_not_accepted_is_named() {
    use Cause::Forbidden;
    let key = |name, authentication, named| Row {
        authentication: Some(authentication),
        ..row(name, Way::SigV4, Forbidden, named)
    };
    run(vec![
        key(
            "wrong region",
            |_| signed_for(Some("us-east-1"), None),
            &["for the region us-east-1", "endpoint is in eu-central-1"],
        ),
        key("wrong service", |_| signed_for(None, Some("iot")), &["for the service iot", "sign for iotdata"]),
        key(
            "wrong secret key",
            |_| AwsAuthentication::SigV4(SigV4 { secret_access_key: "guessed".to_owned(), ..access_key() }),
            &["the secret access key is not that of the access key id"],
        ),
        key(
            "unknown key",
            |_| AwsAuthentication::SigV4(SigV4 { access_key_id: "AKIAUNKNOWN".to_owned(), ..access_key() }),
            &["does not know the access key id"],
        ),
        key(
            "temporary key without its token",
            |_| AwsAuthentication::SigV4(SigV4 { session_token: None, ..temporary_key() }),
            &["session token"],
        ),
        key(
            "temporary key with another token",
            |_| AwsAuthentication::SigV4(SigV4 { session_token: Some("other".to_owned()), ..temporary_key() }),
            &["session token"],
        ),
        key(
            "token of another key",
            |_| AwsAuthentication::SigV4(SigV4 { session_token: Some(SESSION_TOKEN.to_owned()), ..access_key() }),
            &["session token"],
        ),
        Row { port: Some(8443), ..row("8443", Way::SigV4, CLOSED, &["client certificates alone", "use port 443"]) },
        Row {
            port: Some(8443),
            ..row("8443 with a key that was given out", Way::CredentialsProvider, CLOSED, &["use port 443"])
        },
    ])
    .await;
}

#[tokio::test]
async fn a_key_that_has_ended_is_told_as_such() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.add_role_alias("short", Duration::from_secs(60));
        let provider = AwsAuthentication::CredentialsProvider(cloud.provider("short"));
        let mut publisher = cloud.open_as(provider, 443, cloud.routes(Way::CredentialsProvider), &options()).await;
        publisher.publish(&at_most_once(TOPIC, b"x")).await.unwrap().unwrap();
        let session: Value = serde_json::from_str(&publisher.credential().await.unwrap().unwrap()).unwrap();
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        // As if it had been copied.
        let key = AwsAuthentication::SigV4(SigV4 {
            access_key_id: text("accessKeyId"),
            secret_access_key: text("secretAccessKey"),
            session_token: Some(text("sessionToken")),
            scope: Scope::default(),
        });
        let mut publisher = cloud.open_as(key, 443, cloud.routes(Way::SigV4), &options()).await;
        publisher.publish(&at_most_once(TOPIC, b"x")).await.unwrap().unwrap();
        cloud.emulator.shift_clock_ms(61_000);
        let error = ask(&mut publisher, Asked::Publish).await;
        assert_eq!((error.cause, error.delivery, error.retry), (Cause::Forbidden, Delivery::Refused, Retry::Never));
        assert!(error.explanation.contains("the temporary key has ended"), "{}", error.explanation);
    })
    .await;
}

/// A clock that is off by so many minutes, by which the emulator's is right. What is not allowed to be published is refused
/// all the same.
async fn with_clock_ahead(minutes: i64, seconds: i64, named: &str) {
    for way in [Way::SigV4, Way::CredentialsProvider] {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.shift_clock_ms(-(minutes * 60 + seconds) * 1_000);
        let mut publisher = cloud.open_way(way, &options()).await;
        let receipt = publisher.publish(&at_most_once(TOPIC, b"21.5")).await.unwrap().unwrap();
        assert_eq!(receipt.attempts, 2, "{way:?}: signed anew by the platform's clock");
        assert_eq!(cloud.emulator.ledger().accepted().len(), 1);

        deny(&cloud, way, AwsAction::Publish);
        let error = ask(&mut publisher, Asked::Publish).await;
        // The client has kept what it learned about the clock.
        assert_eq!((error.cause, error.delivery, error.attempts), (Cause::Forbidden, Delivery::Refused, 1), "{way:?}");
        assert!(error.explanation.contains(named), "{way:?}: {}", error.explanation);
        assert!(!error.explanation.contains("set the clock"), "{way:?}: {}", error.explanation);
        let ahead_ms = error.answer.unwrap().clock_ahead_ms.unwrap();
        let exact = (minutes * 60 + seconds) * 1_000;
        assert!((ahead_ms - exact).abs() < 30_000, "{way:?}: {ahead_ms}");
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_costs_no_message_and_is_named_with_its_minutes_and_its_direction() {
    within(async {
        // The seconds keep clear of the next minute.
        with_clock_ahead(6, 20, "the clock is 6 minutes ahead").await;
        with_clock_ahead(42, 20, "the clock is 42 minutes ahead").await;
        with_clock_ahead(25 * 60, 20, "the clock is 1500 minutes ahead").await;
        with_clock_ahead(-6, -20, "the clock is 6 minutes behind").await;
        with_clock_ahead(-42, -20, "the clock is 42 minutes behind").await;
        with_clock_ahead(-25 * 60, -20, "the clock is 1500 minutes behind").await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_a_whole_number_of_minutes_behind_is_not_told_to_be_one_less() {
    within(with_clock_ahead(-42, 0, "the clock is 42 minutes behind")).await;
}

#[tokio::test]
async fn a_clock_that_is_a_little_wrong_does_no_harm() {
    within(async {
        for offset_ms in [-270_000, 270_000] {
            let cloud = AwsCloud::start_for_everybody().await;
            cloud.emulator.shift_clock_ms(offset_ms);
            for way in Way::ALL {
                let mut publisher = cloud.open_way(way, &options()).await;
                publisher.publish(&at_most_once(TOPIC, b"x")).await.unwrap().unwrap();
            }
        }
    })
    .await;
}

fn guessed(change: impl FnOnce(&mut CustomAuthorizer)) -> AwsAuthentication {
    let mut authorizer = custom_authorizer(Placement::Headers);
    change(&mut authorizer);
    AwsAuthentication::CustomAuthorizer(authorizer)
}

#[tokio::test]
async fn an_authorizer_that_denies_is_told_with_all_that_can_be_wrong() {
    const DENIED: &[&str] = &["the authorizer says no or was not reached", "its name", "token", "signature", ARN];
    let token = |name, authentication, named| Row {
        authentication: Some(authentication),
        ..row(name, Way::CustomAuthorizer, Cause::Forbidden, named)
    };
    run(vec![
        token("wrong token", |_| guessed(|it| it.token = Some((TOKEN_NAME.to_owned(), "guessed".to_owned()))), DENIED),
        token(
            "another name of the token",
            |_| guessed(|it| it.token = Some(("jwt".to_owned(), "x".to_owned()))),
            DENIED,
        ),
        token("wrong signature", |_| guessed(|it| it.signature = Some("Z3Vlc3NlZA==".to_owned())), DENIED),
        token("no signature", |_| guessed(|it| it.signature = None), DENIED),
        token("no token", |_| guessed(|it| it.token = None), DENIED),
        token("unknown authorizer", |_| guessed(|it| it.name = Some("unheard-of".to_owned())), DENIED),
        token(
            "no name and no default",
            |_| guessed(|it| it.name = None),
            &["no authorizer was found", "give its name"],
        ),
        Row {
            port: Some(8443),
            ..row("8443", Way::CustomAuthorizer, CLOSED, &["client certificates alone", "use port 443"])
        },
    ])
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_shadow_is_named() {
    let shadow = |name, request, cause, named| Row { request, ..row(name, Way::Certificate, cause, named) };
    run(vec![
        shadow("not found", Asked::GetShadow, Cause::NotFound, &["no such shadow, or does not exist"]),
        shadow(
            "version conflict",
            Asked::UpdateStaleShadow,
            Cause::VersionConflict,
            &["another version", "get the shadow"],
        ),
        Row {
            request: Asked::GetShadow,
            ..row("not found, by signature", Way::SigV4, Cause::NotFound, &["no such shadow"])
        },
    ])
    .await;
}

#[tokio::test]
async fn the_first_contact_of_a_device_that_registers_itself_is_refused_once_and_delivered_then() {
    within(async {
        for port in [8443, 443] {
            for qos in [Qos::AtLeastOnce, Qos::AtMostOnce] {
                let cloud = AwsCloud::start().await;
                cloud.emulator.register_on_first_contact(true);
                let newcomer = cloud.authority.issue_device("newcomer");
                let route = cloud.anonymous_route().identity(identity(&newcomer));
                let mut publisher = cloud.open(port, route, &options()).await;
                let message = Message { qos, ..at_least_once(TOPIC, b"x") };
                let outcome = publisher.publish(&message).await.unwrap();
                if qos == Qos::AtLeastOnce {
                    assert_eq!(outcome.unwrap().attempts, 2);
                } else {
                    let error = outcome.unwrap_err();
                    assert_eq!((error.cause, error.delivery, error.attempts), (CLOSED, Delivery::Unknown, 1));
                    assert!(matches!(error.retry, Retry::AfterMs(_)), "{:?}", error.retry);
                    for named in ["first contact of just-in-time registration", "try again in half a minute"] {
                        assert!(error.explanation.contains(named), "{}", error.explanation);
                    }
                    publisher.publish(&message).await.unwrap().unwrap();
                }
                assert_eq!(cloud.emulator.ledger().entries().len(), 2);
                assert_eq!(cloud.emulator.ledger().accepted().len(), 1);
            }
        }
    })
    .await;
}
