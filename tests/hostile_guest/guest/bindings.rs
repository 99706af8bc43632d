//! The world: the least that a host takes for a publisher.

wit_bindgen::generate!({
    path: "../../wit",
    inline: "
        package thingpost:hostile;

        world guest {
            import wasi:io/error@0.2.12;
            import wasi:io/poll@0.2.12;
            import wasi:io/streams@0.2.12;
            import wasi:clocks/monotonic-clock@0.2.12;
            import wasi:http/types@0.2.12;
            import wasi:http/outgoing-handler@0.2.12;
            export thingpost:iot/types@0.2.0;
            export thingpost:iot/publisher@0.2.0;
            export thingpost:iot/aws-types@0.2.0;
            export thingpost:iot/aws-publisher@0.2.0;
        }
    ",
    world: "thingpost:hostile/guest",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
});

use crate::Component;
export!(Component);
