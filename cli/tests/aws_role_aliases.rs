//! Temporary keys: the certificate is shown to the credentials endpoint alone.

use thingpost_emulator::Device;

use crate::clouds::{Clouds, ROLE_ALIAS};

#[test]
fn a_device_publishes_with_a_key_that_its_certificate_is_worth() {
    let clouds = Clouds::start();
    let output = clouds.run(clouds.by_role_alias(clouds.publish_aws()));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let entry = clouds.aws.ledger().accepted().remove(0);
    assert!(matches!(entry.device, Some(Device::AccessKey { .. })), "{:?}", entry.device);
    assert_eq!(clouds.aws.credentials_issued(), 1);
}

#[test]
fn many_lines_share_one_key() {
    let clouds = Clouds::start();
    let lines = clouds.write("lines", crate::clouds::numbered(600).join("\n"));
    let output = clouds.run(clouds.by_role_alias(clouds.publish_aws().lines(lines)));
    assert_eq!(output.stdout, "600 delivered, 0 refused, 0 not sent, 0 unknown\n", "{output:?}");
    assert_eq!(clouds.aws.credentials_issued(), 1);
}

#[test]
fn an_alias_that_is_unknown_and_a_thing_of_another_certificate_are_refusals_while_authenticating() {
    let clouds = Clouds::start();
    clouds.aws.attach_thing(&clouds.certificate.fingerprint, "thermometer");
    let line = clouds.by_role_alias(clouds.publish_aws());
    assert_eq!(clouds.run(line.clone().with("--thing-name", "thermometer")).code, Some(0));
    clouds.aws.ledger().clear();
    for (line, word) in
        [(line.clone().with("--role-alias", "other"), "role alias"), (line.with("--thing-name", "other"), "thing")]
    {
        let output = clouds.run(line);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.only_complaint().to_lowercase().contains(word), "{output:?}");
    }
    assert!(clouds.aws.ledger().entries().is_empty());
}

#[test]
fn a_port_for_the_credentials_endpoint_is_given_with_it_or_by_its_option() {
    let clouds = Clouds::start();
    let host = clouds.aws.credentials_server_name();
    let there = format!("{host}:9443:{}", clouds.aws.addr_credentials());
    let line = clouds.by_role_alias(clouds.publish_aws()).and(&["--connect-to", &there]);
    let by_option = line.clone().with("--credentials-port", "9443");
    let with_it = line.with("--credentials-endpoint", format!("https://{host}:9443/"));
    for line in [by_option, with_it] {
        assert_eq!(clouds.run(line.with("--role-alias", ROLE_ALIAS)).code, Some(0));
    }
}
