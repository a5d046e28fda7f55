//! The session timer of one call (RFC 4028): whether there is one, who refreshes, and when it is too late.
//!
//! It writes and reads the headers and names two instants. Sending the refresh or the BYE is the call's business.

use std::time::{Duration, Instant};

use crate::config::Config;
use crate::message::{Headers, Method};

/// No session interval may be shorter, in seconds (RFC 4028 §5).
const MIN_SE_FLOOR_S: u32 = 90;

/// A refresh that failed for a passing reason is tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// What the call knows about its session timer.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionTimer {
    running: Option<Running>,
    /// The largest Min-SE that the peer or a proxy told us, in seconds.
    min_se_s: u32,
    peer_supports: bool,
    peer_updates: bool,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    interval: Duration,
    refresher_is_us: bool,
    refresh_at: Option<Instant>,
    expire_at: Instant,
}

impl SessionTimer {
    /// When the call must send a refresh.
    pub(crate) fn refresh_at(&self) -> Option<Instant> {
        self.running.and_then(|running| running.refresh_at)
    }

    /// When the session counts as dead.
    pub(crate) fn expire_at(&self) -> Option<Instant> {
        self.running.map(|running| running.expire_at)
    }

    /// Whether a refresh can be an UPDATE: the peer's Allow says so.
    pub(crate) fn peer_updates(&self) -> bool {
        self.peer_updates
    }

    /// Notes what the peer says about itself in any message.
    pub(crate) fn learn(&mut self, headers: &Headers) {
        if let Some(allow) = headers.allow() {
            self.peer_updates = allow.contains(&Method::Update);
        }
        if headers.has_token("Supported", "timer") || headers.has_token("Require", "timer") {
            self.peer_supports = true;
        }
    }

    /// A 422 arrived: asks for a longer interval from now on. `false` when it names none that is longer.
    pub(crate) fn raise(&mut self, config: &Config, response: &Headers) -> bool {
        let asked = self.wanted_s(config);
        match response.min_se_s() {
            Some(min_se_s) if asked.is_some_and(|asked| min_se_s > asked) => {
                self.min_se_s = self.min_se_s.max(min_se_s);
                true
            }
            _ => false,
        }
    }

    fn wanted_s(&self, config: &Config) -> Option<u32> {
        let wanted = self.running.map(|running| running.interval).or(config.session_expires)?;
        Some(seconds(wanted).max(self.min_se_s).max(MIN_SE_FLOOR_S))
    }

    /// Adds the headers of a request that may refresh the session: INVITE and UPDATE.
    pub(crate) fn describe_request(&self, config: &Config, headers: &mut Headers) {
        if config.session_expires.is_none() {
            return;
        }
        let Some(wanted) = self.wanted_s(config) else { return };
        let refresher = match self.running {
            Some(running) if running.refresher_is_us => ";refresher=uac",
            Some(_) if self.peer_supports => ";refresher=uas",
            _ => "",
        };
        headers.push("Session-Expires", &format!("{wanted}{refresher}"));
        headers.push("Min-SE", &seconds(config.session_expires_min).max(self.min_se_s).max(MIN_SE_FLOOR_S).to_string());
    }

    /// Checks a request of the peer.
    ///
    /// # Errors
    /// The Min-SE of the 422 that must answer it, in seconds.
    pub(crate) fn check_request(&mut self, config: &Config, headers: &Headers) -> Result<(), u32> {
        self.learn(headers);
        if config.session_expires.is_none() {
            return Ok(());
        }
        if let Some(min_se_s) = headers.min_se_s() {
            self.min_se_s = self.min_se_s.max(min_se_s);
        }
        let floor = seconds(config.session_expires_min).max(MIN_SE_FLOOR_S);
        match headers.session_expires_s() {
            Some((asked, _)) if asked < floor && headers.has_token("Supported", "timer") => Err(floor),
            _ => Ok(()),
        }
    }

    /// Adds the headers of our 2xx to an INVITE or UPDATE and starts the timer accordingly (RFC 4028 §9).
    pub(crate) fn describe_answer(&mut self, now: Instant, config: &Config, request: &Headers, response: &mut Headers) {
        let Some(ours) = config.session_expires else { return };
        let supports = request.has_token("Supported", "timer") || request.has_token("Require", "timer");
        let requested = request.session_expires_s();
        if requested.is_none() && !supports {
            self.running = None;
            return;
        }
        let least = request.min_se_s().unwrap_or(0).max(MIN_SE_FLOOR_S);
        let interval_s = match requested {
            Some((asked, _)) => asked.min(seconds(ours).max(least)),
            None => seconds(ours).max(least),
        };
        let refresher_is_us = !supports || requested.and_then(|(_, refresher)| refresher) == Some("uas");
        response.push("Session-Expires", &format!("{interval_s};refresher={}", if refresher_is_us { "uas" } else { "uac" }));
        if supports {
            response.push("Require", "timer");
        }
        self.start(now, interval_s, refresher_is_us);
    }

