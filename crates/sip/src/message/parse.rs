//! Reading a whole message: start line, header section, checks, body.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::cseq::scan_cseq;
use super::header::Headers;
use super::lex::{is_token, number, trim};
use super::name::Name;
use super::name_addr::scan_name_addr;
use super::uri::scan_uri;
use super::via::scan_via;
use super::{Malformed, Message, Method, ParseError, Request, Response, Uri};
use crate::limits::{CONTACT_COUNT_MAX, HEADER_COUNT_MAX, HEADER_LINE_BYTES_MAX, MESSAGE_BYTES_MAX, VIA_COUNT_MAX};

/// Reads the one message of a datagram. Line ends before it and octets after its body are ignored (RFC 3261 §7.5, §18.3).
///
/// # Errors
/// What is wrong, and the response to send back where one can be sent.
pub fn parse_datagram(bytes: &[u8]) -> Result<Message, Malformed> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(unanswerable(ParseError::TooLarge("message")));
    }
    let skipped = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let bytes = &bytes[skipped..];
    if bytes.iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r' | b'\n')) {
        return Err(unanswerable(ParseError::Empty));
    }
    // A datagram without the blank line ends its header section where it ends (RFC 4475 §3.1.2.15 is such a one).
    let (head_end, body_start) = match find_head_end(bytes, 0) {
        Some(end) => (end, end + 4),
        None => (bytes.len(), bytes.len()),
    };
    let head = Head::parse(&bytes[..head_end])?;
    let available = bytes.len() - body_start;
    let body_len = head.content_length.unwrap_or(available);
    if body_len > available {
        return Err(head.malformed(ParseError::BodyShort));
    }
    head.into_message(bytes[body_start..body_start + body_len].to_vec())
}

/// Position of the blank line (its CRLF CRLF), searching from `from`.
pub(super) fn find_head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from;
    let mut at = from;
    loop {
        // The last byte of the blank line is the rarest of the four.
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        if at >= start + 4 && bytes[at - 4..at] == *b"\r\n\r\n" {
            return Some(at - 4);
        }
    }
}

fn unanswerable(error: ParseError) -> Malformed {
    Malformed { error, answerable: None, framing_lost: false }
}

/// A start line.
#[derive(Debug)]
enum Start {
    Request {
        method: Method,
        uri: Uri,
    },
    Response {
        status: u16,
        reason: String,
    },
    /// A request line with a defect; the headers are read all the same, so that it can be answered.
    Defective {
        error: ParseError,
        is_ack: bool,
    },
}

/// Start line and header section, before the body is there.
#[derive(Debug)]
pub(super) struct Head {
    start: Start,
    headers: Headers,
    /// `None` when there is no Content-Length.
    pub(super) content_length: Option<usize>,
    /// The first defect that does not concern the start line.
    defect: Option<ParseError>,
}

impl Head {
    /// Reads the bytes before the blank line. Defects of a request that can still be answered are kept in the head and
    /// reported by [`Head::into_message`]; Content-Length defects are reported at once.
    pub(super) fn parse(bytes: &[u8]) -> Result<Head, Malformed> {
        // Header text is UTF-8 (RFC 3261 §7). Old equipment sends Latin-1 names: replaced, not refused.
        let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        let (start_line, section) = match text.split_once("\r\n") {
            Some((start_line, section)) => (start_line, section),
            None => (&*text, ""),
        };
        let start = parse_start(start_line)?;
        let (headers, defect, lengths) = parse_section(section);
        let mut head = Head { start, headers, content_length: None, defect };
        match lengths.result() {
            Ok(length) => head.content_length = length,
            Err(error) => return Err(Malformed { framing_lost: true, ..head.malformed(error) }),
        }
        Ok(head)
    }

    /// Completes the message.
    pub(super) fn into_message(self, body: Vec<u8>) -> Result<Message, Malformed> {
        if let Some(error) = self.defect() {
            return Err(self.malformed(error));
        }
        match self.start {
            Start::Request { method, uri } => Ok(Message::Request(Request { method, uri, headers: self.headers, body })),
            Start::Response { status, reason } => Ok(Message::Response(Response { status, reason, headers: self.headers, body })),
            Start::Defective { error, .. } => Err(unanswerable(error)),
        }
    }

    fn defect(&self) -> Option<ParseError> {
        if let Start::Defective { error, .. } = &self.start {
            return Some(*error);
        }
        self.defect.or_else(|| check(&self.start, &self.headers).err())
    }

    /// The report of a defect, with a response when there is somebody to answer.
    pub(super) fn malformed(&self, error: ParseError) -> Malformed {
        Malformed { error, answerable: self.answer(error).map(Box::new), framing_lost: false }
    }

