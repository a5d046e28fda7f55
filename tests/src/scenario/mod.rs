//! Scenarios: what a contact center does, told so that a supervisor can read it, and played so that it cannot be wrong.
//!
//! The texts lie in `tests/scenarios`, one file each. They name no line: [`stage::Stage`] is what they need of the place they are
//! played on. [`core_stage`] plays them on the core alone, on a clock of its own; [`connected_stage`] with the real program, real
//! telephones and tones.

pub mod connected_stage;
pub mod core_stage;
mod sentences;
pub mod stage;
pub mod text;

use anyhow::{Context, Result, bail};
use stage::Stage;

/// Plays a scenario on a stage.
///
/// # Errors
/// With the line and its sentence, when it is not known, cannot be done, or what it expects does not hold.
pub fn play(scenario: &text::Scenario, stage: &mut dyn Stage) -> Result<()> {
    for step in &scenario.steps {
        let whose = || format!("line {}: {}", step.line, step.sentence);
        if let Some((values, act)) = find(sentences::ACTS, &step.sentence) {
            act(stage, &values).with_context(whose)?;
        } else if let Some((values, look)) = find(sentences::EXPECTATIONS, &step.sentence) {
            let mut looks = 0;
            while let Err(problem) = look(stage, &values) {
                looks += 1;
                if !stage.look_again(looks) {
                    return Err(problem).with_context(whose);
                }
            }
        } else {
            bail!("{}\nnobody knows this sentence; the known ones stand in tests/src/scenario/sentences.rs", whose());
        }
    }
    Ok(())
}

/// The sentence's meaning, with what its pattern leaves open.
fn find<'a>(known: &[(&str, sentences::Act)], sentence: &'a str) -> Option<(Vec<&'a str>, sentences::Act)> {
    known.iter().find_map(|(pattern, act)| Some((text::matches(pattern, sentence)?, *act)))
}

/// The patterns that no scenario uses: sentences nobody needs.
pub fn unused<'a>(scenarios: impl Iterator<Item = &'a text::Scenario> + Clone) -> Vec<&'static str> {
    let uses = |pattern: &str| {
        scenarios.clone().flat_map(|scenario| &scenario.steps).any(|step| {
            let first = all().find(|(known, _)| text::matches(known, &step.sentence).is_some());
            first.is_some_and(|(known, _)| *known == pattern)
        })
    };
    all().map(|(pattern, _)| *pattern).filter(|pattern| !uses(pattern)).collect()
}

fn all() -> impl Iterator<Item = &'static (&'static str, sentences::Act)> {
    sentences::ACTS.iter().chain(sentences::EXPECTATIONS)
}
