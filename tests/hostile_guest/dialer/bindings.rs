//! The world: the least that a host takes for a device on a broker, and what it needs to dial.

wit_bindgen::generate!({
    path: "../../wit",
    inline: "
        package thingpost:hostile;

        world dialer {
            import wasi:io/error@0.2.12;
            import wasi:io/poll@0.2.12;
            import wasi:io/streams@0.2.12;
            import thingpost:iot/dialer@0.2.0;
            export thingpost:iot/types@0.2.0;
            export thingpost:iot/mqtt-session@0.2.0;
            export thingpost:iot/aws-types@0.2.0;
            export thingpost:iot/aws-mqtt@0.2.0;
            export thingpost:iot/aliyun-types@0.2.0;
            export thingpost:iot/aliyun-mqtt@0.2.0;
            export thingpost:iot/generic-types@0.2.0;
            export thingpost:iot/generic-mqtt@0.2.0;
        }
    ",
    world: "thingpost:hostile/dialer",
    with: {
        "thingpost:iot/types@0.2.0": generate,
        "thingpost:iot/dialer@0.2.0": generate,
        "wasi:io/error@0.2.12": wasip2::io::error,
        "wasi:io/poll@0.2.12": wasip2::io::poll,
        "wasi:io/streams@0.2.12": wasip2::io::streams,
    },
});

use crate::Component;
export!(Component);
