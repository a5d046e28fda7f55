//! Every code this crate gives out. Codes are stable: they are never reused and never change their meaning, and each has a
//! page in `docs/errors`.

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal;)*) => {
        /// A stable code with its HTTP status and its title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as printed, such as `AUTH-001`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status,)* }
            }

            /// A short text, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// No sign-in, or one that has ended.
    NotSignedIn = "AUTH-001", UNAUTHORIZED, "Not signed in";
    /// User name or password is wrong.
    WrongPassword = "AUTH-002", UNAUTHORIZED, "User name or password is wrong";
    /// Too many failed sign-ins.
    TooManyAttempts = "AUTH-003", TOO_MANY_REQUESTS, "Too many failed sign-ins";
    /// Signed in, but without the right to do this.
    NotAllowed = "AUTH-004", FORBIDDEN, "Not allowed";
    /// A page asked without the proof that it is ours.
    CrossSite = "AUTH-005", FORBIDDEN, "The request does not prove that it comes from our own page";
    /// A password that is too short, too long or the user's name.
    WeakPassword = "AUTH-006", UNPROCESSABLE_ENTITY, "The password is not acceptable";
    /// The change would leave nobody who can administer.
    LastAdministrator = "AUTH-007", CONFLICT, "The last administrator cannot go";

    /// The body or the query could not be read.
    Malformed = "API-001", BAD_REQUEST, "The request could not be read";
    /// A value is not acceptable.
    Invalid = "API-002", UNPROCESSABLE_ENTITY, "A value is not acceptable";
    /// The thing asked for is not there.
    NotFound = "API-003", NOT_FOUND, "Not found";
    /// Somebody else changed it meanwhile.
    Changed = "API-004", PRECONDITION_FAILED, "Changed by somebody else meanwhile";
    /// A change without saying which version it builds on.
    VersionMissing = "API-005", PRECONDITION_REQUIRED, "The version to change is missing";
    /// The name is taken.
    NameTaken = "API-006", CONFLICT, "The name is taken";
    /// The body is larger than allowed.
    TooLarge = "API-007", PAYLOAD_TOO_LARGE, "Too large";
    /// The method does not exist here.
    MethodNotAllowed = "API-008", METHOD_NOT_ALLOWED, "The method is not possible here";
    /// The same idempotency key with another request.
    KeyReused = "API-009", UNPROCESSABLE_ENTITY, "The idempotency key was used for another request";
    /// The body is of a kind that cannot be read here.
    UnsupportedBody = "API-010", UNSUPPORTED_MEDIA_TYPE, "The body is of a kind that cannot be read here";
    /// The asked-for part of a file is not there.
    RangeNotSatisfiable = "API-011", RANGE_NOT_SATISFIABLE, "The part asked for is not there";
    /// A limit is reached.
    LimitReached = "API-012", CONFLICT, "A limit is reached";
    /// Something else still uses it.
    StillUsed = "API-013", CONFLICT, "Still used";
    /// The same request is being worked on.
    InProgress = "API-014", CONFLICT, "The same request is being worked on";
    /// It took too long.
    TooSlow = "API-015", GATEWAY_TIMEOUT, "The request took too long";
    /// Too many requests in a short time.
    TooFast = "API-016", TOO_MANY_REQUESTS, "Too many requests";

    /// The tenant has no owner at present.
    Unavailable = "SERVER-001", SERVICE_UNAVAILABLE, "Not available at present";
    /// Something of ours failed.
    Failure = "SERVER-002", INTERNAL_SERVER_ERROR, "Something of ours failed";
    /// The server is busy.
    Busy = "SERVER-003", SERVICE_UNAVAILABLE, "Busy";

    /// The webhook's address is not acceptable.
    WebhookAddress = "HOOK-001", UNPROCESSABLE_ENTITY, "The address cannot be used for a webhook";

    /// The configuration file cannot be read.
    ConfigUnreadable = "CONF-001", INTERNAL_SERVER_ERROR, "The configuration file cannot be read";
    /// The configuration file has an error.
    ConfigInvalid = "CONF-002", INTERNAL_SERVER_ERROR, "The configuration has an error";
    /// An environment variable has an error.
    ConfigEnvironment = "CONF-003", INTERNAL_SERVER_ERROR, "An environment variable has an error";
}
