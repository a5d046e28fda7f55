//! Where services may be: outside, unless the operator allows private networks or this machine.
//!
//! Otherwise whoever draws flows could reach what only trusts its neighbors. The name is looked up by us, the address is checked, and
//! the connection goes to the checked address, so that a name cannot lead elsewhere the second time.

use super::Rules;
use crate::{error::Problem, webhooks::address};
use reqwest::Url;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Reads a service's address as far as it can be judged without looking up names.
///
/// # Errors
/// `API-002` with the remedy.
pub fn check_text(text: &str, rules: Rules) -> Result<Url, Problem> {
    let refuse = |why: &str| Err(Problem::invalid("address", why));
    let Ok(url) = Url::parse(text) else { return refuse("This is not an address such as https://crm.example.com/api.") };
    match url.scheme() {
        "https" => {}
        "http" if rules.allow_private || rules.allow_local => {}
        "http" => return refuse("Use https://; otherwise everybody on the way can read about your customers."),
        _ => return refuse("Use an address that begins with https://."),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("Leave user name and password out; put them into a header.");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("Leave out what follows ? or #; flows say what they send.");
    }
    let Some(host) = url.host_str() else { return refuse("The address has no host.") };
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(literal) => match allowed(literal, url.scheme() == "http", rules) {
            Ok(()) => Ok(url),
            Err(why) => refuse(&format!("{literal} {why}.")),
        },
        Err(_) => Ok(url),
    }
}

/// Whether a service may be asked at this address, or why not.
fn allowed(place: IpAddr, plain: bool, rules: Rules) -> Result<(), &'static str> {
    if !address::is_allowed(place) {
        return if rules.allow_local { Ok(()) } else { Err("is on this machine or its link, which is not allowed here") };
    }
    if is_private(place) {
        // Who allows this machine is developing, where everything is on it.
        return if rules.allow_private { Ok(()) } else { Err("is in a private network, which is not allowed here") };
    }
    if plain { Err("is outside and can only be asked over https://") } else { Ok(()) }
}

/// Networks that are somebody's own (RFC 1918, RFC 4193), also where an address of the new kind holds one of the old.
fn is_private(place: IpAddr) -> bool {
    match place.to_canonical() {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => {
            let [first, ..] = v6.segments();
            first & 0xfe00 == 0xfc00 || embedded(v6).is_some_and(is_private)
        }
    }
}

/// The IPv4 address within one that is translated (RFC 6052, RFC 3056).
fn embedded(v6: Ipv6Addr) -> Option<IpAddr> {
    let (high, low) = match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(IpAddr::from([a, b, c, d]))
}

/// Looks the host up and returns an address that may be asked.
///
/// # Errors
/// In words for the call's trace.
pub async fn resolve(url: &Url, rules: Rules) -> Result<SocketAddr, String> {
    let host = url.host_str().ok_or("the address has no host")?;
    let port = url.port_or_known_default().ok_or("the address has no port")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| format!("the name {host} could not be looked up: {error}"))?;
    let mut refused = format!("the name {host} leads nowhere");
    for place in found {
        match allowed(place.ip(), url.scheme() == "http", rules) {
            Ok(()) => return Ok(place),
            Err(why) => refused = format!("{host} leads to {}, which {why}", place.ip()),
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: Rules = Rules { allow_private: true, allow_local: false };
    const LOCAL: Rules = Rules { allow_private: false, allow_local: true };

    #[test]
    fn private_networks_and_this_machine_are_only_asked_where_that_is_allowed() {
        for (place, private, local) in [
            ("8.8.8.8", false, false),
            ("10.1.2.3", true, false),
            ("172.16.0.1", true, false),
            ("192.168.1.1", true, false),
            ("fd00::1", true, false),
            ("::ffff:10.0.0.1", true, false),
            ("64:ff9b::a00:1", true, false),
            ("2002:c0a8:1::", true, false),
            ("127.0.0.1", false, true),
            ("169.254.169.254", false, true),
            ("::1", false, true),
        ] {
            let address: IpAddr = place.parse().unwrap();
            let outside = !private && !local;
            assert_eq!(allowed(address, false, Rules::default()).is_ok(), outside, "{place}");
            assert_eq!(allowed(address, false, PRIVATE).is_ok(), outside || private, "{place}");
            assert_eq!(allowed(address, false, LOCAL).is_ok(), outside || local, "{place}");
            assert_eq!(allowed(address, true, PRIVATE).is_ok(), private, "{place} without encryption");
        }
    }

    #[test]
    fn unfit_addresses_are_refused_with_the_reason() {
        for text in [
            "crm.example.com",
            "http://crm.example.com/",
            "ftp://crm.example.com/",
            "https://user:secret@crm.example.com/",
            "https://crm.example.com/?key=1",
            "https://crm.example.com/#x",
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://[fd00::1]/",
            "https://2130706433/",
        ] {
            let problem = check_text(text, Rules::default()).map(|_| ()).unwrap_err();
            assert_eq!(problem.offending_field(), Some("address"), "{text}");
        }
        assert!(check_text("https://crm.example.com/api", Rules::default()).is_ok());
        assert!(check_text("http://crm.example.com/api", PRIVATE).is_ok(), "where it leads is looked at when it is asked");
        assert!(check_text("http://8.8.8.8/", PRIVATE).is_err());
        assert!(check_text("http://127.0.0.1:9000/", LOCAL).is_ok(), "for development");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_when_it_is_looked_up() {
        let url = Url::parse("https://localhost:9/").unwrap();
        assert!(resolve(&url, PRIVATE).await.unwrap_err().contains("this machine"));
        assert!(resolve(&url, LOCAL).await.is_ok());
    }
}
