//! What a screen of a given size shows of given snapshots.

use super::figures::Figures;
use super::screen::View;
use gesta_server::observe::Snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn plane(requests: u64, events: u64, refusals: &Value) -> Value {
    json!({
        "connections_open": 3, "connections_opened": 9, "requests": requests, "requests_in_flight": 2,
        "received_bytes": requests * 1024, "sent_bytes": requests * 2048, "received_events": events,
        "sent_events": 3 * events, "refusals": refusals,
    })
}

fn store(name: &str, events: u64) -> Value {
    let times = json!({"count": 1, "p50": 140, "p99": 2300, "p999": null, "max": null});
    let none = json!({"count": 0, "p50": null, "p99": null, "p999": null, "max": null});
    json!({
        "store": name, "events": events, "streams": 1,
        "event_bytes": {"min": null, "p50": null, "p99": null, "max": null},
        "store_bytes": {"total": 3_u64 << 30, "log": 1, "index": 1, "snapshots": 0, "reserved": 1},
        "query_us": none, "command_us": times,
        "query_us_by_operation": {
            "read": none, "subscribe_first_event": none, "standing": none, "names": none, "statistics": none,
        },
        "command_us_by_durability": {"buffered": none, "written": none, "durable": times},
        "commits": {
            "count": events / 2, "events": events, "bytes": 0,
            "group_requests": {"p50": null, "p99": null, "max": null}, "write_us": none, "sync_us": none,
            "under_way_us": null,
        },
        "failure": null,
        "subscribers": {"count": 1, "lag_max": 7, "furthest_behind": [{"name": "mailer", "position": 5, "lag": 7}]},
    })
}

/// A server that has been up for so long and has taken so many requests of three events each.
fn server(uptime: u64, requests: u64, stores: &[Value]) -> Value {
    json!({
        "uptime_seconds": uptime, "reload_failures": 0, "last_error_age_seconds": null,
        "planes": {
            "append": plane(requests, 3 * requests, &json!({"denied": 0})),
            "read": plane(0, 0, &json!({"denied": 0, "slow_reader": 0})),
        },
        "stores": stores,
    })
}

fn snapshot(value: Value) -> Snapshot {
    serde_json::from_value(value).expect("the snapshot is whole")
}

/// The rows of a screen, and its backend.
fn screen(view: View<'_>, width: u16, height: u16) -> (Vec<String>, TestBackend) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory is a terminal");
    terminal.draw(|frame| frame.render_widget(view, frame.area())).expect("memory takes everything");
    let backend = terminal.backend().clone();
    let rows = backend.buffer().content.chunks(usize::from(width));
    let rows = rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned());
    (rows.collect(), backend)
}

fn view(figures: &Figures) -> View<'_> {
    View { server: "127.0.0.1:4703", every: SECOND, figures, problem: None }
}

#[test]
fn two_snapshots_give_rates_in_80_columns_and_24_rows() {
    let before = snapshot(server(90_000, 1000, &[store("default", 3000)]));
    let now = snapshot(server(90_002, 3000, &[store("default", 9000)]));
    let figures = Figures::of(Some((&before, 2 * SECOND)), &now);
    let (rows, _) = screen(view(&figures), 80, 24);
    let expected = "\
gesta top  127.0.0.1:4703  up 1 d 01 h  every 1 s  q: quit


plane        open   busy   req/s  in ev/s out ev/s      in/s     out/s refused/s
append          3      2   1.00k    3.00k    9.00k  1000 KiB  1.95 MiB         0
read            3      2       0        0        0       0 B       0 B         0
refused since the start: nothing

store          events   in/s t_c p50    p99 t_q p50    p99     disk  subs    lag
default         9.00k  3.00k   140us 2.30ms       -      - 3.00 GiB     1      7

   lag store          subscriber
     7 default        mailer";
    let shown = rows.join("\n");
    assert_eq!(shown.trim_end(), expected, "\n{shown}");
}

