//! What an [`Endpoint`](crate::endpoint::Endpoint) tells the outside: bytes to send and things that happened.

use std::sync::Arc;

use crate::call::replaces::Replaces;
use crate::hop::Hop;
use crate::message::{Request, Response};

/// Our handle for one call: an INVITE with everything that follows from it. Not the Call-ID header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// Our handle for one request outside calls, received or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// One thing to be done or known, in order.
#[derive(Debug, Clone)]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// Where to.
        hop: Hop,
        /// One whole SIP message.
        bytes: Arc<[u8]>,
    },
    /// Something happened.
    Event(Event),
}

/// Something that happened. For every call [`Event::Ended`] comes exactly once and last.
#[derive(Debug, Clone)]
pub enum Event {
    /// Somebody calls. A 100 Trying leaves by itself unless the call is answered, rung, rejected or ignored within 200 ms.
    Incoming {
        /// The new call.
        call: CallId,
        /// Where the INVITE came from.
        hop: Hop,
        /// The INVITE. It has been checked; a body that is present contains SDP (see [`crate::call::body::sdp_of`]).
        request: Arc<Request>,
        /// The caller's offer; `None` when the caller wants us to offer in the 200.
        sdp: Option<Vec<u8>>,
    },
    /// A provisional response other than 100 to our INVITE. With several answers ringing (forking) they interleave.
    Progress {
        /// Our call.
        call: CallId,
        /// 101 to 199.
        status: u16,
        /// The reason phrase.
        reason: String,
        /// Early media.
        sdp: Option<Vec<u8>>,
    },
    /// Our INVITE was accepted. The ACK has been sent, except when the INVITE had no offer: then the SDP here is the
    /// offer and [`Endpoint::acknowledge`](crate::endpoint::Endpoint::acknowledge) sends the ACK with the answer.
    Answered {
        /// Our call.
        call: CallId,
        /// The answer, or the offer to an INVITE without one.
        sdp: Option<Vec<u8>>,
        /// The 2xx.
        response: Arc<Response>,
    },
    /// The ACK to our 200 arrived: the call is established. Comes again for a re-INVITE only if its ACK carries SDP.
    Acknowledged {
        /// The call we answered.
        call: CallId,
        /// The answer, when our 200 carried the offer.
        sdp: Option<Vec<u8>>,
    },
    /// The peer wants to change the session; to be answered by
    /// [`Endpoint::answer_reinvite`](crate::endpoint::Endpoint::answer_reinvite).
    Reinvite {
        /// The call.
        call: CallId,
        /// The new offer; `None` asks for an offer of ours.
        sdp: Option<Vec<u8>>,
    },
    /// Our change was accepted. Also comes when a refresh of the session timer brought another SDP than before.
    ReinviteAnswered {
        /// The call.
        call: CallId,
        /// The answer.
        sdp: Option<Vec<u8>>,
    },
    /// Our change was refused; the session is as it was (RFC 6141).
    ReinviteFailed {
        /// The call.
        call: CallId,
        /// The final status.
        status: u16,
    },
    /// The peer asks us to call somebody else; to be answered by
    /// [`Endpoint::answer_refer`](crate::endpoint::Endpoint::answer_refer).
    Refer {
        /// The call it arrived in.
        call: CallId,
        /// The Refer-To value, byte for byte.
        refer_to: String,
        /// The Referred-By value, byte for byte.
        referred_by: Option<String>,
        /// The dialog the new call is to replace, when Refer-To names one.
        replaces: Option<Replaces>,
    },
    /// The final response to our REFER.
    ReferAnswered {
        /// The call.
        call: CallId,
        /// 202 or a refusal; 408 when nothing came.
        status: u16,
    },
    /// What became of the call that our REFER asked for.
    ReferProgress {
        /// The call.
        call: CallId,
        /// The status in the sipfrag.
        status: u16,
        /// The reason phrase in the sipfrag.
        reason: String,
        /// No more will come.
        terminated: bool,
    },
    /// An INFO arrived in the call and was answered 200.
    Info {
        /// The call.
        call: CallId,
        /// Its Content-Type.
        content_type: Option<String>,
        /// Its body.
        body: Vec<u8>,
    },
    /// The call is over.
    Ended {
        /// The call; the handle is void from here on.
        call: CallId,
        /// Why.
        cause: Cause,
    },
    /// A request outside calls that the configuration lets through; to be answered by
    /// [`Endpoint::respond`](crate::endpoint::Endpoint::respond).
    Request {
        /// Names it when answering.
        id: RequestId,
        /// Where it came from.
        hop: Hop,
        /// The request, its top Via completed with the source.
        request: Arc<Request>,
    },
    /// The final outcome of [`Endpoint::request`](crate::endpoint::Endpoint::request).
    Response {
        /// The request.
        id: RequestId,
        /// The final response, or why there is none.
        result: Result<Response, RequestFailed>,
    },
}

/// Why a request outside calls got no final response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestFailed {
    /// Timer F: nothing came within 32 s.
    #[error("no response in time")]
    TimedOut,
    /// It could not be sent.
    #[error("the transport could not deliver the request")]
    TransportFailed,
    /// The endpoint runs as many transactions as it may.
    #[error("too many transactions")]
    Overloaded,
}

/// Why a call ended.
#[derive(Debug, Clone)]
pub struct Cause {
    /// What ended it.
    pub kind: CauseKind,
    /// The SIP status that fits: the peer's refusal, or our own.
    pub status: Option<u16>,
    /// The Reason header of the message that ended it (RFC 3326), verbatim.
    pub reason: Option<String>,
    /// The peer's final response, when one ended the call: Retry-After, Contact and warnings are in it.
    pub response: Option<Arc<Response>>,
}

impl Cause {
    pub(crate) fn new(kind: CauseKind, status: Option<u16>) -> Cause {
        Cause { kind, status, reason: None, response: None }
    }
}

/// What ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CauseKind {
    /// The peer sent BYE.
    RemoteHangUp,
    /// The caller gave up before we answered.
    Canceled,
    /// The peer refused our call; see the status.
    Rejected,
    /// Our call rang for its whole time.
    NoAnswer,
    /// Nothing at all came back, or an essential request within the call stayed unanswered.
    Timeout,
    /// We answered and the ACK never came.
    NoAck,
    /// A request could not be delivered.
    TransportError,
    /// The session timer ran out (RFC 4028).
    SessionExpired,
    /// The peer no longer knows the call (481 to a request of ours).
    Lost,
    /// We hung up, rejected or ignored it.
    Local,
    /// The endpoint is full; nothing was sent.
    Overloaded,
}
