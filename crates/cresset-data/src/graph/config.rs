//! The `data.graph` section of a configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entities::PERSON;
use crate::error::DataError;

/// Where the facts of the knowledge graph come from, and what is made of them.
///
/// ```
/// use cresset_data::graph::{GraphConfig, GraphSource};
///
/// let config: GraphConfig = serde_json::from_str(
///     r#"{ "sources": [{ "format": "recbole", "file": "ml-100k.kg" }, { "format": "genres" }], "inverse": true }"#,
/// )?;
/// assert!(matches!(&config.sources[0], GraphSource::Recbole(files) if files.links.is_none()));
/// config.validate()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GraphConfig {
    /// Sources whose facts are joined, each with its `format`. Default: none, and no graph.
    pub sources: Vec<GraphSource>,
    /// Whether each relation gets an inverse, named `relation^-1`, so that facts can be walked both ways.
    /// Default: false.
    pub inverse: bool,
    /// Relations that only turn another round are folded into it when at least this share of the rarer one's facts
    /// have their counterpart, above 0 up to 1. Default: null, such relations are kept.
    pub fold_inverses: Option<f64>,
}

/// One source of facts; the key `format` names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
#[non_exhaustive]
pub enum GraphSource {
    /// `recbole`: `NAME.kg` and `NAME.link`.
    Recbole(RecboleGraph),
    /// `kgat`: `kg_final.txt`, `item_list.txt`, and where they are there `entity_list.txt` and `relation_list.txt`.
    Kgat(KgatGraph),
    /// `kgcn`: `kg.txt` and `item_index2entity_id.txt`, of KGCN, `RippleNet` and MKR.
    Kgcn(KgcnGraph),
    /// `triples`: lines `head relation tail`.
    Triples(PlainTriples),
    /// `genres`: the genres of the data set's items.
    Genres(NoKeys),
    /// `tags`: what users tagged items with.
    Tags(TagFacts),
    /// `genome`: the tag genome.
    Genome(GenomeFacts),
    /// `metadata`: people and other fields of the items' metadata.
    Metadata(MetadataFacts),
    /// `synthetic`: the graph of the built-in world that `data.synthetic` describes.
    Synthetic(NoKeys),
}

/// A source without keys of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoKeys {}

/// Keys of the format `recbole`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecboleGraph {
    /// Folder below the data directory. Default: null, the data set's own.
    pub folder: Option<String>,
    /// The file of triples. Default: null, the folder's only one that ends in `.kg`.
    pub file: Option<String>,
    /// The file of links. Default: null, the name of `file` with `.link` in place of `.kg`.
    pub links: Option<String>,
}

/// Which ids the data set's interactions have, in a format that numbers its items anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemIds {
    /// The numbers of the format: those of KGAT's `train.txt`, or of KGCN's `ratings_final.txt`.
    Remapped,
    /// The ids of the data set that the format was made from, as in `ratings.dat`.
    Original,
}

/// Keys of the format `kgat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KgatGraph {
    /// Folder below the data directory. Default: null, the data set's own.
    pub folder: Option<String>,
    /// `remapped` for interactions from `train.txt`, `original` for others. Default: `remapped`.
    pub item_ids: ItemIds,
}

impl Default for KgatGraph {
    fn default() -> Self {
        Self { folder: None, item_ids: ItemIds::Remapped }
    }
}

/// Keys of the format `kgcn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KgcnGraph {
    /// Folder below the data directory. Default: null, the data set's own.
    pub folder: Option<String>,
    /// `remapped` for interactions from `ratings_final.txt`, `original` for others. Default: `original`.
    pub item_ids: ItemIds,
}

impl Default for KgcnGraph {
    fn default() -> Self {
        Self { folder: None, item_ids: ItemIds::Original }
    }
}

/// What lies between the fields of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// One tab.
    Tab,
    /// One comma; within double quotes it is text.
    Comma,
    /// Spaces or tabs, any number.
    Space,
}

/// Keys of the format `triples`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlainTriples {
    /// Folder below the data directory. Default: null, the data set's own.
    pub folder: Option<String>,
    /// The file of triples. Default: `kg.txt`.
    pub file: String,
    /// Lines `item entity` that say which entities are items. Default: null: heads are item ids.
    pub links: Option<String>,
    /// `tab`, `comma` or `space`. Default: null, the first of them that cuts the first line into 3 fields.
    pub separator: Option<Separator>,
    /// Whether the first line names the columns. Default: null, it does when it reads like names of columns.
    pub header: Option<bool>,
    /// The kind of each relation's tails; tails of one kind share a name space, and those of the kind `item` are
    /// item ids. A relation that is not listed has a kind of its own name. It is not read beside `links`, where all
    /// entities share one name space. Default: `person` for `actor`, `director`, `producer` and `writer`.
    pub tail_kinds: BTreeMap<String, String>,
}

impl Default for PlainTriples {
    fn default() -> Self {
        let people = ["actor", "director", "producer", "writer"];
        Self {
            folder: None,
            file: "kg.txt".to_owned(),
            links: None,
            separator: None,
            header: None,
            tail_kinds: people.map(|relation| (relation.to_owned(), PERSON.to_owned())).into(),
        }
    }
}

/// Keys of the format `tags`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TagFacts {
    /// How often a tag must have been given to an item, at least 1. Default: 1.
    pub min_count: u32,
    /// On how many items a tag must be, at least 1: a tag on one item links nothing. Default: 1.
    pub min_items: u32,
}

impl Default for TagFacts {
    fn default() -> Self {
        Self { min_count: 1, min_items: 1 }
    }
}

/// Keys of the format `genome`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GenomeFacts {
    /// The relevance from which a tag is a fact, above 0 up to 1. Default: 0.5.
    pub min_relevance: f32,
}

