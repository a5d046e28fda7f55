//! Typed views of the headers that SIP itself needs. Mandatory ones give an error that names the header.

use super::cseq::scan_cseq;
use super::header::Headers;
use super::lex::{number, trim};
use super::name::Name;
use super::name_addr::param_of;
use super::via::scan_via;
use super::{CSeq, Method, NameAddr, ParseError, Via};

impl Headers {
    fn mandatory(&self, name: Name) -> Result<&str, ParseError> {
        self.get_known(name).ok_or(ParseError::Missing(name.as_str()))
    }

    /// The topmost Via entry.
    ///
    /// # Errors
    /// When it is missing or malformed.
    pub fn top_via(&self) -> Result<Via, ParseError> {
        let value = self.values_known(Name::Via).next().ok_or(ParseError::Missing("Via"))?;
        Via::parse(value).map_err(|error| error.in_header("Via"))
    }

    /// All Via entries, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, ParseError>> {
        self.values_known(Name::Via).map(|value| Via::parse(value).map_err(|error| error.in_header("Via")))
    }

    /// The branch of the topmost Via, without building it.
    #[must_use]
    pub fn top_branch(&self) -> Option<&str> {
        scan_via(self.values_known(Name::Via).next()?).ok()?.branch()
    }

    /// Replaces the topmost Via entry, leaving those after it in the same line alone.
    pub fn set_top_via(&mut self, via: &Via) {
        let Some(line) = self.get_known(Name::Via) else {
            self.prepend("Via", &via.to_string());
            return;
        };
        let mut entries = super::lex::Commas::new(line);
        entries.next();
        let mut value = via.to_string();
        for entry in entries {
            value.push_str(", ");
            value.push_str(entry);
        }
        self.set_first("Via", &value);
    }

    /// From.
    ///
    /// # Errors
    /// When it is missing or malformed.
    pub fn from(&self) -> Result<NameAddr, ParseError> {
        NameAddr::parse(self.mandatory(Name::From)?).map_err(|error| error.in_header("From"))
    }

    /// To.
    ///
    /// # Errors
    /// When it is missing or malformed.
    pub fn to(&self) -> Result<NameAddr, ParseError> {
        NameAddr::parse(self.mandatory(Name::To)?).map_err(|error| error.in_header("To"))
    }

    /// The tag of From, without building the address.
    #[must_use]
    pub fn from_tag(&self) -> Option<&str> {
        param_of(self.get_known(Name::From)?, "tag").filter(|tag| !tag.is_empty())
    }

    /// The tag of To, without building the address.
    #[must_use]
    pub fn to_tag(&self) -> Option<&str> {
        param_of(self.get_known(Name::To)?, "tag").filter(|tag| !tag.is_empty())
    }

    /// Gives To this tag unless it has one.
    pub fn add_to_tag(&mut self, tag: &str) {
        if self.to_tag().is_none()
            && let Some(to) = self.get_known(Name::To)
        {
            let tagged = format!("{to};tag={tag}");
            self.set_first("To", &tagged);
        }
    }

    /// Call-ID.
    ///
    /// # Errors
    /// When it is missing.
    pub fn call_id(&self) -> Result<&str, ParseError> {
        self.mandatory(Name::CallId)
    }

    /// CSeq.
    ///
    /// # Errors
    /// When it is missing or malformed.
    pub fn cseq(&self) -> Result<CSeq, ParseError> {
        CSeq::parse(self.mandatory(Name::CSeq)?).map_err(|error| error.in_header("CSeq"))
    }

    /// The number in CSeq, without building the method.
    #[must_use]
    pub fn cseq_number(&self) -> Option<u32> {
        scan_cseq(self.get_known(Name::CSeq)?).ok().map(|(number, _)| number)
    }

    /// The first Contact; `None` when there is none, when it is `*`, or when it is malformed.
    #[must_use]
    pub fn contact(&self) -> Option<NameAddr> {
        NameAddr::parse(self.values_known(Name::Contact).next()?).ok()
    }

    /// All Contacts except `*`.
    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr, ParseError>> {
        self.addresses(Name::Contact).filter(|_| !self.is_contact_wildcard())
    }

    /// Whether the only Contact is `*` (RFC 3261 §10.2.2).
    #[must_use]
    pub fn is_contact_wildcard(&self) -> bool {
        let mut values = self.values_known(Name::Contact);
        values.next() == Some("*") && values.next().is_none()
    }

    /// Route entries, the next hop first.
    pub fn routes(&self) -> impl Iterator<Item = Result<NameAddr, ParseError>> {
        self.addresses(Name::Route)
    }

    /// Record-Route entries in the order of the message.
    pub fn record_routes(&self) -> impl Iterator<Item = Result<NameAddr, ParseError>> {
        self.addresses(Name::RecordRoute)
    }

    fn addresses(&self, name: Name) -> impl Iterator<Item = Result<NameAddr, ParseError>> {
        self.values_known(name).map(move |value| NameAddr::parse(value).map_err(|error| error.in_header(name.as_str())))
    }

    /// Max-Forwards; `None` when absent.
    ///
    /// # Errors
    /// When it is not a number up to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, ParseError> {
        self.number(Name::MaxForwards, u64::from(u8::MAX)).map(|value| value.and_then(|value| u8::try_from(value).ok()))
    }

    /// Expires in seconds; an unreadable value counts as absent (RFC 3261 §20.19 leaves it to the default).
    #[must_use]
    pub fn expires_s(&self) -> Option<u32> {
        self.seconds(Name::Expires)
    }

    /// Min-Expires in seconds.
    #[must_use]
    pub fn min_expires_s(&self) -> Option<u32> {
        self.seconds(Name::MinExpires)
    }

    /// Retry-After in seconds, without its comment and parameters.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u32> {
        self.seconds(Name::RetryAfter)
    }

    /// Min-SE in seconds (RFC 4028 §5).
    #[must_use]
    pub fn min_se_s(&self) -> Option<u32> {
        self.seconds(Name::MinSe)
    }

    /// Session-Expires: seconds, and the `refresher` parameter (`uac` or `uas`) when written (RFC 4028 §4).
    #[must_use]
    pub fn session_expires_s(&self) -> Option<(u32, Option<&str>)> {
        let seconds = self.seconds(Name::SessionExpires)?;
        let value = self.get_known(Name::SessionExpires)?;
        let refresher = value.find(';').and_then(|at| super::params::find(&value[at..], "refresher"));
        Some((seconds, refresher))
    }

    /// The media type of the body in lower case without parameters, such as `application/sdp`.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        let value = self.get_known(Name::ContentType)?;
        let media_type = value.split(';').next().unwrap_or(value);
        Some(media_type.chars().filter(|character| !character.is_ascii_whitespace()).collect::<String>().to_ascii_lowercase())
    }

    /// Methods that the peer allows; `None` when it does not say.
    #[must_use]
    pub fn allow(&self) -> Option<Vec<Method>> {
        self.get_known(Name::Allow)?;
        Some(self.values_known(Name::Allow).filter_map(|method| Method::parse(method).ok()).collect())
    }

    fn number(&self, name: Name, max: u64) -> Result<Option<u64>, ParseError> {
        self.get_known(name).map(|value| number(trim(value), max)).transpose().map_err(|error| error.in_header(name.as_str()))
    }

    /// The number at the start of a value; comments and parameters may follow.
    fn seconds(&self, name: Name) -> Option<u32> {
        let value = trim(self.get_known(name)?);
        let digits = value.split(|character: char| !character.is_ascii_digit()).next()?;
        number(digits, u64::from(u32::MAX)).ok().and_then(|value| u32::try_from(value).ok())
    }
}
