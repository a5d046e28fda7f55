//! Words that must not stand in some places.
//!
//! The core knows no protocol and no vendor, comments included: a word from outside is the first sign of a decision made in
//! the wrong place. And nothing in the repository speaks of the machines and tools it was written with.

use super::{Finding, repository::Repository};

/// Protocols and vendors, in lower case; found as whole words and as parts of `CamelCase` and `snake_case` names.
const BANNED_IN_CORE: &[&str] = &[
    "sip",
    "sips",
    "rtp",
    "rtcp",
    "srtp",
    "sdp",
    "sipfrag",
    "sbc",
    "trunk",
    "trunks",
    "codec",
    "codecs",
    "g711",
    "graph",
    "msgraph",
    "acs",
    "azure",
    "entra",
    "pstnhub",
    "http",
    "https",
    "webhook",
    "webhooks",
    "websocket",
    "url",
    "urls",
    "sql",
    "sqlite",
];

/// Methods of SIP; only in capitals, because a person may invite another.
const BANNED_IN_CORE_AS_WRITTEN: &[&str] = &["INVITE", "REFER", "BYE", "CANCEL", "REGISTER", "SUBSCRIBE"];

/// What speaks of the place a text was written at instead of the product. In lower case, found anywhere.
const FOREIGN: &[&str] = &[
    "../shared",
    "/tmp/brief",
    "claude",
    "anthropic",
    "chatgpt",
    "subagent",
    "ai session",
    "farm machine",
    "package mirror",
    "artifactory",
];

/// The same, for paths that only count from the root of the file system.
const FOREIGN_ROOTS: &[&str] = &["/work/"];

/// This file has to name what it looks for.
const SELF: &str = "xtask/src/tidy/words.rs";

/// Both rules.
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in repository.files.iter().filter(|file| file.path != SELF) {
        let in_core = file.path.starts_with("crates/core/src/");
        for (index, line) in file.text.lines().enumerate() {
            // The exception itself has to name the word it is about.
            if in_core && !line.contains(super::EXCEPTION) {
                for word in foreign_to_core(line) {
                    let advice = format!("`{word}` belongs to a protocol or a vendor; say it in the words of the contact center");
                    findings.push(Finding::new(&file.path, index + 1, "words", advice));
                }
            }
            if let Some(word) = foreign_to_all(line) {
                let advice = format!("`{word}` speaks of where this was written; describe the product alone");
                findings.push(Finding::new(&file.path, index + 1, "origin", advice));
            }
        }
    }
    findings
}

fn foreign_to_core(line: &str) -> Vec<String> {
    let names = line.split(|character: char| !character.is_ascii_alphanumeric());
    let as_written = names.clone().filter(|name| BANNED_IN_CORE_AS_WRITTEN.contains(name)).map(str::to_owned);
    let parts = names.flat_map(parts_of_name).filter(|part| BANNED_IN_CORE.contains(&part.as_str()));
    let mut found: Vec<String> = as_written.chain(parts).collect();
    found.dedup();
    found
}

/// The words of a `CamelCase` name, in lower case; `HTTPServer` is `http` and `server`.
fn parts_of_name(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut parts: Vec<String> = Vec::new();
    for (index, &letter) in letters.iter().enumerate() {
        let after_small = index > 0 && !letters[index - 1].is_ascii_uppercase();
        let before_small = letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let begins = index == 0 || (letter.is_ascii_uppercase() && (after_small || before_small));
        if begins {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter.to_ascii_lowercase());
        }
    }
    parts
}

fn foreign_to_all(line: &str) -> Option<&'static str> {
    let lower = line.to_ascii_lowercase();
    let from_root = |word: &str| {
        lower.match_indices(word).any(|(at, _)| {
            let before = lower[..at].chars().next_back();
            before.is_none_or(|character| !character.is_alphanumeric() && !matches!(character, '.' | '-' | '_' | '}' | '*' | '$' | '~'))
        })
    };
    let anywhere = FOREIGN.iter().find(|word| lower.contains(**word));
    anywhere.or_else(|| FOREIGN_ROOTS.iter().find(|word| from_root(word))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<&'static str> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn protocol_words_in_the_core_are_found_in_code_comments_and_names() {
        for text in ["// the SIP way", "struct SipAddress;", "let rtp_port = 1;", "/// An INVITE came in.", "HTTPStatus", "an Azure thing"]
        {
            assert_eq!(rules("crates/core/src/leg.rs", text), ["words"], "{text}");
        }
    }

    #[test]
    fn ordinary_words_that_contain_or_resemble_them_are_fine() {
        for text in ["gossip", "a paragraph", "we invite an expert", "facsimile", "cancel the offer", "Register", "insipid", "Photograph"] {
            assert!(rules("crates/core/src/leg.rs", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn other_crates_may_name_protocols() {
        assert!(rules("crates/lines/src/connected/leg.rs", "// SIP over HTTP at Azure").is_empty());
    }

    #[test]
    fn texts_do_not_speak_of_the_place_they_were_written_at() {
        assert_eq!(rules("docs/tour.md", "See /work/notes."), ["origin"]);
        assert_eq!(rules("docs/tour.md", "Written with Claude."), ["origin"]);
        assert!(rules("docs/tour.md", "Look into ./work/notes and the network/work/a.").is_empty());
    }
}
