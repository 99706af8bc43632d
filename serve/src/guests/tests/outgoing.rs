//! Messages that guests send, and what is known of them when a guest ends.

use thingpost_patience::within;

use super::cloud::Cloud;
use super::*;

async fn with_cloud(settings: GuestSettings) -> (Guests<Barrier>, Cloud) {
    let cloud = Cloud::start().await;
    (Guests::new(workload(cloud.transport(), &Barrier::closed()), settings), cloud)
}

#[tokio::test]
async fn a_guest_sends_by_its_routes_and_nowhere_else() {
    within(async {
        let (guests, cloud) = with_cloud(patient()).await;
        cloud.gate.open(1);
        assert_eq!(ask(&guests, &cloud.path("/send")).await, (200, "202".to_owned()));
        let (status, error) = ask(&guests, "/send?elsewhere.example").await;
        assert_eq!(status, 200);
        assert!(error.contains("HttpRequestDenied"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_message_whose_client_has_gone_is_sent_to_its_end() {
    within(async {
        let (guests, cloud) = with_cloud(patient()).await;
        let asking = tokio::spawn({
            let (guests, path) = (guests.clone(), cloud.path("/send"));
            async move { guests.answer(post(&path)).await }
        });
        cloud.gate.until_arrived(1).await;
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        assert_eq!(guests.statistics().busy, 1);
        cloud.gate.open(1);
        guests.drained().await;
        assert_eq!((guests.statistics().idle, guests.statistics().trapped), (1, 0), "it has seen the answer");
    })
    .await;
}

#[tokio::test]
async fn a_message_may_have_gone_out_before_its_guest_was_stopped() {
    within(async {
        let (guests, cloud) = with_cloud(patient()).await;
        cloud.gate.open(1);
        assert_eq!(
            ask_in_vain(&guests, &cloud.path("/send-and-trap")).await,
            words((504, "guest-trapped", "unknown", false))
        );
        assert_eq!(ask(&guests, "/count").await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_carries_no_message_is_never_unknown() {
    within(async {
        let (guests, cloud) = with_cloud(patient()).await;
        cloud.gate.open(1);
        let path = cloud.path("/send-and-trap");
        let request = Request::get(path).header("host", "a").body(Full::<Bytes>::default()).unwrap();
        let answered = problem(guests.answer(request).await).await;
        assert_eq!(answered, words((500, "guest-trapped", "not-sent", false)));
    })
    .await;
}
