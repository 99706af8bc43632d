//! The world: the least that a host takes for a publisher, on either platform, and all that it may import.

wit_bindgen::generate!({
    path: "../../wit",
    inline: "
        package thingpost:hostile;

        world guest {
            import wasi:io/error@0.2.12;
            import wasi:io/poll@0.2.12;
            import wasi:io/streams@0.2.12;
            import wasi:clocks/monotonic-clock@0.2.12;
            import wasi:clocks/wall-clock@0.2.12;
            import wasi:http/types@0.2.12;
            import wasi:http/outgoing-handler@0.2.12;
            import thingpost:iot/signer@0.2.0;
            export thingpost:iot/types@0.2.0;
            export thingpost:iot/publisher@0.2.0;
            export thingpost:iot/aws-types@0.2.0;
            export thingpost:iot/aws-publisher@0.2.0;
            export thingpost:iot/aliyun-types@0.2.0;
            export thingpost:iot/aliyun-publisher@0.2.0;
        }
    ",
    world: "thingpost:hostile/guest",
    with: {
        "thingpost:iot/signer@0.2.0": generate,
        "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
        "wasi:http/types@0.2.12": wasip2::http::types,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
});

use crate::Component;
export!(Component);
