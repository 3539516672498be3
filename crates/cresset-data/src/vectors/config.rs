//! What a file of vectors does not say of itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::format::VectorsFormat;

/// How a file of vectors is read where its name and its own names do not say enough.
///
/// ```
/// use cresset_data::vectors::{VectorsConfig, VectorsFormat};
///
/// let config: VectorsConfig = serde_json::from_str(r#"{ "format": "npy", "ids": "films.txt" }"#)?;
/// assert_eq!(config.format, Some(VectorsFormat::Npy));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VectorsConfig {
    /// `npy`, `parquet`, `safetensors`, `json`, `csv` or `tsv`. Default: null, by the end of the file's name.
    pub format: Option<VectorsFormat>,
    /// File of the ids, one a line in the order of the vectors (or a JSON list); it comes before ids that the file
    /// of vectors may have itself. Default: null, `NAME.ids.txt` beside the file where there is one.
    pub ids: Option<PathBuf>,
    /// Column or field of the ids. Default: null, the first that is called `id`, `item_id`, `movieId` or the like;
    /// in CSV else the first column.
    pub id_column: Option<String>,
    /// Column or field of the lists, or name of the tensor. Default: null, `embedding`, `vector` or the like, or the
    /// only one that fits.
    pub vector_column: Option<String>,
}

/// Names of a column of ids, in lower case.
const ID_NAMES: [&str; 16] = [
    "id",
    "item_id",
    "itemid",
    "item",
    "iid",
    "movie_id",
    "movieid",
    "movie",
    "ml_id",
    "user_id",
    "userid",
    "user",
    "uid",
    "asin",
    "entity_id",
    "entity",
];
/// Names of a column of vectors, in lower case.
const VECTOR_NAMES: [&str; 11] = [
    "embedding",
    "embeddings",
    "emb",
    "vector",
    "vectors",
    "vec",
    "features",
    "feature",
    "values",
    "text_emb",
    "image_emb",
];

impl VectorsConfig {
    /// Whether a column holds ids, by its name.
    pub(super) fn is_id(&self, name: &str) -> bool {
        is_named(name, self.id_column.as_deref(), &ID_NAMES)
    }

    /// Whether a column holds vectors, by its name.
    pub(super) fn is_vector(&self, name: &str) -> bool {
        is_named(name, self.vector_column.as_deref(), &VECTOR_NAMES)
    }
}

fn is_named(name: &str, asked: Option<&str>, usual: &[&str]) -> bool {
    match asked {
        Some(asked) => name == asked,
        None => usual.iter().any(|usual| name.eq_ignore_ascii_case(usual)),
    }
}
