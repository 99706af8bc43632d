//! Which components are taken, and what they can reach.

use thingpost_patience::within;

use super::*;

#[test]
fn what_is_not_offered_is_refused_by_its_name_when_the_component_is_loaded() {
    let runtime = runtime(1);
    let linker = runtime.handler_linker::<()>().unwrap();
    let error = runtime.load_handler(HANDLER, &linker).unwrap_err();
    assert_eq!(error.not_offered(), Some(GATE));
    assert!(error.to_string().contains("grant it"), "{error}");
}

#[test]
fn an_interface_in_another_version_is_named_in_both() {
    let runtime = runtime(1);
    let mut linker = runtime.handler_linker::<()>().unwrap();
    linker.offer("thingpost:probe/gate@0.2.0-rc.1", |_| Ok(())).unwrap();
    let error = runtime.load_handler(HANDLER, &linker).unwrap_err().to_string();
    assert!(error.contains(GATE) && error.contains("thingpost:probe/gate@0.2.0-rc.1"), "{error}");
}

#[test]
fn an_interface_with_other_functions_is_named_too() {
    let runtime = runtime(1);
    let mut linker = runtime.handler_linker::<()>().unwrap();
    linker.offer(GATE, |linker| linker.instance(GATE)?.func_wrap("leave", |_, (): ()| Ok(()))).unwrap();
    let error = runtime.load_handler(HANDLER, &linker).unwrap_err().to_string();
    assert!(error.contains(GATE), "{error}");
}

#[test]
fn what_does_not_serve_http_is_told_from_what_does() {
    let runtime = runtime(1);
    let linker = runtime.handler_linker::<()>().unwrap();
    let publisher = runtime.load_handler(thingpost_hostile_guest::GUEST, &linker).unwrap_err().to_string();
    assert!(publisher.contains("wasi:http/incoming-handler") && publisher.contains("publisher"), "{publisher}");
    for no_component in [&b"no wasm"[..], b"\0asm\x01\0\0\0"] {
        let error = runtime.load_handler(no_component, &linker).unwrap_err().to_string();
        assert!(error.starts_with("this is no component"), "{error}");
    }
}

#[tokio::test]
async fn a_guest_has_what_libraries_import_and_reaches_nothing_with_it() {
    within(async {
        let (guests, _) = guests(patient());
        let (status, report) = ask(&guests, "/authority").await;
        assert_eq!(status, 200);
        assert_eq!(
            report,
            "variables=0 arguments=0 folder=false folders=0 input=false terminal=false random=16 tcp=access-denied \
             udp=access-denied name=permanent-resolver-failure"
        );
    })
    .await;
}

#[tokio::test]
async fn a_component_has_as_many_instances_as_were_reserved() {
    within(async {
        let component = component();
        assert_eq!(component.most_instances(), Some(16));
        let mut all = Vec::new();
        for _ in 0..16 {
            all.push(component.instantiate(without_routes(), Barrier::closed()).await.unwrap());
        }
    })
    .await;
}
