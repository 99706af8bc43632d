//! An interface that no host has but those of the tests: what a handler waits at until a test lets it go on.

wit_bindgen::generate!({
    inline: "
        package thingpost:probe@0.1.0;

        interface gate {
            wait: func();
        }

        world handler {
            import gate;
        }
    ",
});