#[test]
fn without_anything_to_compare_with_there_are_no_rates() {
    let now = snapshot(server(5, 1000, &[store("default", 3000)]));
    let later = snapshot(server(6, 1500, &[store("default", 3000), store("new", 10)]));
    let restarted = snapshot(server(1, 7, &[store("default", 3000)]));
    for before in [None, Some((&later, SECOND)), Some((&now, Duration::ZERO))] {
        let figures = Figures::of(before, &now);
        assert_eq!((figures.seconds, figures.planes.append.requests_per_second), (None, None));
        assert_eq!(figures.stores[0].committed_events_per_second, None);
        assert!(screen(view(&figures), 80, 24).0[4].starts_with("append          3      2       -        -        -"));
    }
    assert_eq!(Figures::of(Some((&now, SECOND)), &restarted).planes.append.requests_per_second, None);
    let figures = Figures::of(Some((&now, SECOND)), &later);
    assert_eq!(figures.planes.append.requests_per_second, Some(500.0));
    let rates = figures.stores.iter().map(|store| store.committed_events_per_second);
    assert_eq!(rates.collect::<Vec<_>>(), [Some(0.0), None], "a store that was just opened has no rate yet");
}

#[test]
fn what_is_wrong_is_told_in_red() {
    let mut failed = store("orders", 10);
    failed["failure"] = json!("sync failed: EIO\u{1b}[2J");
    failed["commits"]["under_way_us"] = json!(12_000_000);
    let mut told = server(5, 0, &[store("default", 3000), failed]);
    told["planes"]["read"]["refusals"] = json!({"denied": 1200, "slow_reader": 2, "tls": 0});
    told["reload_failures"] = json!(2);
    told["last_error_age_seconds"] = json!(61);
    let figures = Figures::of(None, &snapshot(told));
    let (rows, backend) = screen(view(&figures), 80, 24);
    let shown = rows.join("\n");
    for line in [
        "last error 1 min 01 s ago  reloads that failed: 2",
        "refused since the start: read denied 1.20k, read slow_reader 2",
        r"orders takes no appends: sync failed: EIO\u{1b}[2J",
        "orders: a write or sync has been under way for 12.0s",
    ] {
        let row = rows.iter().position(|row| row == line).unwrap_or_else(|| panic!("{line} is not in\n{shown}"));
        let colour = backend.buffer()[(0, u16::try_from(row).expect("a screen is small"))].fg;
        let expected = if line.starts_with("orders") { Color::Red } else { Color::Yellow };
        assert_eq!(colour, expected, "{line}");
    }
    let problem = "cannot ask the server: it is gone";
    let (rows, backend) = screen(View { problem: Some(problem), ..view(&figures) }, 80, 24);
    assert_eq!((rows[1].as_str(), backend.buffer()[(0, 1)].fg), (problem, Color::Red));
}

#[test]
fn when_there_are_too_many_stores_the_rest_is_counted() {
    let stores: Vec<Value> = (0..40).map(|n| store(&format!("store-{n}"), n)).collect();
    let figures = Figures::of(None, &snapshot(server(5, 0, &stores)));
    let (rows, _) = screen(view(&figures), 80, 24);
    let (shown, more) =
        (rows.iter().filter(|row| row.starts_with("store-")).count(), rows.iter().find(|row| row.ends_with(" more")));
    assert!(shown >= 5, "{rows:#?}");
    assert_eq!(more.map(String::as_str), Some(&*format!("{} more", 40 - shown)), "{rows:#?}");
    assert!(rows.iter().any(|row| row.ends_with("mailer")), "{rows:#?}");
    let (rows, _) = screen(view(&figures), 120, 80);
    assert_eq!(rows.iter().filter(|row| row.starts_with("store-")).count(), 40);
}

#[test]
fn no_size_of_the_screen_is_too_small() {
    let figures = Figures::of(None, &snapshot(server(5, 0, &[store("default", 1), store("orders", 1)])));
    for width in [1, 2, 7, 20, 79, 300] {
        for height in [1, 2, 3, 9, 23, 100] {
            screen(view(&figures), width, height);
        }
    }
}
