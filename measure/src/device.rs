//! A device in the words of both sides: the host's for the component, the core's for the native client.

use std::sync::Arc;

use thingpost::{Endpoint, Secret, aliyun, aws};
use thingpost_host::runtime::types::{
    AliyunConfig, AwsAuthentication, AwsConfig, Platform, Scope, SigV4, SignMethod, Signer, TimestampPolicy,
};
use thingpost_host::{Identity, Pool, Route, RouteTable, Transport, TrustRoots, WorkloadConfig};

use crate::server::{ALIYUN_ENDPOINT, AWS_ENDPOINT};

/// How a device shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// AWS, by the certificate of the connection.
    AwsCertificate,
    /// AWS, by a signature over each request.
    AwsSigV4,
    /// Aliyun, by a token that an HMAC was exchanged for.
    Aliyun,
}

/// A device, and how it is reached.
#[derive(Clone)]
pub struct Device {
    way: Way,
    workload: WorkloadConfig,
}

const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const REGION: &str = "eu-central-1";
const SERVICE: &str = "iotdevicegateway";
const PRODUCT_KEY: &str = "a1b2C3d4E5F";
const DEVICE_NAME: &str = "thermometer-7";
pub(crate) const DEVICE_SECRET: &str = "jmQ3nW8rT5yU2iO9pA6sD1fG4hJ7kL0z";

impl Device {
    pub(crate) fn new(way: Way, address: &str, roots: TrustRoots, identity: Option<Identity>) -> Self {
        let (host, port) = (way.endpoint(), way.port());
        let route = Route::new(host, roots).port(port);
        let route = match identity {
            Some(identity) => route.identity(identity),
            None => route,
        };
        let connect_to = format!("{host}:{port}:{address}").parse().expect("the server says where it listens");
        let routes = RouteTable::new(vec![route]).expect("the hosts are constant and valid");
        Self { way, workload: WorkloadConfig::new("bench", routes).connect_to([connect_to]) }
    }

    /// The way to the server, over the connections of this pool.
    pub fn transport(&self, pool: &Pool) -> Transport {
        Transport::new(pool.clone(), self.workload.clone())
    }

    /// A topic that it may publish to.
    pub fn topic(&self) -> String {
        match self.way {
            Way::AwsCertificate | Way::AwsSigV4 => "plant/4/thermometer-7/celsius".to_owned(),
            Way::Aliyun => format!("/{PRODUCT_KEY}/{DEVICE_NAME}/user/update"),
        }
    }

    /// For the component.
    pub fn platform(&self) -> Platform {
        let (endpoint, port) = (self.way.endpoint().to_owned(), self.way.port());
        let authentication = match self.way {
            Way::AwsCertificate => AwsAuthentication::Certificate,
            Way::AwsSigV4 => AwsAuthentication::SigV4(SigV4 {
                access_key_id: ACCESS_KEY_ID.to_owned(),
                secret_access_key: SECRET_ACCESS_KEY.to_owned(),
                session_token: None,
                scope: Scope { region: Some(REGION.to_owned()), service: Some(SERVICE.to_owned()) },
            }),
            Way::Aliyun => {
                return Platform::Aliyun(AliyunConfig {
                    endpoint,
                    port,
                    product_key: PRODUCT_KEY.to_owned(),
                    device_name: DEVICE_NAME.to_owned(),
                    signer: Signer::DeviceSecret(DEVICE_SECRET.to_owned()),
                    client_id: None,
                    sign_method: SignMethod::HmacSha256,
                    timestamp: TimestampPolicy::None,
                });
            }
        };
        Platform::Aws(AwsConfig { endpoint, port, authentication })
    }

    /// For the core.
    pub fn native_platform(&self) -> Arc<dyn thingpost::Platform> {
        let endpoint = Endpoint::new(self.way.endpoint(), self.way.port()).expect("constant and valid");
        let authentication = match self.way {
            Way::AwsCertificate => aws::Authentication::Certificate,
            Way::AwsSigV4 => aws::Authentication::SigV4 {
                credentials: aws::sigv4::Credentials {
                    access_key_id: ACCESS_KEY_ID.to_owned(),
                    secret_access_key: Secret::new(SECRET_ACCESS_KEY),
                    session_token: None,
                },
                scope: aws::sigv4::Scope { region: REGION.to_owned(), service: SERVICE.to_owned() },
            },
            Way::Aliyun => {
                let device = aliyun::Device::new(endpoint, PRODUCT_KEY, DEVICE_NAME, None);
                let signer = aliyun::Signer::Secret(Secret::new(DEVICE_SECRET));
                let (method, timestamp) = (aliyun::SignMethod::HmacSha256, aliyun::TimestampPolicy::None);
                let config = device.and_then(|device| aliyun::Config::new(device, signer, method, timestamp));
                return Arc::new(config.expect("constant and valid"));
            }
        };
        Arc::new(aws::Config::new(endpoint, authentication).expect("constant and valid"))
    }
}

impl Way {
    fn endpoint(self) -> &'static str {
        match self {
            Self::AwsCertificate | Self::AwsSigV4 => AWS_ENDPOINT,
            Self::Aliyun => ALIYUN_ENDPOINT,
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::AwsCertificate => 8443,
            Self::AwsSigV4 | Self::Aliyun => 443,
        }
    }
}
