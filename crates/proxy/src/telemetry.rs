//! What the program tells about itself: the log on stderr, as text or JSON, and spans for a collector (OpenTelemetry,
//! OTLP over HTTP) where there is one. Begins before everything else and ends after it.
//!
//! To a collector go this crate's own spans and lines alone, so the exporter's own requests are not among them. What may
//! stand in a line is decided where it is written: no PIN, email address, userId or token.

use crate::metrics::Alarms;
use crate::upstream::{self, StartError};
use clap::ValueEnum;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use std::fmt;
use std::io::IsTerminal;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Span, Subscriber, info, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

const EXPORTED_WITHIN: Duration = Duration::from_secs(3);
const LAST_SPANS_WITHIN: Duration = Duration::from_secs(4);
const SERVICE: &str = "flexepin-cashier-proxy";

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// The log and the spans of this process, until [`Telemetry::end`].
pub struct Telemetry {
    alarms: Alarms,
    spans: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins both; once per process. Spans go to `otlp_endpoint`, such as `http://127.0.0.1:4318/v1/traces`.
    ///
    /// # Errors
    /// When the endpoint is no http or https URL.
    pub fn begin(format: LogFormat, otlp_endpoint: Option<&str>) -> Result<Self, StartError> {
        let spans = otlp_endpoint.map(exporting).transpose()?;
        let alarms = Alarms::default();
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let exported = spans.as_ref().map(|spans| {
            let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), Level::INFO);
            tracing_opentelemetry::layer()
                .with_tracer(spans.tracer(SERVICE))
                .with_location(false)
                .with_threads(false)
                .with_filter(ours)
        });
        let counted = AlarmCount(alarms.clone()).with_filter(LevelFilter::ERROR);
        tracing_subscriber::registry().with(written(format, filter)).with(exported).with(counted).init();
        Ok(Self { alarms, spans })
    }

    /// What counts the log's `ALARM` lines.
    pub fn alarms(&self) -> Alarms {
        self.alarms.clone()
    }

    /// Sends the last spans, for some seconds at most.
    pub async fn end(self) {
        let Some(spans) = self.spans else { return };
        // It waits for a thread that waits for this runtime.
        let ended = tokio::task::spawn_blocking(move || spans.shutdown_with_timeout(LAST_SPANS_WITHIN)).await;
        if !matches!(ended, Ok(Ok(()))) {
            info!("the last spans may not have reached the collector");
        }
    }
}

/// The W3C `traceparent` of what is being done, where spans are exported.
pub(crate) fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    let (trace, id, flags) = (span.trace_id(), span.span_id(), span.trace_flags().to_u8());
    span.is_valid().then(|| format!("00-{trace}-{id}-{flags:02x}"))
}

fn written<S: Subscriber + for<'a> LookupSpan<'a>>(
    format: LogFormat,
    filter: EnvFilter,
) -> Box<dyn Layer<S> + Send + Sync> {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_filter(filter).boxed(),
    }
}

fn exporting(endpoint: &str) -> Result<SdkTracerProvider, StartError> {
    let error = |why: &dyn fmt::Display| StartError(format!("--otlp-endpoint (or CASHIER_OTLP_ENDPOINT): {why}"));
    let is_http = reqwest::Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_http {
        return Err(error(&"is no URL: write it such as http://127.0.0.1:4318/v1/traces"));
    }
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(upstream::tls()?)
        .timeout(EXPORTED_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|why| error(&why))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint)
        .with_timeout(EXPORTED_WITHIN)
        .build()
        .map_err(|why| error(&why))?;
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name(SERVICE).with_attribute(version).build();
    let exporter = OnRuntime { exporter, runtime: Handle::current() };
    Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
}

/// The exporter's thread has no runtime of its own, which the HTTP client needs.
#[derive(Debug)]
struct OnRuntime {
    exporter: SpanExporter,
    runtime: Handle,
}

impl opentelemetry_sdk::trace::SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.runtime.block_on(self.exporter.export(batch));
        if let Err(why) = &exported {
            warn!(%why, "spans were not exported");
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Counts the lines that somebody must look at, wherever they are written.
struct AlarmCount(Alarms);

impl<S: Subscriber> Layer<S> for AlarmCount {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = IsAlarm(false);
        event.record(&mut message);
        if message.0 {
            self.0.one_more();
        }
    }
}

struct IsAlarm(bool);

impl Visit for IsAlarm {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}").starts_with("ALARM");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Metrics, Now};
    use tracing::error;

    #[test]
    fn lines_that_begin_with_alarm_are_counted_and_no_others() {
        let alarms = Alarms::default();
        let counted = tracing_subscriber::registry().with(AlarmCount(alarms.clone()).with_filter(LevelFilter::ERROR));
        tracing::subscriber::with_default(counted, || {
            error!(attempt = "ALARM", "ALARM: two tries of one attempt were redeemed");
            error!("the ALARM is not the beginning");
            error!(why = "ALARM", "a field");
            let formatted = "ALARM";
            error!("{formatted}: formatted");
            warn!("ALARM of the wrong level");
        });
        let text = Metrics::new(&alarms).text(Now::default());
        assert!(text.contains("cashier_alarms_total 2\n"), "{text}");
    }

    #[test]
    fn without_a_collector_there_is_no_traceparent() {
        assert_eq!(traceparent(), None);
    }

    #[tokio::test]
    async fn an_endpoint_that_is_no_url_is_refused_by_its_name() {
        for endpoint in ["", "collector", "ftp://127.0.0.1/"] {
            let error = exporting(endpoint).expect_err("no URL").to_string();
            assert!(error.contains("--otlp-endpoint"), "{error}");
        }
    }
}
