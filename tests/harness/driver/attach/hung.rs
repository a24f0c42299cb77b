// hung.rs - Rust programs that hang: hung KIND
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread::{park, sleep, spawn};
use std::time::Duration;

fn nap() {
    sleep(Duration::from_millis(100));
}

/// Two locks in opposite orders; or, with `ends`, the other thread only sleeps with the one that is waited for.
fn two_locks(ends: bool) {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let other = spawn(move || {
        let _b = b2.lock().unwrap();
        nap();
        if ends {
            sleep(Duration::from_secs(300));
        } else {
            let _a = a2.lock().unwrap();
        }
    });
    let _a = a.lock().unwrap();
    nap();
    let _b = b.lock().unwrap();
    other.join().unwrap();
}

fn main() {
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "two-locks" => two_locks(false),
        "sleeper" => two_locks(true),
        "condvar" => {
            let m = Mutex::new(());
            let _unused = Condvar::new().wait(m.lock().unwrap());
        }
        "rwlock" => {
            let l = RwLock::new(1);
            let _r = l.read().unwrap();
            let _w = l.write().unwrap();
        }
        "park" => loop {
            park();
        },
        _ => std::process::exit(99),
    }
}
