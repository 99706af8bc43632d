//! The emulators seen from outside: over real TLS, by a client that shares nothing with them.

mod aliyun_authentication;
mod aliyun_publishing;
mod aws_authorizers;
mod aws_connections;
mod aws_credentials;
mod aws_credentials_provider;
mod aws_direct_messages;
mod aws_first_contact;
mod aws_operations;
mod aws_publishing;
mod aws_retained;
mod aws_retained_reads;
mod aws_shadow_refusals;
mod aws_shadows;
mod aws_signature_refusals;
mod aws_signatures;
mod client;
mod data_plane;
mod faults;
mod lifetime;
mod signer;
