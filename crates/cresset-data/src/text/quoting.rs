//! Fields in quotes, by one rule for those who look for the end of a row and for those who cut it into fields.
//!
//! A quote opens a field only where the field begins, and closes it only before a separator or a line end; within it
//! two quotes are one. Spaces around the quotes are no part of the field. A quote anywhere else breaks the row, which
//! then ends with its first line: it takes none of the rows below with it.

use memchr::{memchr, memchr_iter, memchr2, memchr3};

/// Quotes that are not closed within so many bytes of their row never will be.
const MAX_QUOTED_BYTES: usize = 16 << 20;

/// What a quote means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// A letter like any other.
    Plain,
    /// As in CSV, with this byte between fields: a field in quotes may hold it, and line ends.
    Csv(u8),
}

/// How far a row goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes, the line end included, of so many lines.
    Whole { len: usize, n_lines: u64 },
    /// Further than the bytes, which end outside of quotes.
    Cut,
    /// Further than the bytes, which end within quotes.
    Open,
}

/// How far the first row of `bytes` goes.
pub(super) fn first_row(bytes: &[u8], quotes: Quotes) -> Extent {
    let separator = match quotes {
        Quotes::Plain => return first_line(bytes),
        Quotes::Csv(separator) => separator,
    };
    match memchr2(b'"', b'\n', bytes) {
        Some(quote) if bytes[quote] == b'"' => first_quoted_row(bytes, separator),
        _ => first_line(bytes),
    }
}

fn first_line(bytes: &[u8]) -> Extent {
    memchr(b'\n', bytes).map_or(Extent::Cut, |end| Extent::Whole { len: end + 1, n_lines: 1 })
}

fn first_quoted_row(bytes: &[u8], separator: u8) -> Extent {
    let mut at = 0;
    loop {
        match first_field(&bytes[at..], separator) {
            Ok((Field::Quoted(_), len)) if at + len > MAX_QUOTED_BYTES => return first_line(bytes),
            Ok((_, len)) => at += len,
            Err(QuoteFault::Open) if bytes.len() < MAX_QUOTED_BYTES => return Extent::Open,
            Err(_) => return first_line(bytes),
        }
        match bytes.get(at) {
            None => return Extent::Cut,
            Some(b'\n') => {
                let n_lines = memchr_iter(b'\n', &bytes[..=at]).count() as u64;
                return Extent::Whole { len: at + 1, n_lines };
            }
            Some(_) => at += 1,
        }
    }
}

/// A field as its file spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'b> {
    /// Without a quote.
    Plain(&'b [u8]),
    /// What stands between its quotes, where two quotes are one.
    Quoted(&'b [u8]),
}

/// What is wrong with a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// None closes it.
    Open,
    /// It neither opens nor closes a field.
    Stray,
}

/// The first field of `bytes`, and how many bytes stand before the separator or the line end that follows it.
pub(super) fn first_field(bytes: &[u8], separator: u8) -> Result<(Field<'_>, usize), QuoteFault> {
    let n_spaces = bytes.iter().take_while(|&&byte| byte == b' ').count();
    if bytes.get(n_spaces) != Some(&b'"') {
        let end = memchr3(separator, b'\n', b'"', bytes).unwrap_or(bytes.len());
        let is_stray = bytes.get(end) == Some(&b'"');
        return if is_stray { Err(QuoteFault::Stray) } else { Ok((Field::Plain(&bytes[..end]), end)) };
    }
    let start = n_spaces + 1;
    let end = start + closing_quote(&bytes[start..]).ok_or(QuoteFault::Open)?;
    let behind = &bytes[end + 1..];
    let n_spaces = behind.iter().take_while(|&&byte| byte == b' ').count();
    let is_closing = match &behind[n_spaces..] {
        [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..] => true,
        [byte, ..] => *byte == separator,
    };
    if !is_closing {
        return Err(QuoteFault::Stray);
    }
    let n_returns = usize::from(behind.get(n_spaces) == Some(&b'\r'));
    Ok((Field::Quoted(&bytes[start..end]), end + 1 + n_spaces + n_returns))
}

/// Where the quote stands that closes a field: two together are text.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        let quote = start + memchr(b'"', &text[start..])?;
        if text.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        start = quote + 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSV: Quotes = Quotes::Csv(b',');

    fn whole(len: usize, n_lines: u64) -> Extent {
        Extent::Whole { len, n_lines }
    }

    #[test]
    fn a_row_ends_where_no_quote_is_open() {
        assert_eq!(first_row(b"1,\"two\nlines\"\n2,x\n", CSV), whole(14, 2));
        assert_eq!(first_row(b"1,\"two\nlines\"\n2,x\n", Quotes::Plain), whole(7, 1));
        assert_eq!(first_row(b"1, \"a \"\"b\"\"\n\" \r\n2\n", CSV), whole(16, 2));
        assert_eq!(first_row(b"\"a\",\"b\"", CSV), Extent::Cut);
        assert_eq!(first_row(b"\"a\",\"b\n", CSV), Extent::Open);
    }

    #[test]
    fn a_row_with_a_quote_out_of_place_ends_with_its_first_line() {
        for row in ["7\" single,4", "\"7\"x,4", "\"7\" \"8\",4", "x \"7\",4", "\"7,4"] {
            let text = format!("{row}\n2,\"x\"\n3,y\n");
            assert_eq!(first_row(text.as_bytes(), CSV), whole(row.len() + 1, 1), "{row}");
        }
    }

    #[test]
    fn quotes_that_stay_open_for_too_long_are_out_of_place() {
        let text = |n: usize| format!("1,\"{}\"\n", "3,4\n".repeat(n)).into_bytes();
        let (short, long) = (text(1000), text(MAX_QUOTED_BYTES / 4));
        assert_eq!(first_row(&short, CSV), whole(short.len(), 1001));
        assert_eq!(first_row(&long, CSV), whole(7, 1));
        assert_eq!(first_row(&long[..MAX_QUOTED_BYTES], CSV), whole(7, 1));
        assert_eq!(first_row(&long[..MAX_QUOTED_BYTES - 1], CSV), Extent::Open);
    }

    #[test]
    fn a_field_is_plain_or_all_in_quotes() {
        assert_eq!(first_field(b" a b,c", b','), Ok((Field::Plain(b" a b"), 4)));
        assert_eq!(first_field(b" \"a,\"\"b\" ,c", b','), Ok((Field::Quoted(b"a,\"\"b"), 9)));
        assert_eq!(first_field(b"\"\"\r\n", b','), Ok((Field::Quoted(b""), 3)));
        assert_eq!(first_field(b"a\"b", b','), Err(QuoteFault::Stray));
        assert_eq!(first_field(b"\"a\"\rb", b','), Err(QuoteFault::Stray));
        assert_eq!(first_field(b"\"a\"\"", b','), Err(QuoteFault::Open));
    }

    proptest! {
        /// More bytes may decide what was undecided, and never change what was decided.
        #[test]
        fn what_is_decided_stands_whatever_follows(text in "[a\", \r\n]{0,24}", cut in 0usize..24) {
            let bytes = text.as_bytes();
            let decided = first_row(&bytes[..cut.min(bytes.len())], CSV);
            if matches!(decided, Extent::Whole { .. }) {
                prop_assert_eq!(first_row(bytes, CSV), decided);
            }
        }
    }
}
