//! What is done to the line, and what must be true after.

use super::hall::{APPENDERS, Hall};
use super::line::{End, Manner, Packets};
use crate::support::eventually;
use gesta::{AppendRequest, Event, EventReader as _, EventStore as _, EventSubscription as _, EventType, Notice, Pace};
use gesta::{Position, Read};
use gesta_client::BlockingClient;
use gesta_protocol::Plane;
use std::time::{Duration, Instant};

const PLANES: [Plane; 2] = [Plane::Append, Plane::Read];

#[test]
fn a_line_that_loses_every_twentieth_packet_and_takes_long_costs_time_and_nothing_else() {
    let Some(hall) = Hall::open(&[]) else { return };
    let lossy = Manner { delay_ms: 100, lost_to_client: 5, lost_to_server: 5 };
    let before = hall.line.set(lossy);
    let began = Instant::now();
    let events = hall.work(|work| work.goes_on(400));
    let Packets { carried, lost } = hall.line.set(lossy);
    let (carried, lost) = (carried - before.carried, lost - before.lost);
    let opened = PLANES.map(|plane| hall.of_plane("gesta_connections_opened_total", plane));
    println!(
        "{events} events once and in order in {:.1} s; {lost} packets lost of {}; {opened:?} connections",
        began.elapsed().as_secs_f64(),
        carried + lost
    );
    // A line that lost too little would prove nothing.
    assert!(lost > 20 && lost * 30 > carried, "{lost} packets lost, {carried} carried");
}

#[test]
fn appends_and_a_subscription_go_on_without_a_gap_when_a_cut_line_heals() {
    let Some(hall) = Hall::open(&["limits.idle_timeout_ms=2000", "limits.heartbeat_ms=400"]) else { return };
    let deaf = Manner { lost_to_client: 100, ..Manner::GOOD };
    let mute = Manner { lost_to_server: 100, ..Manner::GOOD };
    let mut lost = Vec::new();
    let events = hall.work(|work| {
        work.goes_on(50);
        // The first is over before anybody notices; in the others each end takes the other one for gone.
        for (manner, milliseconds) in [(Manner::CUT, 400), (Manner::CUT, 5000), (deaf, 4000), (mute, 4000)] {
            hall.line.set(manner);
            std::thread::sleep(Duration::from_millis(milliseconds));
            lost.push(hall.line.set(Manner::GOOD).lost);
            work.goes_on(50);
        }
    });
    let opened = PLANES.map(|plane| hall.of_plane("gesta_connections_opened_total", plane));
    println!(
        "{events} events once and in order over 4 partitions; packets lost by then: {lost:?}; {opened:?} connections"
    );
    assert!(lost.windows(2).all(|pair| pair[0] < pair[1]) && lost[0] > 0, "each partition lost something: {lost:?}");
    assert!(opened[0] >= 2.0 * APPENDERS as f64 && opened[1] >= 3.0, "connections were made anew: {opened:?}");
}

#[test]
fn clients_whose_cable_was_pulled_are_found_gone_and_what_they_held_is_free() {
    const CLIENTS: usize = 12;
    const EVENTS: u64 = 40;
    // Readers that take nothing are waited for: it is their silence alone that ends them.
    let settings = ["limits.idle_timeout_ms=2000", "limits.heartbeat_ms=400", "limits.slow_reader_timeout_ms=86400000"];
    let Some(hall) = Hall::open(&settings) else { return };
    let near = hall.line.on(End::Server, || hall.client());
    // Whoever asks opens the connection, from the end of the line that he is at.
    let append = || {
        let event = Event::new(EventType::new("Wide").unwrap()).data(vec![b'x'; 200_000]);
        hall.line.on(End::Server, || near.append(AppendRequest::new().event(event)).unwrap());
    };
    append();
    let far: Vec<_> = hall.line.on(End::Client, || (0..CLIENTS).map(|_| hall.client()).collect());
    let follow = |client: &BlockingClient| client.subscribe(Read::all(), Pace::default()).unwrap();
    let mut following: Vec<_> = hall.line.on(End::Client, || far.iter().map(follow).collect());
    for subscription in &mut following {
        let first = subscription.next(Duration::from_secs(60));
        assert!(matches!(&first, Ok(Notice::Event(record)) if record.position() == Position(0)), "{first:?}");
    }
    let state = || PLANES.map(|plane| hall.of_plane("gesta_connections_open", plane));
    let subscribers = || hall.metric("gesta_subscribers{store=\"default\"}");
    assert!(eventually(|| subscribers() == CLIENTS as f64));
    let (before, inside) = (state(), hall.proc("status", "VmRSS"));
    let gone_before = hall.metric("gesta_refusals_total{plane=\"read\",reason=\"idle_timeout\"}");

    hall.line.plug(End::Client, false);
    let pulled = Instant::now();
    // They are sent what they never take, as long as they are thought to be there.
    (1..EVENTS).for_each(|_| append());
    assert!(eventually(|| subscribers() == 0.0), "{} subscribers are still there", subscribers());
    assert!(eventually(|| state()[1] == 0.0), "connections {:?}", state());
    let gone = hall.metric("gesta_refusals_total{plane=\"read\",reason=\"idle_timeout\"}") - gone_before;
    let took = pulled.elapsed();
    println!(
        "{CLIENTS} peers found gone {:.1} s after the cable was pulled; connections {before:?}, then {:?}; {inside}, then {}",
        took.as_secs_f64(),
        state(),
        hall.proc("status", "VmRSS"),
    );
    // Ten times `limits.idle_timeout_ms`.
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(gone, CLIENTS as f64);
    assert_eq!(hall.of_plane("gesta_requests_in_flight", Plane::Read), 0.0);

    // Nothing was lost on the way: everybody goes on where it was.
    hall.line.plug(End::Client, true);
    for subscription in &mut following {
        for position in 1..EVENTS {
            let heard = loop {
                match subscription.next(Duration::from_secs(60)).unwrap() {
                    Notice::Event(record) => break record.position(),
                    Notice::TimedOut(_) => panic!("nothing came"),
                    _ => {}
                }
            };
            assert_eq!(heard, Position(position));
        }
    }
}
