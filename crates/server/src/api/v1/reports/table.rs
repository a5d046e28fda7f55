//! The same rows as a table for spreadsheets: CSV as in RFC 4180.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

/// Whether a table is asked for: by parameter, else by what is accepted.
pub(super) fn wanted(format: Option<Format>, headers: &HeaderMap) -> bool {
    match format {
        Some(format) => format == Format::Csv,
        None => headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.trim().starts_with("text/csv")),
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A JSON object.
    Json,
    /// A table with a line of column names.
    Csv,
}

/// A table under way.
pub(super) struct Table(String);

impl Table {
    pub(super) fn new<'a>(columns: impl IntoIterator<Item = &'a str>) -> Table {
        let mut table = Table(String::new());
        table.row(columns.into_iter().map(str::to_owned));
        table
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| quoted(&cell)).collect();
        self.0.push_str(&cells.join(","));
        self.0.push_str("\r\n");
    }

    pub(super) fn answer(self) -> Response {
        ([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], self.0).into_response()
    }
}

/// A cell; one that a spreadsheet would take for a formula is made a text.
fn quoted(cell: &str) -> String {
    let text = if cell.starts_with(['=', '@']) { format!("'{cell}") } else { cell.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_never_formulas() {
        let mut table = Table::new(["a", "b"]);
        table.row(["Sales, \"north\"".to_owned(), "=1+1".to_owned()]);
        assert_eq!(table.0, "a,b\r\n\"Sales, \"\"north\"\"\",'=1+1\r\n");
    }

    #[test]
    fn the_parameter_goes_before_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, axum::http::HeaderValue::from_static("text/csv"));
        assert!(wanted(None, &headers) && !wanted(Some(Format::Json), &headers) && !wanted(None, &HeaderMap::new()));
    }
}
