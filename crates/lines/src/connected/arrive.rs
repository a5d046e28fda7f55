//! How legs begin that somebody else starts: who calls, for which tenant, and what was dialed.
//!
//! Decides admission by source. A call from nobody we know is not answered at all over datagrams (so that scanners learn
//! nothing) and refused over streams. A call in a signed-in telephone's name has to prove it by digest.

use super::{
    driver::Driver,
    leg::Leg,
    limits,
    settings::{MediaEncryption, Trunk},
    teams::Teams,
};
use dreiklang_core::{
    Input,
    endpoint::{Line, Party},
    ids::{LegId, TenantId},
};
use dreiklang_sip::{
    event::{CallId, RequestId},
    hop::{Hop, Transport},
    message::{NameAddr, Request, Response, Scheme, Uri},
};
use std::time::Instant;

/// What is known of a call that is taken.
struct Admitted {
    tenant: TenantId,
    /// The network's word on the caller's identity is believed.
    trusted: bool,
    encryption: MediaEncryption,
    teams: Option<Teams>,
}

impl Driver {
    /// A new call. Whatever happens here, the endpoint will report its end.
    pub(super) fn arrive(&mut self, now: Instant, call: CallId, hop: &Hop, request: &Request, sdp: Option<Vec<u8>>) {
        let dialed = dialed_of(&request.uri);
        let Some(Admitted { tenant, trusted, encryption, teams }) = self.admit(now, call, hop, request, &dialed) else { return };
        if let Some(teams) = &teams {
            // Numbers and names are as they were dialed.
            self.endpoint.set_contact(call, &teams.contact(request.uri.user.as_deref()));
            self.find_route(call);
            if let Some(replaces) = request.headers.get("Replaces") {
                return self.replace(now, call, tenant, teams, replaces, sdp.as_deref());
            }
        }
        if self.stopping {
            self.endpoint.reject(now, call, 503, "Service Unavailable", vec![("Retry-After".to_owned(), "30".to_owned())]);
            return;
        }
        // Every caller may need an agent's leg too. Taking more callers than half of what fits would let offers fail later, and
        // a failed offer costs an agent's readiness.
        let limit = limits::LEGS.min(self.config.media_pairs()) / 2;
        if self.legs.inbound() >= limit {
            tracing::warn!(code = "LINE-005", limit, "call refused: as many callers as there is room for");
            self.endpoint.reject(now, call, 503, "Service Unavailable", vec![("Retry-After".to_owned(), "5".to_owned())]);
            return;
        }
        let id = LegId(uuid::Uuid::now_v7().as_u128());
        let mut leg = Leg::new(id, tenant, call);
        leg.inbound = true;
        leg.encryption = encryption.into();
        leg.signalling_encrypted = hop.transport == Transport::Tls;
        leg.offer = sdp;
        leg.teams = teams;
        self.legs.insert(leg);
        tracing::info!(leg = %id, %tenant, source = %hop.remote, "call arrives");
        let caller = caller_of(request, trusted);
        self.tell(tenant, Input::Arrived { leg: id, line: Line::Connected, caller, dialed });
    }

    /// Whose call it is, if it is taken.
    fn admit(&mut self, now: Instant, call: CallId, hop: &Hop, request: &Request, dialed: &str) -> Option<Admitted> {
        let from = request.headers.from().ok().and_then(|from| from.uri.user.clone()).unwrap_or_default();
        if self.phones.is_signed_in_from(&from, hop) {
            let (tenant, phone) = self.directory.phone(&from)?;
            let encryption = phone.media_encryption;
            if let Err(challenge) = self.check_phone(now, hop, request, &from) {
                self.endpoint.reject(now, call, challenge.status, challenge.reason, challenge.headers);
                return None;
            }
            return Some(Admitted { tenant, trusted: false, encryption, teams: None });
        }
        if let Some((tenant, trunk)) = self.trunk_of(hop, &request.uri, dialed) {
            tracing::debug!(%tenant, trunk = trunk.name, "call by trunk");
            let teams = Teams::of(trunk, self.tls_port());
            return Some(Admitted { tenant, trusted: true, encryption: trunk.encryption(), teams });
        }
        tracing::debug!(source = %hop.remote, "call from an unknown source");
        if hop.transport == Transport::Udp {
            self.endpoint.ignore(now, call);
        } else {
            self.endpoint.reject(now, call, 403, "Forbidden", Vec::new());
        }
        None
    }

