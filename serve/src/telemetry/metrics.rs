//! What is counted, under the names that the conventions of OpenTelemetry give to it, so that dashboards which know HTTP servers
//! know this one. No label has a value that a caller chooses: a scanner that asks for a million paths would fill the memory with
//! them, and a topic belongs to its device.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};
use opentelemetry::metrics::{Histogram, Meter, MeterProvider, UpDownCounter};
use opentelemetry::{KeyValue, StringValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};
use thingpost_host::{Pool, Statistics};

/// The boundaries that the conventions advise for seconds of a request, and three more: a message may wait for minutes.
const SECONDS: [f64; 17] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0, 300.0];

/// All that is counted of one server. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
}

impl Metrics {
    /// Counts, for those who ask for [`text`](Self::text); with the feature `otlp` and the variable `OTEL_EXPORTER_OTLP_ENDPOINT`
    /// also for a collector.
    ///
    /// # Errors
    ///
    /// An exporter cannot be made: with `otlp`, the variables of OpenTelemetry are wrong.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        let exporter = exporter.without_target_info().scope_info_enabled(false).build().map_err(MetricsError::new)?;
        let resource = Resource::builder().with_service_name("thingpost").build();
        let provider = SdkMeterProvider::builder().with_resource(resource).with_reader(exporter);
        #[cfg(feature = "otlp")]
        let provider = super::otlp::pushing(provider)?;
        let provider = provider.build();
        let meter = provider.meter("thingpost");
        let duration = meter
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_description("Duration of HTTP server requests, until the head of their answer.")
            .with_boundaries(SECONDS.to_vec())
            .build();
        let active = meter
            .i64_up_down_counter("http.server.active_requests")
            .with_unit("{request}")
            .with_description("Number of active HTTP server requests.")
            .build();
        Ok(Self { provider, registry, duration, active })
    }

    /// Adds the numbers of the pool that the requests of guests go out by.
    pub fn observe_pool(&self, pool: &Pool) {
        let meter = self.meter();
        for (name, description, read) in GAUGES {
            let pool = pool.clone();
            let gauge = meter.u64_observable_gauge(name).with_description(description);
            let _ = gauge.with_callback(move |gauge| gauge.observe(read(&pool.statistics()) as u64, &[])).build();
        }
        let pool_of_requests = pool.clone();
        let requests = meter.u64_observable_counter("thingpost.client.requests").with_unit("{request}");
        let requests = requests.with_description("Requests of guests, by what became of them.");
        let _ = requests
            .with_callback(move |counter| {
                let statistics = pool_of_requests.statistics();
                for (outcome, read) in OUTCOMES {
                    counter.observe(read(&statistics), &[KeyValue::new("outcome", outcome)]);
                }
            })
            .build();
    }

    /// A meter for further numbers.
    pub fn meter(&self) -> Meter {
        self.provider.meter("thingpost")
    }

    /// All numbers in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// The numbers contradict each other, which is a mistake in here.
    pub fn text(&self) -> Result<String, MetricsError> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).map_err(MetricsError::new)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// A request begins; dropping the guard ends it.
    pub(super) fn begin(&self, method: &Method) -> ActiveRequest {
        let method = KeyValue::new("http.request.method", known(method));
        self.active.add(1, std::slice::from_ref(&method));
        ActiveRequest { active: self.active.clone(), method }
    }

    /// A request was answered.
    pub(super) fn answered(&self, method: &Method, status: StatusCode, after: Duration) {
        let labels = [
            KeyValue::new("http.request.method", known(method)),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
        ];
        self.duration.record(after.as_secs_f64(), &labels);
    }
}

/// A request that is under way.
pub(super) struct ActiveRequest {
    active: UpDownCounter<i64>,
    method: KeyValue,
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.active.add(-1, std::slice::from_ref(&self.method));
    }
}

type Gauge = (&'static str, &'static str, fn(&Statistics) -> usize);
const GAUGES: [Gauge; 3] = [
    ("thingpost.client.open_connections", "Connections to platforms.", |statistics| statistics.open),
    ("thingpost.client.idle_connections", "Connections to platforms that wait for a request.", |statistics| {
        statistics.idle
    }),
    ("thingpost.client.waiting_requests", "Requests that wait for a connection.", |statistics| statistics.waiting),
];

type Outcome = (&'static str, fn(&Statistics) -> u64);
const OUTCOMES: [Outcome; 5] = [
    ("answered", |statistics| statistics.answered),
    ("denied", |statistics| statistics.denied),
    ("not-sent", |statistics| statistics.not_sent),
    ("unknown", |statistics| statistics.unknown),
    ("abandoned", |statistics| statistics.abandoned),
];

/// The name of a method, if it has one of the standard's.
fn known(method: &Method) -> StringValue {
    const KNOWN: [Method; 9] = [
        Method::CONNECT,
        Method::DELETE,
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::PATCH,
        Method::POST,
        Method::PUT,
        Method::TRACE,
    ];
    match KNOWN.iter().find(|known| *known == method) {
        Some(known) => known.as_str().to_owned().into(),
        None => "_OTHER".into(),
    }
}

/// The reason why nothing can be counted.
#[derive(Debug)]
pub struct MetricsError(Box<dyn std::error::Error + Send + Sync>);

impl MetricsError {
    pub(super) fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for MetricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing can be counted: {}", self.0)
    }
}

impl std::error::Error for MetricsError {}

impl From<OTelSdkError> for MetricsError {
    fn from(error: OTelSdkError) -> Self {
        Self::new(error)
    }
}
