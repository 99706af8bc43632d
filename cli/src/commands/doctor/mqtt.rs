//! A device on an MQTT broker. Over MQTT 3.1.1 a broker says nothing but goodbye, and what people change then is the client id, the
//! policy, the port and the certificate, one after the other.
//!
//! To connect is to ask, and asking has a price: the client that is connected with the same client id is thrown out. A name of this run
//! alone does no harm; the name of a device is used only when that is asked for.

use std::time::{Duration, Instant};

use thingpost::Endpoint;
use thingpost::aliyun::Device as CoreDevice;
use thingpost_host::runtime::MqttSession;
use thingpost_host::runtime::types::Message;
use thingpost_host::runtime::types::mqtt::{
    AliyunBroker, AwsBroker, Broker, Connection, Event, GenericBroker, MqttAuthentication, MqttAuthorizer, MqttConfig,
};

use super::aliyun::{default_topic, names};
use super::aws::permission;
use super::finding::{Check, Finding};
use super::network::endpoint::{Kind, check_kind};
use super::network::{Destination, Protocol};
use super::offline::{files, inputs, topic};
use super::report::{Reached, Report};
use super::run::component;
use super::run::publication::{destination, explain, trapped};
use super::steps::{self, limit};
use super::{TOPIC, generic};
use crate::args::MqttPublish;
use crate::args::doctor::DoctorMqtt;
use crate::commands::mqtt::{UnfinishedFile, session_options};
use crate::commands::publish;
use crate::component::mqtt::MqttSessionFactory;
use crate::device::{self, Device};
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::input_file::InputFile;
use crate::message;
use crate::output::report::{LastFailure, facts};

/// Of a broker that speaks without TLS. AWS has no such port, and Aliyun speaks TLS on it too.
const PLAIN: u16 = 1883;

pub async fn run(arguments: &DoctorMqtt) -> Result<Exit, CliError> {
    let MqttPublish { device: who, source, report: how, .. } = &arguments.publication;
    let mut report = Report::new(how.json);
    // Before the device is made: a PIN that a token refuses is asked of it once.
    let broken = files::broken(Some(&who.certificate), &who.network);
    let device = match device::mqtt(who) {
        // The checks say it better.
        Ok(device) => Device { warnings: Vec::new(), ..device },
        Err(error) => return steps::without_device(report, broken, error),
    };
    let network = device.network.clone();
    let (config, route) = (device.platform.clone(), device.routes[0].clone());
    let mut seen = check_device(&config.broker);
    files::check_token(&mut seen, &who.certificate);
    files::check_certificate(&mut seen, &route);
    files::check_roots(&mut seen, &who.network);

    let options = session_options(&arguments.publication.queue);
    let factory = MqttSessionFactory::new(device, who.network.timeout, options);
    let mut read = publish::inputs(source);
    if let Ok(factory) = &factory {
        read.extend(factory.files().iter().cloned());
    }
    let unfinished = arguments.publication.unfinished.as_ref().map(|path| UnfinishedFile::open(path, &read));
    let earlier = match unfinished {
        Some(Ok((file, earlier))) => {
            seen.see(format!("messages of an earlier run in {}: {}", file.path().display(), earlier.len()));
            read.push(InputFile { option: "--unfinished", path: file.path().to_owned() });
            earlier
        }
        Some(Err(error)) => {
            seen.fail_with(error, "give another file");
            Vec::new()
        }
        None => Vec::new(),
    };
    inputs::lines(&mut seen, source, how.failed.as_deref(), &read);
    let message =
        Message { payload: inputs::payload(&mut seen, source), ..with_topic(&arguments.publication, &config) };
    report.add(Check::Files, seen);
    report.add(Check::Endpoint, endpoint(&config.broker));

    let opened = match factory {
        // What an earlier run left is looked at, and stays where it is: a session would send it as soon as it connects.
        Ok(factory) => factory.resume(&earlier).await.map(|_session| factory),
        Err(error) => Err(error),
    };
    let factory = component::started(&mut report, opened);
    match &factory {
        Some(factory) => {
            let mut request = prepare(factory, &message).await?;
            if matches!(config.broker, Broker::Aws(_)) {
                topic::check(&mut request, &message.topic);
            }
            report.add(Check::Request, request);
        }
        None => {
            report.skip_without(Check::Request, &[Check::Component]);
        }
    }

    let (host, port) = place(&config.broker);
    let to = Destination::new(host, port, &network, Protocol::Mqtt);
    let shows_certificate = who.certificate.cert.is_some();
    // What watched the handshake goes before the session comes.
    drop(steps::connect(&mut report, &to, &route, limit(&who.network), shows_certificate).await);

    let is_named = who.session.client_id.is_some() || matches!(config.broker, Broker::Aliyun(_));
    let reached = if report.skip_without(Check::Connect, &[Check::Component, Check::Request, Check::Tcp, Check::Tls]) {
        Reached::Endpoint
    } else if is_named && !arguments.connect && !arguments.publish {
        let id = client_id(&config.broker);
        report.add(
            Check::Connect,
            Finding::skipped("give --connect, unless the device is connected and is not to be disturbed"),
        );
        report.leave_open(format!(
            "whether the broker accepts the client {id}: to connect throws out whoever is connected by that name (--connect)"
        ));
        report.leave_open(left_open(&config.broker, &message));
        Reached::Endpoint
    } else if let Some(factory) = factory {
        let mut session = factory.open().await?;
        let found = connect(&mut session, &config, is_named, &factory.last_failure).await;
        let is_accepted = !found.has_failed();
        report.add(Check::Connect, found);
        if arguments.publish && !report.skip_without(Check::Publish, &[Check::Connect]) {
            let patience = Duration::from_millis(who.network.timeout.into());
            let found = deliver(&mut session, &message, patience, &factory.last_failure).await;
            report.add(Check::Publish, found);
        } else if !arguments.publish {
            report.leave_open(left_open(&config.broker, &message));
        }
        if is_accepted {
            // A client that goes without a goodbye has its last will published.
            session.disconnect().await.map_err(crate::component::mqtt::trapped)?;
        }
        if arguments.publish { Reached::Delivery } else { Reached::Admission }
    } else {
        Reached::Endpoint
    };
    Ok(report.end(reached))
}

