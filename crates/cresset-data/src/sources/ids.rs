//! What may be an id, and lines of ids between spaces.

use crate::error::DataError;
use crate::text::At;

/// What the ids of a format are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// Any text.
    Text,
    /// Any text that holds no separator of other formats.
    Words,
    /// Whole numbers from 0: the source has numbered its users and items already.
    From0,
    /// Whole numbers from 1, as 0 is the format's padding.
    From1,
}

impl Ids {
    /// The field without the spaces around it, if it is such an id.
    ///
    /// # Errors
    ///
    /// [`DataError::BadField`] if it is none.
    pub(super) fn check<'f>(
        self,
        at: At<'_>,
        field: &'static str,
        id: &'f [u8],
    ) -> Result<&'f [u8], DataError> {
        let id = id.trim_ascii();
        let (is_id, expected) = match self {
            Self::Text => return Ok(id),
            Self::Words => {
                (!id.contains(&b',') && !id.contains(&b';'), "one of words between spaces or tabs")
            }
            Self::From0 => (is_whole(id), "a whole number from 0"),
            Self::From1 => (is_whole(id) && id != b"0", "a whole number from 1"),
        };
        if is_id { Ok(id) } else { Err(at.bad_field(field, id, expected)) }
    }
}

/// Digits without leading zeros, so that one number has one spelling.
fn is_whole(id: &[u8]) -> bool {
    let is_canonical = matches!(id, [b'0'] | [b'1'..=b'9', ..]);
    is_canonical && id.iter().all(u8::is_ascii_digit)
}

/// What stands between spaces and tabs.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// The words of a line that must have `N` of them, which `expected` describes.
///
/// # Errors
///
/// [`DataError::TooFewFields`] or, for one word more, [`DataError::BadField`].
pub(super) fn words_of<'l, const N: usize>(
    at: At<'_>,
    line: &'l [u8],
    expected: &'static str,
) -> Result<[&'l [u8]; N], DataError> {
    let mut found = [&line[..0]; N];
    let mut rest = words(line);
    for (n_found, word) in found.iter_mut().enumerate() {
        *word = rest.next().ok_or_else(|| at.too_few_fields(n_found, N, line))?;
    }
    match rest.next() {
        None => Ok(found),
        Some(_) => Err(at.bad_field("row", line, expected)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn at() -> At<'static> {
        At { file: Path::new("ids.txt"), line: 3 }
    }

    fn is_id(ids: Ids, text: &str) -> bool {
        ids.check(at(), "item id", text.as_bytes()).is_ok()
    }

    #[test]
    fn numbers_from_0_and_from_1_have_one_spelling_each() {
        for text in ["1", "10", " 7 ", "18446744073709551616"] {
            assert!(is_id(Ids::From0, text) && is_id(Ids::From1, text), "{text}");
        }
        for text in ["", "01", "+1", "-1", "1.0", "x", "1 2", "1\0"] {
            assert!(!is_id(Ids::From0, text) && !is_id(Ids::From1, text), "{text}");
        }
        assert!(is_id(Ids::From0, "0") && !is_id(Ids::From1, "0"));
    }

    #[test]
    fn a_word_holds_no_separator_of_other_formats() {
        assert!(is_id(Ids::Words, "tt0114709") && !is_id(Ids::Words, "1,2") && !is_id(Ids::Words, "1;"));
        assert!(is_id(Ids::Text, "1,2"));
    }

    #[test]
    fn words_stand_between_any_spaces_and_tabs() {
        let found: [&[u8]; 2] = words_of(at(), b" 1\t  22 ", "two").unwrap();
        assert_eq!(found, [b"1".as_slice(), b"22"]);
    }

    #[test]
    fn too_few_words_and_too_many_are_refused() {
        let message = |line: &[u8]| words_of::<2>(at(), line, "two ids alone").unwrap_err().to_string();
        assert_eq!(message(b"1"), "ids.txt:3: 1 of 2 fields in \"1\": complete or delete the line");
        assert_eq!(
            message(b"1 2 3"),
            "ids.txt:3: row \"1 2 3\" is not two ids alone: correct or delete the line"
        );
    }
}
