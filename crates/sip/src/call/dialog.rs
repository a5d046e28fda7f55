//! One dialog: who talks to whom with which numbers, and the way there (RFC 3261 §12).
//!
//! A dialog is found by Call-ID and tags alone, because peers open new connections at will. It builds the requests that
//! are sent within it; sending them is the call's business.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::hop::{Hop, Transport};
use crate::message::{Headers, Method, NameAddr, Request, Response, Uri};

/// The tag that stands for a call in its dialogs, as text.
pub(crate) fn tag_text(tag: u64) -> String {
    format!("{tag:016x}")
}

/// Reads a tag of ours; `None` when it cannot be one.
pub(crate) fn parse_tag(text: &str) -> Option<u64> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 16 || !text.bytes().all(lower) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

/// The state both ends share, seen from ours.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// From of our requests, with our tag.
    pub(crate) local: String,
    /// To of our requests, with the peer's tag.
    pub(crate) remote: String,
    /// The peer's tag; empty for a peer of RFC 2543.
    pub(crate) remote_tag: String,
    /// The number of our last request.
    pub(crate) local_seq: u32,
    /// The number of the peer's last request.
    pub(crate) remote_seq: Option<u32>,
    /// Route values of our requests, the next hop first; fixed when the dialog is made.
    pub(crate) routes: Vec<String>,
    /// The peer's Contact.
    pub(crate) target: Uri,
    /// The way the dialog came into being.
    pub(crate) hop: Hop,
    /// Where the first route leads when it is a name: its address, and the name its certificate must carry.
    pub(crate) route: Option<(SocketAddr, Arc<str>)>,
}

impl Dialog {
    /// The dialog of a request we received (RFC 3261 §12.1.1). `None` without a usable Contact.
    pub(crate) fn from_request(request: &Request, local_tag: u64, hop: Hop) -> Option<Dialog> {
        let headers = &request.headers;
        let routes: Vec<String> = headers.values("Record-Route").map(str::to_owned).collect();
        // Until its name is looked up: the peer's own machine, at the port that takes calls. The port a stream came from does not.
        let route = first_name(&routes, hop.transport)
            .filter(|_| hop.transport.is_reliable())
            .map(|(host, port)| (SocketAddr::new(hop.remote.ip(), port), host));
        Some(Dialog {
            call_id: headers.call_id().ok()?.to_owned(),
            local: format!("{};tag={}", headers.get("To")?, tag_text(local_tag)),
            remote: headers.get("From")?.to_owned(),
            remote_tag: headers.from_tag().unwrap_or_default().to_owned(),
            local_seq: 0,
            remote_seq: headers.cseq_number(),
            routes,
            target: headers.contact()?.uri,
            hop,
            route,
        })
    }

    /// The dialog of a response to our INVITE (RFC 3261 §12.1.2). Without Contact the request's target stays.
    pub(crate) fn from_response(response: &Response, fallback: &Uri, hop: Hop) -> Option<Dialog> {
        let headers = &response.headers;
        let mut routes: Vec<String> = headers.values("Record-Route").map(str::to_owned).collect();
        routes.reverse();
        Some(Dialog {
            call_id: headers.call_id().ok()?.to_owned(),
            local: headers.get("From")?.to_owned(),
            remote: headers.get("To")?.to_owned(),
            remote_tag: headers.to_tag().unwrap_or_default().to_owned(),
            local_seq: headers.cseq_number()?,
            remote_seq: None,
            routes,
            target: headers.contact().map_or_else(|| fallback.clone(), |contact| contact.uri),
            hop,
            route: None,
        })
    }

    /// Whether a request of the peer, already found by our tag, is part of this dialog.
    pub(crate) fn matches(&self, headers: &Headers) -> bool {
        headers.call_id().is_ok_and(|call_id| call_id == self.call_id) && headers.from_tag().unwrap_or_default() == self.remote_tag
    }

    /// Notes the number of a request of the peer. `false` when it is out of order (RFC 3261 §12.2.2).
    pub(crate) fn accept_seq(&mut self, number: u32) -> bool {
        if self.remote_seq.is_some_and(|last| number <= last) {
            return false;
        }
        self.remote_seq = Some(number);
        true
    }

    /// Takes over the Contact of a target refresh (re-INVITE, UPDATE and their 2xx).
    pub(crate) fn refresh_target(&mut self, headers: &Headers) {
        if let Some(contact) = headers.contact() {
            self.target = contact.uri;
        }
    }