    /// Reads a 2xx to our INVITE or UPDATE (RFC 4028 §7.2).
    pub(crate) fn on_success(&mut self, now: Instant, config: &Config, response: &Headers) {
        self.learn(response);
        match response.session_expires_s() {
            Some((interval_s, refresher)) if config.session_expires.is_some() => {
                self.start(now, interval_s.max(MIN_SE_FLOOR_S), refresher != Some("uas"));
            }
            _ => self.running = None,
        }
    }

    fn start(&mut self, now: Instant, interval_s: u32, refresher_is_us: bool) {
        let interval = Duration::from_secs(u64::from(interval_s));
        // The side that waits hangs up a little early, so that its BYE still finds the session (RFC 4028 §10).
        let margin = if refresher_is_us { Duration::ZERO } else { (interval / 3).min(Duration::from_secs(32)) };
        self.running = Some(Running {
            interval,
            refresher_is_us,
            refresh_at: refresher_is_us.then(|| now + interval / 2),
            expire_at: now + interval - margin,
        });
    }

    /// A refresh is under way: the next one only after its outcome.
    pub(crate) fn refreshing(&mut self) {
        if let Some(running) = &mut self.running {
            running.refresh_at = None;
        }
    }

    /// A refresh failed for a passing reason.
    pub(crate) fn retry(&mut self, now: Instant) {
        if let Some(running) = &mut self.running
            && running.refresher_is_us
        {
            running.refresh_at = Some(now + RETRY_AFTER);
        }
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Locals;

    fn config() -> Config {
        Config::new("test", Locals::default())
    }

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in lines {
            headers.push(name, value);
        }
        headers
    }

    /// Our answer to a request, by the rows of RFC 4028 table 2.
    fn answer(request: &[(&str, &str)]) -> (Option<String>, bool, SessionTimer) {
        let mut timer = SessionTimer::default();
        let mut response = Headers::new();
        timer.describe_answer(Instant::now(), &config(), &headers(request), &mut response);
        (response.get("Session-Expires").map(str::to_owned), response.has_token("Require", "timer"), timer)
    }

    #[test]
    fn the_refresher_in_the_answer_follows_table_2() {
        let supported = ("Supported", "timer");
        assert_eq!(answer(&[("Session-Expires", "600")]).0.unwrap(), "600;refresher=uas");
        assert!(!answer(&[("Session-Expires", "600")]).1);
        assert_eq!(answer(&[supported, ("Session-Expires", "600")]).0.unwrap(), "600;refresher=uac");
        assert!(answer(&[supported, ("Session-Expires", "600")]).1);
        assert_eq!(answer(&[supported, ("Session-Expires", "600;refresher=uas")]).0.unwrap(), "600;refresher=uas");
        assert_eq!(answer(&[supported]).0.unwrap(), "1800;refresher=uac");
        assert_eq!(answer(&[]).0, None);
    }

    #[test]
    fn the_answer_lowers_the_interval_but_never_below_the_min_se_of_the_request() {
        assert_eq!(answer(&[("Supported", "timer"), ("Session-Expires", "7200")]).0.unwrap(), "1800;refresher=uac");
        let (value, ..) = answer(&[("Supported", "timer"), ("Session-Expires", "7200"), ("Min-SE", "3600")]);
        assert_eq!(value.unwrap(), "3600;refresher=uac");
    }

    #[test]
    fn the_refresher_refreshes_at_half_time_and_the_other_expires_32_s_early() {
        let now = Instant::now();
        let mut timer = SessionTimer::default();
        timer.on_success(now, &config(), &headers(&[("Session-Expires", "600;refresher=uac")]));
        assert_eq!(timer.refresh_at(), Some(now + Duration::from_secs(300)));
        assert_eq!(timer.expire_at(), Some(now + Duration::from_secs(600)));
        timer.on_success(now, &config(), &headers(&[("Session-Expires", "600;refresher=uas")]));
        assert_eq!(timer.refresh_at(), None);
        assert_eq!(timer.expire_at(), Some(now + Duration::from_secs(568)));
        timer.on_success(now, &config(), &headers(&[("Session-Expires", "90;refresher=uas")]));
        assert_eq!(timer.expire_at(), Some(now + Duration::from_secs(60)));
        timer.on_success(now, &config(), &Headers::new());
        assert_eq!(timer.expire_at(), None);
    }

    #[test]
    fn an_interval_that_is_too_short_is_refused_with_our_minimum() {
        let mut timer = SessionTimer::default();
        let short = headers(&[("Supported", "timer"), ("Session-Expires", "60")]);
        assert_eq!(timer.check_request(&config(), &short), Err(90));
        assert_eq!(timer.check_request(&config(), &headers(&[("Session-Expires", "60")])), Ok(()));
    }

    #[test]
    fn a_422_raises_what_we_ask_for_once() {
        let mut timer = SessionTimer::default();
        assert!(timer.raise(&config(), &headers(&[("Min-SE", "3600")])));
        let mut request = Headers::new();
        timer.describe_request(&config(), &mut request);
        assert_eq!(request.get("Session-Expires"), Some("3600"));
        assert_eq!(request.get("Min-SE"), Some("3600"));
        assert!(!timer.raise(&config(), &headers(&[("Min-SE", "3600")])));
    }
}