    fn answer(&self, error: ParseError) -> Option<Response> {
        let is_answerable = match &self.start {
            Start::Request { method, .. } => *method != Method::Ack,
            Start::Defective { is_ack, .. } => !is_ack,
            Start::Response { .. } => false,
        };
        // The response goes back where the request came from, so that Via only has to be there, not to be well-formed
        // (RFC 4475 §3.1.2.1). Without From, To or Call-ID the peer may at least log it (§3.3.1).
        let via = self.headers.get_known(Name::Via)?;
        if !is_answerable {
            return None;
        }
        let mut response = Response::to_headers(&self.headers, error.status(), "");
        // The same request always gets the same tag, without state (RFC 3261 §8.2.7).
        let mut hasher = DefaultHasher::new();
        via.hash(&mut hasher);
        self.headers.get_known(Name::CallId).hash(&mut hasher);
        response.headers.add_to_tag(&format!("{:016x}", hasher.finish()));
        response.headers.push("Warning", &format!("399 dreiklang \"{error}\""));
        Some(response)
    }
}

fn parse_start(line: &str) -> Result<Start, Malformed> {
    if line.is_empty() {
        return Err(unanswerable(ParseError::Empty));
    }
    if line.len() > HEADER_LINE_BYTES_MAX {
        return Err(unanswerable(ParseError::TooLarge("start line")));
    }
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/")) {
        return parse_status_line(line).map_err(unanswerable);
    }
    let method_end = line.find(' ').unwrap_or(line.len());
    let is_ack = &line[..method_end] == "ACK";
    match parse_request_line(line) {
        Ok((method, uri)) => Ok(Start::Request { method, uri }),
        Err(error) => Ok(Start::Defective { error, is_ack }),
    }
}

fn parse_status_line(line: &str) -> Result<Start, ParseError> {
    let (version, rest) = line.split_once(' ').ok_or(ParseError::StartLine("status line without a code"))?;
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(ParseError::Version);
    }
    // The space after the code is mandatory even before an empty phrase (RFC 4475 §3.1.1.13), but often forgotten.
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = match number(code, 699) {
        Ok(status @ 100..=699) if code.len() == 3 => u16::try_from(status).unwrap_or(699),
        _ => return Err(ParseError::StartLine("status code is not 100 to 699")),
    };
    if reason.bytes().any(|byte| byte < b' ' && byte != b'\t') {
        return Err(ParseError::StartLine("control character"));
    }
    Ok(Start::Response { status, reason: reason.to_owned() })
}

fn parse_request_line(line: &str) -> Result<(Method, Uri), ParseError> {
    let (method, rest) = line.split_once(' ').ok_or(ParseError::StartLine("request line without a URI"))?;
    let (uri, version) = rest.rsplit_once(' ').ok_or(ParseError::StartLine("request line without a version"))?;
    if !is_token(method) {
        return Err(ParseError::StartLine("method is not a token"));
    }
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        let is_version = version.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/"));
        return Err(if is_version { ParseError::Version } else { ParseError::StartLine("request line does not end with SIP/2.0") });
    }
    let uri = scan_uri(uri)?.to_uri();
    Ok((Method::parse(method)?, uri))
}

/// What the Content-Length lines say.
#[derive(Default)]
struct Lengths {
    value: Option<Result<usize, ParseError>>,
    is_repeated: bool,
}

impl Lengths {
    fn add(&mut self, text: &str) {
        // Anything above the limit can never be received in full.
        let length = match number(trim(text), MESSAGE_BYTES_MAX as u64) {
            Ok(length) => Ok(usize::try_from(length).unwrap_or(MESSAGE_BYTES_MAX)),
            Err(error) => Err(error.in_header("Content-Length")),
        };
        self.is_repeated |= self.value.as_ref().is_some_and(|value| *value != length);
        self.value.get_or_insert(length);
    }

    fn result(self) -> Result<Option<usize>, ParseError> {
        if self.is_repeated {
            return Err(ParseError::Repeated("Content-Length"));
        }
        self.value.transpose()
    }
}

/// Splits the header section into lines and entries. Reads on after a defect, so that an answer can be addressed.
fn parse_section(section: &str) -> (Headers, Option<ParseError>, Lengths) {
    let mut headers = Headers::from_block(unfold(section).into_owned());
    let mut defect = None;
    let mut lengths = Lengths::default();
    let mut at = 0;
    while at < headers.block().len() {
        let block = headers.block();
        let end = line_end(&block[at..]).map_or(block.len(), |len| at + len);
        let next = (end + 2).min(block.len());
        match scan_line(&block[at..end]) {
            Ok((name_len, value_start, value_end)) => {
                let name = headers.push_span(at..at + name_len, at + value_start..at + value_end);
                if name == Some(Name::ContentLength) {
                    lengths.add(&headers.block()[at + value_start..at + value_end]);
                    headers.pop();
                }
                if headers.len() > HEADER_COUNT_MAX {
                    defect.get_or_insert(ParseError::TooLarge("number of headers"));
                    break;
                }
            }
            Err(error) => {
                defect.get_or_insert(error);
            }
        }
        at = next;
    }
    (headers, defect, lengths)
}

