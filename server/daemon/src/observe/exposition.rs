//! Everything as OpenMetrics text, which Prometheus reads.
//!
//! Times are seconds, in buckets that end at powers of two of a microsecond; names end in their unit. Only names of
//! stores that are served become labels, so the number of series is bounded.

use super::distribution::Counts;
use super::health::Health;
use super::observations::Observations;
use super::plane::{Plane, PlaneObservations};
use super::store_observations::{Commits, DURABILITIES, Operation, StoreObservations};
use gesta::disk::lost_pages;
use gesta::{ScrubStatus, Statistics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Labels<'a> = [(&'static str, &'a str)];

/// The buckets of times, 16 us to 67 s, as powers of two of a microsecond.
const TIME_POWERS: RangeInclusive<u32> = 4..=26;
/// The buckets of event sizes, 16 bytes to 16 MiB.
const SIZE_POWERS: RangeInclusive<u32> = 4..=24;
/// The buckets of the requests that share a commit.
const GROUP_POWERS: RangeInclusive<u32> = 0..=14;

impl Observations {
    /// Everything as OpenMetrics text. Asks the stores for their sizes, as [`Observations::snapshot`] does.
    #[must_use]
    pub fn exposition(self: &Arc<Self>, health: &Arc<Health>) -> String {
        let mut registry = Registry::with_prefix("gesta");
        let page = Page { observations: Arc::clone(self), health: Arc::clone(health) };
        registry.register_collector(Box::new(page));
        let mut written = String::new();
        text::encode(&mut written, &registry).expect("a string takes everything");
        written
    }
}

/// One look at everything.
#[derive(Debug)]
struct Page {
    observations: Arc<Observations>,
    health: Arc<Health>,
}

/// A store, and what it says of its size.
struct LookedAt {
    store: Arc<StoreObservations>,
    label: String,
    head: Option<u64>,
    statistics: Option<Statistics>,
    scrub: Option<ScrubStatus>,
}

impl Collector for Page {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families { encoder };
        self.server(&mut families)?;
        self.planes(&mut families)?;
        let stores: Vec<LookedAt> = self.observations.stores().into_iter().map(LookedAt::new).collect();
        response_times(&mut families, &stores)?;
        commits(&mut families, &stores)?;
        sizes(&mut families, &stores)?;
        scrubs(&mut families, &stores)?;
        followers(&mut families, &stores)
    }
}

impl Page {
    fn server(&self, families: &mut Families<'_>) -> fmt::Result {
        let observations = &self.observations;
        self.health.look_for_room();
        let ready = f64::from(u8::from(self.health.failing().is_empty()));
        families.gauges("ready", "1 when the server is ready, else 0", None, [(&[][..], ready)])?;
        let uptime = observations.uptime().as_secs_f64();
        families.gauges("uptime", "time since the start", Some(Unit::Seconds), [(&[][..], uptime)])?;
        let age = observations.last_error_age().map(|age| (&[][..], age.as_secs_f64()));
        families.gauges(
            "last_error_age",
            "time since an error was logged, or a reload failed",
            Some(Unit::Seconds),
            age,
        )?;
        let help = "pages of files, read in place, that the disk could not bring";
        families.counters("lost_pages", help, None, [(&[][..], lost_pages())])?;
        let failures = observations.reload_failures();
        let help = "certificates, tokens or settings that could not be loaded anew";
        families.counters("reload_failures", help, None, [(&[][..], failures)])
    }

