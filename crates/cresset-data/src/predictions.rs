//! Recommendations that another program wrote down, to be measured against a split of ours.

use std::path::Path;

use crate::catalogue::Catalogue;
use crate::columns::{ColumnRef, ColumnsConfig, FileNames, FilesConfig};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::{FileError, TextFile, open_text};
use crate::groups::Groups;
use crate::interactions::Interactions;
use crate::parquet_io::ParquetTable;
use crate::source::SourceKind;
use crate::text::{Dialect, RatingRow, RatingSink, Separator, first_row};
use crate::vocabulary::Vocabulary;

/// Stands for an item that the vocabulary does not have; it holds a place in its list all the same.
pub const UNKNOWN_ITEM: u32 = u32::MAX;

/// One list of scored items for each user of a vocabulary.
///
/// ```
/// use cresset_data::Vocabulary;
/// use cresset_data::predictions::{Predictions, UNKNOWN_ITEM};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("lists.csv");
/// std::fs::write(&file, "user_id,item_id,score\nann,7,0.5\nbob,8,0.1\nann,99,0.75\nzoe,7,1\n")?;
/// let (users, items) = (Vocabulary::from_ids(["ann", "bob"]), Vocabulary::from_ids(["7", "8"]));
/// let found = Predictions::read(&file, &users, &items)?;
/// assert_eq!(found.offsets, [0, 2, 3]);
/// assert_eq!(found.items, [0, UNKNOWN_ITEM, 1]);
/// assert_eq!((found.n_unknown_items, found.n_rows_of_unknown_users), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Where each user's list begins, last the end: `[n_users + 1]`.
    pub offsets: Vec<usize>,
    /// Dense item ids, in the order of the file; [`UNKNOWN_ITEM`] for one that is not in the vocabulary.
    pub items: Vec<u32>,
    /// The score of each item, the higher the better; minus the rank where the file has ranks alone.
    pub scores: Vec<f32>,
    /// Rows of users that are not in the vocabulary, which were left out.
    pub n_rows_of_unknown_users: usize,
    /// Rows of known users whose item is not in the vocabulary.
    pub n_unknown_items: usize,
}

/// Names of a column that orders a list, the best score first.
const SCORES: [&str; 3] = ["score", "prediction", "rating"];
const RANK: &str = "rank";

impl Predictions {
    /// Reads a dump of recommendations, one item of one user a row.
    ///
    /// The end of the name tells the format, `.gz` and `.zst` left aside: Parquet (`.parquet`, `.pq`, or a folder), a
    /// TREC run (`.trec` or `.run`: `user Q0 item rank score tag`), tabs (`.tsv`), else commas. Tables have a header; users and
    /// items have a usual name, scores are in `score`, `prediction` or `rating`, or else there is a `rank` from 1.
    /// Where there is a score, ranks are not read: a rank says how its program broke ties, which are to be judged as ties.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the file cannot be read or lacks a column, or a row lacks a user, an item or a score.
    pub fn read(path: &Path, users: &Vocabulary, items: &Vocabulary) -> Result<Self, DataError> {
        let text = path.to_string_lossy().to_ascii_lowercase();
        let plain = text.trim_end_matches(".gz").trim_end_matches(".zst");
        if plain.ends_with(".trec") || plain.ends_with(".run") {
            return Ok(Self::of_rows(&read_run(path)?, false, users, items));
        }
        let (config, is_ranked) = config_for(path, plain)?;
        let rows = config.source.read(&config, Path::new(""))?.interactions;
        Ok(Self::of_rows(&rows, is_ranked, users, items))
    }

    fn of_rows(rows: &Interactions, is_ranked: bool, users: &Vocabulary, items: &Vocabulary) -> Self {
        let index_of = |names: &crate::names::Names, vocabulary: &Vocabulary| -> Vec<Option<u32>> {
            names.iter().map(|name| vocabulary.index_of(name)).collect()
        };
        let user_of = index_of(rows.users.names(), users);
        let item_of = index_of(rows.items.names(), items);
        let unknown_user = users.len() as u32;
        let user_id: Vec<u32> =
            rows.users.codes().iter().map(|&code| user_of[code as usize].unwrap_or(unknown_user)).collect();
        let groups = Groups::by(&user_id, users.len() + 1, 0..rows.len() as u32);
        let n_rows_of_unknown_users = groups.of(unknown_user).len();
        let (mut offsets, mut order) = groups.into_parts();
        offsets.truncate(users.len() + 1);
        order.truncate(order.len() - n_rows_of_unknown_users);
        let item = |&row: &u32| item_of[rows.items.codes()[row as usize] as usize].unwrap_or(UNKNOWN_ITEM);
        let sign = if is_ranked { -1.0 } else { 1.0 };
        let items: Vec<u32> = order.iter().map(item).collect();
        Self {
            offsets,
            n_unknown_items: items.iter().filter(|&&item| item == UNKNOWN_ITEM).count(),
            items,
            scores: order.iter().map(|&row| sign * rows.ratings[row as usize]).collect(),
            n_rows_of_unknown_users,
        }
    }
}

