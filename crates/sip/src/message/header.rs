//! The header section: an ordered multimap over one block of text.
//!
//! Names that we know are normalized (compact forms expanded), unknown ones and the order of all are kept. Values are kept
//! as they came, unfolded. Content-Length is not stored: the body is the truth, and writing computes it.

use std::fmt;
use std::ops::Range;

use super::lex::{Commas, trim};
use super::name::{Name, is_header_name};
use super::write::push_clean;

/// An ordered multimap of headers; names are case-insensitive and may be given long or compact.
#[derive(Clone, Default)]
pub struct Headers {
    /// All names and values; entries point into it. Text of removed entries stays until the message is dropped.
    text: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    name: EntryName,
    value: Span,
}

#[derive(Clone, Copy, PartialEq)]
enum EntryName {
    Known(Name),
    Unknown(Span),
}

/// A range of `Headers::text`. Messages are limited to 64 KiB and edits to what we add, so that 32 bits suffice.
#[derive(Clone, Copy, PartialEq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(range: Range<usize>) -> Span {
        let narrow = |at: usize| u32::try_from(at).expect("header text is limited to far less than 4 GiB");
        Span { start: narrow(range.start), end: narrow(range.end) }
    }

    fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

impl Headers {
    /// No headers.
    #[must_use]
    pub fn new() -> Headers {
        Headers::default()
    }

    /// No headers yet, with room for `text_bytes` of names and values and `count` lines.
    #[must_use]
    pub fn with_capacity(text_bytes: usize, count: usize) -> Headers {
        Headers { text: String::with_capacity(text_bytes), entries: Vec::with_capacity(count) }
    }

    /// Takes over the unfolded text of a parsed header section; lines are added with [`Headers::push_span`].
    pub(super) fn from_block(text: String) -> Headers {
        // A line of a typical INVITE has some 40 bytes.
        let entries = Vec::with_capacity(text.len() / 32 + 1);
        Headers { text, entries }
    }

    pub(super) fn block(&self) -> &str {
        &self.text
    }

    pub(super) fn push_span(&mut self, name: Range<usize>, value: Range<usize>) -> Option<Name> {
        let known = Name::lookup(&self.text[name.clone()]);
        let name = known.map_or_else(|| EntryName::Unknown(Span::new(name)), EntryName::Known);
        self.entries.push(Entry { name, value: Span::new(value) });
        known
    }

    pub(super) fn pop(&mut self) {
        self.entries.pop();
    }

    /// Number of header lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no header line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and values in order, one item per line.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (self.name_of(entry), entry.value.of(&self.text)))
    }

    fn name_of(&self, entry: &Entry) -> &str {
        match entry.name {
            EntryName::Known(name) => name.as_str(),
            EntryName::Unknown(span) => span.of(&self.text),
        }
    }

    /// The value of the first line of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let known = Name::lookup(name);
        self.entries.iter().find(|entry| self.is_named(entry, known, name)).map(|entry| entry.value.of(&self.text))
    }

    pub(crate) fn get_known(&self, name: Name) -> Option<&str> {
        self.all_known(name).next()
    }

    /// The values of all lines of this name in order, one item per line.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let known = Name::lookup(name);
        self.entries.iter().filter(move |entry| self.is_named(entry, known, name)).map(|entry| entry.value.of(&self.text))
    }

    pub(crate) fn all_known(&self, name: Name) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(move |entry| entry.name == EntryName::Known(name)).map(|entry| entry.value.of(&self.text))
    }

    fn is_named(&self, entry: &Entry, known: Option<Name>, name: &str) -> bool {
        match (entry.name, known) {
            (EntryName::Known(entry_name), Some(known)) => entry_name == known,
            (EntryName::Unknown(span), None) => span.of(&self.text).eq_ignore_ascii_case(name),
            _ => false,
        }
    }

    /// The entries of this header in order over all its lines, split at commas where the header is a list.
    ///
    /// Unknown headers are split; headers whose values are text, dates, credentials or single addresses are not.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_single = Name::lookup(name).is_some_and(Name::is_single);
        self.all(name).flat_map(move |value| if is_single { Commas::whole(value) } else { Commas::new(value) })
    }

    pub(crate) fn values_known(&self, name: Name) -> impl Iterator<Item = &str> {
        self.all_known(name).flat_map(Commas::new)
    }

    /// Whether a list header (Supported, Require, Allow…) names this token, in any case.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name).any(|value| value.eq_ignore_ascii_case(token))
    }

    /// Whether a line of this name is present.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Appends a line.
    ///
    /// CR and LF in the value become spaces, so that no value can add a line of its own; characters that are not allowed
    /// in a name become `-`.
    pub fn push(&mut self, name: &str, value: &str) {
        let entry = self.entry(name, value);
        self.entries.push(entry);
    }

    /// Inserts a line before all others, as a new Via or Record-Route is (same cleaning as [`Headers::push`]).
    pub fn prepend(&mut self, name: &str, value: &str) {
        let entry = self.entry(name, value);
        self.entries.insert(0, entry);
    }

    /// Replaces the first line of this name and removes its others; appends when there was none.
    pub fn set(&mut self, name: &str, value: &str) {
        let entry = self.entry(name, value);
        let known = Name::lookup(name);
        let Some(first) = self.entries.iter().position(|old| self.is_named(old, known, name)) else {
            self.entries.push(entry);
            return;
        };
        self.remove(name);
        self.entries.insert(first, entry);
    }

    /// Replaces the first line of this name and leaves its others alone; appends when there was none.
    pub fn set_first(&mut self, name: &str, value: &str) {
        let entry = self.entry(name, value);
        let known = Name::lookup(name);
        match self.entries.iter().position(|old| self.is_named(old, known, name)) {
            Some(first) => self.entries[first] = entry,
            None => self.entries.push(entry),
        }
    }

    /// Removes all lines of this name; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let known = Name::lookup(name);
        let before = self.entries.len();
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| !self.is_named(entry, known, name));
        self.entries = entries;
        self.entries.len() != before
    }

    fn entry(&mut self, name: &str, value: &str) -> Entry {
        let name = match Name::lookup(name) {
            Some(known) => EntryName::Known(known),
            None => {
                let start = self.text.len();
                if is_header_name(name) {
                    self.text.push_str(name);
                } else {
                    self.text.extend(name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }));
                }
                EntryName::Unknown(Span::new(start..self.text.len()))
            }
        };
        let start = self.text.len();
        push_clean(&mut self.text, trim(value));
        Entry { name, value: Span::new(start..self.text.len()) }
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|(left, right)| left.0.eq_ignore_ascii_case(right.0) && left.1 == right.1)
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
