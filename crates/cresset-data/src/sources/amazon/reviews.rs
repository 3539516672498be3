//! Reviews as JSON lines.

use std::borrow::Cow;

use serde::Deserialize;

use super::json_of;
use crate::columns::TimeUnit;
use crate::error::DataError;
use crate::interactions::NO_TIME;
use crate::json::JsonError;
use crate::sources::listing::DataFile;
use crate::split::Part;
use crate::text::{At, RatingSink, RatingValues, Rows};

/// The fields of a review that matter here, as the editions call them; the others are passed over unread.
#[derive(Deserialize)]
struct Review<'l> {
    #[serde(rename = "reviewerID", borrow)]
    reviewer_id: Option<Text<'l>>,
    #[serde(borrow)]
    user_id: Option<Text<'l>>,
    #[serde(borrow)]
    asin: Option<Text<'l>>,
    #[serde(borrow)]
    parent_asin: Option<Text<'l>>,
    overall: Option<f32>,
    rating: Option<f32>,
    /// In seconds.
    #[serde(rename = "unixReviewTime")]
    unix_review_time: Option<i64>,
    /// In milliseconds.
    timestamp: Option<i64>,
}

/// Text that is borrowed from its line where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'l>(#[serde(borrow)] Cow<'l, str>);

impl<'l> Review<'l> {
    /// Of variants of a product the reviews of 2023 name the parent too, which is what metadata are keyed by.
    fn item(&self) -> Option<&Text<'l>> {
        self.parent_asin.as_ref().or(self.asin.as_ref())
    }

    fn time(&self) -> i64 {
        let milliseconds = self.timestamp.map(|time| TimeUnit::Milliseconds.seconds(time));
        self.unix_review_time.or(milliseconds).unwrap_or(NO_TIME)
    }
}

/// Appends the reviews of one file.
pub(super) fn push_file(file: &DataFile, part: Option<Part>, sink: &mut RatingSink) -> Result<(), DataError> {
    sink.read_lines(file.open()?, |at, line, rows| push_review(at, line, part, rows))
}

fn push_review(at: At<'_>, line: &[u8], part: Option<Part>, rows: &mut Rows) -> Result<(), DataError> {
    let json = json_of(line);
    let parsed = serde_json::from_slice(&json).map_err(|cause| JsonError::line(at, line, &cause));
    let review: Review<'_> = parsed?;
    let missing = |key| JsonError::missing_key(at, line, key);
    let user = review.reviewer_id.as_ref().or(review.user_id.as_ref());
    let user = user.ok_or_else(|| missing("reviewerID or user_id"))?;
    let item = review.item().ok_or_else(|| missing("asin or parent_asin"))?;
    let rating = review.overall.or(review.rating).unwrap_or(f32::NAN);
    rows.push_values(
        at,
        &RatingValues { user: user.0.trim(), item: item.0.trim(), rating, time: review.time(), part },
    )
}
