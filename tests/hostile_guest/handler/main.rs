//! A component that serves HTTP, well or badly: the path of the request says how.

#![cfg(target_family = "wasm")]

mod answers;
mod authority;
mod bindings;
mod endings;
mod outgoing;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wasip2::http::types::{Fields, IncomingRequest, ResponseOutparam};

use bindings::thingpost::probe::gate;

struct Handler;

wasip2::http::proxy::export!(Handler);

/// What an instance keeps from one request to the next.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

impl wasip2::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let count = REQUESTS.fetch_add(1, Relaxed) + 1;
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        // A device of its own for each limit.
        let path = path.strip_prefix("/devices/").and_then(|rest| rest.split_once('/')).map_or(path, |(_, path)| path);
        match path.trim_start_matches('/') {
            "count" => answers::text(out, &count.to_string()),
            "echo" => answers::echo(&request, out),
            "early" => answers::text(out, "early"),
            "gate" => {
                gate::wait();
                answers::text(out, "passed");
            }
            "piecewise" => answers::piecewise(out),
            "for" => answers::text(out, &request.authority().unwrap_or_default()),
            "authority" => answers::text(out, &authority::report()),
            "print" => {
                authority::print(query);
                answers::text(out, "printed");
            }
            "leak" => {
                std::mem::forget(Fields::new());
                answers::text(out, &count.to_string());
            }
            "send" => answers::text(out, &outgoing::send(query)),
            "send-and-trap" => {
                outgoing::send(query);
                endings::trap();
            }
            "loop" => endings::compute(),
            "grow" => endings::grow(),
            "wait" => endings::wait(),
            "trap" => endings::trap(),
            "trap-after-head" => endings::trap_after_head(out),
            "trap-after-answer" => {
                answers::text(out, "all of it");
                endings::trap();
            }
            "announced" => endings::announced(out, query),
            "loop-after-head" => endings::loop_after_head(out),
            "unfinished" => endings::unfinished(out),
            "dropped" => endings::dropped(out),
            "never" => {}
            "error" => endings::error(out),
            "exit" => wasip2::cli::exit::exit(Ok(())),
            _ => answers::not_found(out),
        }
    }
}
