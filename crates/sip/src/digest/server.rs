//! Challenging requests and verifying the answers.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::header::{DigestParams, parse};
use super::{Algorithm, Qop, Question, hex};
use crate::limits::{NONCE_COUNT_MAX, NONCE_LIFETIME, NONCE_USES_MAX};
use crate::message::{Request, Response, Uri};

/// What we know of a user.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The password itself.
    Password(String),
    /// Hashes of user name, realm and password in lower-case hexadecimal ([`Algorithm::ha1`]); an algorithm without its
    /// hash cannot be used by this user.
    Ha1 {
        /// For [`Algorithm::Md5`].
        md5: Option<String>,
        /// For [`Algorithm::Sha256`].
        sha256: Option<String>,
    },
}

impl Secret {
    fn ha1(&self, algorithm: Algorithm, username: &str, realm: &str) -> Option<String> {
        match (self, algorithm) {
            (Secret::Password(password), _) => Some(algorithm.ha1(username, realm, password)),
            (Secret::Ha1 { md5, .. }, Algorithm::Md5) => md5.clone(),
            (Secret::Ha1 { sha256, .. }, Algorithm::Sha256) => sha256.clone(),
            (Secret::Ha1 { .. }, Algorithm::Sha512Trunc256) => None,
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// What a request proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The sender knows the user's secret and did not replay anything.
    Accepted {
        /// The authenticated user.
        username: String,
    },
    /// No credentials for our realm: challenge.
    Missing,
    /// The secret is right, but the nonce is old, foreign or used up: challenge again with `stale`.
    Stale {
        /// The user, not authenticated.
        username: String,
    },
    /// Unknown user or wrong secret: challenge again, count it, and refuse after some.
    Refused {
        /// The claimed user.
        username: String,
    },
    /// The credentials break their grammar or name another request: 400.
    Malformed(&'static str),
}

/// Issues challenges for one realm and verifies what comes back.
///
/// A nonce names the time, a number and a keyed hash over both and the source address: it needs no memory until it is
/// used. Used nonces are remembered with the counts that they carried, up to a limit.
#[derive(Debug)]
pub struct Challenger {
    realm: String,
    key: [u8; 32],
    algorithms: Vec<Algorithm>,
    started: Instant,
    next_number: u64,
    uses: HashMap<u64, Uses>,
    /// Numbers in `uses`, oldest first.
    order: VecDeque<u64>,
    /// Nonces below this number that are not in `uses` were forgotten and count as stale.
    floor: u64,
}

/// The counts that a nonce was used with: the highest, and a window of those below it.
#[derive(Debug, Default, Clone, Copy)]
struct Uses {
    highest: u32,
    seen: u64,
}

impl Uses {
    /// Notes a count; `false` when it was used before or is too old to tell.
    fn note(&mut self, count: u32) -> bool {
        if count > self.highest {
            let shift = count - self.highest;
            self.seen = if shift >= u64::BITS { 0 } else { self.seen << shift };
            self.seen |= 1;
            self.highest = count;
            return true;
        }
        let age = self.highest - count;
        if age >= u64::BITS || self.seen & (1 << age) != 0 {
            return false;
        }
        self.seen |= 1 << age;
        true
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NonceState {
    Good { number: u64 },
    Old,
}

impl Challenger {
    /// A challenger that offers SHA-256 first and MD5 for those who know nothing better. `key` has to be secret and
    /// random; nonces of another key count as stale.
    #[must_use]
    pub fn new(realm: &str, key: [u8; 32], now: Instant) -> Challenger {
        Challenger {
            realm: realm.to_owned(),
            key,
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            started: now,
            next_number: 1,
            uses: HashMap::new(),
            order: VecDeque::new(),
            floor: 0,
        }
    }

    /// The same with other algorithms, preferred first.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: &[Algorithm]) -> Challenger {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The 401 that challenges a request from `source`; its To tag is the caller's to add.
    pub fn challenge(&mut self, now: Instant, request: &Request, source: IpAddr, is_stale: bool) -> Response {
        let mut response = Response::to_request(request, 401, "");
        for value in self.challenges(now, source, is_stale) {
            response.headers.push("WWW-Authenticate", &value);
        }
        response
    }

    /// Values for WWW-Authenticate (401) or Proxy-Authenticate (407), preferred first, one header line each.
    pub fn challenges(&mut self, now: Instant, source: IpAddr, is_stale: bool) -> Vec<String> {
        let number = self.next_number;
        self.next_number += 1;
        let nonce = self.nonce(self.age_s(now), number, source);
        let realm = self.realm.replace('\\', "\\\\").replace('"', "\\\"");
        let stale = if is_stale { ", stale=true" } else { "" };
        self.algorithms
            .iter()
            .map(|algorithm| format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}", algorithm.token()))
            .collect()
    }

    /// Verifies the credentials of a request from `source`. `secret_of` looks a user up.
    pub fn verify(&mut self, now: Instant, request: &Request, source: IpAddr, secret_of: impl FnOnce(&str) -> Option<Secret>) -> Verdict {
        let found = ["Authorization", "Proxy-Authorization"]
            .into_iter()
            .flat_map(|name| request.headers.all(name))
            .flat_map(parse)
            .find(|params| params.get("realm") == Some(self.realm.as_str()));
        match found {
            Some(params) => self.verify_params(now, request, source, &params, secret_of).unwrap_or_else(Verdict::Malformed),
            None => Verdict::Missing,
        }
    }

    fn verify_params(
        &mut self,
        now: Instant,
        request: &Request,
        source: IpAddr,
        params: &DigestParams<'_>,
        secret_of: impl FnOnce(&str) -> Option<Secret>,
    ) -> Result<Verdict, &'static str> {
        let mandatory = |name: &'static str| params.get(name).ok_or(name);
        let username = mandatory("username")?.to_owned();
        let (nonce, uri, given) = (mandatory("nonce")?, mandatory("uri")?, mandatory("response")?);
        if !names_request(uri, request) {
            return Err("uri is not that of the request");
        }
        let algorithm = Algorithm::parse(params.get("algorithm").unwrap_or("MD5"))
            .filter(|algorithm| self.algorithms.contains(algorithm))
            .ok_or("algorithm was not offered")?;
        let (qop, cnonce, nonce_count) = match params.get("qop") {
            None => (Qop::None, "", "00000000"),
            Some(qop) if qop.eq_ignore_ascii_case("auth") => (Qop::Auth, mandatory("cnonce")?, mandatory("nc")?),
            Some(_) => return Err("qop was not offered"),
        };
        let count = match (nonce_count.len(), u32::from_str_radix(nonce_count, 16)) {
            (8, Ok(count)) => count,
            _ => return Err("nc is not eight hexadecimal digits"),
        };
        let question = Question {
            algorithm,
            is_session: false,
            nonce,
            cnonce,
            nonce_count,
            qop,
            method: request.method.as_str(),
            uri,
            body: &request.body,
        };
        let secret = secret_of(&username);
        // An unknown user costs as much time as a known one.
        let ha1 = secret.as_ref().and_then(|secret| secret.ha1(algorithm, &username, &self.realm));
        let expected = question.response(ha1.as_deref().unwrap_or("0000000000000000000000000000000000000000000000000000000000000000"));
        if !is_same(&expected, &given.to_ascii_lowercase()) || ha1.is_none() {
            return Ok(Verdict::Refused { username });
        }
        let is_fresh = match self.nonce_state(now, nonce, source) {
            NonceState::Good { number } => self.note_use(number, count),
            NonceState::Old => false,
        };
        Ok(if is_fresh { Verdict::Accepted { username } } else { Verdict::Stale { username } })
    }

    fn age_s(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_secs()
    }

    /// Time and number in clear, so that age and repetition can be told, and 16 bytes of keyed hash.
    fn nonce(&self, age_s: u64, number: u64, source: IpAddr) -> String {
        let mac = self.mac(age_s, number, source);
        format!("{age_s:08x}{number:016x}{}", hex(&mac[..16]))
    }

    /// HMAC-SHA-256 (RFC 2104) of a nonce's content.
    fn mac(&self, age_s: u64, number: u64, source: IpAddr) -> [u8; 32] {
        let pad = |byte: u8| {
            let mut block = [byte; 64];
            for (slot, key) in block.iter_mut().zip(self.key) {
                *slot ^= key;
            }
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(age_s.to_be_bytes()).chain_update(number.to_be_bytes());
        let inner = match source.to_canonical() {
            IpAddr::V4(v4) => inner.chain_update(v4.octets()),
            IpAddr::V6(v6) => inner.chain_update(v6.octets()),
        };
        Sha256::new().chain_update(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
    }

    fn nonce_state(&self, now: Instant, nonce: &str, source: IpAddr) -> NonceState {
        let fields = nonce.get(..8).zip(nonce.get(8..24)).zip(nonce.get(24..));
        let Some(((age, number), mac)) = fields else { return NonceState::Old };
        let (Ok(age_s), Ok(number)) = (u64::from_str_radix(age, 16), u64::from_str_radix(number, 16)) else { return NonceState::Old };
        if !is_same(mac, &hex(&self.mac(age_s, number, source)[..16])) {
            return NonceState::Old;
        }
        let age = Duration::from_secs(self.age_s(now).saturating_sub(age_s));
        let is_forgotten = number < self.floor && !self.uses.contains_key(&number);
        if age > NONCE_LIFETIME || is_forgotten { NonceState::Old } else { NonceState::Good { number } }
    }

    /// Notes the use of a nonce; `false` for a replay. Without `nc` the count is 0 and the nonce is good once.
    fn note_use(&mut self, number: u64, count: u32) -> bool {
        if count > NONCE_USES_MAX {
            return false;
        }
        if !self.uses.contains_key(&number) {
            if self.order.len() >= NONCE_COUNT_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.uses.remove(&oldest);
                self.floor = self.floor.max(oldest + 1);
            }
            self.order.push_back(number);
            // Count 0 is the use without nc: noted as the highest possible, so that nothing can follow it.
            self.uses.insert(number, Uses { highest: if count == 0 { u32::MAX } else { count }, seen: 1 });
            return true;
        }
        count != 0 && self.uses.get_mut(&number).is_some_and(|uses| uses.note(count))
    }
}

/// Whether `uri` names the same resource as the Request-URI. Parameters and ports may differ: telephones write the URI that
/// they configured, not the one that they sent.
fn names_request(uri: &str, request: &Request) -> bool {
    match Uri::parse(uri) {
        Ok(uri) => {
            uri.scheme == request.uri.scheme && uri.user_unescaped() == request.uri.user_unescaped() && uri.host.same_as(&request.uri.host)
        }
        Err(_) => false,
    }
}

/// Compares in a time that does not depend on where the difference is.
fn is_same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}

#[cfg(test)]
mod tests {
    use super::super::{Credentials, authorize, is_stale};
    use super::*;
    use crate::message::Method;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn register() -> Request {
        let mut request = Request::new(Method::Register, Uri::parse("sip:example.com").unwrap());
        request.headers.push("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
        request
    }

    fn secret(user: &str) -> Option<Secret> {
        (user == "alice").then(|| Secret::Password("open sesame".to_owned()))
    }

    fn alice() -> Credentials {
        Credentials::new("alice", "open sesame")
    }

    fn accepted() -> Verdict {
        Verdict::Accepted { username: "alice".to_owned() }
    }

    fn challenger(now: Instant) -> Challenger {
        Challenger::new("a \"realm\"", [7; 32], now)
    }

    fn authorized(challenger: &mut Challenger, now: Instant, credentials: &Credentials) -> Request {
        let mut request = register();
        let challenge = challenger.challenge(now, &request, SOURCE, false);
        assert!(authorize(&mut request, &challenge, credentials, "cafe"));
        request
    }

    #[test]
    fn a_client_with_the_secret_is_accepted_once_per_count() {
        let now = Instant::now();
        let mut challenger = challenger(now);
        assert_eq!(challenger.verify(now, &register(), SOURCE, secret), Verdict::Missing);
        let request = authorized(&mut challenger, now, &alice());
        assert!(request.headers.get("Authorization").unwrap().contains("algorithm=SHA-256"));
        assert_eq!(challenger.verify(now, &request, SOURCE, secret), accepted());
        let replay = challenger.verify(now, &request, SOURCE, secret);
        assert_eq!(replay, Verdict::Stale { username: "alice".to_owned() });
    }

    #[test]
    fn every_algorithm_is_understood_by_both_sides() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512Trunc256] {
            let now = Instant::now();
            let mut challenger = challenger(now).with_algorithms(&[algorithm]);
            let request = authorized(&mut challenger, now, &alice());
            assert_eq!(challenger.verify(now, &request, SOURCE, secret), accepted());
        }
    }

    #[test]
    fn stored_hashes_serve_in_place_of_the_password() {
        let now = Instant::now();
        let mut challenger = challenger(now);
        let sha256 = Algorithm::Sha256.ha1("alice", "a \"realm\"", "open sesame");
        let request = authorized(&mut challenger, now, &alice());
        let stored = |_: &str| Some(Secret::Ha1 { md5: None, sha256: Some(sha256) });
        assert_eq!(challenger.verify(now, &request, SOURCE, stored), accepted());
        let other = |_: &str| Some(Secret::Ha1 { md5: None, sha256: None });
        let request = authorized(&mut challenger, now, &alice());
        assert!(matches!(challenger.verify(now, &request, SOURCE, other), Verdict::Refused { .. }));
    }

    #[test]
    fn wrong_passwords_and_unknown_users_are_refused() {
        let now = Instant::now();
        let mut challenger = challenger(now);
        for credentials in [Credentials::new("alice", "guess"), Credentials::new("bob", "open sesame")] {
            let request = authorized(&mut challenger, now, &credentials);
            assert_eq!(challenger.verify(now, &request, SOURCE, secret), Verdict::Refused { username: credentials.username });
        }
    }

    #[test]
    fn nonces_are_bound_to_time_source_and_key() {
        let now = Instant::now();
        let mut challenger = challenger(now);
        let stale = Verdict::Stale { username: "alice".to_owned() };
        let request = authorized(&mut challenger, now, &alice());
        let late = now + NONCE_LIFETIME + Duration::from_secs(2);
        assert_eq!(challenger.verify(late, &request, SOURCE, secret), stale);
        assert_eq!(challenger.verify(now, &request, "192.0.2.2".parse().unwrap(), secret), stale);
        let mut other = Challenger::new("a \"realm\"", [8; 32], now);
        assert_eq!(other.verify(now, &request, SOURCE, secret), stale);
        assert_eq!(challenger.verify(now, &request, SOURCE, secret), accepted());
        assert!(is_stale(&challenger.challenge(now, &request, SOURCE, true)));
        assert!(!is_stale(&challenger.challenge(now, &request, SOURCE, false)));
    }

    #[test]
    fn a_higher_count_is_accepted_and_the_window_slides() {
        let mut uses = Uses { highest: 1, seen: 1 };
        assert!(uses.note(3) && uses.note(2) && !uses.note(3) && !uses.note(2) && !uses.note(1));
        assert!(uses.note(200) && !uses.note(100) && uses.note(199));
    }

    #[test]
    fn credentials_without_qop_are_good_once() {
        let now = Instant::now();
        let mut challenger = challenger(now);
        let mut request = register();
        let mut challenge = challenger.challenge(now, &request, SOURCE, false);
        let old_style = challenge.headers.get("WWW-Authenticate").unwrap().replace(", qop=\"auth\"", "");
        challenge.headers.set("WWW-Authenticate", &old_style);
        assert!(authorize(&mut request, &challenge, &alice(), "cafe"));
        assert!(!request.headers.get("Authorization").unwrap().contains("qop"));
        assert_eq!(challenger.verify(now, &request, SOURCE, secret), accepted());
        assert!(matches!(challenger.verify(now, &request, SOURCE, secret), Verdict::Stale { .. }));
    }

    #[test]
    fn memory_of_used_nonces_is_limited_and_forgotten_ones_are_stale() {
        let now = Instant::now();
        let mut challenger = challenger(now).with_algorithms(&[Algorithm::Md5]);
        let first = authorized(&mut challenger, now, &alice());
        assert_eq!(challenger.verify(now, &first, SOURCE, secret), accepted());
        for number in 0..NONCE_COUNT_MAX as u64 {
            assert!(challenger.note_use(1_000_000 + number, 1));
        }
        assert_eq!(challenger.uses.len(), NONCE_COUNT_MAX);
        assert!(matches!(challenger.verify(now, &first, SOURCE, secret), Verdict::Stale { .. }));
    }

    #[test]
    fn credentials_for_something_else_are_malformed() {
        let now = Instant::now();
        let mut challenger = challenger(now);
        let request = authorized(&mut challenger, now, &alice());
        let credentials = request.headers.get("Authorization").unwrap();
        let edits = [
            ("sip:example.com", "sip:example.org"),
            ("nc=00000001", "nc=1"),
            ("qop=auth", "qop=auth-int"),
            ("SHA-256", "MD5-sess"),
            ("response", "x"),
        ];
        for (from, to) in edits {
            let mut edited = register();
            edited.headers.push("Authorization", &credentials.replacen(from, to, 1));
            assert!(matches!(challenger.verify(now, &edited, SOURCE, secret), Verdict::Malformed(_)), "{to}");
        }
    }

    #[test]
    fn only_the_right_statuses_are_answered() {
        let now = Instant::now();
        let mut challenger = challenger(now);
        let mut request = register();
        let mut challenge = challenger.challenge(now, &request, SOURCE, false);
        challenge.status = 403;
        assert!(!authorize(&mut request, &challenge, &alice(), "cafe"));
        challenge.status = 407;
        assert!(!authorize(&mut request, &challenge, &alice(), "cafe"));
        let value = challenge.headers.get("WWW-Authenticate").unwrap().to_owned();
        challenge.headers.push("Proxy-Authenticate", "Basic realm=\"x\"");
        challenge.headers.push("Proxy-Authenticate", &value);
        assert!(authorize(&mut request, &challenge, &alice(), "cafe"));
        assert!(request.headers.contains("Proxy-Authorization"));
        assert_eq!(challenger.verify(now, &request, SOURCE, secret), accepted());
    }
}
