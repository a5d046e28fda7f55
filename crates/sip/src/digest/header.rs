//! The grammar of challenges and credentials: `Digest name="value", name=value`.

use std::borrow::Cow;

use crate::message::lex::{is_token_byte, quoted_len, trim_start, unquote};

/// Parameters of one challenge or one set of credentials; more than any client or server writes.
const PARAM_COUNT_MAX: usize = 24;

/// Challenges in one header line.
const CHALLENGE_COUNT_MAX: usize = 8;

/// One challenge or one set of credentials of the Digest scheme.
#[derive(Debug)]
pub(super) struct DigestParams<'a> {
    params: Vec<(&'a str, Cow<'a, str>)>,
}

impl DigestParams<'_> {
    /// The value without quotes.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// All Digest challenges in a header line; other schemes are skipped (RFC 4475 §3.3.7), broken text ends the list.
pub(super) fn parse(line: &str) -> Vec<DigestParams<'_>> {
    let mut found: Vec<DigestParams<'_>> = Vec::new();
    let mut is_digest = false;
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let name_len = rest.bytes().take_while(|byte| is_token_byte(*byte)).count();
        if name_len == 0 || found.len() > CHALLENGE_COUNT_MAX {
            return found;
        }
        let (name, after) = rest.split_at(name_len);
        let Some(value) = trim_start(after).strip_prefix('=') else {
            // A word without `=` begins the next challenge.
            is_digest = name.eq_ignore_ascii_case("Digest");
            if is_digest {
                found.push(DigestParams { params: Vec::with_capacity(10) });
            }
            rest = after;
            continue;
        };
        let value = trim_start(value);
        let len = if value.starts_with('"') {
            match quoted_len(value) {
                Some(len) => len,
                None => return found,
            }
        } else {
            value.find([',', ' ', '\t']).unwrap_or(value.len())
        };
        let (value, after) = value.split_at(len);
        if is_digest
            && let Some(last) = found.last_mut()
            && last.params.len() < PARAM_COUNT_MAX
        {
            last.params.push((name, unquote(value)));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_of_one_line_are_told_apart() {
        let line =
            "Basic realm=\"x\", Digest realm=\"a \\\"b\\\"\", nonce=\"1,2\", qop=\"auth,auth-int\" ,algorithm=SHA-256,Digest nonce=3";
        let found = parse(line);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].get("Realm"), Some("a \"b\""));
        assert_eq!(found[0].get("nonce"), Some("1,2"));
        assert_eq!(found[0].get("algorithm"), Some("SHA-256"));
        assert_eq!(found[1].get("nonce"), Some("3"));
        assert_eq!(found[1].get("realm"), None);
    }

    #[test]
    fn broken_text_ends_the_list() {
        assert!(parse("NoOneKnowsThisScheme opaque-data=here").is_empty());
        assert_eq!(parse("Digest realm=\"never ends").len(), 1);
        assert!(parse("\u{e9}").is_empty());
        assert!(parse("").is_empty());
    }
}
