//! What can be typed. The help texts are the manual.
//!
//! A device secret can be typed, so nothing here can be printed: what holds arguments has no `Debug`.
//!
//! The device and the way to it do not depend on what it has to say: [`AwsDevice`], [`AliyunDevice`] and
//! [`NetworkArgs`] are part of every command that speaks to a platform, and each command adds its own.

mod aliyun;
mod aws;
#[cfg(feature = "bench")]
mod bench;
pub mod doctor;
#[cfg(feature = "emulator")]
mod emulate;
mod endpoint;
pub mod lost_variable;
mod message;
mod mqtt;
mod network;
mod operation;
mod provisioning;
mod publish;
#[cfg(feature = "serve")]
mod serve;
mod session;
pub mod usage;

use clap::{Parser, Subcommand};

pub use aliyun::{AliyunDevice, AliyunIdentity, DeviceSecretArgs, SignMethod, Timestamp};
pub use aws::{AuthorizerArgs, AwsDevice, CertificateArgs, Service, SignatureArgs, TokenArgs};
#[cfg(feature = "bench")]
pub use bench::BenchArgs;
pub use doctor::DoctorCommand;
#[cfg(feature = "emulator")]
pub use emulate::{ChaosArgument, EmulateArgs};
pub use endpoint::EndpointArgument;
pub use message::{PayloadFormat, PropertyArgs, QosLevel};
pub use mqtt::{
    Drop, MqttAliyunArgs, MqttAuthorizerArgs, MqttCommand, MqttDevice, MqttPublish, MqttSubscribe, MqttVersion,
    QueueArgs, QueueLimit, RetainHandling, SessionOptions,
};
pub use network::NetworkArgs;
pub use operation::{
    ConnectionArgs, ConnectionCommand, DeleteArgs, DirectCommand, ListArgs, OperationArgs, RetainedArgs,
    RetainedCommand, SendArgs, ShadowArgs, ShadowCommand, ShadowListArgs, ShadowName, SubscriptionsArgs, UpdateArgs,
};
pub use provisioning::{
    BootstrapAliyun, BootstrapCommand, MqttCredentialsAliyun, MqttCredentialsCommand, RegisterAliyun, RegisterCommand,
};
pub use publish::{AliyunSource, MessageOptions, PublishAliyun, PublishArgs, PublishAws, PublishCommand, Source};
#[cfg(feature = "serve")]
pub use serve::ServeArgs;

/// Publish to cloud IoT platforms from a sandboxed component that never holds a device key.
#[derive(Parser)]
#[command(name = "thingpost", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 delivered, 1 refused, 2 wrong usage or input, 3 not sent, 4 unknown (sent, no telling answer).
With --lines the gravest counts: unknown before refused before not sent.";

#[derive(Subcommand)]
pub enum Command {
    /// Publish one message, or one for each line of a file
    #[command(subcommand)]
    Publish(PublishCommand),
    /// Get a secret for a device that has only that of its product
    #[command(subcommand)]
    Register(RegisterCommand),
    /// Ask where the instance of a device is
    #[command(subcommand)]
    Bootstrap(BootstrapCommand),
    /// Get a user name and a password for MQTT
    #[command(subcommand)]
    MqttCredentials(MqttCredentialsCommand),
    /// Publish and subscribe over MQTT, on a connection that is kept and comes back by itself
    #[command(subcommand)]
    Mqtt(MqttCommand),
    /// Read, change and delete the shadows of a thing of AWS
    #[command(subcommand)]
    Shadow(ShadowCommand),
    /// Read the messages that topics of AWS have kept
    #[command(subcommand)]
    Retained(RetainedCommand),
    /// Send a message to one MQTT client of AWS
    #[command(subcommand)]
    Direct(DirectCommand),
    /// Look at the connection of an MQTT client of AWS, or end it
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// Find out why a device cannot publish, from its files to its topic, without publishing anything
    #[command(subcommand)]
    Doctor(DoctorCommand),
    /// Publish for devices that speak plain HTTP: serve with the edge function, or another component of wasi:http, whose requests
    /// go out with the certificates and by the proxies of a configuration
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    /// Run AWS IoT Core and Aliyun IoT Platform on this machine, and print commands that publish to them
    #[cfg(feature = "emulator")]
    Emulate(EmulateArgs),
    /// Start the emulators, publish to AWS on 8443, AWS on 443 with ALPN, Aliyun, and over MQTT if mosquitto is installed, and
    /// show what arrived
    #[cfg(feature = "emulator")]
    Demo,
    /// Measure on this machine what the sandbox costs, against the same code without it and against Python and curl
    #[cfg(feature = "bench")]
    Bench(BenchArgs),
    /// What `bench` publishes to
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    BenchServer,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
