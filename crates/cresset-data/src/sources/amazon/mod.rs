//! Amazon's product reviews in the editions of 2014, 2018 and 2023: who rated what, and what the products are.
//!
//! Reviews are JSON lines (`reviewerID`, `asin`, `overall`, `unixReviewTime`; from 2023 `user_id`, `parent_asin`,
//! `rating`, `timestamp` in milliseconds), ratings alone are CSV, with a header from 2023 on. Metadata are JSON lines
//! in files whose names begin with `meta`. The oldest files are no JSON but what Python prints of a dictionary; they
//! are read too.
//!
//! # Source
//!
//! Hou et al., 2024, <https://doi.org/10.48550/arXiv.2403.03952>; Ni et al., EMNLP 2019,
//! <https://doi.org/10.18653/v1/D19-1018>; McAuley et al., SIGIR 2015, <https://doi.org/10.1145/2766462.2767755>.

mod files;
mod metadata;
mod python;
mod ratings;
mod reviews;

use std::borrow::Cow;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::catalogue::Catalogue;
use crate::config::DataConfig;
use crate::error::DataError;
use crate::interactions::TimeKind;
use crate::json::JsonError;
use crate::source::RawData;
use crate::text::{At, RatingSink};

const RATING_RANGE: (f32, f32) = (1.0, 5.0);

/// Ratings with times from reviews or rating files; titles, categories and more from the metadata.
///
/// # Errors
///
/// [`DataError`] when files are missing or not told apart, a file is empty, or a row is not of its format.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(Some(RATING_RANGE), config);
    sink.interactions.time_kind = TimeKind::Timestamp;
    for (file, part) in files::interactions(folder, config)? {
        if files::is_csv(&file.path) {
            ratings::push_file(&file, part, &mut sink, config)?;
        } else {
            reviews::push_file(&file, part, &mut sink)?;
        }
    }
    let mut raw = sink.finish(Catalogue::default());
    metadata::read(folder, config, &mut raw)?;
    Ok(raw)
}

/// A line as JSON, translated where it is what Python prints of a dictionary.
fn json_of(line: &[u8]) -> Cow<'_, [u8]> {
    if python::is_literal(line) { Cow::Owned(python::to_json(line)) } else { Cow::Borrowed(line) }
}

/// The value of a line that is JSON or a dictionary of Python's.
fn parse<T: DeserializeOwned>(at: At<'_>, line: &[u8]) -> Result<T, JsonError> {
    let json = json_of(line);
    serde_json::from_slice(&json).map_err(|cause| JsonError::line(at, line, &cause))
}

#[cfg(test)]
mod tests;
