//! Pushes the metrics to an OpenTelemetry collector, over OTLP by HTTP.
//!
//! The figures are those of [`Snapshot`]. Response times go as their percentiles, because the SDK takes no histogram that
//! was counted elsewhere. The endpoint is a collector nearby, without TLS.

use crate::observe::{Latency, Observations, Plane, PlaneSnapshot, Snapshot, StoreSnapshot};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter, MeterProvider};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// One push asks for every instrument on its own: all of them get the same snapshot.
const SNAPSHOT_AGE_MAX: Duration = Duration::from_millis(500);
/// How long one push may take.
const PUSH_TIME_MAX: Duration = Duration::from_secs(5);

/// The export as it is running; it ends when this is dropped, with a last push.
#[derive(Debug)]
pub struct Export {
    provider: SdkMeterProvider,
}

/// The export could not be started.
#[derive(Debug, Error)]
#[error("metrics cannot be exported to {endpoint}: {cause}: check the endpoint")]
pub struct ExportError {
    endpoint: String,
    cause: ExporterBuildError,
}

/// Begins to push all metrics to an endpoint such as `http://localhost:4318/v1/metrics`, on a thread of its own. A
/// collector that does not answer costs nothing but the push.
pub fn export(endpoint: &str, interval: Duration, observations: Arc<Observations>) -> Result<Export, ExportError> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_timeout(PUSH_TIME_MAX)
        .build()
        .map_err(|cause| ExportError { endpoint: endpoint.to_owned(), cause })?;
    let reader = PeriodicReader::builder(exporter).with_interval(interval).build();
    let resource = Resource::builder().with_service_name("gesta").build();
    let provider = SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build();
    let looks = Arc::new(Looks { observations, last: Mutex::new(None) });
    let instruments = Instruments { meter: provider.meter("gesta"), looks };
    instruments.of_planes();
    instruments.of_stores();
    Ok(Export { provider })
}

impl Drop for Export {
    fn drop(&mut self) {
        // A collector that is not there must not matter to a server that stops.
        let _ = self.provider.shutdown();
    }
}

/// Shares one snapshot among all instruments of a push.
#[derive(Debug)]
struct Looks {
    observations: Arc<Observations>,
    last: Mutex<Option<(Instant, Arc<Snapshot>)>>,
}

impl Looks {
    fn snapshot(&self) -> Arc<Snapshot> {
        let mut last = self.last.lock();
        if let Some((at, snapshot)) = &*last
            && at.elapsed() < SNAPSHOT_AGE_MAX
        {
            return Arc::clone(snapshot);
        }
        let snapshot = Arc::new(self.observations.snapshot());
        *last = Some((Instant::now(), Arc::clone(&snapshot)));
        snapshot
    }
}

/// Declares the instruments; the provider keeps them.
struct Instruments {
    meter: Meter,
    looks: Arc<Looks>,
}

impl Instruments {
    fn of_planes(&self) {
        self.plane_counter("gesta.connections.opened", "{connection}", |plane| plane.connections_opened);
        self.plane_counter("gesta.requests", "{request}", |plane| plane.requests);
        self.plane_counter("gesta.received", "By", |plane| plane.received_bytes);
        self.plane_counter("gesta.sent", "By", |plane| plane.sent_bytes);
        self.plane_counter("gesta.received.events", "{event}", |plane| plane.received_events);
        self.plane_counter("gesta.sent.events", "{event}", |plane| plane.sent_events);
        self.plane_gauge("gesta.connections.open", "{connection}", |plane| plane.connections_open);
        self.plane_gauge("gesta.requests.in_flight", "{request}", |plane| plane.requests_in_flight);
        self.counter("gesta.refusals", "{refusal}", |snapshot, tell| {
            for (name, plane) in planes(snapshot) {
                for (reason, count) in &plane.refusals {
                    tell.observe(*count, &[KeyValue::new("plane", name), KeyValue::new("reason", reason.clone())]);
                }
            }
        });
    }

    fn of_stores(&self) {
        self.counter("gesta.commits", "{commit}", |snapshot, tell| {
            each_store(snapshot, tell, |store| Some(store.commits.count));
        });
        self.counter("gesta.committed.events", "{event}", |snapshot, tell| {
            each_store(snapshot, tell, |store| Some(store.commits.events));
        });
        self.counter("gesta.committed", "By", |snapshot, tell| {
            each_store(snapshot, tell, |store| Some(store.commits.bytes));
        });
        self.counter("gesta.scrub", "By", |snapshot, tell| {
            each_store(snapshot, tell, |store| Some(store.scrub.as_ref()?.bytes));
        });
        self.counter("gesta.scrub.passes", "{pass}", |snapshot, tell| {
            each_store(snapshot, tell, |store| Some(store.scrub.as_ref()?.passes));
        });
        self.gauge("gesta.scrub.damaged_batches", "{batch}", |snapshot, tell| {
            each_store(snapshot, tell, |store| Some(store.scrub.as_ref()?.damaged_batches));
        });
        self.gauge("gesta.events", "{event}", |snapshot, tell| each_store(snapshot, tell, |store| store.events));
        self.gauge("gesta.subscriber.lag.max", "{position}", |snapshot, tell| {
            each_store(snapshot, tell, |store| Some(store.subscribers.lag_max));
        });
        self.gauge("gesta.store.size", "By", |snapshot, tell| {
            for store in &snapshot.stores {
                let Some(bytes) = &store.store_bytes else { continue };
                let parts = [
                    ("log", bytes.log),
                    ("index", bytes.index),
                    ("snapshots", bytes.snapshots),
                    ("reserved", bytes.reserved),
                ];
                for (part, bytes) in parts {
                    tell.observe(bytes, &[KeyValue::new("store", store.store.clone()), KeyValue::new("part", part)]);
                }
            }
        });
        self.percentiles("gesta.command.response", |store| &store.command_us);
        self.percentiles("gesta.query.response", |store| &store.query_us);
        self.percentiles("gesta.commit.sync", |store| &store.commits.sync_us);
    }

