//! Ids of what the engine creates: from the tenant, the world's version and the time, never from chance, so that the same
//! inputs give the same ids after a replay.
//!
//! Layout as in RFC 9562 §5.7 (version 7): 48 bits of milliseconds first, so that ids sort by time. The 74 bits that are
//! free there hold 36 of the version, 10 of a counter within the version, and 28 of the tenant. Within a tenant no two are
//! equal, because the version never goes back; between tenants they are equal only by accident of all parts.

use crate::{ids::TenantId, time::Timestamp};

const VERSION_BITS: u32 = 36;
const COUNTER_BITS: u32 = 10;
const TENANT_BITS: u32 = 28;

/// Makes ids within one call of the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mint {
    version: u64,
    counter: u64,
}

impl Mint {
    /// The next id; `version` is the world's at this moment.
    pub(super) fn next(&mut self, tenant: TenantId, version: u64, now: Timestamp) -> u128 {
        if self.version == version {
            self.counter += 1;
        } else {
            *self = Mint { version, counter: 0 };
        }
        debug_assert!(self.counter < 1 << COUNTER_BITS, "more ids minted than events written");
        id(tenant, version, self.counter, now)
    }
}

fn id(tenant: TenantId, version: u64, counter: u64, now: Timestamp) -> u128 {
    let time = u128::from(now.0.max(0) as u64) & ((1 << 48) - 1);
    let rest = (low_bits(version, VERSION_BITS) << (COUNTER_BITS + TENANT_BITS))
        | (low_bits(counter, COUNTER_BITS) << TENANT_BITS)
        | low_bits(fold(tenant), TENANT_BITS);
    // 12 bits before the variant, 62 after it.
    (time << 80) | (0x7 << 76) | ((rest >> 62) << 64) | (0b10 << 62) | (rest & ((1 << 62) - 1))
}

fn low_bits(value: u64, bits: u32) -> u128 {
    u128::from(value) & ((1 << bits) - 1)
}

/// Mixes all bits of the tenant into all bits of the result (the finalizer of SplitMix64).
fn fold(tenant: TenantId) -> u64 {
    let mut mixed = (tenant.0 as u64) ^ ((tenant.0 >> 64) as u64).rotate_left(32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sort_by_time_then_version_then_counter() {
        let tenant = TenantId(0x0190_1234_5678_7abc_8def_0123_4567_89ab);
        let mut mint = Mint::default();
        let mut ids = Vec::new();
        for (version, ms) in [(5, 1_000), (5, 1_000), (6, 1_000), (7, 1_001), (7, 1_001)] {
            ids.push(mint.next(tenant, version, Timestamp(ms)));
        }
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
    }

    #[test]
    fn an_id_has_the_version_and_variant_of_a_time_ordered_uuid() {
        let id = id(TenantId(u128::MAX), u64::MAX, 1023, Timestamp(1_700_000_000_000));
        assert_eq!(id >> 80, 1_700_000_000_000);
        assert_eq!((id >> 76) & 0xf, 7);
        assert_eq!((id >> 62) & 0b11, 0b10);
    }
}
