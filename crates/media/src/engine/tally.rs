//! The counters of one shard, written by it alone and read by everybody.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::Counters;

/// One number with one writer: an addition is a plain load and store, no locked instruction per packet.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! tally {
    ($($name:ident),* $(,)?) => {
        /// The counters of one shard; names as in [`Counters`].
        #[derive(Debug, Default)]
        pub(super) struct Tally { $(pub $name: Count),* }

        impl Tally {
            /// Adds this shard's numbers to a sum.
            pub fn add_to(&self, sum: &mut Counters) {
                $(sum.$name += self.$name.read();)*
            }
        }
    };
}

tally!(
    streams,
    recordings,
    packets_in,
    packets_out,
    lost_in,
    ignored_source,
    ignored_payload,
    ignored_held,
    malformed,
    unauthentic,
    replayed,
    send_failed,
    rtcp_in,
    rtcp_out,
    late_ticks,
    stalls,
);
