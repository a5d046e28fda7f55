//! The OpenAPI document: written down, so that every change to the interface is seen.

use super::server::Server;
use serde_json::Value;
use std::{collections::BTreeSet, fs};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/openapi.json");

fn document() -> Value {
    serde_json::to_value(dreiklang_server::api::openapi()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_description_is_the_one_written_down() {
    let text = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(GOLDEN, &text).unwrap();
    }
    let golden = fs::read_to_string(GOLDEN).unwrap();
    assert!(golden == text, "the interface changed; if that is wanted, run the tests with UPDATE_GOLDEN=1 and look at the difference");
}

#[test]
fn every_operation_is_named_explained_and_says_who_may() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
        assert!(names.insert(name.to_owned()), "{name} is there twice");
        assert!(name.chars().next().is_some_and(|first| first.is_ascii_lowercase()), "{name}");
        assert!(operation["summary"].is_string(), "{name} has no summary");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{name} has no tag");
        assert!(operation["responses"]["default"].is_object(), "{name} does not mention problems");
        assert!(operation["x-roles"].is_array() || name == "signIn", "{name} does not say who may");
    }
    assert!(names.len() > 70, "{} operations", names.len());
}

#[test]
fn every_schema_that_is_named_is_there() {
    let text = document().to_string();
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to but not there");
    }
    for (name, schema) in schemas {
        let fields = schema["properties"].as_object().into_iter().flatten();
        for (field, described) in fields {
            let explained = described["description"].is_string()
                || described["$ref"].is_string()
                || described["oneOf"].is_array()
                || described["allOf"].is_array();
            assert!(explained, "{name}.{field} is not explained");
        }
    }
}

/// Two types of one name would overwrite each other in the description.
#[test]
fn no_two_types_have_the_same_name() {
    fn look(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for part in text.split("ToSchema)]").skip(1) {
                let mut lines = part.lines();
                let declared =
                    lines.find_map(|line| line.trim().strip_prefix("pub struct ").or_else(|| line.trim().strip_prefix("pub enum ")));
                found.extend(declared.map(|line| line.split(|end: char| !end.is_alphanumeric()).next().unwrap_or_default().to_owned()));
            }
        }
    }
    let mut names = Vec::new();
    look(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut names);
    assert!(names.len() > 60, "the search finds types: {names:?}");
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

#[tokio::test]
async fn the_server_gives_its_description_to_everybody() {
    let server = Server::start().await;
    let answer = server.send(server.client.get(server.url("/api/v1/openapi.json"))).await;
    assert_eq!(answer.ok(), document());
}
