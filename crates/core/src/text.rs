//! Texts from outside, cut to a size we are willing to keep.

/// The first `max` characters.
pub(crate) fn clip(mut text: String, max: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
    }
    text
}
