//! Where deliveries may go: not to this machine, not to its link, unless the operator allows it.
//!
//! Otherwise whoever may set up webhooks could reach services that trust everything on the machine, such as the metadata service of a
//! cloud. Names are looked up by us, checked, and the connection goes to the checked address, so that a name cannot lead elsewhere the
//! second time. Private networks (RFC 1918) are allowed: that is where receivers of a company usually are.

use crate::error::{Code, Problem};
use reqwest::Url;
use std::net::{IpAddr, SocketAddr};

/// Refuses addresses that can be seen to be wrong without looking up names.
///
/// # Errors
/// `HOOK-001`.
pub fn check_text(text: &str, allow_local: bool) -> Result<Url, Problem> {
    let refuse = |why: &str| Err(Problem::new(Code::WebhookAddress, why).field("url"));
    let Ok(url) = Url::parse(text) else { return refuse("This is not an address such as https://crm.example.com/hooks.") };
    match url.scheme() {
        "https" => {}
        "http" if allow_local => {}
        "http" => return refuse("Use https://; otherwise everybody on the way can read the events."),
        _ => return refuse("Use an address that begins with https://."),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("Leave user name and password out; receivers check the signature.");
    }
    let Some(host) = url.host_str() else { return refuse("The address has no host.") };
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_local_name = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    if !allow_local && (is_local_name || literal.is_ok_and(|address| !is_allowed(address))) {
        return refuse("Addresses of this machine and its link cannot be used.");
    }
    Ok(url)
}

/// Whether deliveries may go to this address.
pub fn is_allowed(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            !(v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || first == 0
                // Shared address space (RFC 6598) holds clouds' own services.
                || (first == 100 && (64..128).contains(&second))
                // Reserved (RFC 1112 §4).
                || first >= 240)
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let embedded = match segments {
                // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address.
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
                [0x2002, high, low, ..] => Some((high, low)),
                _ => None,
            };
            let inner = embedded.map(|(high, low)| {
                let [a, b] = high.to_be_bytes();
                let [c, d] = low.to_be_bytes();
                IpAddr::from([a, b, c, d])
            });
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || segments[0] & 0xffc0 == 0xfe80
                || inner.is_some_and(|v4| !is_allowed(v4)))
        }
    }
}

/// Looks the host up and returns an address deliveries may go to.
///
/// # Errors
/// In words for the delivery log.
pub async fn resolve(url: &Url, allow_local: bool) -> Result<SocketAddr, String> {
    let host = url.host_str().ok_or("the address has no host")?;
    let port = url.port_or_known_default().ok_or("the address has no port")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| format!("the name {host} could not be looked up: {error}"))?;
    let mut refused = None;
    for address in found {
        if allow_local || is_allowed(address.ip()) {
            return Ok(address);
        }
        refused = Some(address);
    }
    Err(match refused {
        Some(address) => format!("HOOK-001: {host} leads to {}, which is on this machine or its link", address.ip()),
        None => format!("the name {host} leads nowhere"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_its_link_are_refused() {
        for local in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "::1",
            "::",
            "fe80::1",
            "febf::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert!(!is_allowed(local.parse().unwrap()), "{local}");
        }
        for other in ["8.8.8.8", "10.1.2.3", "192.168.1.1", "2606:4700::1", "fd00::1", "100.63.0.1", "64:ff9b::808:808"] {
            assert!(is_allowed(other.parse().unwrap()), "{other}");
        }
    }

    #[test]
    fn unfit_addresses_are_refused_with_the_reason() {
        for text in [
            "crm.example.com",
            "http://crm.example.com/",
            "ftp://crm.example.com/",
            "https://user:secret@crm.example.com/",
            "https://localhost/",
            "https://a.localhost/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://169.254.169.254/latest",
        ] {
            assert_eq!(check_text(text, false).map(|_| ()).unwrap_err().code(), "HOOK-001", "{text}");
        }
        assert!(check_text("https://crm.example.com/hooks", false).is_ok());
        assert!(check_text("http://127.0.0.1:9000/", true).is_ok(), "for development");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_when_it_is_looked_up() {
        let url = Url::parse("https://localhost:9/").unwrap();
        assert!(resolve(&url, false).await.unwrap_err().contains("HOOK-001"));
        assert!(resolve(&url, true).await.is_ok());
    }
}
