//! Shadows: documents that outlive connections, with versions that keep writers apart.

use serde_json::{Value, json};
use thingpost_emulator::AwsConnections;
use thingpost_host::runtime::Publisher;
use thingpost_host::runtime::types::{Cause, Error, Field, Shadow, ShadowListing, ShadowUpdate};

use super::{FIRST_PAGE, THING, assert_found_before, assert_refused, classic, named, page_of};
use crate::fixtures::aws::AwsCloud;
use crate::fixtures::deadline::within;

async fn update(publisher: &mut Publisher, shadow: &Shadow, document: &Value) -> Result<Value, Error> {
    let update =
        ShadowUpdate { shadow: shadow.clone(), document: document.to_string().into_bytes(), max_state_bytes: None };
    publisher.aws().update_shadow(&update).await.unwrap().map(|document| json(&document))
}

async fn get(publisher: &mut Publisher, shadow: &Shadow) -> Result<Value, Error> {
    publisher.aws().get_shadow(shadow).await.unwrap().map(|document| json(&document))
}

async fn delete(publisher: &mut Publisher, shadow: &Shadow) -> Result<Value, Error> {
    publisher.aws().delete_shadow(shadow).await.unwrap().map(|document| json(&document))
}

fn json(document: &[u8]) -> Value {
    serde_json::from_slice(document).unwrap()
}

#[tokio::test]
async fn a_shadow_is_made_changed_read_and_deleted_and_its_version_counts_on() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for shadow in [classic(), named("state"), named("$aws:odd-_name")] {
            let reported = json!({"state": {"reported": {"temperature": 21, "unit": "°C", "open": [1, 2]}}});
            let accepted = update(&mut publisher, &shadow, &reported).await.unwrap();
            assert_eq!((&accepted["version"], &accepted["state"]), (&json!(1), &reported["state"]), "{shadow:?}");
            let desired = json!({"state": {"desired": {"temperature": 19}, "reported": {"unit": null}}, "version": 1});
            assert_eq!(update(&mut publisher, &shadow, &desired).await.unwrap()["version"], 2);

            let document = get(&mut publisher, &shadow).await.unwrap();
            let expected = json!({
                "desired": {"temperature": 19},
                "reported": {"temperature": 21, "open": [1, 2]},
                "delta": {"temperature": 19},
            });
            assert_eq!((&document["version"], &document["state"]), (&json!(2), &expected), "{shadow:?}");
            assert!(document["metadata"]["reported"]["temperature"]["timestamp"].is_u64());

            assert_eq!(delete(&mut publisher, &shadow).await.unwrap()["version"], 2);
            assert_eq!(get(&mut publisher, &shadow).await.unwrap_err().cause, Cause::NotFound);
            assert_eq!(update(&mut publisher, &shadow, &reported).await.unwrap()["version"], 3);
        }
        assert_eq!(cloud.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn classic_and_named_shadows_of_different_things_do_not_mix() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let elsewhere = Shadow { thing: "other:thing_2".to_owned(), name: Some("state".to_owned()) };
        let shadows = [classic(), named("state"), elsewhere];
        for (index, shadow) in shadows.iter().enumerate() {
            update(&mut publisher, shadow, &json!({"state": {"reported": {"index": index}}})).await.unwrap();
        }
        for (index, shadow) in shadows.iter().enumerate() {
            assert_eq!(get(&mut publisher, shadow).await.unwrap()["state"]["reported"]["index"], index);
        }
    })
    .await;
}

#[tokio::test]
async fn an_update_for_another_version_is_refused_as_a_conflict_and_changes_nothing() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        update(&mut publisher, &classic(), &json!({"state": {"reported": {"a": 1}}})).await.unwrap();
        for version in [0, 2, 7] {
            let stale = json!({"state": {"reported": {"a": 2}}, "version": version});
            let error = update(&mut publisher, &classic(), &stale).await.unwrap_err();
            assert_refused(&error, Cause::VersionConflict, 409);
            assert_eq!(error.answer.unwrap().code.as_deref(), Some("ConflictException"));
            assert!(error.explanation.contains("get the shadow"), "{}", error.explanation);
        }
        let document = get(&mut publisher, &classic()).await.unwrap();
        assert_eq!((&document["version"], &document["state"]["reported"]["a"]), (&json!(1), &json!(1)));
    })
    .await;
}

