//! Files that describe things: lines parsed on all threads and handed over one by one, in order.

use rayon::prelude::*;

use super::at::At;
use super::blocks::{Block, Blocks};
use super::quoting::Quotes;
use super::table::{Dialect, Header, Row, take_header};
use crate::config::OnBadRow;
use crate::error::DataError;
use crate::files::TextFile;
use crate::source::Unreadable;

/// Calls `each` on what `parse` makes of every line that is not blank, in the order of the file.
///
/// Only some blocks of lines are in memory at once.
///
/// # Errors
///
/// What `parse` returns (under [`OnBadRow::Skip`] errors of a row are counted instead), a failed read, or
/// [`DataError::EmptyFile`] when there was no such line.
pub(crate) fn for_each_parsed<T: Send>(
    file: TextFile,
    on_bad_row: OnBadRow,
    parse: impl Fn(At<'_>, &[u8]) -> Result<T, DataError> + Sync,
    each: impl FnMut(T),
) -> Result<Unreadable, DataError> {
    for_each_in_blocks(Blocks::of(file, Quotes::Plain), Quotes::Plain, on_bad_row, || &parse, each)
}

/// As [`for_each_parsed`], for the rows of a table; the header is passed to `columns` and what that returned to
/// `parse`.
///
/// # Errors
///
/// As [`for_each_parsed`], and when a row has fewer fields than the header.
pub(crate) fn for_each_parsed_row<C: Sync, T: Send>(
    file: TextFile,
    dialect: Dialect,
    on_bad_row: OnBadRow,
    columns: impl FnOnce(&Header) -> Result<C, DataError>,
    parse: impl Fn(At<'_>, &C, &Row) -> Result<T, DataError> + Sync,
    each: impl FnMut(T),
) -> Result<Unreadable, DataError> {
    let mut blocks = Blocks::of(file, dialect.quotes);
    let (columns, n_columns) = take_header(&mut blocks, dialect, columns)?;
    let parser = || {
        let (columns, parse, mut row) = (&columns, &parse, Row::default());
        move |at: At<'_>, line: &[u8]| {
            row.split_whole(at, line, dialect, n_columns)?;
            parse(at, columns, &row)
        }
    };
    for_each_in_blocks(blocks, dialect.quotes, on_bad_row, parser, each)
}

/// As [`for_each_parsed_row`], for a table without a header, whose rows have `n_columns` fields at least.
///
/// # Errors
///
/// As [`for_each_parsed_row`].
pub(crate) fn for_each_headless_row<T: Send>(
    file: TextFile,
    dialect: Dialect,
    n_columns: usize,
    on_bad_row: OnBadRow,
    parse: impl Fn(At<'_>, &Row) -> Result<T, DataError> + Sync,
    each: impl FnMut(T),
) -> Result<Unreadable, DataError> {
    let parser = || {
        let (parse, mut row) = (&parse, Row::default());
        move |at: At<'_>, line: &[u8]| {
            row.split_whole(at, line, dialect, n_columns)?;
            parse(at, &row)
        }
    };
    for_each_in_blocks(Blocks::of(file, dialect.quotes), dialect.quotes, on_bad_row, parser, each)
}

/// What the lines of one block were parsed to.
struct Parsed<T> {
    found: Vec<T>,
    unreadable: Unreadable,
    n_lines: u64,
}

fn for_each_in_blocks<T: Send, P: FnMut(At<'_>, &[u8]) -> Result<T, DataError>>(
    mut blocks: Blocks,
    quotes: Quotes,
    on_bad_row: OnBadRow,
    parser: impl Fn() -> P + Sync,
    mut each: impl FnMut(T),
) -> Result<Unreadable, DataError> {
    let path = blocks.path().to_owned();
    let parse = |block: &Block| {
        let (mut found, mut unreadable, mut parse) = (Vec::new(), Unreadable::default(), parser());
        let n_lines = block.for_each_line(&path, quotes, |at, line| {
            let read = parse(at, line).map(|parsed| found.push(parsed));
            read.or_else(|error| unreadable.count_or_refuse(on_bad_row, error))
        })?;
        Ok::<_, DataError>(Parsed { found, unreadable, n_lines })
    };
    let (mut unreadable, mut n_lines) = (Unreadable::default(), 0);
    loop {
        let batch = blocks.take(rayon::current_num_threads())?;
        if batch.is_empty() {
            break;
        }
        for parsed in batch.par_iter().map(parse).collect::<Vec<_>>() {
            let parsed = parsed?;
            n_lines += parsed.n_lines;
            unreadable.append(parsed.unreadable);
            parsed.found.into_iter().for_each(&mut each);
        }
    }
    blocks.refuse_empty(n_lines)?;
    Ok(unreadable)
}
