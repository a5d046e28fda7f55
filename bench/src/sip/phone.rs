//! Agents' telephones: they sign in with digest authentication, all from one socket, and stay signed in (RFC 3261 §10.2).

use super::{
    T2, next_repeat,
    outbox::{Outbox, Side},
};
use crate::timers::{SECOND, Timer};
use anyhow::Context as _;
use dreiklang_sip::{
    digest::{self, Credentials},
    message::{BRANCH_COOKIE, Headers, Method, Request, Response, Uri},
};
use std::sync::Arc;

/// How long a sign-in is asked to last.
const EXPIRES_S: u32 = 3600;
/// Sign-ins under way at the same time: enough to be quick, few enough not to be an attack.
const SIGNING_IN_MAX: usize = 32;
/// Challenges answered in a row by one telephone; a peer that wants more does not like the password.
const CHALLENGES_MAX: u32 = 2;

/// The agents, as written on the command line: `user:password` or `user:password@domain`, where `{}` stands for 0001, 0002 and
/// so on.
#[derive(Clone, Debug)]
pub struct Pattern {
    user: String,
    password: String,
    /// Host part of the addresses; `None` = that of the peer.
    pub domain: Option<String>,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> anyhow::Result<Pattern> {
        let (user, rest) = text.split_once(':').with_context(|| format!("\"{text}\" is no pattern of agents; write user{{}}:password"))?;
        let (password, domain) = rest.rsplit_once('@').map_or((rest, None), |(password, domain)| (password, Some(domain.to_owned())));
        let pattern = Pattern { user: user.to_owned(), password: password.to_owned(), domain };
        anyhow::ensure!(
            pattern.user.contains("{}"),
            "the user name in \"{text}\" is the same for all agents; put {{}} where the number goes"
        );
        Ok(pattern)
    }

    /// User name of an agent, counted from 0.
    pub fn user(&self, index: usize) -> String {
        self.user.replace("{}", &format!("{:04}", index + 1))
    }

    fn password(&self, index: usize) -> String {
        self.password.replace("{}", &format!("{:04}", index + 1))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    SigningIn,
    SignedIn,
    Failed(String),
}

struct Phone {
    user: String,
    credentials: Credentials,
    state: State,
    cseq: u32,
    repeats: u32,
    challenges: u32,
    pending: Arc<[u8]>,
}

/// All telephones.
pub struct Phones {
    phones: Vec<Phone>,
    domain: String,
    waiting_from: usize,
}

/// How far signing in got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many are signed in.
    Underway(usize),
    /// All are.
    Done,
    /// This one cannot.
    Failed {
        /// Its user name.
        user: String,
        /// What the peer said.
        problem: String,
    },
}

impl Phones {
    /// Telephones of `count` agents; `domain` is the host part of their addresses.
    pub fn new(pattern: Option<&Pattern>, count: usize, domain: &str) -> Phones {
        let phone = |index: usize| {
            pattern.map(|pattern| {
                let user = pattern.user(index);
                let credentials = Credentials::new(user.clone(), pattern.password(index));
                Phone { user, credentials, state: State::Waiting, cseq: 0, repeats: 0, challenges: 0, pending: Arc::from([]) }
            })
        };
        let domain = pattern.and_then(|pattern| pattern.domain.as_deref()).unwrap_or(domain).to_owned();
        Phones { phones: (0..count).filter_map(phone).collect(), domain, waiting_from: 0 }
    }

    /// User names in order.
    pub fn users(&self) -> Vec<String> {
        self.phones.iter().map(|phone| phone.user.clone()).collect()
    }

    /// How far signing in got.
    pub fn progress(&self) -> Progress {
        let failed = self.phones.iter().find_map(|phone| match &phone.state {
            State::Failed(problem) => Some(Progress::Failed { user: phone.user.clone(), problem: problem.clone() }),
            _ => None,
        });
        let done = self.phones.iter().filter(|phone| phone.state == State::SignedIn).count();
        failed.unwrap_or(if done == self.phones.len() { Progress::Done } else { Progress::Underway(done) })
    }

    /// Begins as many sign-ins as may be under way.
    pub fn sign_in(&mut self, io: &mut Outbox) {
        let mut underway = self.phones.iter().take(self.waiting_from).filter(|phone| phone.state == State::SigningIn).count();
        while underway < SIGNING_IN_MAX && self.waiting_from < self.phones.len() {
            self.register(io, self.waiting_from, None);
            self.waiting_from += 1;
            underway += 1;
        }
    }

