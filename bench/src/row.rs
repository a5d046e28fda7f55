//! What is printed of a run: a line for people, and the same as one JSON object per line for programs.

use crate::machine::{Usage, cores, load_1m};
use anyhow::Context as _;
use serde_json::{Map, Value, json};
use std::{
    fs::OpenOptions,
    io::Write as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// The figures of one run.
#[derive(Clone, Debug, Default)]
pub struct Row(Map<String, Value>);

impl Row {
    /// A row of this kind, with what has to be known of the machine to judge the rest.
    pub fn new(kind: &str, label: &str, tag: &str) -> Row {
        let mut row = Row::default();
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        row.set("kind", kind).set("label", label).set("tag", tag).set("at", at);
        row.set("cores", cores()).set("load_1m", load_1m());
        row
    }

    /// Adds a figure.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) -> &mut Row {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a figure to three digits after the point.
    pub fn number(&mut self, name: &str, value: impl Into<Option<f64>>) -> &mut Row {
        self.set(name, value.into().map(|value: f64| (value * 1e3).round() / 1e3))
    }

    /// Adds what the machine did meanwhile.
    pub fn usage(&mut self, usage: &Usage) -> &mut Row {
        self.number("peer_cpu_pct", usage.peer_cpu_pct());
        self.number("peer_rss_mb", usage.resident_kb.map(|kb| kb as f64 / 1024.0));
        self.number("own_cpu_pct", usage.own_cpu_pct);
        self.number("foreign_cpu_pct", usage.foreign_cpu_pct);
        self.number("stolen_pct", usage.stolen_pct)
    }

    /// A figure; `None` when it is unknown.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).and_then(Value::as_f64)
    }

    /// A text; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the peer held the load.
    pub fn is_held(&self) -> bool {
        self.0.get("held").and_then(Value::as_bool).unwrap_or_default()
    }

    /// A figure for people; `–` when it is unknown.
    pub fn show(&self, name: &str) -> String {
        show(self.get(name))
    }

    /// Reads a line written by [`Row::publish`].
    pub fn parse(line: &str) -> anyhow::Result<Row> {
        match serde_json::from_str(line)? {
            Value::Object(map) => Ok(Row(map)),
            other => anyhow::bail!("{other} is no object"),
        }
    }

    /// Prints the line for people to standard error and the object to standard output, and appends the object to a file.
    pub fn publish(&self, line: &str, out: Option<&Path>) -> anyhow::Result<()> {
        let object = json!(self.0).to_string();
        eprintln!("{line}");
        println!("{object}");
        if let Some(path) = out {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let written = file.and_then(|mut file| writeln!(file, "{object}"));
            written.with_context(|| format!("cannot write to {}", path.display()))?;
        }
        Ok(())
    }
}

/// A number with as many digits as it deserves.
pub fn show(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value == 0.0 || value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// The middle value; `None` without values.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn unknown_figures_are_shown_as_unknown_and_not_as_zero() {
        let mut row = Row::new("setup", "x", "step");
        row.number("known", 0.0).number("unknown", None);
        assert_eq!((row.show("known"), row.show("unknown"), row.show("absent")), ("0".to_owned(), "–".to_owned(), "–".to_owned()));
        assert_eq!((show(Some(1234.5)).as_str(), show(Some(12.34)).as_str(), show(Some(0.123)).as_str()), ("1234", "12.3", "0.12"));
    }
}
