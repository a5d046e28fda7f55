//! Things with small numbers: a vector with holes that are used again.
//!
//! A number alone may name a successor of what it once named; [`Key`] adds a generation for the places where it comes
//! back from outside (the kernel's list of ready sockets).

/// A number and which of its holders is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub index: u32,
    pub generation: u32,
}

pub(super) struct Slab<T> {
    // Boxed: neighbors move when the vector grows, and streams are large.
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    live: usize,
}

struct Slot<T> {
    generation: u32,
    value: Option<Box<T>>,
}

impl<T> Slab<T> {
    pub fn new() -> Slab<T> {
        Slab { slots: Vec::new(), free: Vec::new(), live: 0 }
    }

    pub fn insert(&mut self, value: T) -> Key {
        self.live += 1;
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, value: None });
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.value = Some(Box::new(value));
        Key { index, generation: slot.generation }
    }

    pub fn remove(&mut self, index: u32) -> Option<Box<T>> {
        let value = self.slots.get_mut(index as usize)?.value.take()?;
        self.free.push(index);
        self.live -= 1;
        Some(value)
    }

    pub fn get(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.value.as_deref()
    }

    pub fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.value.as_deref_mut()
    }

    /// Whether `key` still names what it named.
    pub fn holds(&self, key: Key) -> bool {
        self.slots.get(key.index as usize).is_some_and(|slot| slot.generation == key.generation && slot.value.is_some())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// One more than the largest number ever used.
    pub fn end(&self) -> u32 {
        self.slots.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_again_but_its_old_key_is_dead() {
        let mut slab = Slab::new();
        let first = slab.insert("first");
        let other = slab.insert("other");
        assert_eq!(slab.remove(first.index).as_deref(), Some(&"first"));
        assert_eq!(slab.remove(first.index), None);
        let second = slab.insert("second");
        assert_eq!(second.index, first.index);
        assert!(slab.holds(second) && slab.holds(other) && !slab.holds(first));
        assert_eq!(slab.get(second.index), Some(&"second"));
        assert_eq!((slab.len(), slab.end()), (2, 2));
        assert_eq!(slab.get(99), None);
    }
}
