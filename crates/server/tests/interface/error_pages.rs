//! Every code has a page.

use super::server::Server;
use dreiklang_server::error::Code;
use std::{collections::BTreeSet, fs, path::Path};

/// Beginnings of codes; others look alike (`AES-128`) and are none.
const AREAS: &[&str] = &["AUTH", "API", "SERVER", "HOOK", "SERVICE", "CONF", "CORE", "STORE", "RUN", "LINE", "MEDIA", "SIP"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn pages() -> BTreeSet<String> {
    let files = fs::read_dir(root().join("docs/errors")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".md").map(str::to_owned)).filter(|name| name != "README").collect()
}

/// Codes in quotes in the code of all crates.
fn used(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests" && name != "target") {
                used(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for quoted in text.split('"').filter(|quoted| quoted.len() <= 12) {
                let Some((area, number)) = quoted.split_once('-') else { continue };
                if AREAS.contains(&area) && number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()) {
                    found.insert(quoted.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_code_in_the_source_has_a_page_and_every_page_a_code() {
    let mut codes = BTreeSet::new();
    used(&root().join("crates"), &mut codes);
    assert!(codes.len() > 50, "the search finds codes: {codes:?}");
    let pages = pages();
    let without: Vec<_> = codes.difference(&pages).collect();
    assert!(without.is_empty(), "without a page in docs/errors: {without:?}");
    let unused: Vec<_> = pages.difference(&codes).collect();
    assert!(unused.is_empty(), "pages of codes nobody gives out: {unused:?}");
}

#[test]
fn the_index_names_every_page_and_every_page_is_complete() {
    let index = fs::read_to_string(root().join("docs/errors/README.md")).unwrap();
    for page in pages() {
        assert!(index.contains(&format!("[{page}]({page}.md)")), "{page} is not in the index");
        let text = fs::read_to_string(root().join(format!("docs/errors/{page}.md"))).unwrap();
        assert!(text.starts_with(&format!("# {page}: ")), "{page} begins with its code");
        for part in ["**Where you see it.**", "**Why it happens.**", "**What to do.**"] {
            assert!(text.contains(part), "{page} lacks {part}");
        }
    }
}

#[test]
fn codes_are_unique() {
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(all.len(), Code::ALL.len());
}

#[tokio::test]
async fn the_address_in_an_answer_leads_to_the_page() {
    let server = Server::start().await;
    for page in pages() {
        let answer = server.send(server.client.get(server.url(&format!("/docs/errors/{page}")))).await;
        assert_eq!(answer.status, 200, "{page} is built in (src/web/errors.rs)");
        assert!(String::from_utf8(answer.body).unwrap().starts_with(&format!("# {page}: ")));
    }
    let problem = server.get("/nothing").await.problem(404, "API-003");
    assert_eq!(server.send(server.client.get(server.url(problem["type"].as_str().unwrap()))).await.status, 200);
    server.send(server.client.get(server.url("/docs/errors/NONE-001"))).await.problem(404, "API-003");
}
