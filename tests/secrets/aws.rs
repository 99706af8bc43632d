//! What those who come to AWS without a certificate have to keep for themselves: keys, tokens and signatures. Refusals may
//! quote them, and what is quoted is told to people.

use serde_json::Value;
use thingpost_emulator::{AccessKey, AwsAction, Break, Fault};
use thingpost_host::Pool;
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{AwsAuthentication, Options, Placement, Shadow, SigV4};

use super::shown;
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::{options, try_open};
use crate::fixtures::message::{at_least_once, at_most_once};
use crate::fixtures::ways::{
    ACCESS_KEY_ID, AUTHORIZER, ROLE_ALIAS, SECRET_ACCESS_KEY, SESSION_TOKEN, TEMPORARY_KEY_ID, TEMPORARY_SECRET, TOKEN,
    TOKEN_SIGNATURE, Way, access_key, custom_authorizer, temporary_key,
};

/// A publisher that knows secrets, and what they are.
struct Confidant {
    name: &'static str,
    publisher: Publisher,
    secrets: Vec<String>,
}

fn short() -> Options {
    Options { timeout_ms: Some(2_000), max_attempts: Some(2), ..options() }
}

async fn open(cloud: &AwsCloud, name: &'static str, authentication: AwsAuthentication, secrets: &[&str]) -> Confidant {
    let routes = cloud.routes(Way::CredentialsProvider);
    let transport = cloud.transport_along(Pool::default(), routes);
    let platform = cloud.platform(authentication, 443);
    let mut publisher = try_open(transport, &platform, &short(), None).await.unwrap();
    publisher.publish(&at_most_once("a", b"x")).await.unwrap().unwrap();
    let mut secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    if let Some(session) = publisher.credential().await.unwrap() {
        let session: Value = serde_json::from_str(&session).unwrap();
        for name in ["secretAccessKey", "sessionToken"] {
            secrets.push(session[name].as_str().unwrap().to_owned());
        }
    }
    Confidant { name, publisher, secrets }
}

/// In every way that knows a secret.
async fn confidants(cloud: &AwsCloud) -> Vec<Confidant> {
    let authorizer = |placement| AwsAuthentication::CustomAuthorizer(custom_authorizer(placement));
    vec![
        open(cloud, "key", AwsAuthentication::SigV4(access_key()), &[SECRET_ACCESS_KEY]).await,
        open(cloud, "temporary key", AwsAuthentication::SigV4(temporary_key()), &[TEMPORARY_SECRET, SESSION_TOKEN])
            .await,
        open(cloud, "token in headers", authorizer(Placement::Headers), &[TOKEN, TOKEN_SIGNATURE]).await,
        open(cloud, "token in the query", authorizer(Placement::Query), &[TOKEN, TOKEN_SIGNATURE]).await,
        open(cloud, "provider", cloud.authentication(Way::CredentialsProvider), &[]).await,
    ]
}

impl Confidant {
    /// Those that requests carry, so that they can be repeated.
    fn sent(&self) -> Vec<String> {
        let is_sent = |secret: &&String| [SESSION_TOKEN, TOKEN, TOKEN_SIGNATURE].contains(&secret.as_str());
        self.secrets.iter().filter(is_sent).cloned().collect()
    }

    /// Publishes, which goes wrong, and looks for the secrets in all that is told of it.
    async fn betrays_nothing(&mut self, what: &str) {
        let outcome = self.publisher.publish(&at_most_once("a", b"x")).await.unwrap();
        assert!(outcome.is_err(), "{}, {what}: {outcome:?}", self.name);
        self.assert_hidden(what, &shown(&outcome));
    }

    fn assert_hidden(&self, what: &str, shown: &str) {
        for secret in &self.secrets {
            assert!(!shown.contains(secret.as_str()), "{}, {what}: {shown}", self.name);
            let encoded = encoded(secret);
            assert!(!shown.contains(&encoded), "{}, {what}, encoded: {shown}", self.name);
        }
    }
}

/// As it stands in a query.
fn encoded(secret: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let escaped = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    secret.bytes().map(escaped).collect()
}

/// A refusal by something that repeats what it was sent.
fn quoting(status: u16, message: &str) -> Fault {
    let body = serde_json::json!({ "message": message, "traceId": "1" }).to_string();
    let headers = vec![("x-quoted".to_owned(), message.to_owned())];
    Fault::Answer { status, headers, body: body.into_bytes() }
}