    fn plane_counter(&self, name: &'static str, unit: &'static str, count: fn(&PlaneSnapshot) -> u64) {
        self.counter(name, unit, move |snapshot, tell| each_plane(snapshot, tell, count));
    }

    fn plane_gauge(&self, name: &'static str, unit: &'static str, value: fn(&PlaneSnapshot) -> u64) {
        self.gauge(name, unit, move |snapshot, tell| each_plane(snapshot, tell, value));
    }

    fn percentiles(&self, name: &'static str, latency: fn(&StoreSnapshot) -> &Latency) {
        self.gauge(name, "us", move |snapshot, tell| {
            for store in &snapshot.stores {
                let Latency { p50, p99, p999, .. } = latency(store);
                for (quantile, value) in [("0.5", p50), ("0.99", p99), ("0.999", p999)] {
                    let Some(value) = *value else { continue };
                    let labels = [KeyValue::new("store", store.store.clone()), KeyValue::new("quantile", quantile)];
                    tell.observe(value, &labels);
                }
            }
        });
    }

    fn counter(
        &self,
        name: &'static str,
        unit: &'static str,
        look: impl Fn(&Snapshot, &dyn AsyncInstrument<u64>) + Send + Sync + 'static,
    ) {
        let looks = Arc::clone(&self.looks);
        let builder = self.meter.u64_observable_counter(name).with_unit(unit);
        builder.with_callback(move |tell| look(&looks.snapshot(), tell)).build();
    }

    fn gauge(
        &self,
        name: &'static str,
        unit: &'static str,
        look: impl Fn(&Snapshot, &dyn AsyncInstrument<u64>) + Send + Sync + 'static,
    ) {
        let looks = Arc::clone(&self.looks);
        let builder = self.meter.u64_observable_gauge(name).with_unit(unit);
        builder.with_callback(move |tell| look(&looks.snapshot(), tell)).build();
    }
}

fn planes(snapshot: &Snapshot) -> [(&'static str, &PlaneSnapshot); 2] {
    [(Plane::Append.name(), &snapshot.planes.append), (Plane::Read.name(), &snapshot.planes.read)]
}

fn each_plane(snapshot: &Snapshot, tell: &dyn AsyncInstrument<u64>, value: fn(&PlaneSnapshot) -> u64) {
    for (name, plane) in planes(snapshot) {
        tell.observe(value(plane), &[KeyValue::new("plane", name)]);
    }
}

fn each_store(snapshot: &Snapshot, tell: &dyn AsyncInstrument<u64>, value: fn(&StoreSnapshot) -> Option<u64>) {
    for store in &snapshot.stores {
        if let Some(value) = value(store) {
            tell.observe(value, &[KeyValue::new("store", store.store.clone())]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Refusal;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Takes one push and hands out its bytes.
    fn take_push(collector: &TcpListener) -> (String, Vec<u8>) {
        let (mut stream, _) = collector.accept().unwrap();
        let mut taken = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the push ended early");
            taken.extend_from_slice(&buffer[..count]);
            let Some(end) = taken.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&taken[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if taken.len() - end - 4 == length.parse::<usize>().unwrap() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
                return (head, taken.split_off(end + 4));
            }
        }
    }

    #[test]
    fn the_metrics_arrive_at_the_collector() {
        let collector = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1/metrics", collector.local_addr().unwrap());
        let observations = Observations::new();
        let store = observations.store("books");
        store.command(gesta::Durability::Durable, Duration::from_micros(70));
        observations.plane(Plane::Read).refused(Refusal::SlowReader);
        let export = export(&endpoint, Duration::from_secs(3600), observations).unwrap();
        // The last push comes at the end.
        let ending = std::thread::spawn(move || drop(export));
        let (head, body) = take_push(&collector);
        ending.join().unwrap();
        assert!(head.starts_with("post /v1/metrics http/1.1"), "{head}");
        for name in ["gesta.requests.in_flight", "gesta.refusals", "slow_reader", "gesta.command.response", "books"] {
            assert!(body.windows(name.len()).any(|window| window == name.as_bytes()), "{name} is missing");
        }
    }

    #[test]
    fn a_collector_that_is_not_there_ends_nothing() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let export = export(&format!("http://{address}/v1/metrics"), Duration::from_millis(1), Observations::new());
        drop(export.unwrap());
        assert!(export_error("not an address").contains("check the endpoint"));
    }

    fn export_error(endpoint: &str) -> String {
        export(endpoint, Duration::from_secs(3600), Observations::new()).unwrap_err().to_string()
    }
}
