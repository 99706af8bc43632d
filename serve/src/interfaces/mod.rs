//! What a guest is offered beside `wasi:http`.
