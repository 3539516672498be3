//! The graph of a data set, from its own files as well as from those of others.

use std::path::Path;

use super::facts::ItemFacts;
use super::{KnowledgeGraph, read};
use crate::catalogue::Catalogue;
use crate::config::DataConfig;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::features::{Genome, UserTags};
use crate::vocabulary::Vocabulary;

/// The graph that `data.graph` describes for a data set; nothing when it names no source.
///
/// The source `tags` reads `tags.csv` of the data set's folder, `genome` its genome, and `metadata` the attributes of its
/// items, those from `data.items` included. Tags are taken in small letters.
///
/// ```
/// use cresset_data::{DataConfig, Dataset, graph};
///
/// let config: DataConfig = serde_json::from_str(r#"{ "graph": { "sources": [{ "format": "genres" }] } }"#)?;
/// let data = Dataset::load(&config, "".as_ref())?;
/// let graph = graph::of_dataset(&config, "".as_ref(), &data)?.expect("a source is named");
/// assert_eq!(graph.statistics().n_items, data.n_items());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`read`].
pub fn of_dataset(
    config: &DataConfig,
    data_dir: &Path,
    data: &Dataset,
) -> Result<Option<KnowledgeGraph>, DataError> {
    let (catalogue, items) = (&data.catalogue, &data.items);
    read(config, data_dir, items, &DataSetFacts { config, data_dir, catalogue, items })
}

/// What the files of a data set say of its items.
struct DataSetFacts<'a> {
    config: &'a DataConfig,
    data_dir: &'a Path,
    catalogue: &'a Catalogue,
    items: &'a Vocabulary,
}

impl ItemFacts for DataSetFacts<'_> {
    fn catalogue(&self) -> &Catalogue {
        self.catalogue
    }

    fn for_each_tag(&self, each: &mut dyn FnMut(&str, &str)) -> Result<u64, DataError> {
        let rows = UserTags::read(&self.data_dir.join(self.config.folder()), self.config.on_bad_row)?;
        let small: Vec<String> = rows.tags.names().iter().map(str::to_lowercase).collect();
        for (row, &tag) in rows.tags.codes().iter().enumerate() {
            each(rows.items.name_at(row), &small[tag as usize]);
        }
        Ok(rows.unreadable.n_lines)
    }

    fn for_each_relevance(&self, each: &mut dyn FnMut(&str, &str, f32)) -> Result<u64, DataError> {
        let genome = Genome::of_dataset(self.config, self.data_dir, self.items)?;
        let rows = genome.scores.values.chunks_exact(genome.scores.dim.max(1));
        for ((row, id), _) in
            rows.zip(self.items.ids()).zip(&genome.scores.present).filter(|(_, here)| **here)
        {
            row.iter().zip(&genome.tags).for_each(|(&relevance, tag)| each(id, tag, relevance));
        }
        Ok(genome.unreadable.n_lines)
    }

    fn for_each_field(&self, each: &mut dyn FnMut(&str, &str, &str)) -> Result<(), DataError> {
        for item in &self.catalogue.items {
            item.attributes.iter().for_each(|(name, text)| each(&item.id, name, text));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OnBadRow;

    #[test]
    fn tags_genome_and_attributes_of_a_data_set_become_facts() {
        let data_dir = tempfile::tempdir().unwrap();
        let folder = data_dir.path().join("films");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in [
            ("ratings.csv", "userId,movieId,rating,timestamp\n1,7,4.0,1\n1,8,3.0,2\n"),
            ("tags.csv", "userId,movieId,tag,timestamp\n1,7,Dark,3\n2,7,dark,4\n1,9,dark,5\n"),
            ("genome-tags.csv", "tagId,tag\n1,slow\n2,funny\n"),
            ("genome-scores.csv", "movieId,tagId,relevance\n8,1,0.9\n8,2,0.1\n"),
            ("people.jsonl", "{\"id\": \"7\", \"actors\": \"Ann Lee, Bo Li\"}\n"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let config: DataConfig = serde_json::from_str(
            r#"{ "source": "movielens-csv", "name": "films", "items": [{ "file": "people.jsonl" }], "graph": { "sources": [
                { "format": "tags" }, { "format": "genome", "min_relevance": 0.5 },
                { "format": "metadata", "fields": [{ "field": "actors", "relation": "actor", "kind": "person" }] } ] } }"#,
        )
        .unwrap();
        let data = Dataset::load(&config, data_dir.path()).unwrap();
        let graph = of_dataset(&config, data_dir.path(), &data).unwrap().unwrap();
        let seven = data.items.index_of("7").unwrap();
        let eight = data.items.index_of("8").unwrap();
        let tail = |kind, name| graph.entities().find(kind, name).unwrap();
        let mut of_seven = graph.neighbours(seven).tails.to_vec();
        of_seven.sort_unstable();
        let mut expected = [tail("tag", "dark"), tail("person", "Ann Lee"), tail("person", "Bo Li")];
        expected.sort_unstable();
        assert_eq!(of_seven, expected);
        assert_eq!(graph.neighbours(eight).tails, [tail("tag", "slow")]);
    }

    #[test]
    fn rows_of_tags_and_genome_that_were_left_out_are_counted_with_the_graph() {
        let data_dir = tempfile::tempdir().unwrap();
        let folder = data_dir.path().join("films");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in [
            ("ratings.csv", "userId,movieId,rating,timestamp\n1,7,4.0,1\n1,8,3.0,2\n"),
            ("tags.csv", "userId,movieId,tag,timestamp\n1,7,dark,3\n2,7,7\" single,4\n1,7,slow,soon\n"),
            ("genome-tags.csv", "tagId,tag\n1,slow\n"),
            ("genome-scores.csv", "movieId,tagId,relevance\n8,1,0.9\n8,2,0.1\n"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let config: DataConfig = serde_json::from_str(
            r#"{ "source": "movielens-csv", "name": "films", "on_bad_row": "skip",
                 "graph": { "sources": [{ "format": "tags" }, { "format": "genome" }] } }"#,
        )
        .unwrap();
        let data = Dataset::load(&config, data_dir.path()).unwrap();
        let graph = of_dataset(&config, data_dir.path(), &data).unwrap().unwrap();
        assert_eq!((graph.n_facts(), graph.statistics().skipped.malformed), (2, 3));
        let strict = DataConfig { on_bad_row: OnBadRow::Error, ..config };
        let message = of_dataset(&strict, data_dir.path(), &data).unwrap_err().to_string();
        assert!(message.contains("tags.csv:3: field \"7\" single\""), "{message}");
    }
}