fn with_topic(publication: &MqttPublish, config: &MqttConfig) -> Message {
    let with = &publication.message;
    let message = message::with(publication.topic.as_ref(), with.qos, &with.options);
    match (&publication.topic, &message.rule, &config.broker) {
        (None, None, Broker::Aws(_) | Broker::Generic(_)) => Message { topic: TOPIC.to_owned(), ..message },
        (None, None, Broker::Aliyun(broker)) => {
            Message { topic: default_topic(&broker.product_key, &broker.device_name), ..message }
        }
        _ => message,
    }
}

fn place(broker: &Broker) -> (&str, u16) {
    match broker {
        Broker::Aws(AwsBroker { endpoint, port, .. })
        | Broker::Aliyun(AliyunBroker { endpoint, port, .. })
        | Broker::Generic(GenericBroker { endpoint, port, .. }) => (endpoint, *port),
    }
}

fn client_id(broker: &Broker) -> String {
    match broker {
        Broker::Aws(broker) => broker.client_id.clone(),
        Broker::Generic(broker) => broker.client_id.clone(),
        // It has one connection, whatever client id it gives.
        Broker::Aliyun(broker) => format!("{}.{}", broker.product_key, broker.device_name),
    }
}

fn check_device(broker: &Broker) -> Finding {
    match broker {
        Broker::Aws(AwsBroker { authentication: MqttAuthentication::Certificate, .. }) => Finding::new(),
        Broker::Aws(AwsBroker { authentication: MqttAuthentication::CustomAuthorizer(authorizer), .. }) => {
            check_authorizer(authorizer)
        }
        Broker::Aliyun(it) => {
            let device = Endpoint::new(&it.endpoint, it.port).map_err(|error| error.to_string()).and_then(|endpoint| {
                CoreDevice::new(endpoint, &it.product_key, &it.device_name, it.client_id.as_deref())
                    .map_err(|error| error.to_string())
            });
            names(&it.product_key, &it.device_name, device.err())
        }
        Broker::Generic(broker) => generic::look_at_device(broker),
    }
}

