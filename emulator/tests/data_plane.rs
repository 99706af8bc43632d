//! A device at the data plane, for tests about anything but the way in.

use serde_json::Value;
use thingpost_emulator::{Authority, AwsEmulator, AwsOptions, DeviceCertificate};

use crate::client::{Client, Connection, Response};

pub const NAME: &str = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";

pub struct DataPlane {
    pub authority: Authority,
    pub device: DeviceCertificate,
    pub emulator: AwsEmulator,
    connection: Connection,
}

impl DataPlane {
    /// With a registered device that is connected by the port that stands for 8443.
    pub async fn start() -> Self {
        let authority = Authority::new();
        let device = authority.issue_device("thermometer-7");
        let emulator = AwsEmulator::start(AwsOptions::new(&authority, NAME)).await.unwrap();
        emulator.register(&device);
        let client = Client::with_certificate(&authority, NAME, &device);
        let connection = client.connect(emulator.addr_mutual_tls()).await.unwrap();
        Self { authority, device, emulator, connection }
    }

    pub async fn get(&mut self, target: &str) -> Response {
        self.request("GET", target, "").await
    }

    pub async fn post(&mut self, target: &str, body: &str) -> Response {
        self.request("POST", target, body).await
    }

    pub async fn delete(&mut self, target: &str) -> Response {
        self.request("DELETE", target, "").await
    }

    pub async fn request(&mut self, method: &str, target: &str, body: &str) -> Response {
        self.connection.request(method, target, "", body.as_bytes()).await.unwrap()
    }

    pub async fn post_with_headers(&mut self, target: &str, headers: &str, body: &[u8]) -> Response {
        self.connection.post(target, headers, body).await.unwrap()
    }
}

/// The document of an answer that is not a refusal.
pub fn document(response: &Response) -> Value {
    assert_eq!(response.status(), 200, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    serde_json::from_str(&response.body).unwrap()
}

pub fn assert_refused(response: &Response, status: u16, error_type: &str, message: &str) {
    assert_eq!(response.status(), status, "{response:?}");
    let expected = format!("{error_type}:");
    assert_eq!(response.header("x-amzn-ErrorType"), Some(expected.as_str()), "{response:?}");
    let trace_id = response.header("x-amzn-RequestId").unwrap();
    let message = Value::from(message);
    assert_eq!(response.body, format!(r#"{{"message":{message},"traceId":"{trace_id}"}}"#));
}

pub fn assert_invalid(response: &Response, message: &str) {
    assert_refused(response, 400, "InvalidRequestException", message);
}

pub fn assert_not_found(response: &Response, message: &str) {
    assert_refused(response, 404, "ResourceNotFoundException", message);
}
