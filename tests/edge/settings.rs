//! What becomes of settings that are missing, wrong, or not the host's.

use serde_json::json;
use thingpost_edge_artifacts::{ALL, EDGE, EDGE_MIN, EDGE_SPIN};

use super::devices::aws_settings;
use super::stage::{Function, request};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;
use crate::fixtures::ways::Way;

#[tokio::test]
async fn without_settings_all_is_answered_that_needs_none_and_nothing_is_published() {
    within(async {
        let cloud = AwsCloud::start().await;
        for artifact in ALL {
            let mut function = Function::start(artifact, cloud.transport(cloud.route()), &json!({})).await;
            for (method, path, status) in [
                ("GET", "/healthz", 200),
                ("HEAD", "/healthz", 200),
                ("GET", "/readyz", 503),
                ("GET", "/", 404),
                ("GET", "/topics/a", 405),
                ("OPTIONS", "/topics/a", 405),
                ("POST", "/topics/a%2B", 400),
                ("POST", "/topics/a?QoS=1", 400),
                ("POST", "/topics/a", 503),
                ("PUT", "/devices/b/topics/a", 503),
            ] {
                let answer = function.send(request(method, path, "x")).await;
                assert_eq!(answer.status, status, "{} {method} {path} {answer:?}", artifact.name);
                match method {
                    "HEAD" => assert_eq!(answer.text, ""),
                    _ => assert!(answer.body().is_object()),
                }
            }
            let too_large = function.post("/topics/a", vec![0; 131_073]).await;
            assert_eq!(too_large.verdict(), (413, "not-sent".into(), "payload-too-large".into()));
        }
        assert_eq!(cloud.connections(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_second_header_with_settings_is_taken_for_that_of_a_caller() {
    within(async {
        let cloud = AwsCloud::start_for_everybody().await;
        let settings = aws_settings(&cloud, Way::SigV4);
        let mut function = Function::start(EDGE_MIN, cloud.transport_for(Way::SigV4), &settings).await;
        let mut twice = request("POST", "/topics/a", "x");
        for _ in 0..2 {
            twice.headers_mut().append("thingpost-settings", settings.to_string().parse().unwrap());
        }
        let answer = function.send_as_it_is(twice).await;
        assert_eq!(answer.verdict(), (503, "not-sent".into(), "not-configured".into()));
        assert_eq!(cloud.connections(), 0);
        // And one that the host replaces is the host's.
        let mut callers = request("POST", "/topics/a", "x");
        callers.headers_mut().insert("thingpost-settings", "{}".parse().unwrap());
        assert_eq!(function.send(callers).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn changed_settings_are_taken_up_by_an_instance_that_runs() {
    within(async {
        for artifact in ALL {
            let cloud = AwsCloud::start_for_everybody().await;
            let right = aws_settings(&cloud, Way::SigV4);
            let mut wrong = right.clone();
            wrong["secret_access_key"] = "hunter2-hunter2".into();
            let mut function = Function::start(artifact, cloud.transport_for(Way::SigV4), &wrong).await;
            let refused = function.post("/topics/a", "x").await;
            assert_eq!(refused.status, 422, "{refused:?}");
            assert!(!refused.text.contains("hunter2"), "{refused:?}");
            function.configure(&right);
            assert_eq!(function.post("/topics/a", "x").await.status, 200, "{}", artifact.name);
            function.configure(&wrong);
            assert_eq!(function.post("/topics/a", "x").await.status, 422, "{}", artifact.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_store_that_lists_nothing_is_asked_for_each_setting() {
    within(async {
        for artifact in [EDGE, EDGE_SPIN] {
            let cloud = AwsCloud::start_for_everybody().await;
            let settings = aws_settings(&cloud, Way::SigV4);
            let mut function = Function::start(artifact, cloud.transport_for(Way::SigV4), &settings).await;
            function.list_nothing();
            assert_eq!(function.post("/topics/a", "x").await.status, 200, "{}", artifact.name);
        }
    })
    .await;
}
