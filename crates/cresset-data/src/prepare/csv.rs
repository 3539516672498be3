//! The cleaned ratings as CSV.

use std::fmt::Write;
use std::path::Path;

use super::lines::write_lines;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::interactions::NO_TIME;

/// Writes `userId,movieId,rating,timestamp` under external ids, a row a line in the order of the data; the time of a
/// row without one is empty.
///
/// # Errors
///
/// [`DataError::File`] when the file cannot be written.
pub fn write_cleaned_csv(path: &Path, data: &Dataset) -> Result<(), DataError> {
    let quoted = |ids: &[String]| -> Vec<String> { ids.iter().map(|id| field(id)).collect() };
    let (users, items) = (quoted(data.users.ids()), quoted(data.items.ids()));
    let rows = &data.ratings;
    let row = |row: usize, text: &mut String| {
        text.push_str(&users[rows.user_id[row] as usize]);
        text.push(',');
        text.push_str(&items[rows.item_id[row] as usize]);
        // Writing to a string cannot fail; `{:?}` keeps the point of whole ratings, as in 4.0.
        let _ = write!(text, ",{:?},", rows.rating[row]);
        if rows.time[row] != NO_TIME {
            let _ = write!(text, "{}", rows.time[row]);
        }
        text.push('\n');
    };
    Ok(write_lines(path, "userId,movieId,rating,timestamp\n", rows.len(), row)?)
}

/// An id as a field: in quotes where it holds what would end the field.
fn field(id: &str) -> String {
    if id.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", id.replace('"', "\"\""))
    } else {
        id.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::config::DataConfig;
    use crate::interactions::{Interactions, TimeKind};
    use crate::source::{RawData, SourceKind, Unreadable};

    fn data(rows: &[(&str, &str, f32, i64)]) -> Dataset {
        let mut interactions = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
        for &(user, item, rating, time) in rows {
            interactions.push(user, item, rating, time);
        }
        let (catalogue, unreadable) = (Catalogue::default(), Unreadable::default());
        let raw = RawData {
            interactions,
            catalogue,
            rating_range: (0.5, 5.0),
            unreadable,
            sampled_negatives: 0,
            item_files: Vec::new(),
        };
        Dataset::from_raw(raw, &DataConfig::default()).unwrap()
    }

    #[test]
    fn rows_are_as_the_reference_saves_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cleaned_ratings.csv");
        let rows = [("7", "31", 4.0, 1_112_486_027), ("7", "29", 3.5, NO_TIME), ("a,\"b\"", "2", 0.5, -3)];
        write_cleaned_csv(&path, &data(&rows)).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "userId,movieId,rating,timestamp\n7,31,4.0,1112486027\n7,29,3.5,\n\"a,\"\"b\"\"\",2,0.5,-3\n"
        );
    }

    #[test]
    fn what_was_written_is_read_as_the_csv_editions_are() {
        let data_dir = tempfile::tempdir().unwrap();
        let before = data(&[("7", "31", 4.0, 9), ("8", "29", 3.5, 10), ("7", "29", 0.5, 11)]);
        write_cleaned_csv(&data_dir.path().join("ratings.csv"), &before).unwrap();
        let config = DataConfig {
            source: SourceKind::MovieLensCsv,
            name: Some(String::new()),
            ..DataConfig::default()
        };
        assert_eq!(Dataset::load(&config, data_dir.path()).unwrap().ratings, before.ratings);
    }
}
