//! The tag genome: for each film and tag, how relevant the tag is to the film.
//!
//! # Source
//!
//! Vig, Sen and Riedl, ACM Transactions on Interactive Intelligent Systems 2(3):13, 2012,
//! <https://doi.org/10.1145/2362394.2362395>.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::config::{DataConfig, OnBadRow};
use crate::error::DataError;
use crate::source::{SourceKind, Unreadable, open_required};
use crate::text::{At, Dialect, Row, for_each_row};
use crate::vectors::AlignedVectors;
use crate::vocabulary::Vocabulary;
use crate::world::WorldFilms;

const ITEM: [&str; 5] = ["movieId", "movie_id", "itemId", "item_id", "item"];
const TAG_ID: [&str; 2] = ["tagId", "tag_id"];

/// The relevance of each tag to each item.
#[derive(Debug, Clone, PartialEq)]
pub struct Genome {
    /// Name of each tag, in the order of the file of tags.
    pub tags: Vec<String>,
    /// Relevances from 0 to 1, a row for each item and a column for each tag, with a mask of the items that have any.
    pub scores: AlignedVectors,
    /// Items some of whose tags have no score, which is then 0.
    pub incomplete: Vec<IncompleteRow>,
    /// Number of scores in the file, those of unused items included.
    pub n_scores: usize,
    /// Rows of both files that were left out because they cannot be read, under `on_bad_row: skip`.
    pub unreadable: Unreadable,
}

/// An item with fewer scores than there are tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncompleteRow {
    /// External id.
    pub item: String,
    /// Number of its scores.
    pub n_scores: usize,
}

impl Genome {
    /// The scores for the items of a vocabulary, from `genome-scores.csv` and `genome-tags.csv` in a folder (also
    /// `genome_scores.csv` and `genome_tags.csv`).
    ///
    /// # Errors
    ///
    /// [`DataError`] when a file or a column is missing, there is no row, a tag is unknown or scored twice for an
    /// item, or a relevance is not from 0 to 1. Under [`OnBadRow::Skip`] such rows are counted instead, those of a tag
    /// whose own row was left out among them.
    pub fn read(folder: &Path, items: &Vocabulary, on_bad_row: OnBadRow) -> Result<Self, DataError> {
        let (tags, mut unreadable) = Tags::read(folder, on_bad_row)?;
        let mut scores = Scores::new(&tags, items);
        let of_scores = for_each_row(
            open_required(folder, &["genome-scores.csv", "genome_scores.csv"])?,
            Dialect::CSV,
            on_bad_row,
            |header| {
                let (item, tag) = (header.require(&ITEM)?, header.require(&TAG_ID)?);
                Ok([item, tag, header.require(&["relevance"])?])
            },
            |at, &columns, row| scores.push(at, row, columns),
        )?;
        unreadable.append(of_scores);
        Ok(Self { unreadable, ..scores.finish() })
    }

    /// The scores for the items of a data set: from the files of its folder, as [`read`](Self::read), or of the source
    /// `synthetic` its own.
    ///
    /// ```
    /// use cresset_data::features::Genome;
    /// use cresset_data::{DataConfig, Dataset};
    ///
    /// let config = DataConfig::default();
    /// let data = Dataset::load(&config, "".as_ref())?;
    /// let genome = Genome::of_dataset(&config, "".as_ref(), &data.items)?;
    /// assert_eq!(genome.tags.len(), config.synthetic.n_tags);
    /// assert_eq!(genome.scores.n_present(), data.n_items());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn of_dataset(config: &DataConfig, data_dir: &Path, items: &Vocabulary) -> Result<Self, DataError> {
        match config.source {
            SourceKind::Synthetic => Ok(Self::of_world(&WorldFilms::generate(&config.synthetic)?, items)),
            _ => Self::read(&data_dir.join(config.folder()), items, config.on_bad_row),
        }
    }

    /// The scores of a world for the items of a vocabulary.
    pub fn of_world(films: &WorldFilms, items: &Vocabulary) -> Self {
        let all = films.genome();
        Self {
            tags: films.tags(),
            scores: all.align(items),
            incomplete: Vec::new(),
            n_scores: all.values.len(),
            unreadable: Unreadable::default(),
        }
    }
}

