// SPDX-License-Identifier: LGPL-2.0-or-later
//! Numbers for Prometheus. Labels are words of this program (calls, codes, reasons), never anything that somebody sent or is called.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};

/// What is counted as it happens. The rest is read when it is asked for.
pub struct Metrics {
    requests: Family<Answered, Counter>,
    seconds: Family<Called, Histogram, fn() -> Histogram>,
    refusals: Family<Refused, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    call: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    call: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: String,
}

/// How the keystore is, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Entries in the log.
    pub log_size: u64,
    /// Has it stopped?
    pub halted: bool,
    /// Connections that are open.
    pub connections: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            // From half a millisecond to about eight seconds.
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.0005, 2.0, 15))),
            refusals: Family::default(),
        }
    }
}

impl Metrics {
    /// A request to `call` (the path's template) was answered with `code`.
    pub fn answered(&self, call: &str, code: &str, took: Duration) {
        self.requests.get_or_create(&Answered { call: call.to_owned(), code: code.to_owned() }).inc();
        self.seconds.get_or_create(&Called { call: call.to_owned() }).observe(took.as_secs_f64());
    }

    /// Refusals of nobody in particular went on record.
    pub fn refused(&self, reason: &str, count: u64) {
        self.refusals.get_or_create(&Refused { reason: reason.to_owned() }).inc_by(count);
    }

    /// All of it, in Prometheus' text format.
    ///
    /// # Errors
    /// When it cannot be written, which takes a full memory.
    pub fn to_text(&self, gauges: &Gauges) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("plombe_keystore");
        registry.register("requests", "Requests answered, by call and code", self.requests.clone());
        registry.register("request_seconds", "How long an answer took", self.seconds.clone());
        registry.register(
            "refusals",
            "Counted refusals that went on record, by reason",
            self.refusals.clone(),
        );
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
        let gauge = |value: u64| {
            let gauge = Gauge::<u64, AtomicU64>::default();
            gauge.set(value);
            gauge
        };
        registry.register("log_entries", "Entries in the log", gauge(gauges.log_size));
        registry.register(
            "stopped",
            "1 when it serves nothing until people have looked",
            gauge(gauges.halted.into()),
        );
        let connections = u64::try_from(gauges.connections).unwrap_or(u64::MAX);
        registry.register("connections", "Open connections", gauge(connections));
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.answered("/v1/keys/unwrap", "ok", Duration::from_millis(3));
        metrics.refused("no-session", 7);
        let gauges = Gauges { log_size: 12, halted: false, connections: 2 };
        let text = metrics.to_text(&gauges).unwrap();
        for line in [
            "plombe_keystore_requests_total{call=\"/v1/keys/unwrap\",code=\"ok\"} 1",
            "plombe_keystore_request_seconds_bucket{le=\"0.004\",call=\"/v1/keys/unwrap\"} 1",
            "plombe_keystore_refusals_total{reason=\"no-session\"} 7",
            "plombe_keystore_log_entries 12",
            "plombe_keystore_stopped 0",
            "plombe_keystore_connections 2",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
