//! The pure functions, called from the host: what an embedder of `codec.wasm` pays for each of them.

use thingpost::http::Response;
use thingpost::{Endpoint, Message, Qos, aliyun, aws};
use thingpost_artifacts::CODEC;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use crate::device::DEVICE_SECRET;
use crate::server::AWS_ENDPOINT;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "thingpost:iot/codec",
    });
}

use bindings::exports::thingpost::iot::{aws_types, types as wit};

const PORT: u16 = 8443;
const NOW: u64 = 1_700_000_000_000;
const TOPIC: &str = "plant/4/thermometer 7/celsius";
const CONTENT: &str =
    "clientIda1b2C3d4E5F.thermometer-7deviceNamethermometer-7productKeya1b2C3d4E5Ftimestamp1700000000000";
const ANSWER: &str = r#"{"message":"OK","traceId":"b11bb5d2-a1d2-4f54-9e4c-7bb9d1c0a1f4"}"#;

/// A function twice: in the component, and without one.
pub struct Codec {
    /// What it does.
    pub name: &'static str,
    /// The core's own.
    pub native: Box<dyn FnMut()>,
    /// Through the component, values lowered and lifted.
    pub component: Box<dyn FnMut()>,
}

impl Codec {
    /// Sign, encode, build, read.
    ///
    /// # Panics
    /// When the component does not do what it is for.
    pub fn all() -> Vec<Self> {
        let engine = Engine::default();
        let component = Component::new(&engine, CODEC.bytes).expect("our own component compiles");
        let instance = || {
            let mut store = Store::new(&engine, ());
            let codec = bindings::Codec::instantiate(&mut store, &component, &Linker::new(&engine));
            (codec.expect("it needs nothing"), store)
        };
        vec![sign(instance()), encode(instance()), build(instance()), read(instance())]
    }
}

type Instance = (bindings::Codec, Store<()>);

fn sign((codec, mut store): Instance) -> Codec {
    Codec {
        name: "sign (HMAC-SHA256)",
        native: Box::new(|| {
            std::hint::black_box(aliyun::sign(aliyun::SignMethod::HmacSha256, DEVICE_SECRET, CONTENT));
        }),
        component: Box::new(move || {
            let guest = codec.thingpost_iot_aliyun_codec();
            let method = wit::SignMethod::HmacSha256;
            std::hint::black_box(guest.call_sign(&mut store, method, DEVICE_SECRET, CONTENT).expect("no trap"));
        }),
    }
}

fn encode((codec, mut store): Instance) -> Codec {
    Codec {
        name: "encode a topic",
        native: Box::new(|| {
            std::hint::black_box(aws::encode_topic(TOPIC)).expect("a valid topic");
        }),
        component: Box::new(move || {
            let topic = codec.thingpost_iot_aws_codec().call_encode_topic(&mut store, TOPIC).expect("no trap");
            std::hint::black_box(topic).expect("a valid topic");
        }),
    }
}

fn build((codec, mut store): Instance) -> Codec {
    let config = config();
    let message = Message::new(TOPIC, [b'x'; 200], Qos::AtLeastOnce);
    let (wit_config, wit_message) = (wit_config(), wit_message());
    Codec {
        name: "build a request (200 B)",
        native: Box::new(move || {
            std::hint::black_box(aws::publish_request(&config, &message, NOW)).expect("a valid message");
        }),
        component: Box::new(move || {
            let guest = codec.thingpost_iot_aws_codec();
            let request = guest.call_publish_request(&mut store, &wit_config, &wit_message, NOW).expect("no trap");
            std::hint::black_box(request).expect("a valid message");
        }),
    }
}

fn read((codec, mut store): Instance) -> Codec {
    let config = config();
    let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
    let response = Response { status: 200, headers: headers.clone(), body: ANSWER.into() };
    let (wit_config, wit_message) = (wit_config(), wit_message());
    let wit_response = wit::HttpResponse { status: 200, headers, body: ANSWER.into() };
    Codec {
        name: "read an answer",
        native: Box::new(move || {
            std::hint::black_box(aws::read_publish_response(&config, &response)).expect("a success");
        }),
        component: Box::new(move || {
            let guest = codec.thingpost_iot_aws_codec();
            let receipt = guest.call_read_publish_response(&mut store, &wit_config, &wit_message, &wit_response, NOW);
            std::hint::black_box(receipt.expect("no trap")).expect("a success");
        }),
    }
}

fn wit_message() -> wit::Message {
    wit::Message {
        topic: TOPIC.to_owned(),
        payload: [b'x'; 200].into(),
        qos: wit::Qos::AtLeastOnce,
        retain: false,
        rule: None,
        properties: None,
    }
}

fn config() -> aws::Config {
    let endpoint = Endpoint::new(AWS_ENDPOINT, PORT).expect("constant and valid");
    aws::Config::new(endpoint, aws::Authentication::Certificate).expect("constant and valid")
}

fn wit_config() -> aws_types::Config {
    let authentication = aws_types::Authentication::Certificate;
    aws_types::Config { endpoint: AWS_ENDPOINT.to_owned(), port: PORT, authentication }
}