/// The tags of a genome by the ids of its files.
struct Tags {
    ids: Vec<Vec<u8>>,
    names: Vec<String>,
    column_of: HashMap<Vec<u8>, usize>,
}

impl Tags {
    fn read(folder: &Path, on_bad_row: OnBadRow) -> Result<(Self, Unreadable), DataError> {
        let mut tags = Self { ids: Vec::new(), names: Vec::new(), column_of: HashMap::new() };
        let unreadable = for_each_row(
            open_required(folder, &["genome-tags.csv", "genome_tags.csv"])?,
            Dialect::CSV,
            on_bad_row,
            |header| Ok((header.require(&TAG_ID)?, header.require(&["tag"])?)),
            |at, &(id, name), row| {
                let (id, name) = (row[id].trim_ascii().to_vec(), at.utf8("tag", &row[name])?);
                if tags.column_of.contains_key(&id) {
                    return Err(at.bad_field("tag id", &id, "one that no line above has"));
                }
                tags.column_of.insert(id.clone(), tags.ids.len());
                tags.ids.push(id);
                tags.names.push(name.to_owned());
                Ok(())
            },
        )?;
        Ok((tags, unreadable))
    }

    /// The column of a tag id; the one after `last` is tried first, since files go through all tags in order.
    fn column(&self, id: &[u8], last: usize) -> Option<usize> {
        let next = if last + 1 < self.ids.len() { last + 1 } else { 0 };
        let is_next = self.ids.get(next).is_some_and(|next| next == id);
        if is_next { Some(next) } else { self.column_of.get(id).copied() }
    }
}

/// Scores on their way into the matrix, where NaN marks those not seen yet.
struct Scores<'a> {
    tags: &'a Tags,
    items: &'a Vocabulary,
    values: Vec<f32>,
    /// Number of scores of each item.
    counts: Vec<usize>,
    /// The item of the row above, and its index.
    item: (Vec<u8>, Option<u32>),
    last_column: usize,
    unused: HashSet<Vec<u8>>,
    n_scores: usize,
}

impl<'a> Scores<'a> {
    fn new(tags: &'a Tags, items: &'a Vocabulary) -> Self {
        Self {
            tags,
            items,
            values: vec![f32::NAN; items.len() * tags.ids.len()],
            counts: vec![0; items.len()],
            item: (Vec::new(), None),
            last_column: 0,
            unused: HashSet::new(),
            n_scores: 0,
        }
    }

    fn push(&mut self, at: At<'_>, row: &Row, [item, tag, relevance]: [usize; 3]) -> Result<(), DataError> {
        let (tag, text) = (row[tag].trim_ascii(), &row[relevance]);
        let column = self.tags.column(tag, self.last_column);
        let column = column.ok_or_else(|| at.bad_field("tag id", tag, "one of the file of tags"))?;
        let relevance: Option<f32> = at.utf8("relevance", text)?.parse().ok();
        let relevance = relevance.filter(|value| (0.0..=1.0).contains(value));
        let relevance = relevance.ok_or_else(|| at.bad_field("relevance", text, "a number from 0 to 1"))?;
        self.last_column = column;
        let Some(item) = self.index_of(at, row[item].trim_ascii())? else {
            self.n_scores += 1;
            return Ok(());
        };
        let slot = &mut self.values[item as usize * self.tags.ids.len() + column];
        if !slot.is_nan() {
            return Err(at.bad_field("tag id", tag, "one that the item has no score of above"));
        }
        *slot = relevance;
        self.n_scores += 1;
        self.counts[item as usize] += 1;
        Ok(())
    }

    /// The index of an item; rows of one item mostly follow each other.
    fn index_of(&mut self, at: At<'_>, id: &[u8]) -> Result<Option<u32>, DataError> {
        if self.item.0 != id {
            let index = self.items.index_of(at.utf8("item id", id)?);
            if index.is_none() {
                self.unused.insert(id.to_vec());
            }
            self.item = (id.to_vec(), index);
        }
        Ok(self.item.1)
    }

