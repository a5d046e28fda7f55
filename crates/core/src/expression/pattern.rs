//! The patterns of `matches`: a subset of RE2 whose time grows with the length of the text times that of the pattern, and no worse.
//!
//! Characters, `.`, `[a-z]`, `[^0-9]`, `\d \D \w \W \s \S`, `^ $`, `( )`, `(?: )`, `|`, `* + ? {2} {2,} {2,4}`, and a backslash
//! before anything that has a meaning. A pattern matches when it is found anywhere in the text; `^` and `$` hold it to the ends.
//! Letters and digits of `\w` and `\d` are those of ASCII.

use crate::limits::{EXPRESSION_DEPTH, PATTERN_REPEATS, PATTERN_STATES};
use std::{iter::Peekable, str::Chars};

/// A pattern that could be read: a machine whose states are looked at all at once, so that there is nothing to go back to.
#[derive(Debug)]
pub(super) struct Pattern {
    program: Vec<State>,
}

#[derive(Debug)]
enum State {
    /// One character of these.
    One(Set),
    /// On in both places.
    Fork(usize, usize),
    /// On there.
    Jump(usize),
    /// Only at the beginning of the text.
    Begin,
    /// Only at its end.
    Finish,
    Found,
}

#[derive(Clone, Debug)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn of(ranges: &[(char, char)], negated: bool) -> Set {
        Set { negated, ranges: ranges.to_vec() }
    }

    fn holds(&self, character: char) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&character)) != self.negated
    }
}

/// A pattern taken apart.
enum Part {
    Nothing,
    One(Set),
    Begin,
    Finish,
    Row(Vec<Part>),
    Either(Vec<Part>),
    Repeat { part: Box<Part>, least: u32, most: Option<u32> },
}

impl Pattern {
    /// Reads a pattern; says what is wrong otherwise.
    pub(super) fn parse(source: &str) -> Result<Pattern, String> {
        let mut reader = Reader { rest: source.chars().peekable(), depth: 0 };
        let part = reader.alternatives()?;
        if reader.rest.peek().is_some() {
            return Err("the pattern closes a ) that was not opened; write \\) for the character".to_owned());
        }
        let mut writer = Writer { program: Vec::new(), work: 0 };
        writer.write(&part)?;
        writer.push(State::Found)?;
        Ok(Pattern { program: writer.program })
    }

    /// Whether the pattern is found in the text. `spend` is told about the work as it is done and can end it.
    pub(super) fn is_found<E>(&self, text: &str, mut spend: impl FnMut(usize) -> Result<(), E>) -> Result<bool, E> {
        let mut threads = Threads::new(self.program.len());
        let mut following = Threads::new(self.program.len());
        let mut rest = text.chars();
        let mut is_begin = true;
        loop {
            let next = rest.next();
            if self.enter(&mut threads, 0, is_begin, next.is_none()) {
                return Ok(true);
            }
            spend(threads.list.len())?;
            let Some(character) = next else { return Ok(false) };
            is_begin = false;
            let is_end = rest.as_str().is_empty();
            following.clear();
            for index in 0..threads.list.len() {
                let state = threads.list[index];
                if let State::One(set) = &self.program[state]
                    && set.holds(character)
                    && self.enter(&mut following, state + 1, false, is_end)
                {
                    return Ok(true);
                }
            }
            std::mem::swap(&mut threads, &mut following);
        }
    }

    /// Adds a state and all that can be reached from it without a character; whether the end is among them.
    fn enter(&self, threads: &mut Threads, state: usize, is_begin: bool, is_end: bool) -> bool {
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            if !threads.add(state) {
                continue;
            }
            match &self.program[state] {
                State::Fork(first, second) => open.extend([*first, *second]),
                State::Jump(to) => open.push(*to),
                State::Begin if is_begin => open.push(state + 1),
                State::Finish if is_end => open.push(state + 1),
                State::Found => return true,
                State::One(_) | State::Begin | State::Finish => {}
            }
        }
        false
    }
}

