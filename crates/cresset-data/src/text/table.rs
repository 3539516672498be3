//! CSV with a header, row by row, so that an error can name its line whatever the line ends are.

use std::path::{Path, PathBuf};

use memchr::{memchr_iter, memchr2};

use super::at::At;
use super::blocks::Blocks;
use super::quoting::{Field, QuoteFault, Quotes, first_field};
use crate::config::OnBadRow;
use crate::error::DataError;
use crate::files::TextFile;
use crate::source::Unreadable;

/// What a field with a quote must be.
const QUOTABLE: &str = "free of quotes, or all in quotes with each of its own doubled";

/// A byte that stands between two fields once or, as in `::`, a number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Separator {
    byte: u8,
    width: usize,
}

impl Separator {
    pub(crate) const fn byte(byte: u8) -> Self {
        Self { byte, width: 1 }
    }

    /// The separator that `text` spells: one ASCII character, once or repeated; `None` for any other text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = if text == "\\t" { "\t" } else { text };
        let byte =
            text.bytes().next().filter(|&byte| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n'))?;
        text.bytes().all(|other| other == byte).then_some(Self { byte, width: text.len() })
    }
}

/// How the rows of a table are cut into fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// What stands between two fields.
    pub(crate) separator: Separator,
    /// Whether fields may stand in quotes.
    pub(crate) quotes: Quotes,
}

impl Dialect {
    /// Commas and quotes.
    pub(crate) const CSV: Self = Self::quoted(b',');
    /// Tabs, without quotes.
    pub(crate) const TSV: Self = Self { separator: Separator::byte(b'\t'), quotes: Quotes::Plain };
    /// Single spaces, without quotes.
    pub(crate) const SPACES: Self = Self { separator: Separator::byte(b' '), quotes: Quotes::Plain };

    /// A byte between fields that may stand in quotes.
    pub(crate) const fn quoted(separator: u8) -> Self {
        Self { separator: Separator::byte(separator), quotes: Quotes::Csv(separator) }
    }

    /// A separator with the quotes that go with it: with commas and semicolons fields may stand in quotes, as
    /// spreadsheets write them; with any other separator a quote is a letter like any other.
    pub(crate) fn of(separator: Separator) -> Self {
        match separator {
            Separator { byte: byte @ (b',' | b';'), width: 1 } => Self::quoted(byte),
            _ => Self { separator, quotes: Quotes::Plain },
        }
    }
}

/// The names in the first line of a file.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    file: PathBuf,
    columns: Vec<String>,
}

impl Header {
    fn new(file: &Path, row: &Row) -> Self {
        let columns = (0..row.len()).map(|column| String::from_utf8_lossy(&row[column]).trim().to_owned());
        Self { file: file.to_owned(), columns: columns.collect() }
    }

    /// The line it stands in, taken to be the first.
    pub(crate) fn at(&self) -> At<'_> {
        At { file: &self.file, line: 1 }
    }

    /// The names, in the order of the columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.columns
    }

    /// The number of a column by any of its names, in any case.
    pub(crate) fn find(&self, names: &[&str]) -> Option<usize> {
        self.columns.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
    }

    /// As [`find`](Self::find), for a column that must be there; the first name is the one that errors give.
    pub(crate) fn require(&self, names: &[&str]) -> Result<usize, DataError> {
        self.find(names).ok_or_else(|| self.missing(names[0]))
    }

    /// The error for a column that is not there.
    pub(crate) fn missing(&self, column: &str) -> DataError {
        let header = self.columns.join(",");
        DataError::MissingColumn { file: self.file.clone(), column: column.to_owned(), header }
    }
}

/// Takes the header off a file; its number of fields and what `columns` makes of it.
///
/// # Errors
///
/// What `columns` returns, a failed read, or [`DataError::EmptyFile`] when there is no header.
pub(crate) fn take_header<C>(
    blocks: &mut Blocks,
    dialect: Dialect,
    columns: impl FnOnce(&Header) -> Result<C, DataError>,
) -> Result<(C, usize), DataError> {
    let Some((line, text)) = blocks.take_line()? else {
        return Err(DataError::EmptyFile { file: blocks.path().to_owned() });
    };
    let mut row = Row::default();
    row.split(At { file: blocks.path(), line }, &text, dialect)?;
    Ok((columns(&Header::new(blocks.path(), &row))?, row.len()))
}

/// The fields of the first line that is not blank, which may be a header.
///
/// # Errors
///
/// A failed read, or [`DataError::EmptyFile`] when there is no such line.
pub(crate) fn first_row(file: TextFile, dialect: Dialect) -> Result<Header, DataError> {
    let mut blocks = Blocks::of(file, dialect.quotes);
    Ok(take_header(&mut blocks, dialect, |header| Ok(header.clone()))?.0)
}

/// Whether tabs stand between the fields of the first line that is not blank.
///
/// # Errors
///
/// As [`first_row`].
pub(crate) fn is_tabbed(file: TextFile) -> Result<bool, DataError> {
    Ok(first_row(file, Dialect::TSV)?.names().len() > 1)
}

