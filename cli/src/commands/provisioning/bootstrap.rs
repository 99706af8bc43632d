//! `thingpost bootstrap`: where the instance of a device is, for devices that were not told when they were made.

use serde_json::json;
use thingpost_host::runtime::DeviceSecrets;

use super::{Destination, QueryError, QueryRunner};
use crate::args::BootstrapAliyun;
use crate::error::one_line;
use crate::terminal::answer;

pub(super) async fn run(arguments: &BootstrapAliyun) -> Result<(), QueryError> {
    let BootstrapAliyun { product_key, device_name, .. } = arguments;
    let to = Destination::new(arguments.endpoint(), arguments.port, &arguments.network)?;
    let mut runner = QueryRunner::open(&to, &arguments.network, DeviceSecrets::new(), arguments.json).await?;
    let address = runner
        .ask(async |provisioning, timeout_ms| {
            provisioning.bootstrap(&to.host, to.port, product_key, device_name, timeout_ms).await
        })
        .await?;
    if arguments.json {
        answer(json!({ "host": address.host, "port": address.port }));
    } else {
        answer(one_line(&format!("{}:{}", address.host, address.port)));
    }
    Ok(())
}
