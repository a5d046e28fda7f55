//! Reads a scenario: a title, a story in free words, and steps that begin with Given, When, Then, And or But.
//!
//! The form is Gherkin's for a single scenario, so that editors know it; one file holds one scenario.

use anyhow::{Result, bail, ensure};

/// One scenario as written.
#[derive(Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What it shows, as a sentence.
    pub title: String,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Line in the file, from 1.
    pub line: usize,
    /// Without the word it begins with.
    pub sentence: String,
}

/// Reads a file's text.
///
/// # Errors
/// When there is no title, a step comes before it, or a line within the steps begins with none of the five words.
pub fn read(text: &str) -> Result<Scenario> {
    let mut title = None;
    let mut steps = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (line_number, line) = (index + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(words) = line.strip_prefix("Scenario:") {
            ensure!(title.is_none(), "line {line_number}: a second title; give each scenario a file of its own");
            title = Some(words.trim().to_owned());
            continue;
        }
        ensure!(title.is_some(), "line {line_number}: begin with \"Scenario:\" and a title");
        let sentence = ["Given ", "When ", "Then ", "And ", "But "].iter().find_map(|word| line.strip_prefix(word));
        match sentence {
            Some(sentence) => steps.push(Step { line: line_number, sentence: sentence.trim().to_owned() }),
            // Free words tell the story, before the steps only.
            None if steps.is_empty() => {}
            None => bail!("line {line_number}: begin a step with Given, When, Then, And or But"),
        }
    }
    let title = title.unwrap_or_default();
    ensure!(!title.is_empty() && !steps.is_empty(), "a scenario needs a title and steps");
    Ok(Scenario { title, steps })
}

/// The parts of a sentence that a pattern leaves open, or `None` when the sentence is another one.
///
/// A pattern is a sentence in which `{}` stands for one word or for a text in quotes (given without them).
pub fn matches<'a>(pattern: &str, sentence: &'a str) -> Option<Vec<&'a str>> {
    let mut rest = sentence;
    let mut found = Vec::new();
    let mut fixed = pattern.split("{}");
    rest = rest.strip_prefix(fixed.next()?)?;
    for following in fixed {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let end = rest.find(|character: char| character.is_whitespace() || ",:'".contains(character)).unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        if value.is_empty() {
            return None;
        }
        found.push(value);
        rest = after.strip_prefix(following)?;
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_has_a_title_a_story_and_steps() {
        let scenario = read("# source\nScenario: Calls come\n  As a caller I wait.\n\n  Given a queue\n  When it rings\n").unwrap();
        assert_eq!(scenario.title, "Calls come");
        assert_eq!(scenario.steps[1], Step { line: 6, sentence: "it rings".to_owned() });
    }

    #[test]
    fn a_line_that_is_no_step_is_named() {
        let problem = read("Scenario: Calls come\nGiven a queue\nit rings\n").unwrap_err().to_string();
        assert!(problem.starts_with("line 3"), "{problem}");
    }

    #[test]
    fn patterns_leave_words_and_quoted_texts_open() {
        assert_eq!(matches("{} calls {}", "Carla calls +49301"), Some(vec!["Carla", "+49301"]));
        assert_eq!(matches("{} hears {}", "Carla hears \"Please wait.\""), Some(vec!["Carla", "Please wait."]));
        assert_eq!(matches("{}'s telephone rings", "Anna's telephone rings"), Some(vec!["Anna"]));
        assert_eq!(matches("{} calls {}", "Carla calls"), None);
        assert_eq!(matches("{} calls {}", "Carla calls +49301 again"), None);
    }
}
