//! A port whose connections fail in the worst way.

use super::*;
use crate::access::Access;
use crate::observe::Observations;
use crate::plane::Room;
use crate::settings::LimitSettings;
use crate::stores::{OpenStore, Shelf, StoreName};
use gesta::{AppendRequest, Durability, Event, EventType, Position};
use gesta_protocol::{Frame, FrameHeader, Hello, Request};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, watch};

fn host(directory: &std::path::Path, stopping: watch::Receiver<bool>) -> Host {
    let limits = LimitSettings::default();
    Host {
        access: Access::open(),
        tls: None,
        shelf: Shelf::open(directory, false, 4, |_| gesta::Options::default()).unwrap(),
        observations: Observations::new(),
        stopping,
        append_room: Room::new(1 << 20, 1 << 20),
        read_room: Room::new(1 << 20, 1 << 20),
        opening: Semaphore::new(1),
        reloaded: watch::Sender::new(()),
        long_work: Arc::new(Semaphore::new(1)),
        limits,
    }
}

/// Says hello and tells the kind of the answer; none at the end of the connection.
fn greet(address: SocketAddr, store: &str) -> (std::net::TcpStream, Option<u8>) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut hello = Vec::new();
    Request::Hello(Hello::new(Plane::Append, store, "", "test")).encode(0, &mut hello);
    stream.write_all(&hello).unwrap();
    let mut header = [0; 16];
    let kind = stream.read_exact(&mut header).ok().map(|()| FrameHeader::decode(&header, u32::MAX).unwrap());
    let kind = kind.map(|header| {
        let mut body = vec![0; header.body_bytes as usize];
        stream.read_exact(&mut body).unwrap();
        Answer::decode(&Frame { kind: header.kind, id: header.id, body: &body }).unwrap();
        header.kind
    });
    (stream, kind)
}

fn request() -> AppendRequest {
    AppendRequest::new().event(Event::new(EventType::new("Happened").unwrap()))
}

#[test]
fn a_panic_of_a_connection_ends_that_one_and_gives_its_place_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (stop, stopping) = watch::channel(false);
    let host = Arc::new(host(directory.path(), stopping));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    // Two places: were one of them not given back, the third connection would find none.
    let port = Port { listener, plane: Plane::Append, connections_max: 2 };
    static SERVED: AtomicUsize = AtomicUsize::new(0);
    let serve = async |session: Session, incoming: Incoming, sending: Sending| {
        let number = SERVED.fetch_add(1, Ordering::SeqCst);
        if (1..=10).contains(&number) {
            let _under_way = session.store.store.submit(request()).unwrap();
            panic!("one that fails on purpose");
        }
        part(Parting::Stopping, incoming, sending).await;
        drop(session);
    };
    let listening = runtime.spawn(listen(port, Arc::clone(&host), serve));
    let (mut inside, _) = greet(address, "default");
    for _ in 1..=10 {
        let (mut stream, kind) = greet(address, "default");
        assert_eq!(kind, Some(0x81), "welcome");
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "the connection ends");
        // Its place is given back once it is torn down, a moment after its client sees the end.
        while host.observed(Plane::Append).connections_open.load(Ordering::Relaxed) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    // Nothing is wrong with the store: what they had under way is there, and it takes more.
    let store = host.shelf.get(&StoreName::DEFAULT.parse().unwrap()).unwrap();
    let receipt = store.store.append(request()).unwrap();
    assert_eq!((receipt.positions, receipt.durability), (Position(10)..Position(11), Durability::Durable));
    assert_eq!(store.store.reader().head(), Position(11));
    // The one that was there before, and one that comes after.
    assert!(inside.read(&mut [0; 16]).unwrap() > 0);
    drop(inside);
    assert_eq!(greet(address, "default").1, Some(0x81));
    stop.send(true).unwrap();
    runtime.block_on(listening).unwrap();
}

#[test]
fn stores_that_take_long_to_open_keep_nobody_from_those_that_are_open() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (stop, stopping) = watch::channel(false);
    let host = Arc::new(host(directory.path(), stopping));
    let slow: StoreName = "slow".parse().unwrap();
    let held: Arc<OpenStore> = host.shelf.create(&slow).unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let port = Port { listener, plane: Plane::Append, connections_max: 100 };
    let serve = async |_: Session, _: Incoming, _: Sending| {};
    let listening = runtime.spawn(listen(port, Arc::clone(&host), serve));
    // The first to ask for the default store opens it.
    assert_eq!(greet(address, "default").1, Some(0x81));
    let waiting: Vec<_> = host.shelf.while_opening(&slow, || {
        let waiting = (0..5).map(|_| std::thread::spawn(move || greet(address, "slow").1)).collect();
        while host.observed(Plane::Append).connections_open.load(Ordering::Relaxed) < 5 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(greet(address, "default").1, Some(0x81));
        assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 5)).unwrap(), 5, "a thread is left for reads");
        waiting
    });
    for waiter in waiting {
        assert_eq!(waiter.join().unwrap(), Some(0x81));
    }
    drop(held);
    stop.send(true).unwrap();
    runtime.block_on(listening).unwrap();
}
