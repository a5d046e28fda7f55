//! One question to a service, from the core's words to HTTP and back.

use super::{Rules, address, failure};
use crate::{api::document::service::Service, error::chain, limits};
use dreiklang_core::{
    expression::{Plain, Value},
    flow::{Method, PathPart, ServiceAnswer, ServiceRequest},
    ids::ActionId,
    output::ActionFailure,
};
use reqwest::{Response, Url, header};

/// Asks, and reads the answer.
pub(super) async fn ask(
    service: &Service,
    action: ActionId,
    request: &ServiceRequest,
    rules: Rules,
) -> Result<ServiceAnswer, ActionFailure> {
    let refused = |detail: String| failure("SERVICE-001", detail);
    let base = address::check_text(&service.address, rules).map_err(|problem| refused(problem.to_string()))?;
    let url = target(base, request).map_err(refused)?;
    let place = address::resolve(&url, rules).await.map_err(refused)?;
    // A client per question: it is bound to the address that was checked. Redirects would lead away from it.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("Dreiklang/", env!("CARGO_PKG_VERSION")))
        .resolve(url.host_str().unwrap_or_default(), place)
        .build()
        .map_err(|error| refused(chain(&error)))?;
    let question = match request.method {
        Method::Get => client.get(url),
        Method::Post => client.post(url).header(header::CONTENT_TYPE, "application/json").body(body(request)?),
    };
    // The same question may come twice, when a process of ours fails meanwhile.
    let mut question = question.header(header::ACCEPT, "application/json").header("Idempotency-Key", action.to_string());
    for (name, value) in &service.headers {
        question = question.header(name, value);
    }
    // Addresses hold callers' numbers, and errors travel further than one thinks.
    let unreachable = |error: reqwest::Error| failure("SERVICE-002", chain(&error.without_url()));
    let response = question.send().await.map_err(unreachable)?;
    let status = response.status();
    let text = read(response).await?;
    match serde_json::from_slice::<Plain>(&text) {
        Ok(Plain(body)) => Ok(ServiceAnswer { status: status.as_u16(), body }),
        // Whoever says no, or has nothing to say, need not say it in a certain form.
        Err(_) if text.is_empty() || !status.is_success() => Ok(ServiceAnswer { status: status.as_u16(), body: Value::Null }),
        Err(error) => Err(failure("SERVICE-002", format!("its answer is not JSON: {error}"))),
    }
}

/// The whole address: what was computed is one name within the path, whatever it holds, and leads nowhere else.
fn target(mut base: Url, request: &ServiceRequest) -> Result<Url, String> {
    let mut path = String::new();
    for part in &request.path {
        match part {
            PathPart::Written(text) => path.push_str(text),
            PathPart::Computed(text) => path.push_str(&escaped(text)),
        }
    }
    let whole = format!("{}{path}", base.path().trim_end_matches('/'));
    base.set_path(&whole);
    // Whatever is read as "here" or "above" would have been taken out.
    if base.path().split('/').count() != whole.split('/').count() {
        return Err("a part of the path is . or .., which is no name".to_owned());
    }
    if request.method == Method::Get && !request.send.is_empty() {
        let mut query = base.query_pairs_mut();
        for (name, value) in &request.send {
            let text = match value {
                Value::String(text) => text.clone(),
                other => serde_json::to_string(&Plain(other.clone())).map_err(|error| error.to_string())?,
            };
            query.append_pair(name, &text);
        }
    }
    Ok(base)
}

/// Every byte but letters, digits and `-_~` in hexadecimal (RFC 3986 §2.3); dots too, unless they stand beside something else.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn body(request: &ServiceRequest) -> Result<String, ActionFailure> {
    let mut values: Vec<(String, Value)> = request.send.clone();
    for private in &request.private {
        let typed = private.value().ok_or_else(|| failure("SERVICE-001", format!("{} was typed in another process", private.name)))?;
        values.push((private.name.clone(), typed.clone()));
    }
    let values = Plain(Value::map(values));
    serde_json::to_string(&values).map_err(|error| failure("SERVICE-001", error.to_string()))
}