    fn planes(&self, families: &mut Families<'_>) -> fmt::Result {
        type Counter = fn(&PlaneObservations) -> &AtomicU64;
        let counters: [(&str, &str, Option<Unit>, Counter); 6] = [
            ("connections_opened", "connections that were let in", None, |plane| &plane.connections_opened),
            ("requests", "requests that came in", None, |plane| &plane.requests),
            ("received", "bytes that came in", Some(Unit::Bytes), |plane| &plane.received_bytes),
            ("sent", "bytes that went out", Some(Unit::Bytes), |plane| &plane.sent_bytes),
            ("received_events", "events that came in", None, |plane| &plane.received_events),
            ("sent_events", "events that went out", None, |plane| &plane.sent_events),
        ];
        let labels = Plane::ALL.map(|plane| [("plane", plane.name())]);
        let planes = || Plane::ALL.iter().map(|plane| self.observations.plane(*plane)).zip(&labels);
        for (name, help, unit, counter) in counters {
            families.counters(name, help, unit, planes().map(|(plane, labels)| (&labels[..], load(counter(plane)))))?;
        }
        let gauges: [(&str, &str, Counter); 2] = [
            ("connections_open", "connections that are open", |plane| &plane.connections_open),
            ("requests_in_flight", "requests under way: the depth of the queue", |plane| &plane.requests_in_flight),
        ];
        for (name, help, gauge) in gauges {
            families.gauges(
                name,
                help,
                None,
                planes().map(|(plane, labels)| (&labels[..], float(load(gauge(plane))))),
            )?;
        }
        let mut refusals = Vec::new();
        for plane in Plane::ALL {
            let counts = self.observations.plane(plane).refusals();
            refusals.extend(counts.map(|(why, count)| ([("plane", plane.name()), ("reason", why.name())], count)));
        }
        let refusals = refusals.iter().map(|(labels, count)| (&labels[..], *count));
        families.counters("refusals", "connections and requests refused, by reason", None, refusals)
    }
}

impl LookedAt {
    fn new(store: Arc<StoreObservations>) -> Self {
        let label = label_value(store.name());
        let head = store.reader().map(|reader| reader.head().0);
        let statistics = store.reader().and_then(|reader| reader.statistics().ok());
        let scrub = store.scrub();
        Self { store, label, head, statistics, scrub }
    }

