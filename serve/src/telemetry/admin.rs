//! What operators and their machines ask: whether it runs, whether it could do its work, and the numbers. On a listener of its own,
//! since devices have no business there.

use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};

use super::metrics::Metrics;
use crate::front::{Handler, RequestBody};
use crate::problem::{AnswerBody, Problem, whole};

/// The text format of Prometheus.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers `/healthz`, `/readyz` and `/metrics`.
pub struct Admin<R> {
    metrics: Metrics,
    is_ready: R,
}

impl<R: Fn() -> Result<(), String> + Send + Sync + 'static> Admin<R> {
    /// `is_ready` says why not, in a line without secrets.
    pub fn new(metrics: Metrics, is_ready: R) -> Self {
        Self { metrics, is_ready }
    }

    fn answer(&self, method: &Method, path: &str) -> Response<AnswerBody> {
        let text = match path {
            "/healthz" => Ok(("text/plain", "ok\n".to_owned())),
            "/readyz" => match (self.is_ready)() {
                Ok(()) => Ok(("text/plain", "ok\n".to_owned())),
                Err(reason) => return text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("{reason}\n")),
            },
            "/metrics" => self.metrics.text().map(|metrics| (METRICS_TYPE, metrics)),
            _ => {
                let detail = "nothing is at this path: look at /healthz, /readyz or /metrics";
                return Problem::not_sent(StatusCode::NOT_FOUND, "no-such-path", detail).answer();
            }
        };
        if method != Method::GET && method != Method::HEAD {
            let detail = "this path takes GET and HEAD";
            let mut answer = Problem::not_sent(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail).answer();
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match text {
            Ok((media_type, body)) => self::text(StatusCode::OK, media_type, body),
            Err(error) => self::text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("{error}\n")),
        }
    }
}

fn text(status: StatusCode, media_type: &'static str, body: String) -> Response<AnswerBody> {
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

impl<R: Fn() -> Result<(), String> + Send + Sync + 'static> Handler for Admin<R> {
    async fn handle(&self, request: Request<RequestBody>) -> Response<AnswerBody> {
        self.answer(request.method(), request.uri().path())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;

    async fn ask(admin: &Admin<impl Fn() -> Result<(), String> + Send + Sync + 'static>, path: &str) -> (u16, String) {
        let answer = admin.answer(&Method::GET, path);
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_was_counted_stands_in_the_text_by_the_names_of_the_conventions() {
        let metrics = Metrics::new().unwrap();
        metrics.observe_pool(&thingpost_host::Pool::default());
        let under_way = metrics.begin(&Method::POST);
        metrics.answered(&Method::POST, StatusCode::OK, Duration::from_millis(30));
        metrics.answered(&Method::from_bytes(b"BREW").unwrap(), StatusCode::NOT_FOUND, Duration::ZERO);
        let (status, text) = ask(&Admin::new(metrics.clone(), || Ok(())), "/metrics").await;
        assert_eq!(status, 200);
        for line in [
            "http_server_active_requests{http_request_method=\"POST\"} 1",
            "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_response_status_code=\"200\"} 1",
            "http_server_request_duration_seconds_count{http_request_method=\"_OTHER\",http_response_status_code=\"404\"} 1",
            "thingpost_client_open_connections 0",
            "thingpost_client_requests_total{outcome=\"not-sent\"} 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        drop(under_way);
        let text = metrics.text().unwrap();
        assert!(text.contains("http_server_active_requests{http_request_method=\"POST\"} 0"), "{text}");
    }

    #[tokio::test]
    async fn readiness_has_its_reason_and_other_paths_and_methods_are_refused() {
        let admin = Admin::new(Metrics::new().unwrap(), || Err("the store cannot be opened".to_owned()));
        assert_eq!(ask(&admin, "/healthz").await, (200, "ok\n".to_owned()));
        assert_eq!(ask(&admin, "/readyz").await, (503, "the store cannot be opened\n".to_owned()));
        assert_eq!(ask(&admin, "/topics/a").await.0, 404);
        let refused = admin.answer(&Method::POST, "/metrics");
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()[ALLOW]),
            (405, &HeaderValue::from_static("GET, HEAD"))
        );
    }
}
