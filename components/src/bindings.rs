//! The types and functions of the world of this component, generated from `wit/`.
//!
//! Those of WASI are taken from `wasip2`, which is what the core uses: two definitions of one resource would be two types.

#[cfg(feature = "codec")]
wit_bindgen::generate!({ path: "../wit", world: "codec" });

#[cfg(feature = "sans-io")]
wit_bindgen::generate!({ path: "../wit", world: "sans-io" });

#[cfg(all(feature = "publisher", not(feature = "host-signer")))]
wit_bindgen::generate!({
    path: "../wit",
    world: "publish",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
});

#[cfg(feature = "host-signer")]
wit_bindgen::generate!({
    path: "../wit",
    world: "publish-signed",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
});

#[cfg(feature = "mqtt")]
wit_bindgen::generate!({
    path: "../wit",
    world: "mqtt",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
});

#[cfg(feature = "edge-min")]
wit_bindgen::generate!({
    path: "../wit",
    world: "edge-min",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
});

#[cfg(feature = "edge")]
wit_bindgen::generate!({
    path: "../wit",
    world: "edge",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
    generate_all,
});

#[cfg(feature = "edge-spin")]
wit_bindgen::generate!({
    path: "../wit",
    world: "edge-spin",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
    generate_all,
});

// Of several versions in `wit/deps`, the one of this world.
#[cfg(feature = "edge-spin")]
pub use self::wasi::{config0_2_0_draft_2024_09_27 as config, keyvalue0_2_0_draft2 as keyvalue};
#[cfg(feature = "edge")]
pub use self::wasi::{config0_2_0_rc_1 as config, keyvalue0_2_0_draft as keyvalue};

/// The types of what the host says: world `mqtt` imports the interface `types` as well as exporting it, and the two are
/// different types.
#[cfg(feature = "mqtt")]
pub use self::thingpost::iot::types as of_host;
#[cfg(feature = "sans-io")]
pub use exports::thingpost::iot::types as of_host;

use crate::Component;
export!(Component);