/// How a dump is read as a table of interactions, and whether its numbers are ranks.
fn config_for(path: &Path, plain: &str) -> Result<(DataConfig, bool), DataError> {
    let files = FilesConfig {
        interactions: Some(FileNames::One(path.to_string_lossy().into_owned())),
        ..FilesConfig::default()
    };
    // The path is taken as it is, below no folder of a data set.
    let name = Some(String::new());
    let config = DataConfig { files, name, source: SourceKind::Csv, ..DataConfig::default() };
    let is_parquet = path.is_dir() || plain.ends_with(".parquet") || plain.ends_with(".pq");
    let separator = if plain.ends_with(".tsv") { "\t" } else { "," };
    let source = if is_parquet { SourceKind::Parquet } else { SourceKind::Csv };
    let names = if is_parquet {
        ParquetTable::open(path)?.columns().into_iter().map(str::to_owned).collect()
    } else {
        header_of(path, separator)?
    };
    let named = |wanted: &str| names.iter().find(|name| name.eq_ignore_ascii_case(wanted));
    let (column, is_ranked) = match SCORES.iter().find_map(|wanted| named(wanted)) {
        Some(column) => (column, false),
        None => {
            let header = names.join(",");
            let missing =
                || DataError::MissingColumn { file: path.to_owned(), column: "score".to_owned(), header };
            (named(RANK).ok_or_else(missing)?, true)
        }
    };
    let rating = Some(ColumnRef::Name(column.clone()));
    let columns = ColumnsConfig { rating, ..ColumnsConfig::default() };
    Ok((DataConfig { source, separator: separator.to_owned(), columns, ..config }, is_ranked))
}

/// A run as TREC's evaluation program reads it: six fields between white space of any length.
fn read_run(path: &Path) -> Result<Interactions, DataError> {
    let mut sink = RatingSink::new(None, &DataConfig::default());
    sink.read_lines(open(path)?, |at, line, rows| {
        let fields: Vec<&[u8]> =
            line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
        let &[user, _, item, _, score, _] = fields.as_slice() else {
            return Err(at.bad_field("row", line, "six fields, `user Q0 item rank score tag`"));
        };
        rows.push(at, &RatingRow { user, item, rating: Some(score), ..RatingRow::default() })
    })?;
    Ok(sink.finish(Catalogue::default()).interactions)
}

fn open(path: &Path) -> Result<TextFile, DataError> {
    let missing = || FileError::read(path, std::io::ErrorKind::NotFound);
    Ok(open_text(path)?.ok_or_else(missing)?)
}

fn header_of(path: &Path, separator: &str) -> Result<Vec<String>, DataError> {
    let separator = Separator::of(separator).unwrap_or(Separator::byte(b','));
    Ok(first_row(open(path)?, Dialect::of(separator))?.names().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Predictions, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let (users, items) = (Vocabulary::from_ids(["1", "2"]), Vocabulary::from_ids(["10", "20", "30"]));
        Predictions::read(&path, &users, &items)
    }

    #[test]
    fn a_csv_a_tsv_and_a_trec_run_of_the_same_lists_are_read_alike() {
        let csv = read("a.csv", "user_id,item_id,score,rank\n2,30,0.5,1\n1,10,3,2\n2,20,0.25,2\n1,20,4,1\n")
            .unwrap();
        assert_eq!((&csv.offsets[..], &csv.items[..]), (&[0, 2, 4][..], &[0, 1, 2, 1][..]));
        assert_eq!(csv.scores, [3.0, 4.0, 0.5, 0.25]);
        let tsv =
            read("a.tsv", "user\titem\tprediction\n2\t30\t0.5\n1\t10\t3\n2\t20\t0.25\n1\t20\t4\n").unwrap();
        let run = "2 Q0 30 1 0.5 me\n1\tQ0\t10\t2\t3\tme\n2  Q0 20   2 0.25 me \n1 Q0 20 1 4 me\n";
        assert_eq!((&tsv, &read("a.trec", run).unwrap()), (&csv, &csv));
    }

    #[test]
    fn ranks_alone_order_a_list_from_1_down() {
        let ranked = read("a.csv", "user_id,item_id,rank\n1,10,2\n1,20,1\n").unwrap();
        assert_eq!((ranked.items, ranked.scores), (vec![0, 1], vec![-2.0, -1.0]));
        assert_eq!(ranked.offsets, [0, 2, 2]);
    }

    #[test]
    fn a_dump_without_scores_or_with_a_bad_one_is_an_error_with_its_place() {
        let none = read("a.csv", "user_id,item_id\n1,10\n").unwrap_err().to_string();
        assert!(none.contains("a.csv") && none.contains("\"score\""), "{none}");
        let empty = read("a.csv", "user_id,item_id,score\n1,10,0.5\n1,20,\n").unwrap_err().to_string();
        assert!(empty.contains("a.csv:3"), "{empty}");
        let short = read("a.run", "1 Q0 10 1 0.5 me\n1 Q0 20 2 0.4\n").unwrap_err().to_string();
        assert!(short.contains("a.run:2") && short.contains("six fields"), "{short}");
        let text = read("a.csv", "user_id,item_id,score\n1,10,high\n").unwrap_err().to_string();
        assert!(text.contains("a.csv:2") && text.contains("high"), "{text}");
    }
}
