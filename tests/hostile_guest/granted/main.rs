//! A component that serves HTTP, and uses all that a host may grant it: the path of the request says what.

#![cfg(target_family = "wasm")]

mod bindings;
#[path = "../handler/outgoing.rs"]
mod outgoing;

use wasip2::http::types::{Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam};

use bindings::wasi::config::store as config;
use bindings::wasi::keyvalue::{atomics, batch, store};
use bindings::wasi::logging::logging::{Level, log};

struct Handler;

wasip2::http::proxy::export!(Handler);

/// What a request comes to: a text, or the name of an error.
type Outcome = Result<String, String>;

impl wasip2::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match answer(&request, &words, query) {
            Ok(text) => respond(out, 200, &text),
            Err(error) => respond(out, 500, &error),
        }
    }
}

fn answer(request: &IncomingRequest, words: &[&str], query: &str) -> Outcome {
    match words {
        ["config"] => {
            let mut all = config::get_all().map_err(name)?;
            all.sort_unstable();
            Ok(all.iter().map(|(name, value)| format!("{name}={value}\n")).collect())
        }
        ["config", name] => Ok(config::get(name).map_err(self::name)?.unwrap_or_else(|| "none".to_owned())),
        ["store", bucket, key] => {
            let bucket = store::open(bucket).map_err(name)?;
            match request.method() {
                Method::Put => bucket.set(key, query.as_bytes()).map(|()| "set".to_owned()).map_err(name),
                Method::Delete => bucket.delete(key).map(|()| "deleted".to_owned()).map_err(name),
                Method::Head => bucket.exists(key).map(|is_there| is_there.to_string()).map_err(name),
                _ => Ok(text(bucket.get(key).map_err(name)?)),
            }
        }
        ["large", bucket, key] => {
            let bucket = store::open(bucket).map_err(name)?;
            let bytes = query.parse().map_err(|_| "no number".to_owned())?;
            bucket.set(key, &vec![7; bytes]).map(|()| "set".to_owned()).map_err(name)
        }
        ["keys", bucket] => {
            let page = store::open(bucket).map_err(name)?.list_keys(None).map_err(name)?;
            Ok(format!("{} {:?}", page.keys.join(","), page.cursor))
        }
        ["increment", bucket, key] => {
            let bucket = store::open(bucket).map_err(name)?;
            atomics::increment(&bucket, key, 2).map(|sum| sum.to_string()).map_err(name)
        }
        ["many", bucket] => {
            let bucket = store::open(bucket).map_err(name)?;
            let entry = |key: &str| (key.to_owned(), key.as_bytes().to_vec());
            batch::set_many(&bucket, &[entry("a"), entry("b"), entry("c")]).map_err(name)?;
            batch::delete_many(&bucket, &["b".to_owned()]).map_err(name)?;
            let keys = ["a", "b", "c"].map(str::to_owned);
            let found = batch::get_many(&bucket, &keys).map_err(name)?;
            Ok(found.into_iter().map(|entry| text(entry.map(|(_, value)| value))).collect::<Vec<_>>().join(","))
        }
        ["open", bucket] => {
            // Until there are more than there may be.
            let opened: Result<Vec<_>, _> = (0..10_000).map(|_| store::open(bucket)).collect();
            opened.map(|all| all.len().to_string()).map_err(name)
        }
        ["log", message] => {
            log(Level::Warn, "probe", &message.replace('+', "\n"));
            Ok("logged".to_owned())
        }
        ["body"] => Ok(body(request)),
        // To a platform, as whom the host likes.
        ["send"] => Ok(outgoing::send(query)),
        ["topics", ..] => {
            let endpoint = config::get("endpoint").map_err(name)?;
            Ok(outgoing::send(&endpoint.unwrap_or_default()))
        }
        _ => Err("no such path".to_owned()),
    }
}

/// All of what comes with the request.
fn body(request: &IncomingRequest) -> String {
    let incoming = request.consume().unwrap();
    let input = incoming.stream().unwrap();
    let mut whole = Vec::new();
    while let Ok(piece) = input.blocking_read(4096) {
        whole.extend(piece);
    }
    String::from_utf8_lossy(&whole).into_owned()
}

fn name(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn text(value: Option<Vec<u8>>) -> String {
    value.map_or("none".to_owned(), |value| String::from_utf8_lossy(&value).into_owned())
}

fn respond(out: ResponseOutparam, status: u16, text: &str) {
    let answer = OutgoingResponse::new(Fields::new());
    answer.set_status_code(status).unwrap();
    let body = answer.body().unwrap();
    ResponseOutparam::set(out, Ok(answer));
    let stream = body.write().unwrap();
    for piece in text.as_bytes().chunks(4096) {
        // The client may be gone.
        let _ = stream.blocking_write_and_flush(piece);
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}
