//! Files beside a source's own that describe items: titles, genres, plots, people, under the ids of the interactions.
//!
//! A file is named in `data.items`, relative to the data set's folder:
//!
//! ```
//! use cresset_data::{DataConfig, Dataset, SourceKind};
//!
//! let data_dir = tempfile::tempdir()?;
//! let folder = data_dir.path().join("films");
//! std::fs::create_dir(&folder)?;
//! std::fs::write(folder.join("ratings.csv"), "userId,movieId,rating\nann,7,4\nbob,8,3\n")?;
//! std::fs::write(folder.join("omdb.jsonl"), "{\"id\": 7, \"title\": \"Seven\", \"plot\": \"Rain.\"}\n{\"id\": 9}\n")?;
//!
//! let config: DataConfig = serde_json::from_str(
//!     r#"{ "source": "movielens-csv", "name": "films",
//!          "items": [{ "file": "omdb.jsonl", "format": "json_lines", "id": "id" }] }"#,
//! )?;
//! let data = Dataset::load(&config, data_dir.path())?;
//! assert_eq!(data.titles, ["Seven", "8"]);
//! assert_eq!(data.catalogue.items[0].attribute("plot"), Some("Rain."));
//! assert_eq!((data.item_files[0].n_records, data.item_files[0].n_unrated), (2, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A field called `title` becomes the title, `genre` or `genres` the genres, and every other field an attribute of its
//! own name. The source's own catalogue comes first, then the files in their order: what one of them says stands, and
//! a later one fills in what is empty. Items that nobody rated are counted, not kept.

mod config;
mod error;
mod fields;
mod lists;
mod merge;
mod read;
mod report;

use std::path::Path;

pub use config::{ItemFileConfig, ItemFormat};
pub use error::ItemFileError;
pub(crate) use lists::OwnLists;
pub(crate) use merge::ItemMerge;
pub use report::ItemFileReport;

use crate::config::DataConfig;
use crate::error::DataError;
use crate::source::RawData;

/// Fills the catalogue with what the configured files say.
///
/// # Errors
///
/// [`DataError`] when a file is missing, empty or damaged.
pub(crate) fn describe_items(raw: &mut RawData, folder: &Path, config: &DataConfig) -> Result<(), DataError> {
    if config.items.is_empty() {
        return Ok(());
    }
    let mut merge = ItemMerge::of(raw);
    for file in &config.items {
        let report = read::merge_file(file, folder, config.on_bad_row, &mut merge)?;
        merge.reports.push(report);
    }
    Ok(())
}
