//! Lines, fields and rows of text, read so that every error can name its line.

mod at;
mod blocks;
mod lines;
mod numbers;
mod parsed;
mod quoting;
mod rows;
mod table;
mod times;

pub(crate) use at::{At, beginning};
pub(crate) use lines::{fields, for_each_line, latin1};
pub(crate) use numbers::push_number;
pub(crate) use parsed::{for_each_headless_row, for_each_parsed, for_each_parsed_row};
pub(crate) use quoting::Quotes;
pub(crate) use rows::{RatingRow, RatingSink, RatingValues, Rows};
pub(crate) use table::{Dialect, Header, Row, Separator, first_row, for_each_row, is_tabbed};
#[cfg(test)]
pub(crate) use times::days_since_1970;
pub(crate) use times::{seconds_of_date, time_of};