    /// A new request (without Via and Contact), with the next number.
    pub(crate) fn request(&mut self, method: Method) -> Request {
        self.local_seq = self.local_seq.saturating_add(1);
        self.build(method, self.local_seq)
    }

    /// The ACK for a 2xx to our INVITE with this number (RFC 3261 §13.2.2.4).
    pub(crate) fn ack(&self, number: u32) -> Request {
        self.build(Method::Ack, number)
    }

    fn build(&self, method: Method, number: u32) -> Request {
        let mut headers = Headers::with_capacity(768, 16);
        let mut uri = self.target.clone();
        uri.headers = None;
        let mut routes = self.routes.as_slice();
        // A first route without `lr` is a strict router of RFC 2543 (RFC 3261 §12.2.1.1).
        let strict = routes
            .first()
            .and_then(|first| NameAddr::parse(first).ok())
            .map(|first| first.uri)
            .filter(|first| !first.params.contains("lr"));
        let last = strict.as_ref().map(|_| format!("<{uri}>"));
        if let Some(strict) = strict {
            uri = strict;
            routes = &routes[1..];
        }
        for route in routes.iter().map(String::as_str).chain(last.as_deref()) {
            headers.push("Route", route);
        }
        headers.push("Max-Forwards", "70");
        headers.push("From", &self.local);
        headers.push("To", &self.remote);
        headers.push("Call-ID", &self.call_id);
        headers.push("CSeq", &format!("{number} {method}"));
        Request { method, uri, headers, body: Vec::new() }
    }

    /// The name and port of the first route, when somebody has to look it up.
    pub(crate) fn route_name(&self) -> Option<(Arc<str>, u16)> {
        first_name(&self.routes, self.hop.transport)
    }

    /// The first route's name was looked up.
    pub(crate) fn set_route(&mut self, address: SocketAddr) {
        self.route = self.route_name().map(|(name, _)| (address, name));
    }

    /// Where our requests go.
    ///
    /// The first route, else the target. Names cannot be resolved here, and an address in a Contact that the peer does
    /// not send from is behind a NAT: then the way the dialog came is the only one that works.
    pub(crate) fn next_hop(&self) -> Hop {
        let route = self.routes.first().and_then(|first| NameAddr::parse(first).ok()).map(|first| first.uri);
        let is_route = route.is_some();
        let uri = route.as_ref().unwrap_or(&self.target);
        let transport = match uri.params.get("transport").map(Transport::parse) {
            Some(Some(transport)) => transport,
            // A transport that we do not speak, such as WebSocket: only the way back is left.
            Some(None) => return self.hop.clone(),
            None => self.hop.transport,
        };
        let Some(remote) = uri.socket_addr(transport.default_port()) else {
            let Some((remote, name)) = self.route.clone().filter(|_| is_route && transport.is_reliable()) else {
                return self.hop.clone();
            };
            let connection = self.hop.connection.filter(|_| transport == self.hop.transport);
            return Hop { transport, remote, connection, server_name: Some(name) };
        };
        let same_ip = plain(remote.ip()) == plain(self.hop.remote.ip());
        if !same_ip && !is_route {
            return self.hop.clone();
        }
        let keep = same_ip && transport == self.hop.transport;
        Hop {
            transport,
            remote,
            // A connection that is open is used again, whichever port the peer would accept new ones on.
            connection: self.hop.connection.filter(|_| keep),
            server_name: self.hop.server_name.clone().filter(|_| keep),
        }
    }
}

/// Name and port of the first route, when it is a name and not an address.
fn first_name(routes: &[String], transport: Transport) -> Option<(Arc<str>, u16)> {
    let uri = routes.first().and_then(|first| NameAddr::parse(first).ok())?.uri;
    let transport = uri.params.get("transport").and_then(Transport::parse).unwrap_or(transport);
    uri.host.ip().is_none().then(|| (Arc::from(uri.host.as_str()), uri.port.unwrap_or(transport.default_port())))
}