/// Position of the first CRLF.
fn line_end(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find('\n')?;
        if text[..at].ends_with('\r') {
            return Some(at - 1);
        }
        from = at + 1;
    }
}

/// Joins continuation lines: line end and indentation count as one space (RFC 3261 §7.3.1).
fn unfold(section: &str) -> Cow<'_, str> {
    let is_indented = |text: &str| text.starts_with([' ', '\t']);
    if !section.match_indices('\n').any(|(at, _)| is_indented(&section[at + 1..])) {
        return Cow::Borrowed(section);
    }
    let mut joined = String::with_capacity(section.len());
    let mut rest = section;
    while let Some(at) = line_end(rest) {
        let next = &rest[at + 2..];
        if is_indented(next) {
            joined.push_str(&rest[..at]);
            joined.push(' ');
            rest = next.trim_start_matches([' ', '\t']);
        } else {
            joined.push_str(&rest[..at + 2]);
            rest = next;
        }
    }
    joined.push_str(rest);
    Cow::Owned(joined)
}

/// Length of the name, start and end of the value of one unfolded line.
fn scan_line(line: &str) -> Result<(usize, usize, usize), ParseError> {
    if line.len() > HEADER_LINE_BYTES_MAX {
        return Err(ParseError::TooLarge("header line"));
    }
    let colon = line.find(':').ok_or(ParseError::HeaderLine("no colon"))?;
    let name = line[..colon].trim_end_matches([' ', '\t']);
    if !is_token(name) {
        return Err(ParseError::HeaderLine("name is not a token"));
    }
    // A lone CR or LF could end a line for somebody else. NUL and others may stand in quoted strings (RFC 4475 §3.1.1.2).
    if line.bytes().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err(ParseError::HeaderLine("lone CR or LF"));
    }
    let value = trim(&line[colon + 1..]);
    let start = if value.is_empty() { line.len() } else { value.as_ptr() as usize - line.as_ptr() as usize };
    Ok((name.len(), start, start + value.len()))
}

/// Checks everything that later layers rely on.
fn check(start: &Start, headers: &Headers) -> Result<(), ParseError> {
    let mut via_count = 0;
    for value in headers.values_known(Name::Via) {
        scan_via(value).map_err(|error| error.in_header("Via"))?;
        via_count += 1;
        if via_count > VIA_COUNT_MAX {
            return Err(ParseError::TooLarge("number of Via entries"));
        }
    }
    if via_count == 0 {
        return Err(ParseError::Missing("Via"));
    }
    for name in [Name::From, Name::To] {
        let value = only(headers, name)?;
        scan_name_addr(value).map_err(|error| error.in_header(name.as_str()))?;
    }
    if only(headers, Name::CallId)?.is_empty() {
        return Err(ParseError::Header { name: "Call-ID", problem: "is empty" });
    }
    let (_, cseq_method) = scan_cseq(only(headers, Name::CSeq)?).map_err(|error| error.in_header("CSeq"))?;
    if !is_token(cseq_method) {
        return Err(ParseError::Header { name: "CSeq", problem: "method is not a token" });
    }
    if let Start::Request { method, .. } = start {
        if method.as_str() != cseq_method {
            return Err(ParseError::MethodMismatch);
        }
        if headers.all_known(Name::MaxForwards).nth(1).is_some() {
            return Err(ParseError::Repeated("Max-Forwards"));
        }
        headers.max_forwards()?;
    }
    check_contacts(headers)
}

fn only(headers: &Headers, name: Name) -> Result<&str, ParseError> {
    let mut values = headers.all_known(name);
    let first = values.next().ok_or(ParseError::Missing(name.as_str()))?;
    if values.next().is_some() { Err(ParseError::Repeated(name.as_str())) } else { Ok(first) }
}

fn check_contacts(headers: &Headers) -> Result<(), ParseError> {
    for (index, value) in headers.values_known(Name::Contact).enumerate() {
        if index >= CONTACT_COUNT_MAX {
            return Err(ParseError::TooLarge("number of Contacts"));
        }
        if value != "*" {
            scan_name_addr(value).map_err(|error| error.in_header("Contact"))?;
        }
    }
    for name in [Name::Route, Name::RecordRoute] {
        for value in headers.values_known(name) {
            scan_name_addr(value).map_err(|error| error.in_header(name.as_str()))?;
        }
    }
    Ok(())
}
