//! Money that is moved by commands over TCP, while the server is killed again and again.

#[path = "../../../../../engine/cqrs/examples/bank/account.rs"]
mod bank;
#[path = "../../../../../engine/cqrs/tests/cqrs/models.rs"]
mod models;
#[path = "../../../../../engine/cqrs/tests/cqrs/transfers.rs"]
mod transfers;

use super::crew;
use super::dice::Dice;
use super::served::Served;
use super::trial;
use gesta_client::{BlockingClient, ClientOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use transfers::{Branch, open_accounts, transfer};

#[test]
fn money_is_conserved_in_the_log_and_in_both_read_models_however_often_the_server_is_killed() {
    if crew::is_played() {
        return;
    }
    let _turn = trial::turn();
    let mut served = Served::start(&[], None);
    let directory = served.place().path("");
    let client = BlockingClient::connect(served.address().parse().unwrap(), ClientOptions::default()).unwrap();
    let branch = Branch::open(Arc::new(client), &directory);
    open_accounts(&branch.handler);
    let is_done = AtomicBool::new(false);
    let kills = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let (mut dice, mut kills) = (Dice::new(3), 0);
            while !is_done.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(100 + dice.roll(200)));
                served.kill_and_start();
                kills += 1;
            }
            kills
        });
        for seed in 0..10 {
            transfer(&branch.handler, seed, 100);
        }
        // Release: pairs with the Acquire of the killer, which looks no further than at this.
        is_done.store(true, Ordering::Release);
        killer.join().unwrap()
    });
    println!("the server was killed {kills} times");
    assert!(kills > 5, "only {kills} kills: too tame to prove anything");
    branch.check(&directory, Duration::from_secs(60));
    served.wait_until_ready();
    served.end();
}
