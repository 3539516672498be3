//! Lines cut at a separator, without quotes: the format of 100K and 1M.

use memchr::{memchr, memmem};

use super::at::At;
use super::blocks::Blocks;
use super::quoting::Quotes;
use crate::error::DataError;
use crate::files::TextFile;

/// Calls `each` on every line that is not blank, without its end.
///
/// # Errors
///
/// What `each` returns, a failed read, or [`DataError::EmptyFile`] when there was no such line.
pub(crate) fn for_each_line(
    file: TextFile,
    mut each: impl FnMut(At<'_>, &[u8]) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut blocks = Blocks::of(file, Quotes::Plain);
    let mut n_lines = 0;
    while let Some(block) = blocks.next()? {
        n_lines += block.for_each_line(blocks.path(), Quotes::Plain, &mut each)?;
    }
    blocks.refuse_empty(n_lines)
}

/// The first `N` fields of a line.
pub(crate) fn fields<'l, const N: usize>(
    at: At<'_>,
    line: &'l [u8],
    separator: &[u8],
) -> Result<[&'l [u8]; N], DataError> {
    let mut fields = [&line[..0]; N];
    let mut found = 0;
    let mut rest = Some(line);
    while let Some(text) = rest.filter(|_| found < N) {
        let end = find(text, separator);
        fields[found] = &text[..end.unwrap_or(text.len())];
        rest = end.map(|end| &text[end + separator.len()..]);
        found += 1;
    }
    if found < N { Err(at.too_few_fields(found, N, line)) } else { Ok(fields) }
}

/// Where a separator first stands.
fn find(text: &[u8], separator: &[u8]) -> Option<usize> {
    match separator {
        [byte] => memchr(*byte, text),
        bytes => memmem::find(text, bytes),
    }
}

/// ISO-8859-1 as text: each byte is the code point of the same number.
pub(crate) fn latin1(bytes: &[u8]) -> String {
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
