//! The vectors of a data set, as its configuration names them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{AlignedVectors, IdMap, IdMapConfig, Vectors, VectorsConfig, VectorsError, VectorsFormat};
use crate::catalogue::Side;
use crate::config::{DataConfig, require};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::processed::under_external_ids;
use crate::source::SourceKind;
use crate::world::WorldFilms;

/// One entry of `data.vectors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VectorSourceConfig {
    /// What the vectors are called: `text`, `image`. Needed.
    pub name: String,
    /// Whose they are. Default: `items`.
    pub of: Side,
    /// Their path below the data set's folder, or an absolute one; `.gz` and `.zst` may be left off. Default: null, the
    /// source's own, which `synthetic` has under the names `text` and `image`.
    pub file: Option<String>,
    /// `npy`, `parquet`, `safetensors`, `json`, `csv` or `tsv`. Default: null, by the end of the file's name.
    pub format: Option<VectorsFormat>,
    /// File of the ids, one a line in the order of the vectors. Default: null, see [`VectorsConfig::ids`].
    pub ids: Option<String>,
    /// Column or field of the ids. Default: null, one with a usual name.
    pub id_column: Option<String>,
    /// Column or field of the vectors. Default: null, one with a usual name.
    pub vector_column: Option<String>,
    /// Width that the vectors must have, at least 1. Default: null, that of the file.
    pub dim: Option<usize>,
    /// CSV or TSV file from the ids of the interactions to those of the vectors. Default: null, they are the same.
    pub map: Option<String>,
    /// Its column of the interactions' ids. Default: null, the first.
    pub map_item_column: Option<String>,
    /// Its column of the vectors' ids. Default: null, the second.
    pub map_vector_column: Option<String>,
}

/// The vectors of one entry, a row for each index of the data set's items or users.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedVectors {
    /// What they are called.
    pub name: String,
    /// Whose they are.
    pub of: Side,
    /// The rows, and which of them are there.
    pub vectors: AlignedVectors,
}

