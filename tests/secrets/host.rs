//! The host is given the secrets, and writes about what it does: into its log, and wherever its values are printed.

use serde_json::Value;
use thingpost_emulator::{AnswerFault, Authority, Break, Fault, HandshakeFault};
use thingpost_host::runtime::types::{AwsAuthentication, Options, Placement};
use thingpost_host::{Pool, Route};

use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::host::{options, roots, try_open};
use crate::fixtures::log::Log;
use crate::fixtures::message::at_least_once;
use crate::fixtures::ways::{
    ACCESS_KEY_ID, AUTHORIZER, ROLE_ALIAS, SECRET_ACCESS_KEY, SESSION_TOKEN, TEMPORARY_SECRET, TOKEN, TOKEN_SIGNATURE,
    Way, access_key, custom_authorizer, temporary_key,
};

const SECRETS: [&str; 5] = [SECRET_ACCESS_KEY, TEMPORARY_SECRET, SESSION_TOKEN, TOKEN, TOKEN_SIGNATURE];

fn assert_hidden(shown: &str) {
    for line in shown.lines() {
        for secret in SECRETS {
            assert!(!line.contains(secret), "{secret} is shown: {line}");
        }
        // Encoded for a query, they begin alike up to the first character that is encoded.
        for begin in [&TOKEN[..20], &TOKEN_SIGNATURE[..12]] {
            assert!(!line.contains(begin), "{begin} is shown: {line}");
        }
        assert!(!line.contains("PRIVATE KEY"), "{line}");
    }
}

#[tokio::test]
async fn no_secret_is_in_the_debug_output_of_what_the_host_is_given() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let all = [
            AwsAuthentication::SigV4(access_key()),
            AwsAuthentication::SigV4(temporary_key()),
            AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Headers)),
            AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Query)),
            cloud.authentication(Way::CredentialsProvider),
        ];
        let mut everything = String::new();
        for authentication in all {
            let platform = cloud.platform(authentication, 443);
            everything.push_str(&format!("{platform:?} {platform:#?}"));
        }
        for way in Way::ALL {
            let (routes, transport) = (cloud.routes(way), cloud.transport_for(way));
            everything.push_str(&format!("{routes:?} {routes:#?} {transport:?} {transport:#?}"));
        }
        assert_hidden(&everything);
        for named in [ACCESS_KEY_ID, AUTHORIZER, ROLE_ALIAS] {
            assert!(everything.contains(named), "{named} is not shown");
        }
        let key = cloud.device.private_key_pem.lines().nth(1).unwrap();
        assert!(!everything.contains(key));
    })
    .await;
}

/// What goes wrong with the requests of a publisher.
fn faults() -> [Fault; 7] {
    [
        Fault::AtAccept(Break::Reset),
        Fault::InHandshake(HandshakeFault::Garbage),
        Fault::BeforeAcceptance(Break::Close),
        Fault::AfterAcceptance(Break::Stall),
        Fault::InAnswer(AnswerFault::ShortBody),
        Fault::InAnswer(AnswerFault::Garbage),
        Fault::Answer { status: 403, headers: vec![], body: vec![] },
    ]
}

/// Everything that is written while nothing goes well, and the sessions that there were meanwhile.
async fn written(cloud: &AwsCloud, authentication: AwsAuthentication) -> (String, Vec<String>) {
    let log = Log::listen();
    let options = Options { timeout_ms: Some(2_000), max_attempts: Some(2), ..options() };
    let platform = cloud.platform(authentication, 443);
    let mut sessions = Vec::new();
    for fault in faults() {
        let transport = cloud.transport_along(Pool::default(), cloud.routes(Way::CredentialsProvider));
        let mut publisher = try_open(transport, &platform, &options, None).await.unwrap();
        cloud.emulator.faults().push(fault, 1);
        let _whatever_became_of_it = publisher.publish(&at_least_once("a", b"x")).await.unwrap();
        cloud.emulator.faults().clear();
        sessions.extend(publisher.credential().await.unwrap());
    }
    // No route at all, and one whose server is not trusted.
    let elsewhere = Route::new("elsewhere.example", roots(&cloud.authority));
    let distrusted = Route::new(cloud.emulator.server_name(), roots(&Authority::new()));
    for route in [elsewhere, distrusted] {
        let transport = cloud.transport_along(Pool::default(), vec![route, cloud.credentials_route()]);
        let mut publisher = try_open(transport, &platform, &options, None).await.unwrap();
        publisher.publish(&at_least_once("a", b"x")).await.unwrap().unwrap_err();
    }
    (log.take(), sessions)
}

/// Whether our host has written it, and not wasmtime about each call of a guest.
fn is_ours(line: &&str) -> bool {
    !line.starts_with("TRACE wasmtime")
}

#[tokio::test]
async fn no_secret_is_in_the_log_of_the_host_whatever_goes_wrong() {
    within(async {
        for way in [Way::SigV4, Way::CustomAuthorizer, Way::CredentialsProvider] {
            let cloud = AwsCloud::start_for_everybody().await;
            let (mut text, sessions) = written(&cloud, cloud.authentication(way)).await;
            if way == Way::SigV4 {
                text.push_str(&written(&cloud, AwsAuthentication::SigV4(temporary_key())).await.0);
            }
            let ours: Vec<&str> = text.lines().filter(is_ours).collect();
            let name = cloud.emulator.server_name();
            assert!(ours.iter().filter(|line| line.contains(name)).count() >= 6, "{way:?}: {ours:#?}");
            // What wasmtime writes about each call of a guest is in there as well.
            assert!(text.lines().any(|line| !is_ours(&line) && line.contains("scheme")), "{way:?}");
            assert_hidden(&text);
            assert_eq!(sessions.is_empty(), way != Way::CredentialsProvider);
            for session in sessions {
                let session: Value = serde_json::from_str(&session).unwrap();
                for name in ["secretAccessKey", "sessionToken"] {
                    assert!(!text.contains(session[name].as_str().unwrap()), "{name} is in the log");
                }
            }
        }
    })
    .await;
}

/// "Queries end up in logs", says the interface, and wasmtime's is such a log: at its most talkative it writes down the path
/// of each request. Ours is none.
#[tokio::test]
async fn a_token_in_the_query_is_in_no_line_that_the_host_itself_has_written() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let authentication = AwsAuthentication::CustomAuthorizer(custom_authorizer(Placement::Query));
        let (text, _) = written(&cloud, authentication).await;
        let ours: Vec<&str> = text.lines().filter(is_ours).collect();
        assert!(ours.len() >= 6, "{ours:#?}");
        assert_hidden(&ours.join("\n"));
    })
    .await;
}
