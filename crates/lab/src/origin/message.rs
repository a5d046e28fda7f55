//! A request and its answer as plain values, so that everything behind them can be tested without a socket.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode},
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What somebody asks.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query exactly as they came: signatures are made over them.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The path as it came, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The path's segments, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path().trim_matches('/').split('/').map(decoded).collect()
    }

    /// The value of a query parameter, decoded; names are compared without case.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        form_fields(query).into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Fields of a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_fields(&String::from_utf8_lossy(&self.body))
    }

    /// The body as JSON; `null` when there is none.
    pub(crate) fn json(&self) -> Result<Value, serde_json::Error> {
        if self.body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&self.body) }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Reply {
        Reply::text(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body: body.into() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// As the web server sends it.
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn form_fields(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let field = |text: &str| decoded(&text.replace('+', " "));
    pairs.map(|pair| pair.split_once('=').map_or_else(|| (field(pair), String::new()), |(key, value)| (field(key), field(value)))).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request without headers.
    pub(crate) fn request(method: &str, target: &str, body: &str) -> Request {
        Request { method: method.to_owned(), target: target.to_owned(), headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn paths_and_queries_are_decoded_and_kept_as_they_came() {
        let request = request("GET", "/calling/callConnections/a/participants/4%3A%2B1555?api-version=2026-03-12&x=a+b", "");
        assert_eq!(request.path(), "/calling/callConnections/a/participants/4%3A%2B1555");
        assert_eq!(request.segments().last().map(String::as_str), Some("4:+1555"));
        assert_eq!(request.query("API-version").as_deref(), Some("2026-03-12"));
        assert_eq!(request.query("x").as_deref(), Some("a b"));
    }
}
