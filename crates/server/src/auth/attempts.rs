//! Failed sign-ins are counted per user and per address, so that guessing passwords takes forever.
//!
//! Kept in memory only: a restart forgets them, which costs a guesser more than it gives.

use crate::{
    error::{Code, Problem},
    limits,
};
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

/// What failures are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    User(String),
    Address(IpAddr),
}

#[derive(Default)]
struct Counts {
    failures: HashMap<Key, (u32, Instant)>,
    /// Oldest first, for forgetting.
    order: VecDeque<Key>,
}

/// The counts. Cheap to clone.
#[derive(Clone, Default)]
pub struct Attempts {
    counts: Arc<Mutex<Counts>>,
}

impl Attempts {
    /// Refuses when too many failed before.
    ///
    /// # Errors
    /// `AUTH-003` with the time to wait.
    pub fn check(&self, user: &str, address: IpAddr, now: Instant) -> Result<(), Problem> {
        let counts = self.lock();
        for (key, most) in keys(user, address) {
            if let Some((failures, since)) = counts.failures.get(&key) {
                let age = now.saturating_duration_since(*since);
                if *failures >= most && age < limits::ATTEMPT_WINDOW {
                    let wait = (limits::ATTEMPT_WINDOW - age).as_secs().max(1);
                    return Err(Problem::new(
                        Code::TooManyAttempts,
                        format!("Too many sign-ins failed; try again in {} minutes.", wait.div_ceil(60)),
                    )
                    .retry_after(wait));
                }
            }
        }
        Ok(())
    }

    /// Counts a failure.
    pub fn failed(&self, user: &str, address: IpAddr, now: Instant) {
        let mut counts = self.lock();
        for (key, _) in keys(user, address) {
            let counts = &mut *counts;
            let entry = counts.failures.entry(key.clone()).or_insert_with(|| {
                counts.order.push_back(key);
                (0, now)
            });
            if now.saturating_duration_since(entry.1) >= limits::ATTEMPT_WINDOW {
                *entry = (0, now);
            }
            entry.0 = entry.0.saturating_add(1);
            while counts.order.len() > limits::ATTEMPTS_REMEMBERED {
                if let Some(oldest) = counts.order.pop_front() {
                    counts.failures.remove(&oldest);
                }
            }
        }
    }

    /// Forgets a user's failures after a success. Those of the address stay: one good password must not pay for guessing others.
    pub fn succeeded(&self, user: &str) {
        if let Some(entry) = self.lock().failures.get_mut(&Key::User(user.to_lowercase())) {
            entry.0 = 0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn keys(user: &str, address: IpAddr) -> [(Key, u32); 2] {
    // A home or office has a whole /64 of IPv6 addresses to guess from.
    let address = match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    };
    [(Key::User(user.to_lowercase()), limits::ATTEMPTS_PER_USER), (Key::Address(address), limits::ATTEMPTS_PER_ADDRESS)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn a_user_has_to_wait_after_too_many_failures() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..limits::ATTEMPTS_PER_USER {
            assert!(attempts.check("ada", HERE, now).is_ok());
            attempts.failed("ada", HERE, now);
        }
        assert_eq!(attempts.check("Ada", HERE, now).unwrap_err().code(), "AUTH-003", "whatever the case");
        assert!(attempts.check("grace", HERE, now).is_ok(), "others may");
        assert!(attempts.check("ada", HERE, now + limits::ATTEMPT_WINDOW).is_ok(), "not forever");
    }

    #[test]
    fn an_address_has_to_wait_whatever_users_it_tries() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for index in 0..limits::ATTEMPTS_PER_ADDRESS {
            attempts.failed(&format!("user{index}"), HERE, now);
        }
        assert!(attempts.check("somebody", HERE, now).is_err());
        assert!(attempts.check("somebody", "192.0.2.2".parse().unwrap(), now).is_ok());
    }

    #[test]
    fn neighbors_in_ipv6_count_as_one() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for index in 0..limits::ATTEMPTS_PER_ADDRESS {
            attempts.failed(&format!("user{index}"), format!("2001:db8::{index:x}").parse().unwrap(), now);
        }
        assert!(attempts.check("somebody", "2001:db8::ffff".parse().unwrap(), now).is_err());
        assert!(attempts.check("somebody", "2001:db8:0:1::1".parse().unwrap(), now).is_ok());
    }

    #[test]
    fn a_success_clears_the_user() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for _ in 0..limits::ATTEMPTS_PER_USER {
            attempts.failed("ada", HERE, now);
        }
        attempts.succeeded("ada");
        assert!(attempts.check("ada", HERE, now + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for index in 0..limits::ATTEMPTS_REMEMBERED + 100 {
            attempts.failed(&format!("user{index}"), HERE, now);
        }
        let counts = attempts.lock();
        assert!(counts.failures.len() <= limits::ATTEMPTS_REMEMBERED && counts.order.len() <= limits::ATTEMPTS_REMEMBERED);
    }
}
