//! Guests that do not come to a good end, and what their clients and the next ones get.

use thingpost_patience::within;

use super::*;

/// A second of computing, and a few of anything.
fn strict() -> GuestSettings {
    GuestSettings { cpu: Duration::from_millis(300), ..patient() }
}

async fn assert_next_is_answered(guests: &Guests<Barrier>) {
    assert_eq!(ask(guests, "/early").await, (200, "early".to_owned()));
}

#[tokio::test]
async fn a_guest_in_a_loop_is_stopped_and_the_next_request_works() {
    within(async {
        let (guests, _) = guests(strict());
        assert_eq!(ask_in_vain(&guests, "/loop").await, words((503, "guest-stopped", "not-sent", true)));
        assert_next_is_answered(&guests).await;
        assert_eq!((guests.statistics().stopped, guests.statistics().started), (1, 2));
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_grows_is_stopped_and_the_next_request_works() {
    within(async {
        let (guests, _) = guests(GuestSettings { memory_bytes: 8 * 1024 * 1024, ..patient() });
        assert_eq!(ask_in_vain(&guests, "/grow").await, words((503, "guest-stopped", "not-sent", true)));
        assert_next_is_answered(&guests).await;
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_waits_too_long_is_stopped_by_the_deadline() {
    within(async {
        let (guests, _) = guests(GuestSettings { deadline: Duration::from_millis(300), ..patient() });
        assert_eq!(ask_in_vain(&guests, "/wait").await, words((503, "guest-stopped", "not-sent", true)));
        until(|| guests.statistics().busy == 0).await;
    })
    .await;
}

#[tokio::test]
async fn others_are_answered_beside_a_guest_in_a_loop_on_one_thread() {
    within(async {
        let (guests, _) = guests(patient());
        let looping = tokio::spawn({
            let guests = guests.clone();
            async move { guests.answer(post("/loop")).await }
        });
        until(|| guests.statistics().busy == 1).await;
        assert_next_is_answered(&guests).await;
        guests.stop();
        assert_eq!(problem(looping.await.unwrap()).await, words((504, "shutting-down", "unknown", false)));
        guests.drained().await;
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_traps_or_has_no_answer_is_a_fault_of_the_component() {
    within(async {
        let (guests, _) = guests(patient());
        for (path, cause) in [
            ("/trap", "guest-trapped"),
            ("/exit", "guest-trapped"),
            ("/never", "guest-without-answer"),
            ("/error", "guest-without-answer"),
        ] {
            assert_eq!(ask_in_vain(&guests, path).await, words((500, cause, "not-sent", false)), "{path}");
            assert_next_is_answered(&guests).await;
        }
        assert_eq!(guests.statistics().trapped, 2);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_not_written_to_its_end_breaks_off_for_its_client() {
    within(async {
        let (guests, _) = guests(strict());
        for path in ["/trap-after-head", "/loop-after-head", "/unfinished", "/dropped"] {
            let answer = guests.answer(post(path)).await;
            assert_eq!(answer.status(), 200, "{path}");
            let broken = answer.into_body().collect().await;
            assert!(broken.is_err(), "half an answer is no answer: {path}");
            assert_next_is_answered(&guests).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_any_more_ends_its_guest_in_good_order() {
    within(async {
        let (guests, gate) = guests(patient());
        drop(guests.answer(post("/piecewise")).await);
        gate.open(1);
        guests.drained().await;
        assert_eq!((guests.statistics().idle, guests.statistics().trapped), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_written_to_its_end_is_whole_whatever_becomes_of_its_guest() {
    within(async {
        let (guests, _) = guests(patient());
        for _ in 0..20 {
            assert_eq!(ask(&guests, "/trap-after-answer").await, (200, "all of it".to_owned()));
        }
        until(|| guests.statistics().busy == 0).await;
        assert_eq!((guests.statistics().trapped, guests.statistics().idle), (20, 0));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_announces_a_body_and_has_none_does_not_leave() {
    within(async {
        let (guests, _) = guests(patient());
        let answered = ask_in_vain(&guests, "/announced?5").await;
        assert_eq!(answered, words((500, "guest-without-answer", "not-sent", false)));
        assert_eq!(ask(&guests, "/announced?0").await, (200, String::new()));
        let request = Request::head("/announced?5").header("host", "a").body(Full::<Bytes>::default()).unwrap();
        assert_eq!(guests.answer(request).await.headers()["content-length"], "5", "what a GET would get");
    })
    .await;
}

#[tokio::test]
async fn what_a_guest_says_when_it_traps_is_in_the_log_and_a_flood_of_it_is_counted() {
    within(async {
        let log = Log::default();
        let _logged = log.capture();
        // Of its own, as all instances of a component share its log.
        let runtime = runtime(1);
        let component = runtime.load_handler(HANDLER, &linker(&runtime)).unwrap();
        let workload = Workload { component, ..workload(without_routes(), &Barrier::closed()) };
        let guests = Guests::new(workload, patient());
        for _ in 0..100 {
            let (_, body) = ask(&guests, "/trap").await;
            assert!(!body.contains("unreachable"), "what stands in an error of the host is not for clients: {body}");
        }
        let log = log.text();
        assert!(log.contains("the guest has trapped: wasm trap: wasm `unreachable` instruction executed"), "{log}");
        assert!(log.matches("has trapped").count() < 100, "{log}");
    })
    .await;
}
