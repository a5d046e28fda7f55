//! Requests within a call (RFC 3261 §12): where they go and what is in them.

use dreiklang_sip::message::{BRANCH_COOKIE, Headers, Method, NameAddr, Request, Uri};
use std::net::SocketAddr;

/// What both ends agreed on with the INVITE and its answer.
#[derive(Clone, Debug)]
pub struct Dialog {
    call_id: String,
    /// From of our requests.
    local: String,
    /// To of our requests.
    remote: String,
    target: Uri,
    routes: Vec<String>,
    /// Where our requests go.
    pub destination: SocketAddr,
    /// CSeq of our last request.
    pub cseq: u32,
}

/// Default port of SIP over UDP.
const SIP_PORT: u16 = 5060;

impl Dialog {
    /// The caller's view, from the headers of a 2xx.
    pub fn of_caller(answer: &Headers, invited: &Uri, cseq: u32, peer: SocketAddr) -> Option<Dialog> {
        let (local, remote) = (answer.get("From")?, answer.get("To")?);
        // The list is in the order of the way there: the first entry is nearest to us after turning it around.
        let mut routes = record_routes(answer);
        routes.reverse();
        Some(Dialog::new(answer, local, remote, invited, routes, cseq, peer))
    }

    /// The answerer's view, from the headers of the INVITE; `tag` is the one in our answer.
    pub fn of_answerer(invite: &Headers, tag: &str, own: &Uri, source: SocketAddr) -> Option<Dialog> {
        let local = format!("{};tag={tag}", invite.get("To")?);
        Some(Dialog::new(invite, &local, invite.get("From")?, own, record_routes(invite), 0, source))
    }

    fn new(headers: &Headers, local: &str, remote: &str, fallback: &Uri, routes: Vec<String>, cseq: u32, peer: SocketAddr) -> Dialog {
        let target = headers.contact().map_or_else(|| fallback.clone(), |contact| contact.uri);
        let next_hop = routes.first().and_then(|route| NameAddr::parse(route).ok()).map(|route| route.uri);
        // A name instead of an address means the peer that we know: names are not looked up in a measurement.
        let destination =
            next_hop.as_ref().unwrap_or(&target).socket_addr(SIP_PORT).filter(|address| !address.ip().is_unspecified()).unwrap_or(peer);
        let call_id = headers.get("Call-ID").unwrap_or_default().to_owned();
        Dialog { call_id, local: local.to_owned(), remote: remote.to_owned(), target, routes, destination, cseq }
    }

    /// A request without a body.
    pub fn request(&self, method: Method, cseq: u32, via: SocketAddr, branch: &str) -> Request {
        let mut headers = Headers::with_capacity(512, 9);
        headers.push("Via", &format!("SIP/2.0/UDP {via};branch={BRANCH_COOKIE}{branch};rport"));
        for route in &self.routes {
            headers.push("Route", route);
        }
        headers.push("Max-Forwards", "70");
        headers.push("From", &self.local);
        headers.push("To", &self.remote);
        headers.push("Call-ID", &self.call_id);
        headers.push("CSeq", &format!("{cseq} {method}"));
        Request { method, uri: self.target.clone(), headers, body: Vec::new() }
    }
}

fn record_routes(headers: &Headers) -> Vec<String> {
    headers.record_routes().filter_map(Result::ok).map(|route| route.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: ([u8; 4], u16) = ([192, 0, 2, 1], 5070);

    fn headers(contact: &str, routes: &[&str]) -> Headers {
        let mut headers = Headers::new();
        headers.push("From", "<sip:a@x.example>;tag=1");
        headers.push("To", "<sip:b@y.example>;tag=2");
        headers.push("Call-ID", "c1");
        headers.push("Contact", contact);
        for route in routes {
            headers.push("Record-Route", route);
        }
        headers
    }

    fn invited() -> Uri {
        Uri::parse("sip:b@y.example").unwrap()
    }

    #[test]
    fn requests_go_to_the_contact_and_to_the_peer_when_it_is_a_name() {
        let peer = SocketAddr::from(PEER);
        let direct = Dialog::of_caller(&headers("<sip:b@192.0.2.9:5080>", &[]), &invited(), 1, peer).unwrap();
        assert_eq!(direct.destination, SocketAddr::from(([192, 0, 2, 9], 5080)));
        let named = Dialog::of_caller(&headers("<sip:b@pbx.example>", &[]), &invited(), 1, peer).unwrap();
        assert_eq!(named.destination, peer);
    }

    #[test]
    fn the_route_set_is_turned_around_by_the_caller_only() {
        let routed = headers("<sip:b@192.0.2.9>", &["<sip:192.0.2.3;lr>, <sip:192.0.2.2:5062;lr>"]);
        let peer = SocketAddr::from(PEER);
        let caller = Dialog::of_caller(&routed, &invited(), 1, peer).unwrap();
        assert_eq!(caller.destination, SocketAddr::from(([192, 0, 2, 2], 5062)));
        let answerer = Dialog::of_answerer(&routed, "9", &invited(), peer).unwrap();
        assert_eq!(answerer.destination, SocketAddr::from(([192, 0, 2, 3], 5060)));
        let bye = caller.request(Method::Bye, 2, peer, "b");
        assert_eq!(bye.headers.all("Route").collect::<Vec<_>>(), ["<sip:192.0.2.2:5062;lr>", "<sip:192.0.2.3;lr>"]);
        assert_eq!(bye.uri.to_string(), "sip:b@192.0.2.9");
        assert_eq!(bye.headers.get("CSeq"), Some("2 BYE"));
    }

    #[test]
    fn the_answerers_from_is_the_to_it_was_called_by_with_its_tag() {
        let mut invite = headers("<sip:a@192.0.2.9>", &[]);
        invite.set("To", "<sip:b@y.example>");
        let dialog = Dialog::of_answerer(&invite, "77", &invited(), SocketAddr::from(PEER)).unwrap();
        let bye = dialog.request(Method::Bye, 1, SocketAddr::from(PEER), "b");
        assert_eq!(bye.headers.get("From"), Some("<sip:b@y.example>;tag=77"));
        assert_eq!(bye.headers.get("To"), Some("<sip:a@x.example>;tag=1"));
    }
}