/// States looked at in one place of the text, each once.
struct Threads {
    list: Vec<usize>,
    present: Vec<bool>,
}

impl Threads {
    fn new(states: usize) -> Threads {
        Threads { list: Vec::new(), present: vec![false; states] }
    }

    fn add(&mut self, state: usize) -> bool {
        let new = !std::mem::replace(&mut self.present[state], true);
        if new {
            self.list.push(state);
        }
        new
    }

    fn clear(&mut self) {
        for state in self.list.drain(..) {
            self.present[state] = false;
        }
    }
}

struct Writer {
    program: Vec<State>,
    /// Parts written so far, empty ones included: repeated nothings would otherwise cost time without end.
    work: usize,
}

impl Writer {
    fn push(&mut self, state: State) -> Result<usize, String> {
        if self.program.len() >= PATTERN_STATES {
            return Err(format!("the pattern needs more than {PATTERN_STATES} states; shorten it or repeat less"));
        }
        self.program.push(state);
        Ok(self.program.len() - 1)
    }

    fn write(&mut self, part: &Part) -> Result<(), String> {
        self.work += 1;
        if self.work > 2 * PATTERN_STATES {
            return Err(format!("the pattern needs more than {PATTERN_STATES} states; shorten it or repeat less"));
        }
        match part {
            Part::Nothing => {}
            Part::One(set) => {
                self.push(State::One(set.clone()))?;
            }
            Part::Begin => {
                self.push(State::Begin)?;
            }
            Part::Finish => {
                self.push(State::Finish)?;
            }
            Part::Row(parts) => parts.iter().try_for_each(|part| self.write(part))?,
            Part::Either(parts) => {
                let mut jumps = Vec::new();
                for (index, part) in parts.iter().enumerate() {
                    let is_last = index + 1 == parts.len();
                    let fork = if is_last { None } else { Some(self.push(State::Fork(0, 0))?) };
                    self.write(part)?;
                    if let Some(fork) = fork {
                        jumps.push(self.push(State::Jump(0))?);
                        self.program[fork] = State::Fork(fork + 1, self.program.len());
                    }
                }
                let end = self.program.len();
                jumps.into_iter().for_each(|jump| self.program[jump] = State::Jump(end));
            }
            Part::Repeat { part, least, most } => {
                for _ in 0..*least {
                    self.write(part)?;
                }
                match most {
                    None => {
                        let fork = self.push(State::Fork(0, 0))?;
                        self.write(part)?;
                        self.push(State::Jump(fork))?;
                        self.program[fork] = State::Fork(fork + 1, self.program.len());
                    }
                    Some(most) => {
                        let mut forks = Vec::new();
                        for _ in *least..*most {
                            forks.push(self.push(State::Fork(0, 0))?);
                            self.write(part)?;
                        }
                        let end = self.program.len();
                        forks.into_iter().for_each(|fork| self.program[fork] = State::Fork(fork + 1, end));
                    }
                }
            }
        }
        Ok(())
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    depth: usize,
}

impl Reader<'_> {
    fn accept(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn alternatives(&mut self) -> Result<Part, String> {
        let mut parts = vec![self.row()?];
        while self.accept('|') {
            parts.push(self.row()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Part::Either(parts) })
    }

    fn row(&mut self) -> Result<Part, String> {
        let mut parts = Vec::new();
        while self.rest.peek().is_some_and(|next| !matches!(next, '|' | ')')) {
            let part = self.one()?;
            parts.push(self.repeated(part)?);
        }
        Ok(match parts.len() {
            0 => Part::Nothing,
            1 => parts.remove(0),
            _ => Part::Row(parts),
        })
    }

    fn repeated(&mut self, part: Part) -> Result<Part, String> {
        let (least, most) = match self.rest.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.rest.next();
                let (least, most) = self.bounds()?;
                return self.closed(Part::Repeat { part: Box::new(part), least, most });
            }
            _ => return Ok(part),
        };
        self.rest.next();
        self.closed(Part::Repeat { part: Box::new(part), least, most })
    }

    /// What may follow a repetition: a `?`, which changes what is found but not whether, and no other repetition.
    fn closed(&mut self, part: Part) -> Result<Part, String> {
        self.accept('?');
        match self.rest.peek() {
            Some('*' | '+' | '?' | '{') => Err("the pattern repeats a repetition; put the inner one between ( and )".to_owned()),
            _ => Ok(part),
        }
    }

    fn bounds(&mut self) -> Result<(u32, Option<u32>), String> {
        let wrong = || "the pattern's { does not begin a repetition such as {2} or {2,4}; write \\{ for the character".to_owned();
        let least = self.count().ok_or_else(wrong)?;
        let most = if self.accept(',') {
            if self.rest.peek() == Some(&'}') { None } else { Some(self.count().ok_or_else(wrong)?) }
        } else {
            Some(least)
        };
        if !self.accept('}') {
            return Err(wrong());
        }
        if most.is_some_and(|most| most < least) {
            return Err("the pattern repeats at most fewer times than at least; swap the two".to_owned());
        }
        if least.max(most.unwrap_or(0)) > PATTERN_REPEATS {
            return Err(format!("the pattern repeats more than {PATTERN_REPEATS} times; use + or *"));
        }
        Ok((least, most))
    }

    fn count(&mut self) -> Option<u32> {
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        // Too many digits are too many times, which is said better later.
        if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u32::MAX)) }
    }

    fn one(&mut self) -> Result<Part, String> {
        let Some(first) = self.rest.next() else { return Ok(Part::Nothing) };
        Ok(match first {
            '^' => Part::Begin,
            '$' => Part::Finish,
            '.' => Part::One(Set::of(&[('\n', '\n')], true)),
            '[' => Part::One(self.class()?),
            '\\' => Part::One(self.escape()?),
            '(' => {
                if self.accept('?') && !self.accept(':') {
                    return Err("the pattern uses (? for something that is not supported; write ( or (?:".to_owned());
                }
                self.depth += 1;
                if self.depth > EXPRESSION_DEPTH {
                    return Err(format!("the pattern is nested deeper than {EXPRESSION_DEPTH}"));
                }
                let inner = self.alternatives()?;
                if !self.accept(')') {
                    return Err("the pattern opens a ( that is not closed; write \\( for the character".to_owned());
                }
                self.depth -= 1;
                inner
            }
            '*' | '+' | '?' | '{' => return Err(format!("the pattern repeats nothing with {first}; write \\{first} for the character")),
            '}' | ']' => return Err(format!("the pattern has a {first} on its own; write \\{first} for the character")),
            _ => Part::One(Set::of(&[(first, first)], false)),
        })
    }

    fn escape(&mut self) -> Result<Set, String> {
        const DIGITS: &[(char, char)] = &[('0', '9')];
        const WORDS: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
        const SPACES: &[(char, char)] = &[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')];
        let Some(kind) = self.rest.next() else { return Err("the pattern ends with a backslash; write two".to_owned()) };
        let exactly = |character: char| Set::of(&[(character, character)], false);
        Ok(match kind {
            'd' => Set::of(DIGITS, false),
            'D' => Set::of(DIGITS, true),
            'w' => Set::of(WORDS, false),
            'W' => Set::of(WORDS, true),
            's' => Set::of(SPACES, false),
            'S' => Set::of(SPACES, true),
            'n' => exactly('\n'),
            'r' => exactly('\r'),
            't' => exactly('\t'),
            _ if kind.is_ascii_punctuation() => exactly(kind),
            _ => return Err(format!("the pattern's \\{kind} is not supported; see the documentation for what is")),
        })
    }

    /// What stands between `[` and `]`.
    fn class(&mut self) -> Result<Set, String> {
        let unclosed = || "the pattern opens a [ that is not closed; write \\[ for the character".to_owned();
        let negated = self.accept('^');
        let mut ranges: Vec<(char, char)> = Vec::new();
        let mut first = true;
        loop {
            let next = self.rest.next().ok_or_else(unclosed)?;
            match next {
                ']' if !first => return Ok(Set { negated, ranges }),
                '[' => return Err("the pattern has a [ inside of [ ]; write \\[ for the character".to_owned()),
                _ => {}
            }
            first = false;
            let from = self.class_member(next)?;
            let [(from, to)] = from.ranges[..] else {
                if from.negated {
                    return Err("the pattern has \\D, \\W or \\S inside of [ ], which is not supported; use [^ ] instead".to_owned());
                }
                ranges.extend(from.ranges);
                continue;
            };
            // A digit class has one range too, but is no single character.
            let is_single = from == to;
            let mut ahead = self.rest.clone();
            let is_range = is_single && ahead.next() == Some('-') && ahead.next().is_some_and(|end| end != ']');
            if !is_range {
                ranges.push((from, to));
                continue;
            }
            self.rest.next();
            let end = self.rest.next().ok_or_else(unclosed)?;
            match self.class_member(end)?.ranges[..] {
                [(end, same)] if end == same && from <= end => ranges.push((from, end)),
                _ => return Err("the pattern has a range in [ ] that goes backwards; swap its ends".to_owned()),
            }
        }
    }

    fn class_member(&mut self, next: char) -> Result<Set, String> {
        if next == '\\' {
            let set = self.escape()?;
            if set.negated {
                return Err("the pattern has \\D, \\W or \\S inside of [ ], which is not supported; use [^ ] instead".to_owned());
            }
            return Ok(set);
        }
        Ok(Set::of(&[(next, next)], false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_found(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().is_found(text, |_| Ok::<(), ()>(())).unwrap()
    }

    #[test]
    fn patterns_find_what_they_describe() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "abc", true),
            ("b", "abc", true),
            ("^b", "abc", false),
            ("c$", "abc", true),
            ("^$", "", true),
            ("^$", "a", false),
            ("a.c", "abc", true),
            ("a.c", "a\nc", false),
            ("^\\+49", "+4930123", true),
            ("^(?:\\+49|0049|0)30", "004930123", true),
            ("^(?:\\+49|0049|0)30", "08930", false),
            ("^[0-9]{4,6}$", "12345", true),
            ("^[0-9]{4,6}$", "123", false),
            ("^[0-9]{4,6}$", "1234567", false),
            ("^[^0-9]+$", "abc", true),
            ("^[^0-9]+$", "ab1", false),
            ("^[]a-]+$", "]a-", true),
            ("^[\\d_]+$", "1_2", true),
            ("^(a|b)*c{2}$", "ababcc", true),
            ("colou?r", "color", true),
            ("^a+?$", "aaa", true),
            ("^(a*)*$", "aaaa", true),
            ("ä", "Bär", true),
            ("(^a|b$)", "xb", true),
            ("a|", "zzz", true),
        ] {
            assert_eq!(is_found(pattern, text), expected, "{pattern} in {text}");
        }
    }

    #[test]
    fn patterns_that_are_not_understood_name_a_remedy() {
        for pattern in ["(", ")", "[", "[b-a]", "*", "a**", "a{", "a{3,2}", "a{5000}", "\\", "\\p", "(?i)a", "[[:alpha:]]", "[\\D]", "}"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_would_explode_are_refused_quickly() {
        assert!(Pattern::parse("((((a{100}){100}){100}){100}){100}").is_err());
        assert!(Pattern::parse("((((((){100}){100}){100}){100}){100}){100}").is_err());
        assert!(Pattern::parse(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn work_grows_with_the_text_and_not_faster() {
        let pattern = Pattern::parse("^(a+)+(a+)+(a+)+$").unwrap();
        let work = |length: usize| {
            let mut work = 0;
            let text = "a".repeat(length) + "b";
            let found = pattern.is_found(&text, |more| {
                work += more;
                Ok::<(), ()>(())
            });
            assert_eq!(found, Ok(false));
            work
        };
        assert!(work(2_000) < 2 * work(1_000) + 100);
    }
}
