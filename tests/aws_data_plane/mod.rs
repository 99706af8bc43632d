//! Shadows, retained messages, direct messages and connections: the operations that share the endpoint with publishing,
//! through the component. What they do is judged by what the emulated account holds afterwards.

mod connections;
mod direct_messages;
mod lost_answers;
mod operation;
mod permissions;
mod retained;
mod shadows;
mod sizes;
mod ways;

use thingpost_host::runtime::types::{Cause, Delivery, Error, Page, Retry, Shadow, Stage};

const THING: &str = "thermometer-7";

fn classic() -> Shadow {
    Shadow { thing: THING.to_owned(), name: None }
}

fn named(name: &str) -> Shadow {
    Shadow { name: Some(name.to_owned()), ..classic() }
}

const FIRST_PAGE: Page = Page { size: None, token: None };

fn page_of(size: u32, token: Option<String>) -> Page {
    Page { size: Some(size), token }
}

/// Found before anything is sent, and told so.
fn assert_found_before(error: &Error, cause: Cause) {
    assert_eq!(error.cause, cause, "{error:?}");
    assert_eq!((error.stage, error.delivery, error.retry), (Stage::Preparation, Delivery::NotSent, Retry::Never));
    assert_eq!((error.attempts, &error.answer), (0, &None));
}

/// AWS has said no, for good.
fn assert_refused(error: &Error, cause: Cause, status: u16) {
    assert_eq!(error.cause, cause, "{error:?}");
    assert_eq!((error.stage, error.delivery, error.retry), (Stage::Publication, Delivery::Refused, Retry::Never));
    assert_eq!(error.attempts, 1);
    let answer = error.answer.as_ref().unwrap();
    assert_eq!(answer.status, status);
    assert!(answer.trace_id.is_some() && answer.code.is_some(), "{answer:?}");
}
