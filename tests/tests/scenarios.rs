//! Every scenario of `tests/scenarios`, played on the core. Lines with real telephones play the same texts.

use anyhow::{Context, Result};
use dreiklang_tests::scenario::{self, core_stage::CoreStage, text};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn scenarios() -> Result<Vec<(String, text::Scenario)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    files
        .iter()
        .map(|path| {
            let whose = || path.display().to_string();
            let scenario = text::read(&fs::read_to_string(path).with_context(whose)?).with_context(whose)?;
            Ok((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), scenario))
        })
        .collect()
}

#[test]
fn every_scenario_holds_on_the_core() -> Result<()> {
    let mut problems = Vec::new();
    let scenarios = scenarios()?;
    assert!(!scenarios.is_empty());
    for (name, scenario) in &scenarios {
        if let Err(problem) = scenario::play(scenario, &mut CoreStage::default()) {
            problems.push(format!("{name} ({})\n  {problem:#}", scenario.title));
        }
    }
    assert!(problems.is_empty(), "{} of {} scenarios fail:\n{}", problems.len(), scenarios.len(), problems.join("\n"));
    Ok(())
}

#[test]
fn every_sentence_is_used_by_a_scenario() -> Result<()> {
    let scenarios = scenarios()?;
    let unused = scenario::unused(scenarios.iter().map(|(_, scenario)| scenario));
    assert!(unused.is_empty(), "sentences that no scenario uses: {unused:#?}");
    Ok(())
}

#[test]
fn what_does_not_hold_fails_with_its_line() -> Result<()> {
    let scenario = text::read("Scenario: Nobody is there\nGiven a queue Support with the number +49301\nThen Anna's telephone rings")?;
    let problem = scenario::play(&scenario, &mut CoreStage::default()).err().context("it held")?;
    assert!(format!("{problem:#}").contains("line 3"), "{problem:#}");
    Ok(())
}
