//! What a client is told of what a cloud has done, class by class of the table in `docs/edge.md`.

use thingpost_edge_artifacts::EDGE_MIN;
use thingpost_emulator::{AwsAction, Break, Fault};

use super::devices::{aliyun_settings, aws_settings};
use super::stage::Function;
use crate::fixtures::aliyun::{self, AliyunCloud};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::ways::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, Way};

const PATH: &str = "/topics/devices/thermometer-7/up";

async fn signing(cloud: &AwsCloud) -> Function {
    Function::start(EDGE_MIN, cloud.transport_for(Way::SigV4), &aws_settings(cloud, Way::SigV4)).await
}

fn verdict(status: u16, outcome: &str, cause: &str) -> (u16, String, String) {
    (status, outcome.to_owned(), cause.to_owned())
}

#[tokio::test]
async fn what_the_platform_refuses_is_refused_and_nothing_of_it_is_secret() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.deny_action(ACCESS_KEY_ID, AwsAction::Publish);
        let answer = signing(&cloud).await.post(PATH, "x").await;
        assert_eq!(answer.verdict(), verdict(422, "refused", "forbidden"));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(!answer.text.contains(SECRET_ACCESS_KEY), "{answer:?}");
        assert_eq!(cloud.emulator.ledger().accepted().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn credentials_that_are_wrong_are_the_fault_of_this_side_and_not_of_the_client() {
    within(async {
        let cloud = AliyunCloud::start().await;
        let mut settings = aliyun_settings();
        settings["device_secret"] = "hunter2-hunter2-hunter2-hunter2-".into();
        let mut function = Function::start(EDGE_MIN, cloud.transport(), &settings).await;
        let answer = function.post(&format!("/topics/{}", aliyun::TOPIC), "x").await;
        assert_eq!(answer.verdict(), verdict(502, "refused", "unauthenticated"));
        assert!(!answer.text.contains("hunter2"), "{answer:?}");
    })
    .await;
}

#[tokio::test]
async fn a_message_of_which_nothing_is_known_is_unknown_and_one_that_never_left_was_not_sent() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let mut function = signing(&cloud).await;
        cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
        let (status, outcome, cause) = function.post(PATH, "x").await.verdict();
        assert_eq!((status, outcome.as_str()), (504, "unknown"), "{cause}");
        assert_eq!(cloud.emulator.ledger().accepted().len(), 1);
        // To where no route leads.
        let mut elsewhere = aws_settings(&cloud, Way::SigV4);
        elsewhere["endpoint"] = "b2-ats.iot.eu-central-1.amazonaws.com".into();
        function.configure(&elsewhere);
        assert_eq!(function.post(PATH, "x").await.verdict(), verdict(503, "not-sent", "transport/denied"));
    })
    .await;
}

#[tokio::test]
async fn what_is_sent_again_is_in_the_answer() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        cloud.emulator.faults().push(Fault::AfterAcceptance(Break::Close), 1);
        let answer = signing(&cloud).await.post(&format!("{PATH}?qos=1"), "x").await;
        assert_eq!((answer.status, answer.body()["attempts"].as_u64()), (200, Some(2)));
        assert_eq!(cloud.emulator.ledger().accepted().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_page_of_something_in_between_is_not_taken_for_the_platform() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let page = Fault::Answer {
            status: 302,
            headers: vec![("location".to_owned(), "http://login.example/".to_owned())],
            body: b"<html>".to_vec(),
        };
        cloud.emulator.faults().push(page, 1);
        let answer = signing(&cloud).await.post(PATH, "x").await;
        assert_eq!(answer.verdict(), verdict(502, "refused", "wrong-host-or-path"));
    })
    .await;
}