    fn labels(&self) -> [(&'static str, &str); 1] {
        [("store", &self.label)]
    }
}

fn response_times(families: &mut Families<'_>, stores: &[LookedAt]) -> fmt::Result {
    let mut times = families.histograms("command_response", "command response time: t_c", &TIMES)?;
    for looked in stores {
        for (durability, name) in DURABILITIES {
            let labels = [("store", &*looked.label), ("durability", name)];
            times.series(&labels, &looked.store.command_us(durability).counts())?;
        }
    }
    let mut times = families.histograms("query_response", "query response time: t_q", &TIMES)?;
    for looked in stores {
        for operation in Operation::ALL {
            let labels = [("store", &*looked.label), ("operation", operation.name())];
            times.series(&labels, &looked.store.query_us(operation).counts())?;
        }
    }
    Ok(())
}

fn commits(families: &mut Families<'_>, stores: &[LookedAt]) -> fmt::Result {
    type Counter = fn(&Commits) -> &AtomicU64;
    let counters: [(&str, &str, Option<Unit>, Counter); 3] = [
        ("commits", "groups that were written", None, |commits| &commits.count),
        ("committed_events", "events that were written", None, |commits| &commits.events),
        ("committed", "bytes of requests that were written", Some(Unit::Bytes), |commits| &commits.bytes),
    ];
    for (name, help, unit, counter) in counters {
        families.counters_of(name, help, unit, stores, |looked| load(counter(&looked.store.commits)))?;
    }
    let mut times = families.histograms("commit_write", "how long the write of a commit took", &TIMES)?;
    for looked in stores {
        times.series(&looked.labels(), &looked.store.commits.write_us.counts())?;
    }
    let mut times = families.histograms("commit_sync", "how long the sync of a commit took", &TIMES)?;
    for looked in stores {
        times.series(&looked.labels(), &looked.store.commits.sync_us.counts())?;
    }
    let mut groups = families.histograms("commit_group_requests", "requests that shared a commit", &GROUPS)?;
    for looked in stores {
        groups.series(&looked.labels(), &looked.store.commits.group_requests.counts())?;
    }
    let help = "how long the write or sync that is under way has been";
    families.gauges_of("commit_under_way", help, Some(Unit::Seconds), stores, |looked| {
        Some(looked.store.commit_under_way().map_or(0.0, |duration| duration.as_secs_f64()))
    })?;
    families.gauges_of("store_failed", "1 when the store takes no appends, else 0", None, stores, |looked| {
        Some(f64::from(u8::from(looked.store.failure().is_some())))
    })
}

fn sizes(families: &mut Families<'_>, stores: &[LookedAt]) -> fmt::Result {
    let mut sizes = families.histograms("event_size", "sizes of events that were appended: s", &SIZES)?;
    for looked in stores {
        sizes.series(&looked.labels(), &looked.store.event_bytes.counts())?;
    }
    let head = |looked: &LookedAt| looked.head.map(float);
    families.gauges_of("head_position", "readable events, all durable: n", None, stores, head)?;
    let streams = |looked: &LookedAt| looked.statistics.map(|statistics| float(statistics.streams));
    families.gauges_of("streams", "streams with at least one event", None, stores, streams)?;
    let mut parts = Vec::new();
    for looked in stores {
        let Some(statistics) = looked.statistics else { continue };
        let of_part = [
            ("log", statistics.log_bytes),
            ("index", statistics.index_bytes),
            ("snapshots", statistics.snapshot_bytes),
            ("reserved", statistics.reserved_bytes),
        ];
        parts.extend(of_part.map(|(part, bytes)| ([("store", &*looked.label), ("part", part)], float(bytes))));
    }
    let parts = parts.iter().map(|(labels, bytes)| (&labels[..], *bytes));
    families.gauges("store_size", "room that a store takes, by part: S", Some(Unit::Bytes), parts)
}

/// Of stores that are scrubbed.
fn scrubs(families: &mut Families<'_>, stores: &[LookedAt]) -> fmt::Result {
    type Figure = fn(&ScrubStatus) -> u64;
    let scrubbed: Vec<_> = stores.iter().filter_map(|looked| Some((looked.labels(), looked.scrub.as_ref()?))).collect();
    let counters: [(&str, &str, Option<Unit>, Figure); 3] = [
        ("scrub", "bytes that the scrub has read", Some(Unit::Bytes), |scrub| scrub.bytes),
        ("scrub_passes", "passes of the scrub that have ended", None, |scrub| scrub.passes),
        ("scrub_index_files_damaged", "index files that the scrub found damaged, which are made anew", None, |scrub| {
            scrub.index_files_damaged
        }),
    ];
    for (name, help, unit, count) in counters {
        families.counters(name, help, unit, scrubbed.iter().map(|(labels, scrub)| (&labels[..], count(scrub))))?;
    }
    let damaged = |looked: &LookedAt| Some(float(looked.scrub.as_ref()?.damaged_batches));
    let help = "batches of sealed segments that cannot be read, as the scrub found them last";
    families.gauges_of("scrub_damaged_batches", help, None, stores, damaged)?;
    let ratio = |looked: &LookedAt| {
        let pass = looked.scrub.as_ref()?.pass.as_ref()?;
        Some(float(pass.bytes_done) / float(pass.bytes_total.max(1)))
    };
    let help = "how far the pass of the scrub has come that is under way, from 0 to 1";
    families.gauges_of("scrub_pass_ratio", help, None, stores, ratio)?;
    let age = |looked: &LookedAt| Some(looked.store.last_pass_age()?.as_secs_f64());
    let help = "time since a pass of the scrub ended";
    families.gauges_of("scrub_last_pass_age", help, Some(Unit::Seconds), stores, age)
}

fn followers(families: &mut Families<'_>, stores: &[LookedAt]) -> fmt::Result {
    let count = |looked: &LookedAt| Some(float(looked.store.subscribers.summary().0 as u64));
    families.gauges_of("subscribers", "subscriptions that are open", None, stores, count)?;
    let lag = |looked: &LookedAt| {
        let (_, furthest) = looked.store.subscribers.summary();
        Some(furthest.zip(looked.head).map_or(0.0, |(position, head)| float(head.saturating_sub(position))))
    };
    let help = "how many positions the subscriber furthest behind is behind the head";
    families.gauges_of("subscriber_lag_positions_max", help, None, stores, lag)
}

/// Writes one family of series after another.
struct Families<'e> {
    encoder: DescriptorEncoder<'e>,
}

