//! The attacks, and how each of them ends.

use std::time::Duration;

use thingpost_host::runtime::{CallBudget, CallError};
use thingpost_host::{GuestLimits, LimitExceeded};
use wasmtime::component::ResourceTableError;
use wasmtime_wasi_http::FieldMapError;

use super::GROWTH;
use super::alone::is_alone;
use super::stage::Stage;
use crate::fixtures::deadline::within;

/// What a guest in a loop uses up in any case, and a start of an instance on no machine.
const COMPUTING: Duration = Duration::from_secs(5);

/// Long enough for the good guest to be in the middle of something, and short enough for a test.
const SHORT: Duration = Duration::from_millis(300);

const MEBIBYTE: usize = 1024 * 1024;

#[tokio::test]
async fn a_guest_that_wants_all_memory_gets_what_is_its_share() {
    if !is_alone("attacks::a_guest_that_wants_all_memory_gets_what_is_its_share") {
        return;
    }
    within(async {
        let limit = 32 * MEBIBYTE;
        let mut stage = Stage::set().await.with(|guest| guest.limits(GuestLimits::default().memory_bytes(limit)));
        let trap = stage.suffer("memory").await.unwrap_err();
        let Some(LimitExceeded::Memory { wanted, limit: had }) = trap.downcast_ref() else { panic!("{trap:#}") };
        assert!(*wanted > limit && *had == limit, "{trap:#}");
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_takes_the_default_of_memory_costs_the_host_no_more_than_that() {
    if !is_alone("attacks::a_guest_that_takes_the_default_of_memory_costs_the_host_no_more_than_that") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        let trap = stage.suffer("memory").await.unwrap_err();
        assert!(trap.downcast_ref::<LimitExceeded>().is_some(), "{trap:#}");
        let own = GuestLimits::default().memory_bytes as u64;
        assert!(stage.growth() <= own + GROWTH, "{} KiB", stage.growth() / 1024);
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_fills_bodies_and_sends_none_fills_no_host() {
    if !is_alone("attacks::a_guest_that_fills_bodies_and_sends_none_fills_no_host") {
        return;
    }
    within(ends_at_a_full_table("bodies")).await;
}

#[tokio::test]
async fn a_guest_that_collects_headers_fills_no_host() {
    if !is_alone("attacks::a_guest_that_collects_headers_fills_no_host") {
        return;
    }
    within(ends_at_a_full_table("headers")).await;
}

async fn ends_at_a_full_table(attack: &str) {
    let mut stage = Stage::set().await;
    let mut guest = stage.guest().await;
    let trap = stage.suffer_from(&mut guest, attack).await.unwrap_err();
    assert!(matches!(trap.downcast_ref(), Some(ResourceTableError::Full)), "{trap:#}");
    // What it has taken it still has.
    stage.assert_small();
    assert!(stage.of_the_guest().is_empty());
    let later = stage.suffer_from(&mut guest, attack).await.unwrap_err();
    assert!(matches!(later.downcast_ref(), Some(CallError::Lost { .. })), "{later:#}");
}

#[tokio::test]
async fn a_guest_that_makes_resources_of_its_own_without_end_ends_at_the_bound_of_handles() {
    if !is_alone("attacks::a_guest_that_makes_resources_of_its_own_without_end_ends_at_the_bound_of_handles") {
        return;
    }
    within(async {
        for limits in [GuestLimits::default(), GuestLimits::default().handles(100)] {
            let mut stage = Stage::set().await.with(|guest| guest.limits(limits));
            let trap = stage.suffer("handles").await.unwrap_err();
            // The error has no type that could be named, and its text no number.
            assert!(format!("{trap:#}").contains("handle"), "{trap:#}");
            stage.assert_small();
            assert!(stage.of_the_guest().is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_guest_with_too_many_headers_for_one_request_ends_with_a_trap_that_says_so() {
    if !is_alone("attacks::a_guest_with_too_many_headers_for_one_request_ends_with_a_trap_that_says_so") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await.with(|guest| guest.limits(GuestLimits::default().field_bytes(1024)));
        let trap = stage.suffer("headers").await.unwrap_err();
        assert_eq!(trap.downcast_ref(), Some(&FieldMapError::TotalSizeTooBig), "{trap:#}");
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_gives_requests_endless_names_fills_no_host() {
    if !is_alone("attacks::a_guest_that_gives_requests_endless_names_fills_no_host") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        assert_eq!(stage.suffer("request lines").await.unwrap(), "0 taken");
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_computes_for_ever_is_stopped_and_says_so_from_then_on() {
    if !is_alone("attacks::a_guest_that_computes_for_ever_is_stopped_and_says_so_from_then_on") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await.with(|guest| guest.call_budget(CallBudget::default().cpu(COMPUTING)));
        let mut guest = stage.guest().await;
        let stopped = stage.suffer_from(&mut guest, "cpu").await.unwrap_err();
        assert_eq!(stopped.downcast_ref(), Some(&CallError::CpuBudget { budget: COMPUTING }), "{stopped:#}");
        let later = stage.suffer_from(&mut guest, "cpu").await.unwrap_err();
        assert!(matches!(later.downcast_ref(), Some(CallError::Lost { .. })), "{later:#}");
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_makes_the_host_loop_is_ended_before_it_does() {
    if !is_alone("attacks::a_guest_that_makes_the_host_loop_is_ended_before_it_does") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        let trap = stage.suffer("host call").await.unwrap_err();
        // The error has no type that could be named.
        assert!(format!("{trap:#}").contains("hostcall"), "{trap:#}");
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_waits_for_ever_is_ended_by_the_deadline_of_its_call() {
    if !is_alone("attacks::a_guest_that_waits_for_ever_is_ended_by_the_deadline_of_its_call") {
        return;
    }
    within(async {
        let budget = CallBudget::default().deadline(SHORT);
        let mut stage = Stage::set().await.with(|guest| guest.call_budget(budget));
        let mut guest = stage.guest().await;
        let stopped = stage.suffer_from(&mut guest, "wait").await.unwrap_err();
        assert_eq!(stopped.downcast_ref(), Some(&CallError::Deadline { after: SHORT }), "{stopped:#}");
        let later = stage.suffer_from(&mut guest, "wait").await.unwrap_err();
        assert!(matches!(later.downcast_ref(), Some(CallError::Lost { .. })), "{later:#}");
        stage.assert_small();
    })
    .await;
}

/// A million, at which a stock host's table is full, would take more than four minutes here: in a debug build it is some 3,800 in a
/// second, beside a good guest, on two cores. Ten thousand are twenty-six times the places of our table, and nothing is left of any of them.
#[tokio::test]
async fn ten_thousand_requests_to_hosts_that_are_denied_leave_nothing_in_the_host() {
    if !is_alone("attacks::ten_thousand_requests_to_hosts_that_are_denied_leave_nothing_in_the_host") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        assert_eq!(stage.suffer("denied hosts").await.unwrap(), "10000 denied");
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_injects_headers_and_request_lines_gets_none_of_them_out() {
    if !is_alone("attacks::a_guest_that_injects_headers_and_request_lines_gets_none_of_them_out") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        assert_eq!(stage.suffer("injection").await.unwrap(), "all refused");
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_that_reads_no_answer_has_a_bounded_number_of_requests() {
    if !is_alone("attacks::a_guest_that_reads_no_answer_has_a_bounded_number_of_requests") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        assert_eq!(stage.suffer("unread answers").await.unwrap(), "ConnectionLimitReached");
        stage.assert_small();
        let most = GuestLimits::default().requests_in_flight;
        assert!(stage.of_the_guest().len() <= most, "{}", stage.of_the_guest().len());
    })
    .await;
}

#[tokio::test]
async fn a_guest_gets_signatures_of_its_own_device_for_now_and_no_stock_of_them() {
    if !is_alone("attacks::a_guest_gets_signatures_of_its_own_device_for_now_and_no_stock_of_them") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        let mut guest = stage.guest_that_may_ask_for_signatures("pk").await;
        let said = stage.suffer_with(&mut guest, "signer", "pk").await.unwrap();
        assert_eq!(
            said,
            "another device: not authentication; no time: no timestamp; a later day: timestamp too far; \
             any text: not authentication; again and again: rate limited"
        );
        // A store that was opened for a device of which the host has no secret gets none at all.
        let mut guest = stage.guest().await;
        let said = stage.suffer_with(&mut guest, "signer", "pk").await.unwrap();
        assert!(said.ends_with("again and again: no secret"), "{said}");
        stage.assert_small();
        assert!(stage.of_the_guest().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guest_may_trap_after_any_call_of_the_host() {
    if !is_alone("attacks::a_guest_may_trap_after_any_call_of_the_host") {
        return;
    }
    within(async {
        let mut stage = Stage::set().await;
        for calls in 0.. {
            match stage.suffer(&format!("trap {calls}")).await {
                Err(trap) => assert!(trap.downcast_ref::<wasmtime::Trap>().is_some(), "{trap:#}"),
                Ok(said) => {
                    assert_eq!(said, "no calls left");
                    break;
                }
            }
        }
        stage.assert_small();
        // What a guest had begun may have arrived or not, but no more of it has than was begun.
        assert!(stage.of_the_guest().len() <= 30);
    })
    .await;
}
