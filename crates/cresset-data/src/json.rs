//! JSON lines and JSON files, with errors that name the line.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::error::Place;
use crate::text::{At, beginning};

/// JSON that cannot be read, or that lacks what is needed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// A line that is no JSON object of its kind.
    #[error(
        "{place}: {fault} at column {column} of \"{row}\": correct the line to one JSON object, or delete it"
    )]
    Line {
        /// Where.
        place: Place,
        /// What is wrong.
        fault: String,
        /// Column of the fault, from 1.
        column: usize,
        /// The beginning of the line.
        row: String,
    },

    /// A line whose object lacks a key that is needed.
    #[error("{place}: no {key} in \"{row}\": add the key to the line, or delete the line")]
    MissingKey {
        /// Where.
        place: Place,
        /// The key, or the keys any of which would do.
        key: String,
        /// The beginning of the line.
        row: String,
    },

    /// A file that is not the JSON it should be.
    #[error("{}: {fault}: expected {expected}; replace the file, or name another in the configuration", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        fault: String,
        /// What would be right.
        expected: &'static str,
    },
}

impl JsonError {
    /// A line that `serde_json` refused.
    pub(crate) fn line(at: At<'_>, line: &[u8], cause: &serde_json::Error) -> Self {
        let (row, fault) = (beginning(line), without_place(cause));
        Self::Line { place: at.place(), fault, column: cause.column(), row }
    }

    pub(crate) fn missing_key(at: At<'_>, line: &[u8], key: &str) -> Self {
        Self::MissingKey { place: at.place(), key: key.to_owned(), row: beginning(line) }
    }

    /// A file that `serde_json` refused.
    pub(crate) fn file(file: &Path, cause: &serde_json::Error, expected: &'static str) -> Self {
        Self::File { file: file.to_owned(), fault: cause.to_string(), expected }
    }

    pub(crate) fn is_of_a_row(&self) -> bool {
        !matches!(self, Self::File { .. })
    }
}

/// The message without "at line 1 column 7": the line is another one's.
fn without_place(cause: &serde_json::Error) -> String {
    let message = cause.to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(fault, _)| fault.to_owned())
}

/// The value of one line.
///
/// # Errors
///
/// [`JsonError::Line`].
pub(crate) fn parse_line<'l, T: Deserialize<'l>>(at: At<'_>, line: &'l [u8]) -> Result<T, JsonError> {
    serde_json::from_slice(line).map_err(|cause| JsonError::line(at, line, &cause))
}

/// A value as a person would write it: text as it is, a list with commas, an object as JSON; empty where there is
/// nothing.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(values) => joined(values, ", "),
        Value::Object(fields) if fields.is_empty() => String::new(),
        other => other.to_string(),
    }
}

/// The values of a list that are not empty, one after another.
pub(crate) fn joined(values: &[Value], separator: &str) -> String {
    let texts: Vec<String> = values.iter().map(text_of).filter(|text| !text.is_empty()).collect();
    texts.join(separator)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_becomes_the_text_that_a_person_would_write() {
        assert_eq!(text_of(&json!(" a ")), "a");
        assert_eq!(text_of(&json!(["a", null, 2, ""])), "a, 2");
        assert_eq!((text_of(&json!(null)), text_of(&json!({})), text_of(&json!([]))), Default::default());
        assert_eq!((text_of(&json!(1.5)), text_of(&json!({ "a": 1 }))), ("1.5".into(), r#"{"a":1}"#.into()));
    }

    #[test]
    fn a_line_that_is_cut_is_quoted_with_its_column() {
        let at = At { file: Path::new("a.jsonl"), line: 4 };
        let message = parse_line::<Value>(at, br#"{"id": 1, "#).unwrap_err().to_string();
        assert_eq!(
            message,
            "a.jsonl:4: EOF while parsing a value at column 10 of \"{\"id\": 1, \": correct the line to one JSON \
             object, or delete it"
        );
    }
}
