//! What the documents say of the program is what the program does.

use anyhow::{Context, Result, ensure};
use dreiklang_tests::{contact_center::ContactCenter, server::program};
use serde_json::json;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::process::Command;

fn document(name: &str) -> Result<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The text of every fenced block in TOML.
fn toml_blocks(document: &str) -> Vec<&str> {
    document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[tokio::test]
async fn the_configuration_page_prints_the_built_in_values() -> Result<()> {
    let folder = TempDir::new()?;
    let output = Command::new(program()?).args(["serve", "--print-config"]).current_dir(folder.path()).output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = document("configuration.md")?;
    let printed = String::from_utf8(output.stdout)?;
    assert_eq!(toml_blocks(&page).first().copied(), Some(printed.as_str()));
    Ok(())
}

#[tokio::test]
async fn the_small_contact_center_of_the_configuration_page_can_be_applied() -> Result<()> {
    let center = ContactCenter::open(json!({ "name": "Other" }), &[]).await?;
    let page = document("configuration.md")?;
    let example = toml_blocks(&page).get(1).copied().context("the page has an example")?;
    // Tests ask nobody outside, not even for a name.
    let example = &example.replace("sip.carrier.example", "127.0.0.1:9");
    let said = center.server.apply(example).await?;
    assert!(said.contains("+ queue \"Support\"") && said.contains("+ agent \"Ada\""), "{said}");
    let again = center.server.apply(example).await?;
    assert!(again.starts_with("0 changed"), "{again}");
    Ok(())
}