#[tokio::test]
async fn no_secret_is_in_an_outcome_whatever_goes_wrong() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        for mut confidant in confidants(&cloud).await {
            assert!(!confidant.secrets.is_empty());
            for fault in [
                Fault::BeforeAcceptance(Break::Close),
                Fault::AfterAcceptance(Break::Reset),
                Fault::AfterAcceptance(Break::Stall),
                Fault::Answer { status: 302, headers: vec![], body: vec![] },
                Fault::Answer { status: 500, headers: vec![], body: vec![] },
            ] {
                cloud.emulator.faults().push(fault.clone(), 1);
                confidant.betrays_nothing(&format!("{fault:?}")).await;
            }
            let invalid = confidant.publisher.publish(&at_most_once("a/#", b"x")).await.unwrap();
            confidant.assert_hidden("invalid topic", &shown(&invalid));
            let shadow = Shadow { thing: "nothing".to_owned(), name: None };
            let not_found = confidant.publisher.aws().get_shadow(&shadow).await.unwrap();
            assert!(not_found.is_err());
            confidant.assert_hidden("not found", &shown(&not_found));
            let delivered = confidant.publisher.publish(&at_least_once("a", b"x")).await.unwrap();
            assert!(delivered.is_ok());
            confidant.assert_hidden("delivered", &shown(&delivered));
        }
        // What AWS itself says no with.
        for principal in [ACCESS_KEY_ID, TEMPORARY_KEY_ID, AUTHORIZER, ROLE_ALIAS] {
            let mut confidants = confidants(&cloud).await;
            cloud.emulator.deny_action(principal, AwsAction::Publish);
            for confidant in &mut confidants {
                let outcome = confidant.publisher.publish(&at_most_once("a", b"x")).await.unwrap();
                confidant.assert_hidden("denied", &shown(&outcome));
            }
            cloud.know_everybody();
        }
        cloud.emulator.shift_clock_ms(42 * 60_000);
        for confidant in &mut [open_signed(&cloud).await] {
            // It is signed anew by the platform's clock.
            let outcome = confidant.publisher.publish(&at_most_once("a", b"x")).await.unwrap();
            assert!(outcome.is_ok(), "{outcome:?}");
            confidant.assert_hidden("clock", &shown(&outcome));
        }
    })
    .await;
}

/// Without a first message, which would fail.
async fn open_signed(cloud: &AwsCloud) -> Confidant {
    let publisher = cloud.open_way(Way::SigV4, &short()).await;
    Confidant { name: "key", publisher, secrets: vec![SECRET_ACCESS_KEY.to_owned()] }
}

#[tokio::test]
async fn a_secret_that_a_refusal_quotes_is_hidden() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        for mut confidant in confidants(&cloud).await {
            for secret in confidant.secrets.clone() {
                for status in [200, 302, 400, 403, 404, 418, 500] {
                    let quoted =
                        if status == 200 { format!("<html>{secret}") } else { format!("`{secret}`, {secret}") };
                    let fault = match status {
                        200 => Fault::Answer { status, headers: vec![], body: quoted.into_bytes() },
                        _ => quoting(status, &quoted),
                    };
                    cloud.emulator.faults().push(fault, 1);
                    confidant.betrays_nothing(&format!("{status}")).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_stands_in_the_error_type_or_the_trace_id_is_hidden() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        for mut confidant in confidants(&cloud).await {
            for secret in confidant.sent() {
                let in_header = vec![("x-amzn-ErrorType".to_owned(), secret.clone())];
                let in_body = serde_json::json!({ "code": secret, "traceId": secret }).to_string().into_bytes();
                for (headers, body) in [(in_header, vec![]), (vec![], in_body)] {
                    cloud.emulator.faults().push(Fault::Answer { status: 403, headers, body }, 1);
                    confidant.betrays_nothing("error type or trace id").await;
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_hidden_too_when_its_encoded_form_is_quoted_out_of_the_url() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let authentication = AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Query));
        let mut confidant = open(&cloud, "token in the query", authentication, &[TOKEN, TOKEN_SIGNATURE]).await;
        for secret in confidant.sent() {
            let quoted = format!("no such page: /topics/a?qos=0&x-token={}", encoded(&secret));
            cloud.emulator.faults().push(quoting(404, &quoted), 1);
            confidant.betrays_nothing("the URL").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_a_refused_read_quotes_is_hidden() {
    within(async {
        // No fault strikes a read, so the quotation comes from AWS: the name of a shadow that is called like a token.
        let cloud = AwsCloud::start_for_everybody().await;
        let key = SigV4 { secret_access_key: "hunter2".to_owned(), ..access_key() };
        cloud.emulator.add_access_key(AccessKey {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: "hunter2".to_owned(),
            session_token: None,
        });
        let authentication = AwsAuthentication::SigV4(key);
        let mut publisher = cloud.open_as(authentication, 443, cloud.routes(Way::SigV4), &options()).await;
        let shadow = Shadow { thing: "hunter2".to_owned(), name: None };
        let outcome = publisher.aws().get_shadow(&shadow).await.unwrap();
        let error = outcome.unwrap_err();
        let message = error.answer.as_ref().unwrap().message.as_deref();
        assert_eq!(message, Some("No shadow exists with name: '(hidden)'"));
    })
    .await;
}
