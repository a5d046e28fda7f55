//! Names of headers: the known ones as one byte each, so that lookups compare numbers and not text.

use super::lex::is_token;

macro_rules! known_names {
    ($($variant:ident = $text:literal $(/ $compact:literal)?),* $(,)?) => {
        /// Headers that this crate or its callers look up.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Name { $($variant),* }

        impl Name {
            /// The canonical spelling.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Name::$variant => $text),* }
            }

            /// Finds a name, long or compact, in any case.
            pub(crate) fn lookup(text: &str) -> Option<Name> {
                // One letter: a compact form (RFC 3261 §7.3.3 and the IANA registry).
                if let [letter] = text.as_bytes() {
                    let letter = letter.to_ascii_lowercase();
                    $($(if letter == $compact { return Some(Name::$variant); })?)*
                    return None;
                }
                const TABLE: &[(&str, Name)] = &[$(($text, Name::$variant)),*];
                let first = text.as_bytes().first()?.to_ascii_lowercase();
                TABLE
                    .iter()
                    .find(|(known, _)| {
                        known.len() == text.len() && known.as_bytes()[0].to_ascii_lowercase() == first && known.eq_ignore_ascii_case(text)
                    })
                    .map(|(_, name)| *name)
            }
        }
    };
}

// The most frequent first: the table is searched in order.
known_names! {
    Via = "Via" / b'v',
    From = "From" / b'f',
    To = "To" / b't',
    CallId = "Call-ID" / b'i',
    CSeq = "CSeq",
    Contact = "Contact" / b'm',
    MaxForwards = "Max-Forwards",
    ContentLength = "Content-Length" / b'l',
    ContentType = "Content-Type" / b'c',
    Allow = "Allow",
    Supported = "Supported" / b'k',
    UserAgent = "User-Agent",
    Server = "Server",
    Route = "Route",
    RecordRoute = "Record-Route",
    SessionExpires = "Session-Expires" / b'x',
    MinSe = "Min-SE",
    Require = "Require",
    Expires = "Expires",
    Accept = "Accept",
    Authorization = "Authorization",
    ProxyAuthorization = "Proxy-Authorization",
    WwwAuthenticate = "WWW-Authenticate",
    ProxyAuthenticate = "Proxy-Authenticate",
    AuthenticationInfo = "Authentication-Info",
    ReferTo = "Refer-To" / b'r',
    ReferredBy = "Referred-By" / b'b',
    Replaces = "Replaces",
    ReferSub = "Refer-Sub",
    Event = "Event" / b'o',
    SubscriptionState = "Subscription-State",
    AllowEvents = "Allow-Events" / b'u',
    Reason = "Reason",
    RetryAfter = "Retry-After",
    Warning = "Warning",
    Unsupported = "Unsupported",
    MinExpires = "Min-Expires",
    ProxyRequire = "Proxy-Require",
    Timestamp = "Timestamp",
    Date = "Date",
    Subject = "Subject" / b's',
    Organization = "Organization",
    ContentEncoding = "Content-Encoding" / b'e',
    ContentDisposition = "Content-Disposition",
    PAssertedIdentity = "P-Asserted-Identity",
    PPreferredIdentity = "P-Preferred-Identity",
    RemotePartyId = "Remote-Party-ID",
    Privacy = "Privacy",
    Diversion = "Diversion",
    HistoryInfo = "History-Info",
    UserToUser = "User-to-User",
    RSeq = "RSeq",
    RAck = "RAck",
    Path = "Path",
    Identity = "Identity" / b'y',
    AcceptContact = "Accept-Contact" / b'a',
    RejectContact = "Reject-Contact" / b'j',
    RequestDisposition = "Request-Disposition" / b'd',
    SessionId = "Session-ID",
    AlertInfo = "Alert-Info",
    CallInfo = "Call-Info",
    ErrorInfo = "Error-Info",
    InReplyTo = "In-Reply-To",
    Priority = "Priority",
    ReplyTo = "Reply-To",
    MimeVersion = "MIME-Version",
}

impl Name {
    /// Whether commas in the value are text and do not separate entries.
    pub(crate) fn is_single(self) -> bool {
        matches!(
            self,
            Name::From
                | Name::To
                | Name::CallId
                | Name::CSeq
                | Name::MaxForwards
                | Name::ContentLength
                | Name::ContentType
                | Name::ContentDisposition
                | Name::UserAgent
                | Name::Server
                | Name::Authorization
                | Name::ProxyAuthorization
                | Name::WwwAuthenticate
                | Name::ProxyAuthenticate
                | Name::AuthenticationInfo
                | Name::ReferTo
                | Name::ReferredBy
                | Name::Replaces
                | Name::Event
                | Name::SubscriptionState
                | Name::RetryAfter
                | Name::Timestamp
                | Name::Date
                | Name::Subject
                | Name::Organization
                | Name::SessionExpires
                | Name::MinSe
                | Name::Expires
                | Name::MinExpires
                | Name::RAck
                | Name::RSeq
                | Name::Priority
                | Name::ReplyTo
                | Name::MimeVersion
        )
    }
}

/// Whether the text can be a header name.
pub(crate) fn is_header_name(text: &str) -> bool {
    is_token(text)
}