/// Passes the header to `columns` and every other row, with what that returned, to `each`.
///
/// A row has at least as many fields as the header.
///
/// # Errors
///
/// What the two functions return, a failed read, [`DataError::EmptyFile`] when there is no row below the header, or
/// an error that names the line when a row is short or a quote is out of place. Under [`OnBadRow::Skip`] rows in error
/// are counted instead.
pub(crate) fn for_each_row<C>(
    file: TextFile,
    dialect: Dialect,
    on_bad_row: OnBadRow,
    columns: impl FnOnce(&Header) -> Result<C, DataError>,
    mut each: impl FnMut(At<'_>, &C, &Row) -> Result<(), DataError>,
) -> Result<Unreadable, DataError> {
    let mut blocks = Blocks::of(file, dialect.quotes);
    let (columns, n_columns) = take_header(&mut blocks, dialect, columns)?;
    let (mut row, mut n_rows, mut unreadable) = (Row::default(), 0, Unreadable::default());
    while let Some(block) = blocks.next()? {
        n_rows += block.for_each_line(blocks.path(), dialect.quotes, |at, line| {
            let read = row.split_whole(at, line, dialect, n_columns).and_then(|()| each(at, &columns, &row));
            read.or_else(|error| unreadable.count_or_refuse(on_bad_row, error))
        })?;
    }
    blocks.refuse_empty(n_rows)?;
    Ok(unreadable)
}

/// The fields of one line without their quotes; its memory is used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// The fields, each with a separator's width of bytes behind it.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    width: usize,
}

impl Row {
    /// As [`split`](Self::split), for a line that must have `n_columns` fields at least.
    pub(crate) fn split_whole(
        &mut self,
        at: At<'_>,
        line: &[u8],
        dialect: Dialect,
        n_columns: usize,
    ) -> Result<(), DataError> {
        self.split(at, line, dialect)?;
        if self.len() < n_columns { Err(at.too_few_fields(self.len(), n_columns, line)) } else { Ok(()) }
    }

    /// Cuts a line at its separators; within quotes a separator is text, and two quotes are one.
    fn split(&mut self, at: At<'_>, line: &[u8], dialect: Dialect) -> Result<(), DataError> {
        self.bytes.clear();
        self.ends.clear();
        let Separator { byte, width } = dialect.separator;
        self.width = width;
        if width > 1 {
            self.ends.extend(runs(line, byte, width));
        } else if !self.find_ends(line, byte, dialect.quotes) {
            self.ends.clear();
            return self.split_quoted(at, line, byte);
        }
        self.bytes.extend_from_slice(line);
        self.ends.push(line.len());
        Ok(())
    }

    /// Notes where the separators are; `false` when there is a quote that counts.
    fn find_ends(&mut self, line: &[u8], separator: u8, quotes: Quotes) -> bool {
        // Fields are a few bytes, for which eight at a time are faster than a search for each.
        let quote = if quotes == Quotes::Plain { separator } else { b'"' };
        let (separators, quotes) = (Eight::all(separator), Eight::all(quote));
        let (words, rest) = line.as_chunks::<8>();
        for (start, &word) in (0..).step_by(8).zip(words) {
            let found = Eight::of(word).equal_to(separators);
            if quote != separator && Eight::of(word).equal_to(quotes).0 != 0 {
                return false;
            }
            found.for_each_place(|at| self.ends.push(start + at));
        }
        for (at, &byte) in (8 * words.len()..).zip(rest) {
            if byte == separator {
                self.ends.push(at);
            } else if byte == quote {
                return false;
            }
        }
        true
    }

    fn split_quoted(&mut self, at: At<'_>, line: &[u8], separator: u8) -> Result<(), DataError> {
        let mut rest = line;
        loop {
            match first_field(rest, separator) {
                Ok((field, len)) => {
                    self.push(field);
                    if len == rest.len() {
                        return Ok(());
                    }
                    self.bytes.push(separator);
                    rest = &rest[len + 1..];
                }
                Err(QuoteFault::Open) => {
                    return Err(at.bad_field("row", line, "one whose quotes are closed"));
                }
                Err(QuoteFault::Stray) => {
                    let end = memchr2(separator, b'\n', rest).unwrap_or(rest.len());
                    return Err(at.bad_field("field", &rest[..end], QUOTABLE));
                }
            }
        }
    }

    /// Appends a field, two quotes within its own as one.
    fn push(&mut self, field: Field<'_>) {
        match field {
            Field::Plain(text) => self.bytes.extend_from_slice(text),
            Field::Quoted(text) => {
                let mut is_first_of_two = false;
                for &byte in text {
                    is_first_of_two = byte == b'"' && !is_first_of_two;
                    if byte != b'"' || is_first_of_two {
                        self.bytes.push(byte);
                    }
                }
            }
        }
        self.ends.push(self.bytes.len());
    }

    /// The number of fields.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

impl std::ops::Index<usize> for Row {
    type Output = [u8];