fn check_authorizer(authorizer: &MqttAuthorizer) -> Finding {
    let with = |is_given: bool, what: &str| format!("{} {what}", if is_given { "a" } else { "no" });
    let mut finding = Finding::new();
    finding.see(format!(
        "{}, {}, {}, {}, {}",
        match &authorizer.name {
            Some(name) => format!("custom authorizer {name}"),
            None => "the default authorizer of the endpoint".to_owned(),
        },
        match &authorizer.token {
            Some((name, _)) => format!("a token named {name}"),
            None => "no token".to_owned(),
        },
        with(authorizer.signature.is_some(), "signature"),
        with(authorizer.user_name.is_some(), "user name"),
        with(authorizer.password.is_some(), "password"),
    ));
    finding
}

/// Looks at the endpoint's name, and at what its port goes with.
fn endpoint(broker: &Broker) -> Finding {
    match broker {
        Broker::Aws(broker) => endpoint_of_aws(broker),
        Broker::Aliyun(broker) => endpoint_of_aliyun(broker),
        Broker::Generic(broker) => generic::look_at_endpoint(broker),
    }
}

fn endpoint_of_aws(broker: &AwsBroker) -> Finding {
    let mut finding = Finding::new();
    let kind = check_kind(&mut finding, &broker.endpoint);
    let port = broker.port;
    let is_foreign = kind == Kind::Foreign;
    let (with, alpn, right) = match &broker.authentication {
        MqttAuthentication::Certificate => {
            ("a certificate", "x-amzn-mqtt-ca", "leave --port out for 8883, or give --port 443")
        }
        MqttAuthentication::CustomAuthorizer(_) => ("a custom authorizer", "mqtt", "leave --port out for 443"),
    };
    match (port, &broker.authentication) {
        (443, _) => finding.see(format!("port 443 with {with}: the ALPN protocol {alpn} is offered")),
        (8883, MqttAuthentication::Certificate) => {
            finding.see("port 8883 with a certificate: no ALPN protocol is needed")
        }
        (8443, _) if !is_foreign => finding.fail("port 8443 is for HTTPS, and this is MQTT", right),
        (PLAIN, _) if !is_foreign => {
            finding.fail("port 1883 is for MQTT without TLS, which AWS does not have", right);
        }
        (8883, MqttAuthentication::CustomAuthorizer(_)) if !is_foreign => {
            finding.fail("port 8883 with a custom authorizer: there AWS looks at client certificates alone", right);
        }
        (PLAIN | 80 | 8443, _) => finding.warn(
            format!("port {port} is rarely one for MQTT over TLS"),
            "without TLS nothing is spoken here; look up the port",
        ),
        (port, _) if is_foreign => finding.see(format!("port {port} with {with}, without ALPN")),
        (port, _) => finding.warn(format!("port {port} is none of AWS's for MQTT with {with}"), right),
    }
    finding
}

fn endpoint_of_aliyun(broker: &AliyunBroker) -> Finding {
    let host = broker.endpoint.to_ascii_lowercase();
    let mut finding = Finding::new();
    let line = |what: &str| format!("{} is {what}", broker.endpoint);
    if host.contains(".iot-as-mqtt.") {
        finding.see(line("the MQTT endpoint of a public instance from before 2021-07-30"));
        if !host.starts_with(&format!("{}.", broker.product_key.to_ascii_lowercase())) {
            finding.warn(
                "the endpoint does not begin with the product key",
                "give PRODUCT_KEY.iot-as-mqtt.REGION.aliyuncs.com, with the product key of this device",
            );
        }
    } else if host.ends_with(".mqtt.iothub.aliyuncs.com") {
        finding.see(line("the MQTT endpoint of an instance of its own"));
    } else if host.starts_with("iot-as-http.") || host.ends_with(".http.iothub.aliyuncs.com") {
        finding.fail(
            line("an endpoint for HTTPS, and takes no MQTT"),
            "give the MQTT endpoint, which `thingpost bootstrap aliyun` prints",
        );
    } else if host.starts_with("iot-auth") {
        finding.fail(
            line("the endpoint where devices register, and takes no messages"),
            "give the MQTT endpoint, which `thingpost bootstrap aliyun` prints",
        );
    } else {
        finding.see(line("not a name that Aliyun gives"));
    }
    match broker.port {
        443 | PLAIN => finding.see(format!("port {} with TLS", broker.port)),
        port => finding.warn(format!("port {port}"), "the platform is known on the ports 443 and 1883"),
    }
    finding
}

