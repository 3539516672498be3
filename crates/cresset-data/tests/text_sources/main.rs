//! The text formats of other recommender libraries, by hand, written and read back, and on real data.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

mod any_bytes;
mod by_hand;
mod ml_100k;
mod round_trip;
mod support;
mod writers;