    fn finish(mut self) -> Genome {
        let n_tags = self.tags.ids.len();
        let is_incomplete = |count: usize| count > 0 && count < n_tags;
        let incomplete = self.counts.iter().zip(self.items.ids()).filter(|&(&count, _)| is_incomplete(count));
        let incomplete =
            incomplete.map(|(&n_scores, item)| IncompleteRow { item: item.clone(), n_scores }).collect();
        self.values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
        let scores = AlignedVectors {
            dim: n_tags,
            values: self.values,
            present: self.counts.iter().map(|&count| count > 0).collect(),
            n_unused: self.unused.len(),
            n_zero: 0,
        };
        let (tags, unreadable) = (self.tags.names.clone(), Unreadable::default());
        Genome { tags, scores, incomplete, n_scores: self.n_scores, unreadable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: &str = "\"tagId\",\"tag\"\n1,\"007\"\n2,\"007 (series)\"\n3,\"18th century\"\n";

    fn read(scores: &str, items: &[&str]) -> Result<Genome, String> {
        read_with(scores, items, OnBadRow::Error)
    }

    fn read_with(scores: &str, items: &[&str], on_bad_row: OnBadRow) -> Result<Genome, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("genome-tags.csv"), TAGS).unwrap();
        let scores = format!("movieId,tagId,relevance\n{scores}");
        std::fs::write(folder.path().join("genome_scores.csv"), scores).unwrap();
        let shown = format!("{}{}", folder.path().display(), std::path::MAIN_SEPARATOR);
        let items = Vocabulary::from_ids(items.iter().copied());
        Genome::read(folder.path(), &items, on_bad_row).map_err(|error| error.to_string().replace(&shown, ""))
    }

    #[test]
    fn scores_are_a_matrix_of_items_and_tags() {
        let genome = read("7,1,0.5\n7,2,0.25\n7,3,1\n9,3,0.75\n9,1,0\n8,1,0.5\n", &["5", "7", "9"]).unwrap();
        assert_eq!(genome.tags, ["007", "007 (series)", "18th century"]);
        assert_eq!(genome.scores.values, [0.0, 0.0, 0.0, 0.5, 0.25, 1.0, 0.0, 0.0, 0.75]);
        assert_eq!(genome.scores.present, [false, true, true]);
        assert_eq!((genome.scores.dim, genome.scores.n_unused, genome.n_scores), (3, 1, 6));
        assert_eq!(genome.incomplete, [IncompleteRow { item: "9".to_owned(), n_scores: 2 }]);
    }

    #[test]
    fn scores_that_cannot_be_are_counted_where_they_may_be_skipped() {
        let rows = "7,4,0.5\n7,1,0.5\n7,1,0.25\n7,2,x\n7,3\n7,3,\"1\n7,2,1\n";
        let genome = read_with(rows, &["7"], OnBadRow::Skip).unwrap();
        assert_eq!(genome.scores.values, [0.5, 1.0, 0.0]);
        assert_eq!((genome.n_scores, genome.unreadable.n_lines), (2, 5));
        assert!(genome.unreadable.first.unwrap().contains("genome_scores.csv:2: tag id \"4\""));
    }

    fn check(scores: &str, expected: &str) {
        let message = read(scores, &["7"]).unwrap_err();
        assert_eq!(message, format!("genome_scores.csv:{expected}: correct or delete the line"));
    }

    #[test]
    fn scores_that_cannot_be_are_refused_with_their_line() {
        check("7,4,0.5\n", "2: tag id \"4\" is not one of the file of tags");
        check("7,1,0.5\n7,1,0.5\n", "3: tag id \"1\" is not one that the item has no score of above");
        for value in ["1.5", "NaN", "-0.1", "x", ""] {
            check(
                &format!("7,1,{value}\n"),
                &format!("2: relevance \"{value}\" is not a number from 0 to 1"),
            );
        }
    }
}