async fn read(mut response: Response) -> Result<Vec<u8>, ActionFailure> {
    let mut text = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(part)) if text.len() + part.len() <= limits::SERVICE_ANSWER_BYTES => text.extend_from_slice(&part),
            Ok(Some(_)) => {
                let detail = format!("its answer is longer than {} bytes", limits::SERVICE_ANSWER_BYTES);
                return Err(failure("SERVICE-002", detail));
            }
            Ok(None) => return Ok(text),
            Err(error) => return Err(failure("SERVICE-002", chain(&error.without_url()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dreiklang_core::time::Millis;

    fn asked(base: &str, written: &str, computed: &str, send: &[(&str, Value)]) -> Result<String, String> {
        let path = vec![PathPart::Written(written.to_owned()), PathPart::Computed(computed.to_owned()), PathPart::Written("/x".to_owned())];
        let send = send.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let request = ServiceRequest { method: Method::Get, path, send, private: Vec::new(), limit: Millis(1_000) };
        target(Url::parse(base).unwrap(), &request).map(|url| url.to_string())
    }

    const LOCAL: Rules = Rules { allow_private: false, allow_local: true };

    /// A server that gives the same answer to everything and repeats what it was told.
    async fn server() -> String {
        use axum::{Json, Router, body::Bytes, http::HeaderMap, response::Redirect, routing::get};
        let tell = async |headers: HeaderMap, body: Bytes| {
            let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let body = String::from_utf8_lossy(&body).into_owned();
            Json(
                serde_json::json!({ "key": header("x-key"), "kind": header("content-type"), "id": header("idempotency-key"), "body": body }),
            )
        };
        let router = Router::new()
            .route("/tell", get(tell).post(tell))
            .route("/away", get(async || Redirect::temporary("/tell")))
            .route("/no", get(async || (axum::http::StatusCode::NOT_FOUND, "nothing here")))
            .route("/empty", get(async || axum::http::StatusCode::NO_CONTENT))
            .route("/page", get(async || "<html>"))
            .route("/much", get(async || format!("\"{}\"", "x".repeat(limits::SERVICE_ANSWER_BYTES))));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn answer(base: &str, path: &str, method: Method, rules: Rules) -> Result<ServiceAnswer, String> {
        let headers = [("X-Key".to_owned(), "secret".to_owned())].into();
        let service = Service { name: "CRM".to_owned(), address: base.to_owned(), headers };
        let path = vec![PathPart::Written(path.to_owned())];
        let request =
            ServiceRequest { method, path, send: vec![("n".to_owned(), Value::Int(7))], private: Vec::new(), limit: Millis(1_000) };
        ask(&service, ActionId(1), &request, rules).await.map_err(|failure| format!("{}: {}", failure.code, failure.detail))
    }

    #[tokio::test]
    async fn a_service_is_asked_with_its_headers_and_its_answer_read() {
        let base = server().await;
        let told = |key: &'static str, answer: &ServiceAnswer| match &answer.body {
            Value::Map(map) => map.get(&dreiklang_core::expression::Key::String(key.to_owned())).and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        let posted = answer(&base, "/tell", Method::Post, LOCAL).await.unwrap();
        assert_eq!(posted.status, 200);
        assert_eq!(told("key", &posted).as_deref(), Some("secret"));
        assert_eq!(told("kind", &posted).as_deref(), Some("application/json"));
        assert_eq!(told("id", &posted), Some(ActionId(1).to_string()));
        assert_eq!(told("body", &posted).as_deref(), Some("{\"n\":7}"));
        let got = answer(&base, "/tell", Method::Get, LOCAL).await.unwrap();
        assert_eq!(told("body", &got).as_deref(), Some(""));
        assert_eq!(answer(&base, "/no", Method::Get, LOCAL).await, Ok(ServiceAnswer { status: 404, body: Value::Null }));
        assert_eq!(answer(&base, "/empty", Method::Get, LOCAL).await, Ok(ServiceAnswer { status: 204, body: Value::Null }));
    }

    #[tokio::test]
    async fn nobody_is_led_elsewhere_or_reads_without_end() {
        let base = server().await;
        assert_eq!(answer(&base, "/away", Method::Get, LOCAL).await.unwrap().status, 307, "where it leads is not asked");
        assert!(answer(&base, "/page", Method::Get, LOCAL).await.unwrap_err().contains("not JSON"));
        assert!(answer(&base, "/much", Method::Get, LOCAL).await.unwrap_err().contains("longer than"));
        let private = Rules { allow_private: true, allow_local: false };
        assert!(answer(&base, "/tell", Method::Get, private).await.unwrap_err().starts_with("SERVICE-001"));
        let by_name = base.replace("127.0.0.1", "localhost");
        assert!(answer(&by_name, "/tell", Method::Get, private).await.unwrap_err().contains("this machine"), "judged after the look-up");
        assert!(answer("http://127.0.0.1:9", "/tell", Method::Get, LOCAL).await.unwrap_err().starts_with("SERVICE-002"));
    }

    #[test]
    fn what_was_typed_in_another_process_is_not_sent_without_saying_so() {
        let private: Vec<dreiklang_core::flow::PrivateValue> = serde_json::from_str(r#"[{"name":"pin"}]"#).unwrap();
        let request = ServiceRequest { method: Method::Post, path: Vec::new(), send: Vec::new(), private, limit: Millis(1_000) };
        assert_eq!(body(&request).unwrap_err().code, "SERVICE-001");
    }

    #[test]
    fn what_is_computed_is_one_name_within_the_path() {
        assert_eq!(asked("https://a.example/api/", "/c/", "+49 1/7?#", &[]).unwrap(), "https://a.example/api/c/%2B49%201%2F7%3F%23/x");
        assert_eq!(asked("https://a.example", "/c/", "ä.b", &[]).unwrap(), "https://a.example/c/%C3%A4.b/x");
        assert!(asked("https://a.example/api", "/c/", "..", &[]).is_err());
        assert!(asked("https://a.example/api", "/c/", ".", &[]).is_err());
        assert!(asked("https://a.example/api", "/../", "admin", &[]).is_err());
        assert!(asked("https://a.example/api", "/%2e%2E/", "admin", &[]).is_err());
    }

    #[test]
    fn what_is_sent_along_with_a_question_stands_in_its_query() {
        let send = [("n", Value::Int(7)), ("who", Value::from("a&b")), ("all", Value::List(vec![Value::Bool(true)]))];
        let url = asked("https://a.example", "/c/", "1", &send).unwrap();
        assert_eq!(url, "https://a.example/c/1/x?n=7&who=a%26b&all=%5Btrue%5D");
    }
}