/// What no connection can change about the message, said by the component.
async fn prepare(factory: &MqttSessionFactory, message: &Message) -> Result<Finding, CliError> {
    let mut finding = Finding::new();
    match factory.rehearse(message).await? {
        Ok(_) => finding.see(format!(
            "PUBLISH to {}, {}, {}",
            destination(message),
            match message.qos {
                thingpost_host::runtime::types::Qos::AtMostOnce => "at most once",
                thingpost_host::runtime::types::Qos::AtLeastOnce => "at least once",
            },
            crate::commands::doctor::offline::request::body(&message.payload)
        )),
        Err(error) => {
            finding
                .fail_with(format!("{} (\"{}\")", error.explanation, message.topic), "give another topic with --topic");
        }
    }
    Ok(finding)
}

/// Sends CONNECT, and reads CONNACK.
async fn connect(
    session: &mut MqttSession,
    config: &MqttConfig,
    is_named: bool,
    last_failure: &LastFailure,
) -> Finding {
    let connection = match session.connect().await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return explain(&error, last_failure, false),
        Err(trap) => return trapped(&trap),
    };
    let mut finding = Finding::new();
    let id = client_id(&config.broker);
    finding.see(match is_named {
        true => format!("the broker has accepted the client {id}"),
        false => format!("the broker has accepted the client {id}, a name for this run alone"),
    });
    see_connection(&mut finding, config, &connection);
    finding
}

fn see_connection(finding: &mut Finding, config: &MqttConfig, connection: &Connection) {
    let wanted = config.session.keep_alive_s.unwrap_or(60);
    match connection.keep_alive_s {
        granted if granted == wanted => finding.see(format!("keep-alive: {granted} s")),
        granted => finding.see(format!("keep-alive: {granted} s, where {wanted} s were asked for")),
    }
    if connection.session_present {
        finding.see("the broker remembers an earlier session of this client");
    }
}

/// Publishes it, and waits for its outcome.
async fn deliver(
    session: &mut MqttSession,
    message: &Message,
    patience: Duration,
    last_failure: &LastFailure,
) -> Finding {
    let id = match session.publish(message).await {
        Ok(Ok(id)) => id,
        Ok(Err(error)) => return explain(&error, last_failure, false),
        Err(trap) => return trapped(&trap),
    };
    let begin = Instant::now();
    loop {
        let left = patience.saturating_sub(begin.elapsed());
        let events = match session.receive(left).await {
            Ok(events) => events,
            Err(trap) => return trapped(&trap),
        };
        for event in events {
            match event {
                Event::Published(published) if published.id == id => {
                    let mut finding = Finding::new();
                    finding.see(format!("delivered to {}{}", destination(message), facts(&published.receipt)));
                    return finding;
                }
                Event::NotPublished(refused) if refused.id == id => {
                    return explain(&refused.error, last_failure, false);
                }
                _ => {}
            }
        }
        if left.is_zero() {
            return Finding::failed(
                format!("unknown: no answer came in {} s", patience.as_secs_f64()),
                "give it more time with --timeout, and look into the logs of the account",
            );
        }
    }
}

/// What only a publication can show.
fn left_open(broker: &Broker, message: &Message) -> String {
    match broker {
        Broker::Aws(broker) => {
            let whose = match &broker.authentication {
                MqttAuthentication::Certificate => "the policy of the certificate",
                MqttAuthentication::CustomAuthorizer(_) => "the policy that the authorizer returns",
            };
            format!("whether {whose} allows {}", permission(message))
        }
        Broker::Aliyun(_) => format!("whether the device may publish to {}", message.topic),
        Broker::Generic(_) => format!("whether the broker lets this client publish to {}", message.topic),
    }
}
