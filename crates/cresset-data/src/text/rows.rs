//! Interactions from text: rows checked one by one on their way into columns, blocks of them on all threads.

use rayon::prelude::*;

use crate::catalogue::Catalogue;
use crate::columns::TimeUnit;
use crate::config::{DataConfig, OnBadRow};
use crate::error::{DataError, RowFault};
use crate::files::TextFile;
use crate::interactions::{Interactions, NO_TIME};
use crate::names::SmallNumber;
use crate::source::{RawData, Unreadable};
use crate::split::Part;
use crate::text::At;
use crate::text::blocks::{Block, Blocks};
use crate::text::numbers::{parse_f32, short_decimal};
use crate::text::quoting::Quotes;
use crate::text::table::{Dialect, Header, Row, take_header};
use crate::text::times::time_of;

/// The fields of one interaction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RatingRow<'a> {
    pub(crate) user: &'a [u8],
    pub(crate) item: &'a [u8],
    /// Without one the rating is 1: it happened.
    pub(crate) rating: Option<&'a [u8]>,
    pub(crate) time: Option<&'a [u8]>,
    /// The part of a split that the source gives; then every row has one.
    pub(crate) part: Option<Part>,
}

/// One interaction whose fields are values already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RatingValues<'a> {
    pub(crate) user: &'a str,
    pub(crate) item: &'a str,
    /// NaN where it is missing.
    pub(crate) rating: f32,
    /// In the unit of the columns, [`NO_TIME`] where unknown.
    pub(crate) time: i64,
    pub(crate) part: Option<Part>,
}

/// Reads files of interactions, one after another, refusing rows that are unfit where the configuration says so.
///
/// Blocks of lines are parsed on all threads and joined in order, so that the result does not depend on threads.
pub(crate) struct RatingSink {
    /// What was read so far.
    pub(crate) interactions: Interactions,
    checks: Checks,
    unreadable: Unreadable,
    sampled_negatives: u64,
}

/// What is asked of a row.
#[derive(Clone, Copy)]
struct Checks {
    range: Option<(f32, f32)>,
    on_bad_row: OnBadRow,
    time_unit: TimeUnit,
}

impl Checks {
    /// Whether a rating may stay, which is asked for every row.
    fn pass(&self, rating: f32) -> bool {
        let is_on_scale = self.range.is_none_or(|(low, high)| (low..=high).contains(&rating));
        self.on_bad_row == OnBadRow::Skip || (is_on_scale && rating.is_finite())
    }
}

impl RatingSink {
    /// A reader of ratings on the scale `range` unless the configuration has another; without either the scale is that
    /// of the rows read.
    pub(crate) fn new(range: Option<(f32, f32)>, config: &DataConfig) -> Self {
        let checks = Checks {
            range: config.rating_range.or(range),
            on_bad_row: config.on_bad_row,
            time_unit: config.time_unit.unwrap_or_default(),
        };
        Self {
            interactions: Interactions::default(),
            checks,
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
        }
    }

    /// What whole numbers in the time field of the next files count, unless the configuration says so itself.
    pub(crate) fn set_time_unit(&mut self, unit: TimeUnit, config: &DataConfig) {
        self.checks.time_unit = config.time_unit.unwrap_or(unit);
    }

