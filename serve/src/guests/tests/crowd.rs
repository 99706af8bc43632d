//! More clients than instances.

use thingpost_patience::within;
use tokio::task::JoinSet;

use super::*;

/// Asks so many times at once.
fn crowd(guests: &Guests<Barrier>, clients: usize, path: &'static str) -> JoinSet<Response<AnswerBody>> {
    let ask = |_| {
        let guests = guests.clone();
        async move { guests.answer(post(path)).await }
    };
    (0..clients).map(ask).collect()
}

/// How many got which status. Those that were sent away were told when to come back.
async fn statuses(mut crowd: JoinSet<Response<AnswerBody>>) -> (usize, usize) {
    let (mut served, mut sent_away) = (0, 0);
    while let Some(answer) = crowd.join_next().await {
        let answer = answer.unwrap();
        match answer.status().as_u16() {
            200 => served += 1,
            503 => {
                assert!(answer.headers().contains_key("retry-after"));
                sent_away += 1;
            }
            other => panic!("{other}"),
        }
    }
    (served, sent_away)
}

#[tokio::test]
async fn a_thousand_clients_of_a_slow_cloud_are_served_at_once_a_thousand_wait_and_the_others_come_back() {
    within(async {
        let runtime = runtime(1000);
        let component = runtime.load_handler(HANDLER, &linker(&runtime)).unwrap();
        let gate = Barrier::closed();
        let workload = Workload { component, ..workload(without_routes(), &gate) };
        let GuestSettings { instances, queue, .. } = GuestSettings::default();
        let guests = Guests::new(workload, GuestSettings { instances, queue, ..patient() });
        let crowd = crowd(&guests, 2500, "/gate");
        // All at once: the cloud of none of them has answered.
        gate.until_arrived(1000).await;
        until(|| guests.statistics().refused == 500).await;
        assert_eq!((guests.statistics().busy, guests.statistics().waiting), (1000, 1000));
        gate.open(2500);
        assert_eq!(statuses(crowd).await, (2000, 500));
    })
    .await;
}

#[tokio::test]
async fn a_device_that_asks_too_much_is_sent_away_and_others_are_served() {
    within(async {
        let (guests, gate) = guests(GuestSettings { per_device: Some(2), ..patient() });
        let ours = crowd(&guests, 10, "/devices/pump/gate");
        until(|| guests.statistics().refused == 6).await;
        gate.until_arrived(2).await;
        assert_eq!(ask(&guests, "/devices/fan/count").await.0, 200);
        assert_eq!(ask_in_vain(&guests, "/devices/%70ump/count").await, words((503, "device-busy", "not-sent", true)));
        gate.open(10);
        assert_eq!(statuses(ours).await, (4, 6));
    })
    .await;
}

#[tokio::test]
async fn who_waits_too_long_is_told_to_come_back() {
    within(async {
        let settings = GuestSettings { instances: 1, queue_timeout: Duration::from_millis(50), ..patient() };
        let (guests, gate) = guests(settings);
        let first = crowd(&guests, 1, "/gate");
        gate.until_arrived(1).await;
        assert_eq!(ask_in_vain(&guests, "/count").await, words((503, "busy", "not-sent", true)));
        assert_eq!(guests.statistics().waiting, 0);
        gate.open(1);
        assert_eq!(statuses(first).await, (1, 0));
    })
    .await;
}