    /// The trunk that a request comes by.
    fn trunk_of(&self, hop: &Hop, uri: &Uri, dialed: &str) -> Option<(TenantId, &Trunk)> {
        let certificate = self.certificate_of(hop);
        self.directory.trunk_of(hop.remote.ip(), certificate.as_deref(), uri.host.as_str(), dialed)
    }

    /// Whether a request comes by a trunk or from a telephone that is signed in.
    pub(super) fn knows(&self, hop: &Hop, request: &Request) -> bool {
        let from = request.headers.from().ok().and_then(|from| from.uri.user.clone()).unwrap_or_default();
        self.trunk_of(hop, &request.uri, &dialed_of(&request.uri)).is_some() || self.phones.is_signed_in_from(&from, hop)
    }

    /// Somebody asks whether we are there, and what we can do. Who is nobody we know learns no more than by calling.
    pub(super) fn on_options(&mut self, now: Instant, id: RequestId, hop: &Hop, request: &Request) {
        let trunk = self.trunk_of(hop, &request.uri, &dialed_of(&request.uri)).map(|(_, trunk)| Teams::of(trunk, self.tls_port()));
        let known = self.knows(hop, request);
        if !known && hop.transport == Transport::Udp {
            return self.endpoint.ignore_request(now, id);
        }
        let answer = if known {
            let contact = trunk.flatten().map_or_else(|| self.endpoint.contact_for(hop), |teams| teams.contact(None));
            self.endpoint.options_answer(request, &contact)
        } else {
            Response::to_request(request, 403, "Forbidden")
        };
        self.endpoint.respond(now, id, answer);
    }
}

/// The number or name that was dialed: visual separators and parameters are no part of it.
pub(super) fn dialed_of(uri: &Uri) -> String {
    let user = uri.user.as_deref().unwrap_or_default();
    normalized(&unescaped(user.split(';').next().unwrap_or_default()))
}

/// Numbers without their visual separators (RFC 3966 §5.1.1), names as they are.
pub(super) fn normalized(dialed: &str) -> String {
    let digits: String = dialed.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
    let is_number = digits.strip_prefix('+').unwrap_or(&digits).chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '#'));
    let text = if is_number && !digits.is_empty() { digits } else { dialed.to_owned() };
    text.chars().take(limits::DIALED_CHARS).collect()
}

/// Percent escapes resolved (RFC 3261 §19.1.2); what is no text stays as it was.
fn unescaped(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escape {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Who calls: the asserted identity where the source is trusted to assert one (RFC 3325 §9.1), else From; nobody where it is withheld.
fn caller_of(request: &Request, trusted: bool) -> Party {
    let asserted = trusted.then(|| request.headers.values("P-Asserted-Identity").find_map(|value| NameAddr::parse(value).ok())).flatten();
    let withheld = request.headers.values("Privacy").any(|value| value.split(';').any(|token| matches!(token.trim(), "id" | "user")));
    let Some(identity) = asserted.or_else(|| request.headers.from().ok()) else { return Party::default() };
    let anonymous = identity.uri.host.to_string().eq_ignore_ascii_case("anonymous.invalid")
        || identity.uri.user.as_deref().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"));
    if withheld || anonymous {
        return Party::default();
    }
    let number = match identity.uri.scheme {
        Scheme::Tel => Some(normalized(identity.uri.to_string().trim_start_matches("tel:").split(';').next().unwrap_or_default())),
        _ => identity.uri.user.as_ref().map(|_| dialed_of(&identity.uri)),
    };
    let name = identity.display.map(|name| name.chars().take(limits::NAME_CHARS).collect::<String>()).filter(|name| !name.is_empty());
    Party { number, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialed_number_loses_separators_and_parameters() {
        let dialed = |text: &str| dialed_of(&Uri::parse(text).unwrap());
        assert_eq!(dialed("sip:+49-30-(123).45@example.com;user=phone"), "+493012345");
        assert_eq!(dialed("sip:030123;phone-context=+49@example.com"), "030123");
        assert_eq!(dialed("sip:%2B4930@example.com"), "+4930");
        assert_eq!(dialed("sip:anna.meier@example.com"), "anna.meier");
    }
}
