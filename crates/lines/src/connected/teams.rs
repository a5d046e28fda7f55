//! The dialect of Microsoft's Direct Routing: what Teams wants in requests, and what its refusals mean.
//!
//! Decides how numbers, callers and our own name are written for Teams. Source: Microsoft's "Direct Routing - SIP protocol" and
//! "Plan Direct Routing". Left out: media bypass and local media optimization; Teams' audio comes from its media processors.

use super::settings::{Dialect, Trunk};
use dreiklang_core::endpoint::Party;
use dreiklang_sip::{
    hop::Hop,
    message::{Host, NameAddr, Params, Uri},
};

/// What Teams calls the voicemail of a person (in the address of a call that does not ring).
const VOICEMAIL: &str = "app:voicemail";
/// Before a sign-in name: the person's Teams voicemail. A plus sign cannot be part of a sign-in name of Microsoft's.
const VOICEMAIL_PREFIX: &str = "voicemail+";
/// Digits of a public number (E.164 §6.2.1), with country code.
const E164_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A trunk to Teams, as far as its calls have to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Teams {
    /// Name of the trunk.
    pub trunk: String,
    /// The name Teams knows us by.
    pub fqdn: String,
    /// The port Teams reaches us at.
    pub port: u16,
}

impl Teams {
    /// `None` for a trunk of another dialect.
    pub fn of(trunk: &Trunk, port: Option<u16>) -> Option<Teams> {
        let fqdn = trunk.fqdn.clone().filter(|_| trunk.dialect == Dialect::Teams)?;
        Some(Teams { trunk: trunk.name.clone(), fqdn, port: port.unwrap_or(5061) })
    }

    /// Our Contact: Teams finds the tenant by its host, and refuses addresses.
    pub fn contact(&self, user: Option<&str>) -> String {
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        format!("<sip:{user}{}:{};transport=tls>", self.fqdn, self.port)
    }

    /// The caller as Teams shows it: a public number, or nobody. With it come headers that belong to it.
    pub fn from(&self, caller: &Party) -> (NameAddr, Vec<(String, String)>) {
        match caller.number.as_deref().filter(|number| is_e164(number)) {
            Some(number) => {
                let mut uri = Uri::sip(Some(number), self.host(), None);
                uri.params.set("user", Some("phone"));
                (NameAddr { display: caller.name.clone(), uri, params: Params::default() }, Vec::new())
            }
            None => {
                let host = Host::parse("anonymous.invalid").unwrap_or_else(|_| self.host());
                let uri = Uri::sip(Some("anonymous"), host, None);
                let from = NameAddr { display: Some("Anonymous".to_owned()), uri, params: Params::default() };
                (from, vec![("Privacy".to_owned(), "id".to_owned())])
            }
        }
    }

    /// Ourselves, where nobody calls: in health checks.
    pub fn own_address(&self) -> NameAddr {
        NameAddr::new(Uri::sip(None, self.host(), None))
    }

    fn host(&self) -> Host {
        // The interface lets only host names through.
        Host::parse(&self.fqdn).unwrap_or_default()
    }
}

/// The address of a number at one of Teams' proxies.
pub(super) fn number_uri(number: &str, hop: &Hop) -> Result<Uri, String> {
    if !is_e164(number) {
        return Err(format!("Teams takes numbers with + and country code alone, not \"{number}\""));
    }
    let name = hop.server_name.as_deref().map(Host::parse).and_then(Result::ok);
    let mut uri = Uri::sip(Some(number), name.unwrap_or_else(|| Host::from(hop.remote.ip())), Some(hop.remote.port()));
    uri.params.set("user", Some("phone"));
    uri.params.set("transport", Some("tls"));
    Ok(uri)
}

/// The address of a person, or of a person's voicemail.
pub(super) fn person_uri(name: &str) -> Result<Uri, String> {
    let (person, voicemail) = match name.strip_prefix(VOICEMAIL_PREFIX) {
        Some(person) => (person, true),
        None => (name, false),
    };
    let mut uri = Uri::parse(&format!("sip:{person}")).map_err(|error| format!("\"{name}\" is no sign-in name: {error}"))?;
    if voicemail {
        uri.params.set("opaque", Some(VOICEMAIL));
    }
    Ok(uri)
}

/// A number that all the world can dial.
pub(super) fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| E164_DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What Teams' refusal means for whoever looks after the trunk, where its number alone does not say it.
pub(super) fn hint(status: u16) -> Option<&'static str> {
    Some(match status {
        403 => {
            "Teams does not know this trunk or number: is the trunk's fqdn the one of New-CsOnlinePSTNGateway and in our certificate, and is the user enabled for Enterprise Voice?"
        }
        404 => "no Teams user has this number: is it assigned with Set-CsPhoneNumberAssignment, with + and country code?",
        408 => "Teams got no audio in time: are our audio ports open for Microsoft's media processors?",
        420 => "Teams wants something that we do not do",
        488 => "Teams found no common audio: is media_encryption required, and is the trunk without media bypass?",
        503 => "this data centre of Teams is busy or down",
        504 => "Teams could not reach us: is our certificate valid for the trunk's fqdn and complete with its intermediates?",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teams() -> Teams {
        Teams { trunk: "Teams".to_owned(), fqdn: "sbc.contoso.example".to_owned(), port: 5061 }
    }

    fn caller(number: Option<&str>) -> Party {
        Party { number: number.map(str::to_owned), name: Some("Ann".to_owned()) }
    }

    #[test]
    fn a_number_is_dialed_at_the_proxy_that_is_tried() {
        let hop = Hop::tls("192.0.2.1:5061".parse().unwrap(), "sip2.pstnhub.microsoft.com");
        let uri = number_uri("+493012345", &hop).unwrap();
        assert_eq!(uri.to_string(), "sip:+493012345@sip2.pstnhub.microsoft.com:5061;user=phone;transport=tls");
        assert!(number_uri("03012345", &hop).unwrap_err().contains("country code"));
    }

    #[test]
    fn a_caller_is_a_public_number_or_nobody() {
        let (from, extra) = teams().from(&caller(Some("+4930555111")));
        assert_eq!((from.to_string().as_str(), extra.len()), ("\"Ann\" <sip:+4930555111@sbc.contoso.example;user=phone>", 0));
        for number in [None, Some("12"), Some("anna"), Some("030555111")] {
            let (from, extra) = teams().from(&caller(number));
            assert_eq!(from.to_string(), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
            assert_eq!(extra, [("Privacy".to_owned(), "id".to_owned())]);
        }
    }

    #[test]
    fn a_person_is_called_by_sign_in_name_and_the_voicemail_without_ringing() {
        assert_eq!(person_uri("ada@contoso.example").unwrap().to_string(), "sip:ada@contoso.example");
        assert_eq!(person_uri("voicemail+ada@contoso.example").unwrap().to_string(), "sip:ada@contoso.example;opaque=app:voicemail");
    }

    #[test]
    fn our_contact_is_a_name() {
        assert_eq!(teams().contact(Some("+4930")), "<sip:+4930@sbc.contoso.example:5061;transport=tls>");
        assert_eq!(teams().contact(None), "<sip:sbc.contoso.example:5061;transport=tls>");
    }
}
