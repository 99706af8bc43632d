//! The command line as its users have it: a process of its own, both clouds behind real TLS, and a ledger that says what
//! truly arrived. Every run here also proves that no secret and no backtrace shows; see `process`.

mod aws_access_keys;
mod aws_authorizers;
mod aws_container_keys;
mod aws_role_aliases;
mod bad_devices;
mod bad_files;
mod bad_options;
mod bad_topics;
#[cfg(feature = "bench")]
mod bench;
mod bootstrap;
mod clouds;
mod command;
mod connections;
mod delivered;
mod demo;
mod direct_messages;
mod doctor;
mod documentation;
mod emulate;
mod interruptions;
mod library;
mod lines;
mod lines_failed;
mod lines_sources;
mod message_options;
mod moto;
mod mqtt;
mod mqtt_credentials;
mod outcomes;
mod output;
mod process;
mod proxies;
mod proxy_server;
mod real_files;
mod register;
#[cfg(unix)]
mod reloading;
mod retained;
mod secrets;
mod sentences;
#[cfg(all(unix, feature = "serve"))]
mod serve;
mod session_files;
mod shadows;
mod shelves;
mod standstill;
mod thing_model;
#[cfg(feature = "pkcs11")]
mod tokens;