impl Families<'_> {
    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        series: impl IntoIterator<Item = (&'l Labels<'l>, u64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
        for (labels, count) in series {
            if labels.is_empty() {
                family.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            } else {
                family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        Ok(())
    }

    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        series: impl IntoIterator<Item = (&'l Labels<'l>, f64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        for (labels, value) in series {
            if labels.is_empty() {
                family.encode_gauge(&value)?;
            } else {
                family.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    fn counters_of(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        stores: &[LookedAt],
        count: impl Fn(&LookedAt) -> u64,
    ) -> fmt::Result {
        let labels: Vec<_> = stores.iter().map(LookedAt::labels).collect();
        self.counters(name, help, unit, labels.iter().zip(stores).map(|(labels, looked)| (&labels[..], count(looked))))
    }

    /// A gauge of each store that knows it.
    fn gauges_of(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        stores: &[LookedAt],
        value: impl Fn(&LookedAt) -> Option<f64>,
    ) -> fmt::Result {
        let labels: Vec<_> = stores.iter().map(LookedAt::labels).collect();
        let series = labels.iter().zip(stores);
        self.gauges(name, help, unit, series.filter_map(|(labels, looked)| Some((&labels[..], value(looked)?))))
    }

    fn histograms<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        scale: &'static Scale,
    ) -> Result<Histograms<'s>, fmt::Error> {
        let encoder = self.encoder.encode_descriptor(name, help, scale.unit.as_ref(), MetricType::Histogram)?;
        Ok(Histograms { encoder, scale })
    }
}

/// In what a distribution is shown.
struct Scale {
    unit: Option<Unit>,
    /// How many of the observed units make one that is shown.
    divisor: f64,
    /// The buckets end just below these powers of two.
    powers: RangeInclusive<u32>,
    /// How far below, in the observed unit: a bucket's end belongs to it. Times go on between whole microseconds.
    step: f64,
}

const TIMES: Scale = Scale { unit: Some(Unit::Seconds), divisor: 1e6, powers: TIME_POWERS, step: 0.0 };
const SIZES: Scale = Scale { unit: Some(Unit::Bytes), divisor: 1.0, powers: SIZE_POWERS, step: 1.0 };
const GROUPS: Scale = Scale { unit: None, divisor: 1.0, powers: GROUP_POWERS, step: 1.0 };

/// Writes the series of one histogram.
struct Histograms<'e> {
    encoder: MetricEncoder<'e>,
    scale: &'static Scale,
}

impl Histograms<'_> {
    fn series(&mut self, labels: &Labels<'_>, counts: &Counts) -> fmt::Result {
        let Scale { divisor, powers, step, .. } = self.scale;
        let end = |power: u32| (float(1 << power) - step) / divisor;
        let ends = powers.clone().map(end).chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> = ends.zip(counts.between_powers(powers.clone())).collect();
        let (sum, total) = (float(counts.sum()) / divisor, counts.total());
        self.encoder.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, total, &buckets, None)
    }
}

/// A text as the value of a label: the library writes values as they are.
fn label_value(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Beyond 2^53 the last digits are lost, which no chart shows.
#[allow(clippy::cast_precision_loss)]
fn float(count: u64) -> f64 {
    count as f64
}
