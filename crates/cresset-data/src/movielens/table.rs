//! CSV with a header, row by row, so that an error can name its line whatever the line ends are.

use std::path::{Path, PathBuf};

use super::delimited::for_each_line;
use super::rows::At;
use crate::error::DataError;
use crate::files::TextFile;

/// The names in the first line of a file.
pub(super) struct Header {
    file: PathBuf,
    columns: Vec<String>,
}

impl Header {
    fn new(file: &Path, row: &Row) -> Self {
        let columns = (0..row.len()).map(|column| String::from_utf8_lossy(&row[column]).trim().to_owned());
        Self { file: file.to_owned(), columns: columns.collect() }
    }

    /// The number of a column by any of its names, in any case.
    pub(super) fn find(&self, names: &[&str]) -> Option<usize> {
        self.columns.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
    }

    /// As [`find`](Self::find), for a column that must be there; the first name is the one that errors give.
    pub(super) fn require(&self, names: &[&'static str]) -> Result<usize, DataError> {
        let missing = || DataError::MissingColumn {
            file: self.file.clone(),
            column: names[0],
            header: self.columns.join(","),
        };
        self.find(names).ok_or_else(missing)
    }
}

/// Passes the header to `columns` and every other row, with what that returned, to `each`.
///
/// A row has at least as many fields as the header.
///
/// # Errors
///
/// What the two functions return, a failed read, [`DataError::EmptyFile`] when there is no row below the header, or
/// an error that names the line when a row is short or a quote is not closed on its line.
pub(super) fn for_each_row<C>(
    file: TextFile,
    columns: impl Fn(&Header) -> Result<C, DataError>,
    mut each: impl FnMut(At<'_>, &C, &Row) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let path = file.path.clone();
    let mut row = Row::default();
    let mut head: Option<(C, usize)> = None;
    let mut is_empty = true;
    for_each_line(file, |at, line| {
        row.split(at, line)?;
        let Some((columns, n_columns)) = &head else {
            head = Some((columns(&Header::new(at.file, &row))?, row.len()));
            return Ok(());
        };
        if row.len() < *n_columns {
            return Err(at.too_few_fields(row.len(), *n_columns, line));
        }
        is_empty = false;
        each(at, columns, &row)
    })?;
    if is_empty { Err(DataError::EmptyFile { file: path }) } else { Ok(()) }
}

/// The fields of one line without their quotes; its memory is used again for the next.
#[derive(Default)]
pub(super) struct Row {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Row {
    /// Cuts a line at its commas; within quotes a comma is text, and two quotes are one.
    fn split(&mut self, at: At<'_>, line: &[u8]) -> Result<(), DataError> {
        self.bytes.clear();
        self.ends.clear();
        let mut is_quoted = false;
        let mut rest = line.iter().peekable();
        while let Some(&byte) = rest.next() {
            match byte {
                b'"' if is_quoted && rest.next_if(|&&next| next == b'"').is_some() => self.bytes.push(b'"'),
                b'"' => is_quoted = !is_quoted,
                b',' if !is_quoted => self.ends.push(self.bytes.len()),
                _ => self.bytes.push(byte),
            }
        }
        self.ends.push(self.bytes.len());
        if is_quoted {
            Err(at.bad_field("row", line, "one whose quotes are closed on its line"))
        } else {
            Ok(())
        }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }
}

impl std::ops::Index<usize> for Row {
    type Output = [u8];

    fn index(&self, field: usize) -> &[u8] {
        let start = if field == 0 { 0 } else { self.ends[field - 1] };
        &self.bytes[start..self.ends[field]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, String> {
        let mut row = Row::default();
        let at = At { file: Path::new("movies.csv"), line: 7 };
        row.split(at, line.as_bytes()).map_err(|error| error.to_string())?;
        Ok((0..row.len()).map(|field| String::from_utf8_lossy(&row[field]).into_owned()).collect())
    }

    #[test]
    fn a_comma_within_quotes_is_text_and_two_quotes_are_one() {
        assert_eq!(
            split(r#"1,"American ""President"", The",Drama"#).unwrap(),
            ["1", r#"American "President", The"#, "Drama"]
        );
    }

    #[test]
    fn empty_fields_are_fields() {
        assert_eq!(split(r#","",x,"#).unwrap(), ["", "", "x", ""]);
    }

    #[test]
    fn a_quote_that_stays_open_is_refused_with_its_line() {
        assert_eq!(
            split(r#"1,"Toy"#).unwrap_err(),
            r#"movies.csv:7: row "1,"Toy" is not one whose quotes are closed on its line: correct or delete the line"#
        );
    }
}
