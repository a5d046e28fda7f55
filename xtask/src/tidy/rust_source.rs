//! Reads Rust text just well enough to tell code, comments and literals apart.
//!
//! Decides what is code, which string literals there are and which lines belong to tests. Leaves out everything a compiler
//! would know: macros are not expanded and names not resolved; where aliases matter, clippy looks too (`clippy.toml`).

/// A Rust file taken apart.
pub struct RustSource {
    /// The text with comments and the insides of literals blanked out; lines stay where they are.
    pub code: String,
    /// String literals without their quotes, with the line they begin on.
    pub strings: Vec<(usize, String)>,
    /// Names of modules that are declared `#[cfg(test)] mod name;` here.
    pub test_modules: Vec<String>,
    /// For each line (from 0), whether it belongs to an item under `#[cfg(test)]`.
    test_lines: Vec<bool>,
}

/// A name with its segments, such as `["Instant", "now"]`, and the line it stands on.
pub type NamedPath = (usize, Vec<String>);

impl RustSource {
    /// Takes `text` apart.
    pub fn read(text: &str) -> RustSource {
        let (code, strings) = blank(text);
        let mut source = RustSource { test_lines: vec![false; code.lines().count() + 1], code, strings, test_modules: Vec::new() };
        source.find_tests();
        source
    }

    /// Whether a line (counted from 1) belongs to tests.
    pub fn is_test(&self, line: usize) -> bool {
        self.test_lines.get(line - 1).copied().unwrap_or(false)
    }

    /// Every path in the code, and every path that a `use` brings in, written out in full.
    pub fn paths(&self) -> Vec<NamedPath> {
        let code = self.code.as_bytes();
        let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
        while at < code.len() {
            if !is_name_start(code[at]) {
                line += usize::from(code[at] == b'\n');
                at += 1;
                continue;
            }
            let (segments, end) = read_path(&self.code, at);
            // `use<'a>` in a return type captures lifetimes and imports nothing.
            if segments.len() == 1 && segments[0] == "use" && !self.code[end..].trim_start().starts_with('<') {
                let stop = self.code[end..].find(';').map_or(code.len(), |length| end + length);
                expand_use(&self.code[end..stop], line, &mut Vec::new(), &mut found);
                line += self.code[at..stop].matches('\n').count();
                at = stop;
            } else {
                found.push((line, segments));
                line += self.code[at..end].matches('\n').count();
                at = end;
            }
        }
        found
    }

    fn find_tests(&mut self) {
        let code = self.code.clone();
        for (start, _) in code.match_indices("#[cfg(") {
            let Some(end) = matching(&code, start + 1, b'[', b']') else { continue };
            let condition = &code[start..end];
            if !contains_word(condition, "test") || condition.contains("not(") {
                continue;
            }
            let Some(length) = code[end..].find([';', '{']) else { continue };
            let stop = end + length;
            if code.as_bytes()[stop] == b';' {
                let mut words = code[end..stop].split_whitespace().rev();
                if let (Some(name), Some("mod")) = (words.next(), words.next()) {
                    self.test_modules.push(name.to_owned());
                }
            }
            let last = if code.as_bytes()[stop] == b'{' { matching(&code, stop, b'{', b'}').unwrap_or(code.len()) } else { stop };
            let (from, to) = (line_of(&code, start), line_of(&code, last));
            self.test_lines[from - 1..to].fill(true);
        }
    }
}

/// The line (from 1) of a byte position.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// Whether `word` stands in `text` with no letter, digit or underscore next to it.
pub fn contains_word(text: &str, word: &str) -> bool {
    let bytes = text.as_bytes();
    text.match_indices(word).any(|(at, _)| {
        let end = at + word.len();
        (at == 0 || !is_name(bytes[at - 1])) && (end == bytes.len() || !is_name(bytes[end]))
    })
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Reads `name::name::…` and says where it ends.
fn read_path(code: &str, start: usize) -> (Vec<String>, usize) {
    let bytes = code.as_bytes();
    let (mut segments, mut at) = (Vec::new(), start);
    loop {
        let from = at;
        while at < bytes.len() && is_name(bytes[at]) {
            at += 1;
        }
        segments.push(code[from..at].to_owned());
        let goes_on = code[at..].starts_with("::") && bytes.get(at + 2).is_some_and(|&byte| is_name_start(byte));
        if !goes_on {
            return (segments, at);
        }
        at += 2;
    }
}

/// Writes out `a::{b, c::{d}}`: one path per leaf, renamings and globs dropped.
fn expand_use(tree: &str, line: usize, prefix: &mut Vec<String>, found: &mut Vec<NamedPath>) {
    let depth = prefix.len();
    match tree.find('{') {
        Some(open) => {
            prefix.extend(segments_of(&tree[..open]));
            let close = matching(tree, open, b'{', b'}').unwrap_or(tree.len());
            let inner = &tree[open + 1..close.saturating_sub(1).max(open + 1)];
            let first = line + tree[..open].matches('\n').count();
            for (offset, part) in split_outside_braces(inner) {
                expand_use(part, first + inner[..offset].matches('\n').count(), prefix, found);
            }
        }
        None => {
            let path = tree.split(" as ").next().unwrap_or_default();
            prefix.extend(segments_of(path));
            if prefix.len() > depth {
                found.push((line + leading_lines(tree), prefix.clone()));
            }
        }
    }
    prefix.truncate(depth);
}

fn leading_lines(text: &str) -> usize {
    text[..text.len() - text.trim_start().len()].matches('\n').count()
}

fn segments_of(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split("::").map(str::trim).filter(|segment| !segment.is_empty() && *segment != "*").map(str::to_owned)
}

fn split_outside_braces(text: &str) -> Vec<(usize, &str)> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_u32, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push((from, &text[from..at]));
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push((from, &text[from..]));
    parts
}

