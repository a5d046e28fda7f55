//! What can be added up, and how a struct of such things is declared so that no field is ever forgotten in a sum.

use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something that sums of intervals are made of.
pub trait Counter {
    /// Adds what another interval counted.
    fn absorb(&mut self, other: &Self);
    /// Nothing was counted.
    fn is_nothing(&self) -> bool;
}

impl Counter for u64 {
    fn absorb(&mut self, other: &Self) {
        *self = self.saturating_add(*other);
    }

    fn is_nothing(&self) -> bool {
        *self == 0
    }
}

impl Counter for Millis {
    fn absorb(&mut self, other: &Self) {
        *self = *self + *other;
    }

    fn is_nothing(&self) -> bool {
        self.0 == 0
    }
}

impl<K: Clone + Ord, V: Clone + Counter> Counter for BTreeMap<K, V> {
    fn absorb(&mut self, other: &Self) {
        for (key, value) in other {
            match self.get_mut(key) {
                Some(sum) => sum.absorb(value),
                None => {
                    self.insert(key.clone(), value.clone());
                }
            }
        }
    }

    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

/// The greatest of several spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Longest(pub Millis);

impl Counter for Longest {
    fn absorb(&mut self, other: &Self) {
        self.0 = self.0.max(other.0);
    }

    fn is_nothing(&self) -> bool {
        self.0.is_nothing()
    }
}

/// Declares a struct of counters. What is zero is left out when it is written, and what is missing is zero when it is read, so
/// that counters may be added later.
macro_rules! counters {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$doc])* #[serde(skip_serializing_if = "crate::stats::Counter::is_nothing")] pub $field: $kind,)*
        }

        impl crate::stats::Counter for $name {
            fn absorb(&mut self, other: &Self) {
                $(self.$field.absorb(&other.$field);)*
            }

            fn is_nothing(&self) -> bool {
                $(self.$field.is_nothing())&&*
            }
        }
    };
}

pub(super) use counters;
