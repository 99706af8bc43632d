//! Instances from one request to the next.

use thingpost_patience::within;

use super::cloud::Cloud;
use super::*;

#[tokio::test]
async fn an_instance_is_kept_for_the_next_request_for_so_many_of_them() {
    within(async {
        let (guests, _) = guests(GuestSettings { requests_per_instance: 3, ..patient() });
        let mut counts = Vec::new();
        for _ in 0..7 {
            counts.push(ask(&guests, "/count").await.1);
            until(|| guests.statistics().busy == 0).await;
        }
        assert_eq!(counts, ["1", "2", "3", "1", "2", "3", "1"]);
        let statistics = guests.statistics();
        assert_eq!((statistics.started, statistics.reused, statistics.idle), (3, 4, 1));
    })
    .await;
}

#[tokio::test]
async fn one_request_per_instance_is_as_if_none_were_kept() {
    within(async {
        let (guests, _) = guests(GuestSettings { requests_per_instance: 1, ..patient() });
        for _ in 0..3 {
            assert_eq!(ask(&guests, "/count").await.1, "1");
            until(|| guests.statistics().busy == 0).await;
        }
        assert_eq!(guests.statistics().idle, 0);
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_leaves_something_behind_each_time_ends_before_there_is_no_room() {
    within(async {
        let (guests, _) = guests(patient());
        // More than an instance may have of resources.
        for number in 0..500 {
            assert_eq!(ask(&guests, "/leak").await.0, 200, "request {number}");
            until(|| guests.statistics().busy == 0).await;
        }
        let statistics = guests.statistics();
        assert_eq!((statistics.trapped, statistics.started), (0, 3));
    })
    .await;
}

#[tokio::test]
async fn what_has_begun_ends_with_the_old_component_and_what_comes_is_for_the_new_one() {
    within(async {
        let (guests, gate) = guests(patient());
        assert_eq!(ask(&guests, "/count").await.1, "1");
        until(|| guests.statistics().idle == 1).await;
        let old = tokio::spawn({
            let guests = guests.clone();
            async move { ask(&guests, "/gate").await }
        });
        gate.until_arrived(1).await;
        guests.replace(workload(without_routes(), &Barrier::closed()), patient());
        assert_eq!(ask(&guests, "/count").await.1, "1", "it knows nothing of the old one");
        gate.open(1);
        assert_eq!(old.await.unwrap(), (200, "passed".to_owned()));
        guests.drained().await;
        assert_eq!(guests.statistics().idle, 1, "the old one has ended");
    })
    .await;
}

#[tokio::test]
async fn instances_that_wait_for_nothing_hold_no_end_up() {
    within(async {
        let (guests, gate) = guests(patient());
        ask(&guests, "/count").await;
        until(|| guests.statistics().idle == 1).await;
        let running = tokio::spawn({
            let guests = guests.clone();
            async move { ask(&guests, "/gate").await }
        });
        gate.until_arrived(1).await;
        guests.close();
        assert_eq!(guests.statistics().idle, 0);
        assert_eq!(ask_in_vain(&guests, "/count").await, words((503, "shutting-down", "not-sent", true)));
        gate.open(1);
        assert_eq!(running.await.unwrap().0, 200, "what had begun is finished");
        guests.drained().await;
    })
    .await;
}

#[tokio::test]
async fn the_edge_function_runs_and_takes_what_its_host_tells_it_of_each_request() {
    within(async {
        let runtime = runtime(4);
        let linker = runtime.handler_linker::<()>().unwrap();
        let component = runtime.load_handler(thingpost_edge_artifacts::EDGE_MIN.bytes, &linker).unwrap();
        let cloud = Cloud::start().await;
        cloud.gate.open(1);
        let workload = Workload { component, transport: cloud.transport(), data: Arc::new(|| ()) };
        let guests = Guests::new(workload, patient());
        let asked = |request: http::request::Builder, body: &'static str| {
            let request = request.header("host", "edge.example").body(Full::<Bytes>::from(body)).unwrap();
            let guests = guests.clone();
            async move { read(guests.answer(request).await).await }
        };
        assert_eq!(asked(Request::get("/healthz"), "").await.0, 200);
        let (status, answer) = asked(Request::post("/topics/a"), "21.5").await;
        assert!(status == 503 && answer.contains("not-configured"), "{status} {answer}");
        let port = cloud.address.port();
        let settings = format!(r#"{{"platform":"aws","endpoint":"localhost","port":"{port}"}}"#);
        let published = Request::post("/topics/a").header("thingpost-settings", settings);
        let (status, answer) = asked(published, "21.5").await;
        assert!(
            status == 502 && answer.contains("undocumented-answer"),
            "a cloud that only says 202: {status} {answer}"
        );
        assert_eq!((guests.statistics().started, cloud.gate.arrived()), (1, 1));
    })
    .await;
}
