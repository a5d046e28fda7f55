//! What Microsoft asks of a border controller: whom a call is for, and what is wrong with it.

use super::{Shared, lock};
use dreiklang_sip::{
    message::{Headers, Request},
    transport::PeerCertificate,
};

/// A transfer that was asked for: the new call has to look like this.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub uri: String,
    pub referred_by: String,
}

/// A refusal: status, phrase and its Reason header.
pub(super) struct Refusal {
    pub status: u16,
    pub phrase: &'static str,
    pub reason: &'static str,
}

const UNKNOWN_TRUNK: Refusal = Refusal {
    status: 403,
    phrase: "Forbidden",
    reason: "Q.850;cause=63;text=\"Trunk not found; Record-Route and Contact headers are missing or name no trunk\"",
};
const NOT_FOUND: Refusal = Refusal { status: 404, phrase: "Not Found", reason: "Q.850;cause=1;text=\"no user has this number\"" };
const NO_REPLACES: Refusal = Refusal { status: 403, phrase: "Forbidden", reason: "Q.850;cause=63;text=\"Replaces is not supported\"" };
const NO_OFFER: Refusal = Refusal { status: 488, phrase: "Not Acceptable Here", reason: "Q.850;cause=88;text=\"an offer is needed\"" };
const BAD_TRANSFER: Refusal = Refusal { status: 400, phrase: "Bad Request", reason: "Q.850;cause=127;text=\"altered transfer\"" };

impl Shared {
    /// Whether this comes from the border controller we know, by its name and its certificate.
    pub(super) fn knows(&self, headers: &Headers, certificate: Option<&PeerCertificate>) -> bool {
        let is_named = headers.contact().is_some_and(|contact| contact.uri.host.as_str().eq_ignore_ascii_case(&self.gateway.fqdn));
        is_named && certificate.is_some_and(|certificate| certificate.is_for(&self.gateway.fqdn))
    }

    /// Whom a new call is for.
    pub(super) fn called(&self, request: &Request, certificate: Option<&PeerCertificate>, offers: bool) -> Result<usize, Refusal> {
        if !self.knows(&request.headers, certificate) {
            return Err(UNKNOWN_TRUNK);
        }
        if request.headers.contains("Replaces") {
            return Err(NO_REPLACES);
        }
        if !offers {
            return Err(NO_OFFER);
        }
        self.check_caller(&request.headers);
        let uri = &request.uri;
        if let Some(id) = uri.params.get("x-m") {
            self.check_transfer(request)?;
            let id = id.rsplit(':').next().unwrap_or_default();
            return self.people.iter().position(|person| person.profile().object_id == id).ok_or(NOT_FOUND);
        }
        let user = uri.user.as_deref().unwrap_or_default();
        if user.starts_with('+') {
            if uri.params.get("user") != Some("phone") {
                self.violation(format!("a number without user=phone: {uri}"));
            }
            return self.people.iter().position(|person| person.profile().number == user).ok_or(NOT_FOUND);
        }
        let name = format!("{user}@{}", uri.host);
        let person = self.people.iter().position(|person| person.profile().sign_in == name).ok_or(NOT_FOUND)?;
        Ok(if uri.params.get("opaque") == Some("app:voicemail") { self.voicemail } else { person })
    }

    /// Who calls is a public number or nobody.
    fn check_caller(&self, headers: &Headers) {
        let Ok(from) = headers.from() else { return self.violation("no From") };
        let user = from.uri.user.as_deref().unwrap_or_default();
        let anonymous = from.uri.host.as_str() == "anonymous.invalid";
        let named = user.starts_with('+') && from.uri.host.as_str() == self.gateway.fqdn;
        if anonymous && headers.get("Privacy") != Some("id") {
            self.violation("an anonymous caller without Privacy: id");
        }
        if !anonymous && !named {
            self.violation(format!("From is neither a number at the trunk's name nor anonymous: {}", from.uri));
        }
    }

    /// A transfer comes back with every word as it was.
    fn check_transfer(&self, request: &Request) -> Result<(), Refusal> {
        let uri = request.uri.to_string();
        let referred_by = request.headers.get("Referred-By").unwrap_or_default();
        let mut expected = lock(&self.expected);
        let found = expected.iter().position(|expected| expected.uri == uri && expected.referred_by == referred_by);
        match found {
            Some(at) => {
                expected.swap_remove(at);
                Ok(())
            }
            None => {
                self.violation(format!("a transfer came back altered: {uri}, Referred-By {referred_by}"));
                Err(BAD_TRANSFER)
            }
        }
    }

    /// Checks a request within a call: by the route we gave, to the address we gave.
    pub(super) fn check_within(&self, request: &Request, record_route: &str, contact: &str) {
        let method = &request.method;
        if request.headers.get("Route") != Some(record_route) {
            let route = request.headers.get("Route").unwrap_or("none");
            self.violation(format!("{method} with the route {route} and not {record_route}"));
        }
        let uri = format!("<{}>", request.uri);
        if uri != contact {
            self.violation(format!("{method} to {uri} and not {contact}"));
        }
        self.check_contact(&request.headers, method.as_str());
    }

    /// Where there is a Contact it names the trunk.
    pub(super) fn check_contact(&self, headers: &Headers, of: &str) {
        if let Some(contact) = headers.contact()
            && !contact.uri.host.as_str().eq_ignore_ascii_case(&self.gateway.fqdn)
        {
            self.violation(format!("{of} with the Contact {} that does not name the trunk", contact.uri));
        }
    }
}
