//! CSeq: the order of requests within a dialog, and with the branch the identity of a transaction.

use std::fmt;

use super::lex::{number, trim};
use super::{Method, ParseError};

/// The largest CSeq and other 31-bit sequence numbers (RFC 3261 §8.1.1.5).
const SEQUENCE_MAX: u64 = (1 << 31) - 1;

/// A CSeq value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The sequence number, below 2^31.
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

impl CSeq {
    /// Reads a CSeq value.
    ///
    /// # Errors
    /// When it is not a number below 2^31 and a method.
    pub fn parse(text: &str) -> Result<CSeq, ParseError> {
        let (number_text, method) = scan_cseq(text)?;
        Ok(CSeq { number: number_text, method: Method::parse(method)? })
    }
}

/// Checks a CSeq without allocating.
pub(super) fn scan_cseq(text: &str) -> Result<(u32, &str), ParseError> {
    let text = trim(text);
    let (digits, method) = text.split_at(text.find([' ', '\t']).ok_or(ParseError::Value("method is missing"))?);
    let value = number(digits, SEQUENCE_MAX)?;
    Ok((u32::try_from(value).unwrap_or(u32::MAX), trim(method)))
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
