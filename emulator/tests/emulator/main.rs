//! The emulators seen from outside: over real TLS, by a client that shares nothing with them.

mod aliyun_authentication;
mod aliyun_publishing;
mod aws_authorizers;
mod aws_credentials;
mod aws_publishing;
mod aws_retained;
mod aws_signature_refusals;
mod aws_signatures;
mod client;
mod faults;
mod lifetime;
mod signer;
