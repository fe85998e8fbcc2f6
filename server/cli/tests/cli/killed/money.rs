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
use std::thread;
use std::time::Duration;
use transfers::{Branch, open_accounts, transfer};

const KILLS: u64 = 10;

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
    thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut dice = Dice::new(3);
            for _ in 0..KILLS {
                thread::sleep(Duration::from_millis(100 + dice.roll(200)));
                served.kill_and_start();
            }
        });
        for seed in 0.. {
            transfer(&branch.handler, seed, 100);
            if killer.is_finished() {
                break;
            }
        }
        killer.join().unwrap();
    });
    println!("the server was killed {KILLS} times");
    branch.check(&directory, Duration::from_secs(60));
    served.wait_until_ready();
    served.end();
}
