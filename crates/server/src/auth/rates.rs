//! How fast one principal may ask: a loop gone wild must not keep the others waiting.
//!
//! A bucket per principal: it fills with [`limits::REQUESTS_PER_SECOND`] and holds [`limits::REQUESTS_AT_ONCE`]. Kept in memory.

use super::Principal;
use crate::{
    error::{Code, Problem},
    limits,
};
use dreiklang_core::ids::TenantId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn filled(self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.left + since * f64::from(limits::REQUESTS_PER_SECOND)).min(f64::from(limits::REQUESTS_AT_ONCE))
    }
}

/// The buckets. Cheap to clone.
#[derive(Clone, Default)]
pub struct Rates {
    buckets: Arc<Mutex<HashMap<(TenantId, String), Bucket>>>,
}

impl Rates {
    /// Takes one request from the principal's bucket.
    ///
    /// # Errors
    /// `API-016` when it is empty.
    pub fn take(&self, principal: &Principal, now: Instant) -> Result<(), Problem> {
        let mut buckets = self.buckets.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if buckets.len() >= limits::RATES_REMEMBERED {
            // Whose bucket is full again need not be remembered.
            buckets.retain(|_, bucket| bucket.filled(now) < f64::from(limits::REQUESTS_AT_ONCE));
        }
        let full = Bucket { left: f64::from(limits::REQUESTS_AT_ONCE), at: now };
        let bucket = buckets.entry((principal.tenant, principal.id.clone())).or_insert(full);
        let left = bucket.filled(now);
        if left < 1.0 {
            let detail = format!("More than {} requests a second are not answered to one user or token.", limits::REQUESTS_PER_SECOND);
            return Err(Problem::new(Code::TooFast, detail).retry_after(1));
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Proof, Role};
    use std::time::Duration;

    fn principal(name: &str) -> Principal {
        Principal {
            tenant: TenantId(1),
            id: format!("token:{name}"),
            name: name.to_owned(),
            roles: [Role::Program].into(),
            agent: None,
            proof: Proof::Token,
            key: [0; 32],
        }
    }

    #[test]
    fn a_loop_gone_wild_is_slowed_and_others_are_not() {
        let rates = Rates::default();
        let now = Instant::now();
        for _ in 0..limits::REQUESTS_AT_ONCE {
            assert!(rates.take(&principal("wild"), now).is_ok());
        }
        assert_eq!(rates.take(&principal("wild"), now).unwrap_err().code(), "API-016");
        assert!(rates.take(&principal("calm"), now).is_ok());
        let later = now + Duration::from_millis(100);
        let allowed = (0..limits::REQUESTS_AT_ONCE).take_while(|_| rates.take(&principal("wild"), later).is_ok()).count();
        assert_eq!(allowed as u32, limits::REQUESTS_PER_SECOND / 10);
    }

    #[test]
    fn memory_is_bounded() {
        let rates = Rates::default();
        let now = Instant::now();
        for index in 0..limits::RATES_REMEMBERED {
            rates.take(&principal(&index.to_string()), now).unwrap();
        }
        rates.take(&principal("one more"), now + Duration::from_secs(60)).unwrap();
        assert_eq!(rates.buckets.lock().unwrap().len(), 1, "full buckets are forgotten");
    }
}
