//! Pushes what is counted to a collector. Its address and all else is in the variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT`,
//! `OTEL_METRIC_EXPORT_INTERVAL`, ..), which operators set for all their programs alike.

use std::env;

use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::metrics::MeterProviderBuilder;

use super::metrics::MetricsError;

/// Either of them says that there is a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

/// Adds the exporter, if there is a collector.
pub(super) fn pushing(provider: MeterProviderBuilder) -> Result<MeterProviderBuilder, MetricsError> {
    if ENDPOINTS.iter().all(|name| env::var_os(name).is_none()) {
        return Ok(provider);
    }
    let exporter = MetricExporter::builder().with_http().build().map_err(MetricsError::new)?;
    Ok(provider.with_periodic_exporter(exporter))
}