impl Default for GenomeFacts {
    fn default() -> Self {
        Self { min_relevance: 0.5 }
    }
}

/// Keys of the format `metadata`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetadataFacts {
    /// Fields that become facts. Default: director, writer, actors, genre, language, country, rated and year, as
    /// `OMDb` names them.
    pub fields: Vec<MetadataField>,
}

/// How one field of the metadata becomes facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataField {
    /// Its name, in any case.
    pub field: String,
    /// The relation it becomes. Default: null, its name.
    #[serde(default)]
    pub relation: Option<String>,
    /// The kind of its values. Default: null, the relation's name.
    #[serde(default)]
    pub kind: Option<String>,
    /// How its text is read. Default: `list`.
    #[serde(default)]
    pub values: FieldValues,
}

/// How the text of a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValues {
    /// Values between commas, without what is in parentheses: `Ann Lee (story), Bo Li`.
    #[default]
    List,
    /// One value.
    Whole,
    /// The decade of a year: `1995` is `1990s`.
    Decade,
}

impl Default for MetadataFacts {
    fn default() -> Self {
        let field = |name: &str, relation: &str, kind: &str, values| MetadataField {
            field: name.to_owned(),
            relation: Some(relation.to_owned()),
            kind: Some(kind.to_owned()),
            values,
        };
        let fields = vec![
            field("director", "director", PERSON, FieldValues::List),
            field("writer", "writer", PERSON, FieldValues::List),
            field("actors", "actor", PERSON, FieldValues::List),
            field("genre", "genre", "genre", FieldValues::List),
            field("language", "language", "language", FieldValues::List),
            field("country", "country", "country", FieldValues::List),
            field("rated", "content_rating", "content_rating", FieldValues::Whole),
            field("year", "decade", "decade", FieldValues::Decade),
        ];
        Self { fields }
    }
}

impl GraphConfig {
    /// Nothing, when every value is in its documented range.
    ///
    /// # Errors
    ///
    /// [`DataError::Config`] with the key, the value and what would be right.
    pub fn validate(&self) -> Result<(), DataError> {
        if let Some(share) = self.fold_inverses {
            require(
                share > 0.0 && share <= 1.0,
                "data.graph.fold_inverses",
                &share,
                "above 0 and at most 1",
            )?;
        }
        self.sources.iter().try_for_each(GraphSource::validate)
    }
}

impl GraphSource {
    fn validate(&self) -> Result<(), DataError> {
        const KEY: &str = "data.graph.sources";
        match self {
            Self::Tags(TagFacts { min_count, min_items }) => {
                require(*min_count > 0, KEY, &format!("min_count {min_count}"), "a min_count of at least 1")?;
                require(*min_items > 0, KEY, &format!("min_items {min_items}"), "a min_items of at least 1")
            }
            Self::Genome(GenomeFacts { min_relevance: min }) => {
                let expected = "a min_relevance above 0 and at most 1";
                require(*min > 0.0 && *min <= 1.0, KEY, &format!("min_relevance {min}"), expected)
            }
            Self::Metadata(facts) => {
                require(!facts.fields.is_empty(), KEY, &"metadata without fields", "at least one field")
            }
            _ => Ok(()),
        }
    }
}

fn require(is_met: bool, key: &'static str, value: &impl ToString, expected: &str) -> Result<(), DataError> {
    if is_met {
        return Ok(());
    }
    Err(DataError::Config { key, value: value.to_string(), expected: expected.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let config: GraphConfig = serde_json::from_str(json).unwrap();
        assert_eq!(config.validate().unwrap_err().to_string(), expected);
    }

    #[test]
    fn the_default_has_no_source_and_is_valid() {
        assert!(GraphConfig::default().sources.is_empty());
        GraphConfig::default().validate().unwrap();
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_key() {
        check(r#"{"fold_inverses": 1.5}"#, "data.graph.fold_inverses = 1.5: expected above 0 and at most 1");
        check(
            r#"{"sources": [{"format": "tags", "min_count": 0}]}"#,
            "data.graph.sources = min_count 0: expected a min_count of at least 1",
        );
        check(
            r#"{"sources": [{"format": "genome", "min_relevance": 0.0}]}"#,
            "data.graph.sources = min_relevance 0: expected a min_relevance above 0 and at most 1",
        );
        check(
            r#"{"sources": [{"format": "metadata", "fields": []}]}"#,
            "data.graph.sources = metadata without fields: expected at least one field",
        );
    }

    #[test]
    fn a_key_of_another_format_is_refused() {
        for json in [
            r#"{"format": "kgat", "links": "x"}"#,
            r#"{"format": "genres", "min_count": 2}"#,
            r#"{"format": "triples", "seperator": "tab"}"#,
            r#"{"format": "turtle"}"#,
        ] {
            assert!(serde_json::from_str::<GraphSource>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn every_format_survives_being_saved() {
        let sources = vec![
            GraphSource::Recbole(RecboleGraph::default()),
            GraphSource::Kgat(KgatGraph::default()),
            GraphSource::Kgcn(KgcnGraph::default()),
            GraphSource::Triples(PlainTriples::default()),
            GraphSource::Genres(NoKeys {}),
            GraphSource::Tags(TagFacts::default()),
            GraphSource::Genome(GenomeFacts::default()),
            GraphSource::Metadata(MetadataFacts::default()),
            GraphSource::Synthetic(NoKeys {}),
        ];
        let config = GraphConfig { sources, inverse: true, fold_inverses: Some(0.8) };
        config.validate().unwrap();
        let saved = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<GraphConfig>(&saved).unwrap(), config);
    }
}
