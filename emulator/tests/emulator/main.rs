//! The emulators seen from outside: over real TLS, by a client that shares nothing with them.

mod aliyun_authentication;
mod aliyun_publishing;
mod aws_credentials;
mod aws_publishing;
mod client;
mod faults;
mod lifetime;