    /// Reads a file line by line; `each` is called on every line that is not blank and pushes what it finds there.
    ///
    /// # Errors
    ///
    /// What `each` returns (under [`OnBadRow::Skip`] errors of a row are counted instead), a failed read, or
    /// [`DataError::EmptyFile`] when there was no such line.
    pub(crate) fn read_lines(
        &mut self,
        file: TextFile,
        each: impl Fn(At<'_>, &[u8], &mut Rows) -> Result<(), DataError> + Sync,
    ) -> Result<(), DataError> {
        self.read_blocks(Blocks::of(file, Quotes::Plain), Quotes::Plain, || &each)
    }

    /// Reads a table: the header is passed to `columns` and every other row, with what that returned, to `each`.
    ///
    /// # Errors
    ///
    /// As [`read_lines`](Self::read_lines), and when a row has fewer fields than the header.
    pub(crate) fn read_table<C: Sync>(
        &mut self,
        file: TextFile,
        dialect: Dialect,
        columns: impl FnOnce(&Header) -> Result<C, DataError>,
        each: impl Fn(At<'_>, &C, &Row, &mut Rows) -> Result<(), DataError> + Sync,
    ) -> Result<(), DataError> {
        let mut blocks = Blocks::of(file, dialect.quotes);
        let (columns, n_columns) = take_header(&mut blocks, dialect, columns)?;
        self.read_rows(blocks, dialect, n_columns, |at, row, rows| each(at, &columns, row, rows))
    }

    /// Reads a table without a header, whose rows have `n_columns` fields at least.
    ///
    /// # Errors
    ///
    /// As [`read_table`](Self::read_table).
    pub(crate) fn read_headless(
        &mut self,
        file: TextFile,
        dialect: Dialect,
        n_columns: usize,
        each: impl Fn(At<'_>, &Row, &mut Rows) -> Result<(), DataError> + Sync,
    ) -> Result<(), DataError> {
        self.read_rows(Blocks::of(file, dialect.quotes), dialect, n_columns, each)
    }

    fn read_rows(
        &mut self,
        blocks: Blocks,
        dialect: Dialect,
        n_columns: usize,
        each: impl Fn(At<'_>, &Row, &mut Rows) -> Result<(), DataError> + Sync,
    ) -> Result<(), DataError> {
        self.read_blocks(blocks, dialect.quotes, || {
            let (each, mut row) = (&each, Row::default());
            move |at: At<'_>, line: &[u8], rows: &mut Rows| {
                row.split_whole(at, line, dialect, n_columns)?;
                each(at, &row, rows)
            }
        })
    }

    /// Parses blocks on all threads, each with a parser of its own, while the next are read.
    fn read_blocks<P: FnMut(At<'_>, &[u8], &mut Rows) -> Result<(), DataError>>(
        &mut self,
        mut blocks: Blocks,
        quotes: Quotes,
        parser: impl Fn() -> P + Sync,
    ) -> Result<(), DataError> {
        let path = blocks.path().to_owned();
        let checks = self.checks;
        let parse = |block: &Block| -> Result<Rows, DataError> {
            let (mut rows, mut each) = (Rows::new(checks), parser());
            rows.columns.reserve(block.n_lines_estimated());
            rows.n_lines = block.for_each_line(&path, quotes, |at, line| {
                let n_rows = rows.columns.len();
                each(at, line, &mut rows).or_else(|error| rows.skip_to(n_rows, error))
            })?;
            Ok(rows)
        };
        let n_at_once = 2 * rayon::current_num_threads();
        let mut batch = blocks.take(n_at_once)?;
        let (mut parsed, mut n_lines) = (Vec::new(), 0);
        while !batch.is_empty() {
            let parse_all = || batch.par_iter().map(parse).collect::<Vec<_>>();
            let join_and_read = || {
                n_lines += self.append_all(parsed)?;
                Ok::<_, DataError>(blocks.take(n_at_once))
            };
            let (just_parsed, next) = rayon::join(parse_all, join_and_read);
            parsed = just_parsed;
            // An error in a row stands before what could not be read behind it.
            let next = match next? {
                Ok(next) => next,
                Err(error) => return self.append_all(parsed).and(Err(error)),
            };
            blocks.recycle(std::mem::replace(&mut batch, next));
        }
        n_lines += self.append_all(parsed)?;
        blocks.refuse_empty(n_lines)
    }

    /// Appends what blocks were parsed to, in their order, and returns the number of their lines.
    fn append_all(&mut self, parsed: Vec<Result<Rows, DataError>>) -> Result<u64, DataError> {
        let mut n_lines = 0;
        for rows in parsed {
            let rows = rows?;
            n_lines += rows.n_lines;
            self.interactions.append(rows.columns);
            self.unreadable.append(rows.unreadable);
            self.sampled_negatives += rows.sampled_negatives;
        }
        Ok(n_lines)
    }

    /// What was read, with what the source says of items and users.
    pub(crate) fn finish(self, catalogue: Catalogue) -> RawData {
        let Self { interactions, checks, unreadable, sampled_negatives } = self;
        let rating_range = checks.range.unwrap_or_else(|| interactions.rating_range());
        RawData {
            interactions,
            catalogue,
            rating_range,
            unreadable,
            sampled_negatives,
            item_files: Vec::new(),
        }
    }
}

/// The rows of one block.
pub(crate) struct Rows {
    columns: Interactions,
    unreadable: Unreadable,
    sampled_negatives: u64,
    n_lines: u64,
    checks: Checks,
}

impl Rows {
    fn new(checks: Checks) -> Self {
        Self {
            columns: Interactions::default(),
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
            n_lines: 0,
            checks,
        }
    }

    /// Appends a row; under [`OnBadRow::Skip`] unfit rows too, for the cleaning to count.
    ///
    /// # Errors
    ///
    /// [`DataError::BadField`] for what cannot be read, [`DataError::BadRow`] for what is missing or off the scale.
    pub(crate) fn push(&mut self, at: At<'_>, row: &RatingRow<'_>) -> Result<(), DataError> {
        if let (Some(user), Some(item)) = (SmallNumber::of(row.user), SmallNumber::of(row.item)) {
            return self.push_numbers(at, [user, item], row);
        }
        let user = at.utf8("user id", row.user)?;
        let item = at.utf8("item id", row.item)?;
        let rating = row.rating.map_or(Ok(1.0), |rating| rating_of(at, rating))?;
        let time = row.time.map_or(Ok(NO_TIME), |time| time_of(at, time, self.checks.time_unit))?;
        let values = RatingValues { user, item, rating, time, part: row.part };
        self.push_checked(at, &values, |fault| fault.spelt(row.rating.unwrap_or(b"1")))
    }

    /// A row whose ids spell numbers, as most do: they need no decoding, and are not missing.
    fn push_numbers(
        &mut self,
        at: At<'_>,
        ids: [SmallNumber; 2],
        row: &RatingRow<'_>,
    ) -> Result<(), DataError> {
        let rating = row.rating.map_or(Ok(1.0), |rating| rating_of(at, rating))?;
        let time = row.time.map_or(Ok(NO_TIME), |time| time_of(at, time, self.checks.time_unit))?;
        if !self.checks.pass(rating)
            && let Some(fault) = RowFault::of_rating(rating, self.checks.range)
        {
            return Err(DataError::BadRow {
                place: at.place(),
                fault: fault.spelt(row.rating.unwrap_or(b"1")),
            });
        }
        self.columns.push_numbers(ids, rating, time, row.part);
        Ok(())
    }

    /// As [`push`](Self::push), for fields that are values already.
    ///
    /// # Errors
    ///
    /// [`DataError::BadRow`] for what is missing or off the scale.
    pub(crate) fn push_values(&mut self, at: At<'_>, row: &RatingValues<'_>) -> Result<(), DataError> {
        self.push_checked(at, row, |fault| fault)
    }

    fn push_checked(
        &mut self,
        at: At<'_>,
        row: &RatingValues<'_>,
        spell: impl FnOnce(RowFault) -> RowFault,
    ) -> Result<(), DataError> {
        let &RatingValues { user, item, rating, time, part } = row;
        if self.checks.on_bad_row == OnBadRow::Error
            && let Some(fault) = RowFault::find(user, item, rating, self.checks.range)
        {
            return Err(DataError::BadRow { place: at.place(), fault: spell(fault) });
        }
        self.columns.push_in_part(user, item, rating, time, part);
        Ok(())
    }

    /// Counts a row that is no interaction: an item that was drawn for the user as a negative.
    pub(crate) fn leave_out_negative(&mut self) {
        self.sampled_negatives += 1;
    }

    /// Takes back the rows of a line that cannot be read and counts it, where lines may be skipped.
    fn skip_to(&mut self, n_rows: usize, error: DataError) -> Result<(), DataError> {
        self.unreadable.count_or_refuse(self.checks.on_bad_row, error)?;
        self.columns.truncate(n_rows);
        Ok(())
    }
}

/// The rating, NaN when the field is empty.
fn rating_of(at: At<'_>, bytes: &[u8]) -> Result<f32, DataError> {
    if let Some(rating) = short_decimal(bytes) {
        return Ok(rating);
    }
    let text = at.utf8("rating", bytes)?;
    if text.is_empty() {
        return Ok(f32::NAN);
    }
    parse_f32(text).ok_or_else(|| at.bad_field("rating", bytes, "a number"))
}