/// The position behind the bracket that closes the first `open` at or after `from`.
fn matching(text: &str, from: usize, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, &byte) in text.as_bytes().iter().enumerate().skip(from) {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}

/// Blanks comments and literals, and collects the string literals.
fn blank(text: &str) -> (String, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            let end = text[at..].find('\n').map_or(bytes.len(), |length| at + length);
            erase(&mut code[at..end]);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = end_of_block_comment(bytes, at);
            erase(&mut code[at..end]);
            at = end;
        } else if let Some((inner, end)) = string_at(bytes, at) {
            strings.push((line_of(text, at), String::from_utf8_lossy(&bytes[inner.clone()]).into_owned()));
            erase(&mut code[inner]);
            at = end;
        } else if bytes[at] == b'\'' {
            let end = end_of_character(text, at);
            if let Some(end) = end {
                erase(&mut code[at + 1..end - 1]);
            }
            at = end.unwrap_or(at + 1);
        } else if is_name(bytes[at]) {
            // Whole names at once, so that the `r` at the end of `var"` is not taken for the start of a raw string.
            while at < bytes.len() && is_name(bytes[at]) {
                at += 1;
            }
        } else {
            at += 1;
        }
    }
    (String::from_utf8_lossy(&code).into_owned(), strings)
}

fn erase(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

fn end_of_block_comment(bytes: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0_u32, start);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// A string literal beginning at `start`: the range inside its quotes, and where it ends.
fn string_at(bytes: &[u8], start: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let mut at = start;
    if matches!(bytes[at], b'b' | b'c') {
        at += 1;
    }
    let raw = bytes.get(at) == Some(&b'r');
    at += usize::from(raw);
    let hashes = if raw { bytes[at..].iter().take_while(|&&byte| byte == b'#').count() } else { 0 };
    at += hashes;
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let inner = at + 1;
    let mut at = inner;
    while at < bytes.len() {
        if bytes[at] == b'\\' && !raw {
            at += 2;
        } else if bytes[at] == b'"' && bytes[at + 1..].iter().take(hashes).filter(|&&byte| byte == b'#').count() == hashes {
            return Some((inner..at, at + 1 + hashes));
        } else {
            at += 1;
        }
    }
    Some((inner.min(bytes.len())..bytes.len(), bytes.len()))
}

/// The end of a character literal at `start`, or `None` when the quote begins a lifetime.
fn end_of_character(text: &str, start: usize) -> Option<usize> {
    let mut characters = text[start + 1..].char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        let (_, _escaped) = characters.next()?;
        return characters.find(|&(_, character)| character == '\'').map(|(at, _)| start + 1 + at + 1);
    }
    characters.next().filter(|&(_, character)| character == '\'').map(|(at, _)| start + 1 + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        RustSource::read(text).paths().into_iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect()
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        let source = RustSource::read("let a = \"std::fs\"; // std::env\n/* a /* b */ std::net */ let c = r#\"x \" y\"#; 'q'");
        assert!(!source.code.contains("std"));
        assert!(!source.code.contains('q'));
        assert_eq!(source.strings, [(1, "std::fs".to_owned()), (2, "x \" y".to_owned())]);
    }

    #[test]
    fn quotes_in_characters_and_lifetimes_do_not_open_strings() {
        let source = RustSource::read("fn f<'a>(x: &'a str) { g('\"', '\\'', '\\\\'); } const S: &str = \"end\";");
        assert_eq!(source.strings, [(1, "end".to_owned())]);
        assert!(source.code.contains("const S"));
    }

    #[test]
    fn imports_are_written_out_in_full_with_their_lines() {
        let found = paths("use std::{\n    fs,\n    net::{IpAddr, UdpSocket as U},\n};\nfn f() { Instant::now() }");
        assert_eq!(found, ["2 std::fs", "3 std::net::IpAddr", "3 std::net::UdpSocket", "5 fn", "5 f", "5 Instant::now"]);
    }

    #[test]
    fn items_under_cfg_test_are_tests_and_their_neighbors_are_not() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(not(test))]\nfn d() {}\n#[cfg(test)]\nmod far;\n";
        let source = RustSource::read(text);
        let tests: Vec<usize> = (1..=10).filter(|&line| source.is_test(line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 9, 10]);
        assert_eq!(source.test_modules, ["far"]);
    }

    #[test]
    fn words_are_found_whole_only() {
        assert!(contains_word("a sip b", "sip"));
        assert!(!contains_word("gossip sips", "sip"));
    }
}
