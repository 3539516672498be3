//! MovieLens as GroupLens publishes it: 100K, 1M, and the CSV editions (20M, 25M, 32M, latest).
//!
//! Every file may be plain or compressed (`u.data` or `u.data.gz`). Ratings are required; the files that describe
//! items and users are read when they are there, and without them titles are ids. Fields beyond those a format
//! names are ignored. [`OnBadRow`](crate::OnBadRow) says what becomes of a row that cannot be read or whose rating is
//! empty, NaN or off the scale.
//!
//! # Source
//!
//! Harper and Konstan, ACM Transactions on Interactive Intelligent Systems 5(4):19, 2015,
//! <https://doi.org/10.1145/2827872>.

mod csv_edition;
mod ml_100k;
mod ml_1m;

pub use csv_edition::read as read_csv_edition;
pub use ml_1m::read as read_1m;
pub use ml_100k::read as read_100k;

/// The genres of a list such as `Comedy|Drama`, without the source's word for none.
fn genres(list: &str) -> Vec<String> {
    list.split('|')
        .filter(|genre| !genre.is_empty() && *genre != "(no genres listed)")
        .map(str::to_owned)
        .collect()
}
