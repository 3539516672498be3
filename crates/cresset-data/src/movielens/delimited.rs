//! Lines cut at a separator, without quotes: the format of 100K and 1M.

use std::io::BufRead;

use super::rows::At;
use crate::error::DataError;
use crate::files::{FileError, TextFile};

/// Calls `each` on every line that is not blank, without its end.
///
/// # Errors
///
/// What `each` returns, a failed read, or [`DataError::EmptyFile`] when there was no such line.
pub(super) fn for_each_line(
    file: TextFile,
    mut each: impl FnMut(At<'_>, &[u8]) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let TextFile { path, mut reader } = file;
    let mut line = Vec::new();
    let mut is_empty = true;
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(|cause| FileError::read(&path, cause))? == 0 {
            break;
        }
        let text = without_end(without_bom(number, &line));
        if !text.trim_ascii().is_empty() {
            is_empty = false;
            each(At { file: &path, line: number }, text)?;
        }
    }
    if is_empty { Err(DataError::EmptyFile { file: path }) } else { Ok(()) }
}

/// The text of a line, without the byte-order mark that some editors put before the first.
fn without_bom(number: u64, line: &[u8]) -> &[u8] {
    if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
}

/// The text of a line, without `\n` or `\r\n`.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The first `N` fields of a line.
pub(super) fn fields<'l, const N: usize>(
    at: At<'_>,
    line: &'l [u8],
    separator: &[u8],
) -> Result<[&'l [u8]; N], DataError> {
    let mut fields = [&line[..0]; N];
    let mut found = 0;
    let mut rest = Some(line);
    while let Some(text) = rest.filter(|_| found < N) {
        let end = text.windows(separator.len()).position(|bytes| bytes == separator);
        fields[found] = &text[..end.unwrap_or(text.len())];
        rest = end.map(|end| &text[end + separator.len()..]);
        found += 1;
    }
    if found < N { Err(at.too_few_fields(found, N, line)) } else { Ok(fields) }
}

/// ISO-8859-1 as text: each byte is the code point of the same number.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const AT: fn() -> At<'static> = || At { file: Path::new("movies.dat"), line: 3 };

    #[test]
    fn fields_are_cut_at_a_separator_of_two_bytes() {
        let found: [&[u8]; 3] = fields(AT(), b"1::Toy: Story::", b"::").unwrap();
        assert_eq!(found, [b"1".as_slice(), b"Toy: Story", b""]);
    }

    #[test]
    fn fields_beyond_those_asked_for_are_left() {
        let found: [&[u8]; 2] = fields(AT(), b"1|2|3|4", b"|").unwrap();
        assert_eq!(found, [b"1", b"2"]);
    }

    #[test]
    fn a_short_row_names_its_line_and_both_counts() {
        let error = fields::<3>(AT(), b"1::2", b"::").unwrap_err();
        assert_eq!(error.to_string(), "movies.dat:3: 2 of 3 fields in \"1::2\": complete or delete the line");
    }

    #[test]
    fn every_byte_is_a_letter_of_latin_1() {
        assert_eq!(latin1(b"Am\xe9lie "), "Amélie");
    }
}
