//! stub
#![cfg(target_family = "wasm")]
#![no_std]

extern crate alloc;

#[path = "../../shared/runtime.rs"]
mod runtime;

mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "mqtt",
        with: {
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
    });
    use super::Component;
    export!(Component);
    use exports::thingpost::iot::mqtt_session::*;
    pub struct S;
    impl Guest for Component {
        type Session = S;
    }
    impl GuestSession for S {
        fn open(_: Config, _: SessionOptions, _: alloc::vec::Vec<Unfinished>) -> Result<Session, alloc::string::String> { Ok(Session::new(S)) }
        fn connect(&self) -> Result<Connection, Error> {
            let d = super::bindings::thingpost::iot::dialer::dial("x", 1);
            d.subscribe().block();
            let Some(Ok((i, o))) = d.finish() else { loop {} };
            let x = i.read(7).unwrap();
            o.write(&x).unwrap();
            if let Err(wasip2::io::streams::StreamError::LastOperationFailed(e)) = o.check_write() {
                super::bindings::thingpost::iot::dialer::failure(&e);
            }
            loop {}
        }
        fn keep_connecting(&self) {}
        fn publish(&self, _: Message) -> Result<u64, Error> { loop {} }
        fn publish_all(&self, _: alloc::vec::Vec<Message>) -> alloc::vec::Vec<Result<u64, Error>> { loop {} }
        fn subscribe(&self, _: Subscription) -> Result<(), Error> { loop {} }
        fn unsubscribe(&self, _: alloc::string::String) -> Result<(), Error> { loop {} }
        fn receive(&self, _: u32) -> alloc::vec::Vec<Event> { loop {} }
        fn outstanding(&self) -> u32 { wasip2::clocks::monotonic_clock::now() as u32 }
        fn disconnect(&self) {}
        fn unfinished(&self) -> alloc::vec::Vec<Unfinished> { loop {} }
        fn abandon(&self) {}
    }
}

struct Component;