    fn index(&self, field: usize) -> &[u8] {
        let start = if field == 0 { 0 } else { self.ends[field - 1] + self.width };
        &self.bytes[start..self.ends[field]]
    }
}

/// Eight bytes in one register.
#[derive(Clone, Copy)]
struct Eight(u64);

impl Eight {
    const LOW_BITS: u64 = u64::from_le_bytes([0x7f; 8]);

    fn of(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    fn all(byte: u8) -> Self {
        Self::of([byte; 8])
    }

    /// The highest bit of every byte that is the same in both, and no other bit.
    fn equal_to(self, other: Self) -> Self {
        let difference = self.0 ^ other.0;
        // No sum carries into the next byte: its highest bit is set unless the low bits are all zero.
        let sums = (difference & Self::LOW_BITS) + Self::LOW_BITS;
        Self(!(sums | difference | Self::LOW_BITS))
    }

    /// Calls `each` with the place of every byte that has a bit.
    fn for_each_place(self, mut each: impl FnMut(usize)) {
        let mut rest = self.0;
        while rest != 0 {
            each(rest.trailing_zeros() as usize / 8);
            rest &= rest - 1;
        }
    }
}

/// Where a separator of several bytes begins, from left to right and without overlap.
fn runs(line: &[u8], byte: u8, width: usize) -> impl Iterator<Item = usize> {
    let mut next_start = 0;
    memchr_iter(byte, line).filter(move |&at| {
        let is_whole = || line[at..].iter().take(width).filter(|&&it| it == byte).count() == width;
        let is_run = at >= next_start && is_whole();
        if is_run {
            next_start = at + width;
        }
        is_run
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(line: &str) -> Result<Vec<String>, String> {
        let mut row = Row::default();
        let at = At { file: Path::new("movies.csv"), line: 7 };
        row.split(at, line.as_bytes(), Dialect::CSV).map_err(|error| error.to_string())?;
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
    fn spaces_around_quotes_are_no_text_and_those_within_are() {
        assert_eq!(split(r#"1, " a" ,b "#).unwrap(), ["1", " a", "b "]);
    }

    #[test]
    fn a_quote_within_a_field_is_refused_with_its_line_and_the_field() {
        for field in [r#"7" single"#, r#""7" single"#, r#""7"" single" x"#, r#" x"7""#] {
            let expected =
                format!("movies.csv:7: field \"{field}\" is not {QUOTABLE}: correct or delete the line");
            assert_eq!(split(&format!("1,{field},Drama")).unwrap_err(), expected);
        }
    }

    proptest! {
        #[test]
        fn a_line_is_cut_at_every_separator(line in "[a,;\u{80}-\u{100}]{0,40}", separator in prop::sample::select(&b",;a"[..])) {
            let mut row = Row::default();
            let at = At { file: Path::new("a.csv"), line: 1 };
            let dialect = Dialect { separator: Separator::byte(separator), quotes: Quotes::Plain };
            row.split(at, line.as_bytes(), dialect).unwrap();
            let found: Vec<&[u8]> = (0..row.len()).map(|field| &row[field]).collect();
            let expected: Vec<&[u8]> = line.as_bytes().split(|&byte| byte == separator).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_separator_may_be_a_byte_twice() {
        let dialect = Dialect::of(Separator::of("::").unwrap());
        let at = At { file: Path::new("movies.dat"), line: 1 };
        let mut row = Row::default();
        row.split(at, b"1::Toy: Story::::x:::y", dialect).unwrap();
        let fields: Vec<_> = (0..row.len()).map(|field| String::from_utf8_lossy(&row[field])).collect();
        assert_eq!(fields, ["1", "Toy: Story", "", "x", ":y"]);
    }

    #[test]
    fn what_separates_is_one_character_once_or_repeated() {
        assert_eq!(Separator::of("\\t"), Some(Separator::byte(b'\t')));
        assert_eq!(Separator::of("||"), Some(Separator { byte: b'|', width: 2 }));
        for text in ["", ", ", "\"", "\n", "é"] {
            assert_eq!(Separator::of(text), None, "{text:?}");
        }
    }

    #[test]
    fn empty_fields_are_fields() {
        assert_eq!(split(r#","",x,"#).unwrap(), ["", "", "x", ""]);
        assert_eq!(split(",,x,").unwrap(), ["", "", "x", ""]);
    }

    #[test]
    fn of_a_long_row_only_the_beginning_is_quoted() {
        let message = split(&format!("1,\"{}", "é".repeat(1000))).unwrap_err();
        assert!(
            message.starts_with(&format!("movies.csv:7: row \"1,\"{}\" is not", "é".repeat(77))),
            "{message}"
        );
    }

    #[test]
    fn a_quote_that_stays_open_is_refused_with_its_line() {
        assert_eq!(
            split(r#"1,"Toy"#).unwrap_err(),
            r#"movies.csv:7: row "1,"Toy" is not one whose quotes are closed: correct or delete the line"#
        );
    }
}