    fn register(&mut self, io: &mut Outbox, index: usize, challenge: Option<&Response>) {
        let scenario = io.scenario.clone();
        let phone = &mut self.phones[index];
        phone.cseq += 1;
        phone.repeats = 0;
        phone.state = State::SigningIn;
        let (user, cseq, run, own) = (&phone.user, phone.cseq, &scenario.run, scenario.answer_address);
        let Ok(uri) = Uri::parse(&format!("sip:{}", self.domain)) else {
            phone.state = State::Failed(format!("\"{}\" is no domain", self.domain));
            return;
        };
        let mut headers = Headers::with_capacity(640, 11);
        headers.push("Via", &format!("SIP/2.0/UDP {own};branch={BRANCH_COOKIE}{run}p{index}q{cseq};rport"));
        headers.push("Max-Forwards", "70");
        headers.push("From", &format!("<sip:{user}@{}>;tag=p{index}{run}", self.domain));
        headers.push("To", &format!("<sip:{user}@{}>", self.domain));
        headers.push("Call-ID", &call_id(index, run));
        headers.push("CSeq", &format!("{cseq} REGISTER"));
        headers.push("Contact", &format!("<sip:{user}@{own}>"));
        headers.push("Expires", &EXPIRES_S.to_string());
        let mut request = Request { method: Method::Register, uri, headers, body: Vec::new() };
        if let Some(challenge) = challenge
            && !digest::authorize(&mut request, challenge, &phone.credentials, &format!("{index:x}{cseq:x}{run}"))
        {
            phone.state = State::Failed("the peer asks for a kind of sign-in that we do not know".to_owned());
            return;
        }
        phone.pending = request.to_bytes().into();
        io.send(Side::Answerer, scenario.peer, phone.pending.clone());
        io.after(next_repeat(0, T2).unwrap_or(T2), Timer::PhoneRepeat { phone: index, cseq });
    }

    /// A response to a sign-in.
    pub fn on_response(&mut self, io: &mut Outbox, response: &Response) {
        let index = response.headers.call_id().ok().and_then(|id| index_of(id, &io.scenario.run));
        let Some((index, phone)) = index.and_then(|index| Some((index, self.phones.get_mut(index)?))) else { return };
        if phone.state != State::SigningIn || response.headers.cseq_number() != Some(phone.cseq) || response.is_provisional() {
            return;
        }
        match response.status {
            401 | 407 if phone.challenges < CHALLENGES_MAX => {
                phone.challenges += 1;
                self.register(io, index, Some(response));
            }
            status if response.is_success() => {
                phone.state = State::SignedIn;
                phone.challenges = 0;
                let granted = response.headers.contact().and_then(|contact| contact.expires_s()).or(response.headers.expires_s());
                let granted = granted.unwrap_or(EXPIRES_S).clamp(10, EXPIRES_S);
                debug_assert!(status < 300);
                io.after(u64::from(granted) * SECOND / 2, Timer::PhoneRefresh(index));
            }
            status => phone.state = State::Failed(format!("{status} {}", response.reason)),
        }
        self.sign_in(io);
    }

    /// A timer of a telephone fired.
    pub fn on_time(&mut self, io: &mut Outbox, timer: Timer) {
        match timer {
            Timer::PhoneRefresh(index) => self.register(io, index, None),
            Timer::PhoneRepeat { phone: index, cseq } => {
                let Some(phone) = self.phones.get_mut(index).filter(|phone| phone.cseq == cseq && phone.state == State::SigningIn) else {
                    return;
                };
                phone.repeats += 1;
                match next_repeat(phone.repeats, T2) {
                    Some(delay) => {
                        io.tally.repeats_sent += 1;
                        io.send(Side::Answerer, io.scenario.peer, phone.pending.clone());
                        io.after(delay, Timer::PhoneRepeat { phone: index, cseq });
                    }
                    None => phone.state = State::Failed("no reply".to_owned()),
                }
            }
            _ => {}
        }
    }
}

fn call_id(index: usize, run: &str) -> String {
    format!("p{index}-{run}@bench")
}

fn index_of(call_id: &str, run: &str) -> Option<usize> {
    let (index, rest) = call_id.strip_prefix('p')?.split_once('-')?;
    rest.strip_suffix("@bench").filter(|found| *found == run)?;
    index.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_agents_and_passwords_by_number() {
        let pattern = Pattern::parse("bench{}:secret-{}@calls.example").unwrap();
        assert_eq!((pattern.user(0), pattern.password(9)), ("bench0001".to_owned(), "secret-0010".to_owned()));
        assert_eq!(pattern.domain.as_deref(), Some("calls.example"));
        assert_eq!(Pattern::parse("bench{}:same").unwrap().domain, None);
        assert!(Pattern::parse("bench{}").is_err());
        assert!(Pattern::parse("bench:secret").is_err());
    }

    #[test]
    fn a_sign_in_is_told_from_those_of_earlier_runs() {
        assert_eq!(index_of(&call_id(17, "ab"), "ab"), Some(17));
        assert_eq!(index_of(&call_id(17, "ab"), "cd"), None);
    }
}
