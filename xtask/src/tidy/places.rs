//! What may stand in one crate only: SQL in `store`, HTTP routes in `server` and `lab`.

use super::{Finding, repository::Repository, rust_source::contains_word};

/// Statements that only a database understands; all the words of a row have to be there, in this order.
const SQL: &[&[&str]] = &[
    &["SELECT", "FROM"],
    &["INSERT", "INTO"],
    &["UPDATE", "SET"],
    &["DELETE", "FROM"],
    &["CREATE", "TABLE"],
    &["CREATE", "INDEX"],
    &["ALTER", "TABLE"],
    &["DROP", "TABLE"],
    &["PRAGMA"],
];

/// Crates that talk to databases.
const DATABASES: &[&str] = &["rusqlite", "sqlx", "tokio_postgres", "postgres"];

/// Crates with routes.
const WITH_ROUTES: &[&str] = &["server", "lab"];

/// Both rules.
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.files {
        if file.path.ends_with(".sql") && file.product_crate() != Some("store") {
            findings.push(Finding::new(&file.path, 1, "sql", "SQL lives in crates/store; move the statements there"));
        }
    }
    for (file, rust) in repository.product_rust() {
        let krate = file.product_crate().unwrap_or_default();
        if krate != "store" {
            let statements = rust.strings.iter().filter(|(line, text)| is_sql(text) && !rust.is_test(*line)).map(|(line, _)| *line);
            let calls = rust
                .paths()
                .into_iter()
                .filter(|(line, path)| DATABASES.contains(&path[0].as_str()) && path.len() > 1 && !rust.is_test(*line));
            for line in statements.chain(calls.map(|(line, _)| line)) {
                findings.push(Finding::new(&file.path, line, "sql", "only crates/store talks to the database; give it a method for this"));
            }
        }
        if !WITH_ROUTES.contains(&krate) {
            let routes = rust.paths().into_iter().filter(|(line, path)| is_route(path) && !rust.is_test(*line));
            for (line, _) in routes {
                findings.push(Finding::new(
                    &file.path,
                    line,
                    "routes",
                    "HTTP is served by crates/server (product) and crates/lab (Microsoft's side) only",
                ));
            }
        }
    }
    findings
}

fn is_sql(text: &str) -> bool {
    SQL.iter().any(|words| {
        let mut rest = text;
        words.iter().all(|word| {
            let Some(at) = rest.find(word).filter(|_| contains_word(rest, word)) else { return false };
            rest = &rest[at + word.len()..];
            true
        })
    })
}

fn is_route(path: &[String]) -> bool {
    path.len() > 1 && (path[0] == "axum" || path[0] == "utoipa_axum" || path.windows(2).any(|pair| pair[0] == "Router" && pair[1] == "new"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| (finding.rule, finding.line)).collect()
    }

    #[test]
    fn statements_outside_the_store_are_found() {
        assert_eq!(found("crates/server/src/a.rs", "\nlet q = \"SELECT id FROM agents\";"), [("sql", 2)]);
        assert_eq!(found("crates/lines/src/a.rs", "use rusqlite::Connection;"), [("sql", 1)]);
        assert_eq!(found("crates/core/schema.sql", "create table a"), [("sql", 1)]);
        assert!(found("crates/store/src/a.rs", "let q = \"SELECT id FROM agents\";").is_empty());
    }

    #[test]
    fn the_sip_method_update_and_prose_are_no_statements() {
        assert!(found("crates/sip/src/a.rs", "let m = [\"UPDATE\", \"please SELECT one\", \"from\"];").is_empty());
    }

    #[test]
    fn routes_outside_server_and_lab_are_found() {
        let text = "use axum::{Router, routing::get};\nfn f() { Router::new() }";
        assert_eq!(found("crates/lines/src/a.rs", text), [("routes", 1), ("routes", 1), ("routes", 2)]);
        assert!(found("crates/server/src/api/a.rs", text).is_empty());
        assert!(found("crates/lab/src/a.rs", text).is_empty());
    }
}
