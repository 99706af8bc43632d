//! Devices without a certificate, before a custom authorizer: port 443, ALPN `mqtt`, and all that it goes by in user name
//! and password.

use thingpost_emulator::{Authorizer, Device as Who, MqttAuthorizer as Gatekeeper};
use thingpost_host::Alpn;
use thingpost_host::runtime::types::mqtt::{Broker, MqttAuthentication, MqttAuthorizer, MqttConfig, Version};
use thingpost_host::runtime::types::{Cause, Error};

use crate::fixtures::deadline::within;
use crate::fixtures::message::at_least_once;
use crate::fixtures::mqtt::{Device, MqttCloud, VERSIONS, config, options};
use crate::fixtures::ways::{AUTHORIZER, TOKEN, TOKEN_NAME, TOKEN_SIGNATURE};

const USER_NAME: &str = "thermometers";
pub const PASSWORD: &str = "correct horse? battery&staple=100%";

/// An account with an authorizer that looks at everything.
pub async fn guarded() -> MqttCloud {
    let cloud = MqttCloud::start().await;
    cloud.front.register_authorizer(Gatekeeper {
        authorizer: Authorizer {
            name: AUTHORIZER.to_owned(),
            token_key_name: TOKEN_NAME.to_owned(),
            token: TOKEN.to_owned(),
            signature: Some(TOKEN_SIGNATURE.to_owned()),
            is_default: false,
        },
        user_name: Some(USER_NAME.to_owned()),
        password: Some(PASSWORD.as_bytes().to_vec()),
    });
    cloud
}

pub fn right() -> MqttAuthorizer {
    MqttAuthorizer {
        name: Some(AUTHORIZER.to_owned()),
        token: Some((TOKEN_NAME.to_owned(), TOKEN.to_owned())),
        signature: Some(TOKEN_SIGNATURE.to_owned()),
        user_name: Some(USER_NAME.to_owned()),
        password: Some(PASSWORD.to_owned()),
    }
}

pub fn with(authorizer: MqttAuthorizer, version: Version, port: u16) -> MqttConfig {
    let mut config = config(version, port);
    if let Broker::Aws(broker) = &mut config.broker {
        broker.authentication = MqttAuthentication::CustomAuthorizer(authorizer);
    }
    config
}

async fn open(cloud: &MqttCloud, config: &MqttConfig) -> Device {
    cloud.open_along(cloud.anonymous_route(), config, &options()).await
}

async fn refused(cloud: &MqttCloud, authorizer: MqttAuthorizer, version: Version) -> Error {
    let config = with(authorizer.clone(), version, 443);
    let error = open(cloud, &config).await.connect().await.unwrap_err();
    let shown = format!("{error} {error:#?} {config:#?}");
    let secrets = [Some(&authorizer), Some(&right())].map(|known| {
        let MqttAuthorizer { token, signature, password, .. } = known.unwrap().clone();
        [token.map(|(_, token)| token), signature, password]
    });
    for secret in secrets.into_iter().flatten().flatten() {
        assert!(!shown.contains(&secret), "{secret} is shown: {shown}");
    }
    error
}

#[tokio::test]
async fn who_shows_what_the_authorizer_wants_is_let_in_and_publishes() {
    within(async {
        for version in VERSIONS {
            let cloud = guarded().await;
            let mut device = open(&cloud, &with(right(), version, 443)).await;
            device.connect().await.unwrap();
            device.publish(&at_least_once("a/b", *b"21.5")).await;
            device.settle().await;
            assert_eq!(device.receipts().len(), 1);
            let connect = cloud.front.ledger().connects().remove(0);
            assert_eq!(connect.alpn.as_deref(), Some("mqtt"));
            assert_eq!(connect.device, Some(Who::Authorizer { name: AUTHORIZER.to_owned() }));

            // It shows it again, without being asked.
            cloud.front.link().cut();
            device.until(|device| !device.connections().is_empty()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_default_authorizer_of_an_endpoint_need_not_be_named() {
    within(async {
        let cloud = MqttCloud::start().await;
        cloud.front.register_authorizer(Authorizer {
            name: "default".to_owned(),
            token_key_name: TOKEN_NAME.to_owned(),
            token: TOKEN.to_owned(),
            signature: None,
            is_default: true,
        });
        for version in VERSIONS {
            let authorizer = MqttAuthorizer { name: None, signature: None, user_name: None, password: None, ..right() };
            open(&cloud, &with(authorizer, version, 443)).await.connect().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn whatever_is_wrong_or_missing_is_refused_and_no_secret_is_shown() {
    within(async {
        let cloud = guarded().await;
        let token = |value: &str| Some((TOKEN_NAME.to_owned(), value.to_owned()));
        for version in VERSIONS {
            let status = if version == Version::V5 { 0x87 } else { 5 };
            for authorizer in [
                MqttAuthorizer { token: token("guessed-token-1"), ..right() },
                MqttAuthorizer { token: None, signature: None, ..right() },
                MqttAuthorizer { token: Some(("Other-Name".to_owned(), TOKEN.to_owned())), ..right() },
                MqttAuthorizer { signature: Some("d3Jvbmc=".to_owned()), ..right() },
                MqttAuthorizer { name: Some("nobody".to_owned()), ..right() },
                MqttAuthorizer { name: None, ..right() },
                MqttAuthorizer { user_name: Some("others".to_owned()), ..right() },
                MqttAuthorizer { password: Some("guessed-password-1".to_owned()), ..right() },
                MqttAuthorizer { password: None, ..right() },
            ] {
                let error = refused(&cloud, authorizer, version).await;
                assert_eq!(error.cause, Cause::Forbidden, "{error:?}");
                assert_eq!(error.answer.as_ref().unwrap().status, status);
                assert!(error.explanation.contains("the authorizer says no"), "{}", error.explanation);
            }
        }
        assert_eq!(cloud.front.ledger().counts().admitted, 0);
    })
    .await;
}

#[tokio::test]
async fn where_no_authorizer_is_asked_the_way_to_one_is_named() {
    within(async {
        let cloud = guarded().await;
        for version in VERSIONS {
            let elsewhere = cloud.anonymous_route();
            let without_alpn = cloud.anonymous_route().mqtt_alpn(Alpn::Offer(Vec::new()));
            for (port, route) in [(8883, elsewhere), (443, without_alpn)] {
                let mut device = cloud.open_along(route, &with(right(), version, port), &options()).await;
                let error = device.connect().await.unwrap_err();
                assert!(error.explanation.contains("port 443") && error.explanation.contains("`mqtt`"), "{error:?}");
            }
        }
        assert_eq!(cloud.front.ledger().counts().connects, 0);
    })
    .await;
}
