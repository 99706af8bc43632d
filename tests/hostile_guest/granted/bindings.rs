//! The interfaces that a host grants by its configuration.

wit_bindgen::generate!({
    path: ["../../wit/deps/keyvalue", "../../wit/deps/logging"],
    inline: "
        package thingpost:granted@0.1.0;

        world granted {
            import wasi:config/store@0.2.0-rc.1;
            import wasi:keyvalue/store@0.2.0-draft;
            import wasi:keyvalue/atomics@0.2.0-draft;
            import wasi:keyvalue/batch@0.2.0-draft;
            import wasi:logging/logging@0.1.0-draft;
        }

        package wasi:config@0.2.0-rc.1 {
            interface store {
                variant error {
                    upstream(string),
                    io(string),
                }

                get: func(key: string) -> result<option<string>, error>;
                get-all: func() -> result<list<tuple<string, string>>, error>;
            }
        }
    ",
    world: "thingpost:granted/granted",
    generate_all,
});