#[tokio::test]
async fn a_shadow_that_is_not_there_is_neither_read_nor_deleted() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for shadow in [classic(), named("state")] {
            let errors =
                [get(&mut publisher, &shadow).await.unwrap_err(), delete(&mut publisher, &shadow).await.unwrap_err()];
            for error in errors {
                assert_refused(&error, Cause::NotFound, 404);
                assert!(error.explanation.contains("no such shadow"), "{}", error.explanation);
                let words = error.answer.unwrap().message.unwrap();
                assert!(words.starts_with("No shadow exists with name: 'thermometer-7"), "{words}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_document_above_8_kb_is_refused_by_aws_and_one_below_is_taken() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let sized = |size: usize| {
            let empty = json!({"state": {"reported": {"text": ""}}}).to_string().len();
            json!({"state": {"reported": {"text": "x".repeat(size - empty)}}})
        };
        update(&mut publisher, &classic(), &sized(8_192)).await.unwrap();
        let error = update(&mut publisher, &classic(), &sized(8_193)).await.unwrap_err();
        assert_refused(&error, Cause::PayloadTooLarge, 413);
        assert!(error.explanation.contains("8 KB"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn the_explanation_of_a_document_that_is_too_large_does_not_say_that_it_is_larger_than_128_kb() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let document = json!({"state": {"reported": {"text": "x".repeat(9_000)}}});
        let error = update(&mut publisher, &classic(), &document).await.unwrap_err();
        assert_found_before(&error, Cause::PayloadTooLarge);
        assert!(!error.explanation.contains("larger than 128 KB"), "{}", error.explanation);
    })
    .await;
}

#[tokio::test]
async fn a_document_that_aws_does_not_like_is_an_invalid_request_with_its_words() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let mut deep = json!(1);
        for _ in 0..9 {
            deep = json!({ "a": deep });
        }
        for (document, words) in [
            (json!({"state": {"reported": deep}}), "too many levels"),
            (json!({"state": {"other": {}}}), "invalid node"),
            (json!({"state": {"reported": {"a": [null]}}}), "invalid node"),
            (json!({"state": {}, "version": "1"}), "Invalid version"),
        ] {
            let error = update(&mut publisher, &classic(), &document).await.unwrap_err();
            assert_refused(&error, Cause::InvalidRequest, 400);
            let message = error.answer.unwrap().message.unwrap();
            assert!(message.contains(words), "{document}: {message}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_named_shadows_of_a_thing_are_listed_in_parts() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        let mut names: Vec<String> = (0..7).map(|index| format!("shadow-{index}")).collect();
        names.push("x".repeat(64));
        update(&mut publisher, &classic(), &json!({"state": {"reported": {"a": 1}}})).await.unwrap();
        for name in &names {
            update(&mut publisher, &named(name), &json!({"state": {"reported": {"a": 1}}})).await.unwrap();
        }
        for (size, parts) in [(3, 3), (8, 1), (7, 2), (100, 1)] {
            let (mut listed, mut token, mut count) = (Vec::new(), None, 0);
            loop {
                let listing = ShadowListing { thing: THING.to_owned(), page: page_of(size, token) };
                let part = publisher.aws().list_named_shadows(&listing).await.unwrap().unwrap();
                assert!(part.names.len() <= size as usize);
                listed.extend(part.names);
                count += 1;
                match part.next {
                    Some(next) => token = Some(next),
                    None => break,
                }
            }
            assert_eq!((&listed, count), (&names, parts), "{size}");
        }
        let whole = ShadowListing { thing: THING.to_owned(), page: FIRST_PAGE };
        assert_eq!(publisher.aws().list_named_shadows(&whole).await.unwrap().unwrap().names, names);
        let nobody = ShadowListing { thing: "nobody".to_owned(), page: FIRST_PAGE };
        let none = publisher.aws().list_named_shadows(&nobody).await.unwrap().unwrap();
        assert_eq!((none.names.len(), none.next), (0, None));
    })
    .await;
}

#[tokio::test]
async fn names_pages_and_documents_that_cannot_be_are_refused_without_a_connection() {
    within(async {
        let cloud = AwsCloud::start().await;
        let mut publisher = cloud.publisher().await;
        for thing in ["", "a/b", "a b", "é", "a%2Fb", &"x".repeat(129)] {
            let shadow = Shadow { thing: thing.to_owned(), name: None };
            let cause = Cause::InvalidField(Field::ThingName);
            assert_found_before(&get(&mut publisher, &shadow).await.unwrap_err(), cause);
            assert_found_before(&delete(&mut publisher, &shadow).await.unwrap_err(), cause);
            assert_found_before(&update(&mut publisher, &shadow, &json!({"state": {}})).await.unwrap_err(), cause);
            let listing = ShadowListing { thing: thing.to_owned(), page: FIRST_PAGE };
            let error = publisher.aws().list_named_shadows(&listing).await.unwrap().unwrap_err();
            assert_found_before(&error, cause);
        }
        for name in ["", "a/b", "a&name=b", "é", &"x".repeat(65)] {
            let error = get(&mut publisher, &named(name)).await.unwrap_err();
            assert_found_before(&error, Cause::InvalidField(Field::ShadowName));
        }
        for size in [0, 101, u32::MAX] {
            let listing = ShadowListing { thing: THING.to_owned(), page: page_of(size, None) };
            let error = publisher.aws().list_named_shadows(&listing).await.unwrap().unwrap_err();
            assert_found_before(&error, Cause::InvalidField(Field::PageSize));
        }
        for document in [&b""[..], b"21", b"[]", b"{}", b"{\"state\":1}", b"{\"state\":{}", b"nonsense"] {
            let update = ShadowUpdate { shadow: classic(), document: document.to_vec(), max_state_bytes: None };
            let error = publisher.aws().update_shadow(&update).await.unwrap().unwrap_err();
            assert_found_before(&error, Cause::InvalidField(Field::ShadowDocument));
        }
        assert_eq!(cloud.emulator.connections(), AwsConnections::default());
    })
    .await;
}