impl VectorSourceConfig {
    /// Checks what no file is needed for.
    ///
    /// # Errors
    ///
    /// [`DataError::Config`] with the key, the value and what would be right.
    pub(crate) fn validate(&self, source: SourceKind) -> Result<(), DataError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_name = !self.name.is_empty() && self.name.bytes().all(is_word);
        require(is_name, "data.vectors.name", &quoted(&self.name), "a word, such as text or image")?;
        require(self.dim != Some(0), "data.vectors.dim", &0, "at least 1, or null")?;
        match &self.file {
            Some(file) => {
                require(!file.is_empty(), "data.vectors.file", &"\"\"", "the path of a file, or null")
            }
            None => {
                let is_own = source == SourceKind::Synthetic && self.own(source).is_some();
                let expected = "the path of a file; only the source synthetic has vectors of its own, of items and \
                                called text and image";
                require(is_own, "data.vectors.file", &"null", expected)
            }
        }
    }

    /// What the films of a world are asked for their own vectors of this name.
    fn own(&self, source: SourceKind) -> Option<fn(&WorldFilms) -> Vectors> {
        match (source, self.of, self.name.as_str()) {
            (SourceKind::Synthetic, Side::Items, "text") => Some(WorldFilms::text_vectors),
            (SourceKind::Synthetic, Side::Items, "image") => Some(WorldFilms::image_vectors),
            _ => None,
        }
    }

    fn check_dim(&self, found: usize) -> Result<(), VectorsError> {
        let Some(expected) = self.dim.filter(|&dim| dim != found) else { return Ok(()) };
        let file = self.file.clone().unwrap_or_else(|| "the vectors of the synthetic world".to_owned());
        Err(VectorsError::Dim { name: self.name.clone(), file, found, expected })
    }

    fn read(&self, config: &DataConfig, folder: &Path, data: &Dataset) -> Result<AlignedVectors, DataError> {
        let vocabulary = match self.of {
            Side::Items => &data.items,
            Side::Users => &data.users,
        };
        let Some(file) = &self.file else {
            let films = WorldFilms::generate(&config.synthetic)?;
            let own = self.own(config.source).expect("validate has seen the name");
            return Ok(own(&films).into_aligned(vocabulary));
        };
        let below = |name: &String| folder.join(name);
        let read = VectorsConfig {
            format: self.format,
            ids: self.ids.as_ref().map(below),
            id_column: self.id_column.clone(),
            vector_column: self.vector_column.clone(),
        };
        let (mut vectors, is_numbered) = Vectors::read_as_numbered(&below(file), &read)?;
        if config.source == SourceKind::TwoTowerFolder && self.map.is_none() {
            vectors.ids = under_external_ids(folder, self.of, &below(file), vectors.ids, is_numbered)?;
        }
        let Some(map) = &self.map else { return Ok(vectors.into_aligned(vocabulary)) };
        let columns = IdMapConfig {
            item_column: self.map_item_column.clone(),
            vector_column: self.map_vector_column.clone(),
        };
        Ok(vectors.align_mapped(vocabulary, &IdMap::read(&below(map), &columns)?))
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The vectors that `data.vectors` names for a data set, in the order of its entries.
///
/// ```
/// use cresset_data::{DataConfig, Dataset, vectors};
///
/// let config: DataConfig = serde_json::from_str(r#"{ "vectors": [{ "name": "text" }] }"#)?;
/// let data = Dataset::load(&config, "".as_ref())?;
/// let found = vectors::of_dataset(&config, "".as_ref(), &data)?;
/// assert_eq!(found[0].vectors.n_present(), data.n_items());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As [`Vectors::read`] and [`IdMap::read`].
pub fn of_dataset(
    config: &DataConfig,
    data_dir: &Path,
    data: &Dataset,
) -> Result<Vec<NamedVectors>, DataError> {
    config.validate()?;
    let folder = data_dir.join(config.folder());
    let read = |entry: &VectorSourceConfig| {
        let vectors = entry.read(config, &folder, data)?;
        let file = entry.file.as_deref().unwrap_or("null");
        let expected = "vectors under ids of the data, and none of its ids is one: name a data.vectors.map from the ids \
                        of the data to its own, or the column of its ids";
        require(vectors.n_present() > 0, "data.vectors.file", &file, expected)?;
        entry.check_dim(vectors.dim)?;
        Ok(NamedVectors { name: entry.name.clone(), of: entry.of, vectors })
    };
    config.vectors.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATINGS: &str = "userId,movieId,rating,timestamp\n1,7,4.0,1\n1,8,3.0,2\n2,7,5.0,3\n";

    fn config(vectors: &str) -> DataConfig {
        let json = format!(r#"{{ "source": "movielens-csv", "name": "films", "vectors": {vectors} }}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let data_dir = tempfile::tempdir().unwrap();
        let folder = data_dir.path().join("films");
        std::fs::create_dir(&folder).unwrap();
        for (name, text) in [("ratings.csv", RATINGS)].iter().chain(files) {
            std::fs::write(folder.join(name), text).unwrap();
        }
        data_dir
    }

    #[test]
    fn vectors_of_items_and_users_come_in_the_order_of_their_indices() {
        let data_dir = folder_with(&[
            ("texts.json", r#"{ "b8": [8.0, 0.5], "b9": [9.0, 0.5] }"#),
            ("links.csv", "movieId,book\n7,b1\n8,b8\n"),
            ("tastes.csv", "id,x\n2,0.25\n1,0.75\n"),
        ]);
        let config = config(
            r#"[{ "name": "text", "file": "texts.json", "map": "links.csv" },
                { "name": "taste", "of": "users", "file": "tastes.csv" }]"#,
        );
        let data = Dataset::load(&config, data_dir.path()).unwrap();
        let [text, taste] = of_dataset(&config, data_dir.path(), &data).unwrap().try_into().unwrap();
        assert_eq!(
            (text.vectors.present, text.vectors.values),
            (vec![false, true], vec![0.0, 0.0, 8.0, 0.5])
        );
        assert_eq!((taste.of, taste.vectors.values), (Side::Users, vec![0.75, 0.25]));
    }

    #[test]
    fn an_entry_without_a_name_or_a_file_is_refused() {
        let refused = |vectors: &str| config(vectors).validate().unwrap_err().to_string();
        assert_eq!(
            refused(r#"[{ "file": "a.npy" }]"#),
            "data.vectors.name = \"\": expected a word, such as text or image"
        );
        assert!(refused(r#"[{ "name": "../text", "file": "a.npy" }]"#).starts_with("data.vectors.name"));
        assert!(
            refused(r#"[{ "name": "text" }]"#).starts_with("data.vectors.file = null: expected the path")
        );
        let twice = r#"[{ "name": "text", "file": "a.npy" }, { "name": "text", "file": "b.npy" }]"#;
        assert_eq!(
            refused(twice),
            "data.vectors.name = \"text\": expected another name, \"text\" is that of an entry above"
        );
    }

    #[test]
    fn vectors_under_the_ids_of_something_else_are_refused() {
        let data_dir = folder_with(&[("texts.json", r#"{ "b7": [8.0] }"#)]);
        let config = config(r#"[{ "name": "text", "file": "texts.json" }]"#);
        let data = Dataset::load(&config, data_dir.path()).unwrap();
        let message = of_dataset(&config, data_dir.path(), &data).unwrap_err().to_string();
        assert!(
            message.starts_with("data.vectors.file = texts.json") && message.contains("data.vectors.map")
        );
    }

    #[test]
    fn a_width_that_changes_is_an_error_with_file_and_id() {
        let data_dir = folder_with(&[("texts.json", r#"{ "7": [8.0, 0.5], "8": [9.0] }"#)]);
        let config = config(r#"[{ "name": "text", "file": "texts.json" }]"#);
        let data = Dataset::load(&config, data_dir.path()).unwrap();
        let message = of_dataset(&config, data_dir.path(), &data).unwrap_err().to_string();
        assert!(message.contains("texts.json") && message.contains('8'), "{message}");
    }

    #[test]
    fn another_width_than_the_one_asked_for_is_an_error_with_both_numbers() {
        let data_dir = folder_with(&[("texts.json", r#"{ "7": [8.0, 0.5] }"#)]);
        let right = config(r#"[{ "name": "text", "file": "texts.json", "dim": 2 }]"#);
        let data = Dataset::load(&right, data_dir.path()).unwrap();
        of_dataset(&right, data_dir.path(), &data).unwrap();
        let wrong = config(r#"[{ "name": "text", "file": "texts.json", "dim": 768 }]"#);
        assert_eq!(
            of_dataset(&wrong, data_dir.path(), &data).unwrap_err().to_string(),
            "data.vectors \"text\": texts.json has vectors of 2 numbers, and dim is 768: name the file of that width, or \
             set dim to 2 or null"
        );
        let none = config(r#"[{ "name": "text", "file": "texts.json", "dim": 0 }]"#);
        assert_eq!(
            none.validate().unwrap_err().to_string(),
            "data.vectors.dim = 0: expected at least 1, or null"
        );
    }
}