/// The IPv4 address inside an IPv4-mapped IPv6 address.
fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hop::ConnectionId;

    fn dialog(target: &str, routes: &[&str], hop: Hop) -> Dialog {
        Dialog {
            call_id: "c".into(),
            local: "<sip:a@x>;tag=1".into(),
            remote: "<sip:b@y>;tag=2".into(),
            remote_tag: "2".into(),
            local_seq: 1,
            remote_seq: None,
            routes: routes.iter().map(|route| (*route).to_owned()).collect(),
            target: Uri::parse(target).unwrap(),
            hop,
            route: None,
        }
    }

    fn udp(remote: &str) -> Hop {
        Hop::udp(remote.parse().unwrap())
    }

    #[test]
    fn a_loose_route_keeps_the_target_as_request_uri() {
        let mut dialog = dialog("sip:b@10.0.0.9:5070", &["<sip:p1;lr>", "<sip:p2;lr>"], udp("10.0.0.1:5060"));
        let request = dialog.request(Method::Bye);
        assert_eq!(request.uri.to_string(), "sip:b@10.0.0.9:5070");
        assert_eq!(request.headers.all("Route").collect::<Vec<_>>(), ["<sip:p1;lr>", "<sip:p2;lr>"]);
        assert_eq!(request.headers.get("CSeq"), Some("2 BYE"));
    }

    #[test]
    fn a_strict_route_becomes_the_request_uri_and_the_target_the_last_route() {
        let mut dialog = dialog("sip:b@10.0.0.9", &["<sip:p1>", "<sip:p2;lr>"], udp("10.0.0.1:5060"));
        let request = dialog.request(Method::Bye);
        assert_eq!(request.uri.to_string(), "sip:p1");
        assert_eq!(request.headers.all("Route").collect::<Vec<_>>(), ["<sip:p2;lr>", "<sip:b@10.0.0.9>"]);
    }

    #[test]
    fn a_contact_behind_a_nat_is_reached_by_the_way_the_dialog_came() {
        let hop = udp("203.0.113.5:41000");
        assert_eq!(dialog("sip:b@192.168.1.5:5060", &[], hop.clone()).next_hop(), hop);
        assert_eq!(dialog("sip:b@phone.example.com", &[], hop.clone()).next_hop(), hop);
        assert_eq!(dialog("sip:b@203.0.113.5:5070", &[], hop).next_hop(), udp("203.0.113.5:5070"));
    }

    #[test]
    fn a_route_with_an_address_is_followed_to_another_machine() {
        let dialog = dialog("sip:b@192.168.1.5", &["<sip:198.51.100.7:5080;lr>"], udp("203.0.113.5:5060"));
        assert_eq!(dialog.next_hop(), udp("198.51.100.7:5080"));
    }

    #[test]
    fn an_open_connection_is_used_again_and_its_contact_is_kept_for_dialing() {
        let mut hop = Hop::tcp("203.0.113.5:49152".parse().unwrap());
        hop.connection = Some(ConnectionId(7));
        let next = dialog("sip:b@203.0.113.5:5060;transport=tcp", &[], hop).next_hop();
        assert_eq!(next.connection, Some(ConnectionId(7)));
        assert_eq!(next.remote, "203.0.113.5:5060".parse().unwrap());
    }

    #[test]
    fn a_route_with_a_name_is_dialed_where_calls_are_taken_once_the_connection_is_gone() {
        let mut invite = Request::new(Method::Invite, Uri::parse("sip:+4930@sbc.example.com").unwrap());
        for (name, value) in [
            ("From", "<sip:a@x>;tag=2"),
            ("To", "<sip:b@y>"),
            ("Call-ID", "c"),
            ("CSeq", "1 INVITE"),
            ("Record-Route", "<sip:sip-du-a-eu.example.com:5071;transport=tls;lr>"),
            ("Contact", "<sip:api-du.example.com:443;x-i=1>"),
        ] {
            invite.headers.push(name, value);
        }
        let hop = Hop { connection: Some(ConnectionId(7)), ..Hop::tls("203.0.113.5:49152".parse().unwrap(), "x") };
        let mut dialog = Dialog::from_request(&invite, 1, hop).unwrap();
        let next = dialog.next_hop();
        assert_eq!(next.connection, Some(ConnectionId(7)), "an open connection serves");
        assert_eq!((next.remote.to_string().as_str(), next.server_name.as_deref()), ("203.0.113.5:5071", Some("sip-du-a-eu.example.com")));
        assert_eq!(dialog.route_name(), Some((Arc::from("sip-du-a-eu.example.com"), 5071)));
        dialog.set_route("198.51.100.9:5071".parse().unwrap());
        assert_eq!(dialog.next_hop().remote.to_string(), "198.51.100.9:5071");
        assert_eq!(dialog.request(Method::Bye).uri.to_string(), "sip:api-du.example.com:443;x-i=1");
    }

    #[test]
    fn numbers_may_jump_but_not_repeat_or_fall() {
        let mut dialog = dialog("sip:b@y", &[], udp("10.0.0.1:5060"));
        assert!(dialog.accept_seq(5));
        assert!(dialog.accept_seq(900));
        assert!(!dialog.accept_seq(900));
        assert!(!dialog.accept_seq(6));
    }
}
