//! A graph as a folder that loads as it was: columns as Parquet, what is small as JSON.
//!
//! `entities.parquet` holds kind and name by index, `triples.parquet` head, relation and tail of each fact, ascending,
//! so that any program can join them. `graph.json` has the rest: format, counts, relations by index, links, a digest of
//! the two tables. JSON alone would take ten times the space for the facts of a large graph; Parquet alone has no place
//! for parts of different lengths. `graph.json` is written last, so a folder whose writing was cut short does not load
//! as whole.

mod table;

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, LargeStringArray, UInt32Array};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::entities::{Entities, ITEM_KIND};
use super::error::GraphError;
use super::knowledge::KnowledgeGraph;
use super::skipped::SkippedRows;
use super::triples::{Columns, Link, Triples};
use crate::error::DataError;
use crate::files::{FileError, atomic_write_with, read_bytes};
use crate::names::Names;

const ENTITIES: &str = "entities.parquet";
const TRIPLES: &str = "triples.parquet";
const SUMMARY: &str = "graph.json";

/// The files of a saved graph.
pub(crate) const SAVED_FILES: [&str; 3] = [ENTITIES, TRIPLES, SUMMARY];
const FORMAT: &str = "cresset graph 1";

// The columns of the two tables.
const KIND: &str = "kind";
const NAME: &str = "name";
const HEAD: &str = "head";
const RELATION: &str = "relation";
const TAIL: &str = "tail";

/// What `graph.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Summary {
    format: String,
    n_items: usize,
    n_entities: usize,
    n_facts: usize,
    /// Names by index.
    relations: Vec<String>,
    /// Whether an inverse of each relation is added.
    inverse: bool,
    /// Item, and what the sources call it.
    links: Vec<(u32, String)>,
    n_repeats: u64,
    skipped: SkippedRows,
    /// SHA-256 over both tables, in hexadecimal.
    digest: String,
}

impl KnowledgeGraph {
    /// Writes the graph to a folder, which is made if it is missing: `entities.parquet`, `triples.parquet`, `graph.json`.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), DataError> {
        std::fs::create_dir_all(folder).map_err(|cause| FileError::write(folder, cause))?;
        let columns = self.columns();
        let summary = Summary {
            format: FORMAT.to_owned(),
            n_items: self.n_items,
            n_entities: self.n_entities(),
            n_facts: columns.heads.len(),
            relations: self.stated_relations().map(str::to_owned).collect(),
            inverse: self.has_inverses(),
            links: self.links.iter().map(|link| (link.item, link.source_name.clone())).collect(),
            n_repeats: self.n_repeats,
            skipped: self.skipped,
            digest: digest(&self.entities, &columns),
        };
        let entities = 0..self.n_entities() as u32;
        let kinds =
            LargeStringArray::from_iter_values(entities.clone().map(|entity| self.entities.kind_of(entity)));
        let names = LargeStringArray::from_iter_values(entities.map(|entity| self.entities.name_of(entity)));
        table::write(&folder.join(ENTITIES), vec![(KIND, Arc::new(kinds)), (NAME, Arc::new(names))])?;
        let Columns { heads, relations, tails } = columns;
        let [heads, relations, tails] =
            [heads, relations, tails].map(|codes| Arc::new(UInt32Array::from(codes)) as ArrayRef);
        table::write(&folder.join(TRIPLES), vec![(HEAD, heads), (RELATION, relations), (TAIL, tails)])?;
        let path = folder.join(SUMMARY);
        Ok(atomic_write_with(&path, |file| Ok(serde_json::to_writer_pretty(file, &summary)?))?)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when a file is missing or cut; [`GraphError::BadSavedGraph`] when the files do not agree or
    /// break a rule of a graph.
    pub fn load(folder: &Path) -> Result<Self, DataError> {
        let path = folder.join(SUMMARY);
        let summary: Summary =
            serde_json::from_slice(&read_bytes(&path)?).map_err(|cause| FileError::read(&path, cause))?;
        let check = Check { path: &path };
        check.that(summary.format == FORMAT, || {
            format!("format \"{}\" is not \"{FORMAT}\"", summary.format)
        })?;
        let entities = read_entities(&folder.join(ENTITIES))?;
        let columns = read_triples(&folder.join(TRIPLES))?;
        check.counts(&summary, &entities, &columns)?;
        check.that(digest(&entities, &columns) == summary.digest, || {
            format!("its digest is not that of {ENTITIES} and {TRIPLES}")
        })?;
        let relations: Names = summary.relations.iter().map(String::as_str).collect();
        check.that(relations.len() == summary.relations.len(), || "it names a relation twice".to_owned())?;
        let links = summary.links.into_iter().map(|(item, source_name)| Link { item, source_name });
        let facts = Triples {
            entities,
            relations,
            columns,
            links: links.collect(),
            n_repeats: summary.n_repeats,
            skipped: summary.skipped,
        };
        check.indices(summary.n_items, &facts)?;
        Ok(Self::from_facts(summary.n_items, facts, summary.inverse)?)
    }
}

/// Holds the parts of a saved graph against each other; faults name `path`.
struct Check<'p> {
    path: &'p Path,
}

impl Check<'_> {
    fn that(&self, holds: bool, fault: impl FnOnce() -> String) -> Result<(), GraphError> {
        if holds {
            return Ok(());
        }
        Err(GraphError::BadSavedGraph { file: self.path.to_owned(), fault: fault() })
    }

    fn counts(&self, summary: &Summary, entities: &Entities, columns: &Columns) -> Result<(), GraphError> {
        let (n_entities, n_facts) = (entities.len(), columns.heads.len());
        self.that(n_entities == summary.n_entities, || {
            format!("n_entities is {} and {ENTITIES} has {n_entities}", summary.n_entities)
        })?;
        self.that(n_facts == summary.n_facts, || {
            format!("n_facts is {} and {TRIPLES} has {n_facts}", summary.n_facts)
        })
    }

    /// Every index names something, items come first, facts ascend, and so do links.
    fn indices(&self, n_items: usize, facts: &Triples) -> Result<(), GraphError> {
        let Triples { entities, relations, columns, links, .. } = facts;
        let (n_entities, n_relations) = (entities.len() as u32, relations.len() as u32);
        self.that(n_items <= entities.len(), || {
            format!("n_items {n_items} is more than there are entities")
        })?;
        let stray = (0..n_items as u32).find(|&entity| entities.kind_code(entity) != ITEM_KIND);
        self.that(stray.is_none(), || {
            format!("entity {} stands among the items and is none", stray.unwrap_or_default())
        })?;
        let ends =
            columns.heads.iter().chain(&columns.tails).copied().chain(links.iter().map(|link| link.item));
        let stray = ends.clone().find(|&entity| entity >= n_entities);
        self.that(stray.is_none(), || {
            format!("entity {} is named and there are {n_entities}", stray.unwrap_or_default())
        })?;
        let stray = columns.relations.iter().find(|&&relation| relation >= n_relations);
        self.that(stray.is_none(), || {
            format!("relation {} is named and there are {n_relations}", stray.unwrap_or(&0))
        })?;
        self.that(links.is_sorted(), || "its links are not in order of their items".to_owned())?;
        let Columns { heads, relations, tails } = columns;
        let facts = heads.iter().zip(relations).zip(tails);
        self.that(facts.is_sorted_by(|a, b| a < b), || format!("{TRIPLES} repeats a fact or is not in order"))
    }
}

fn read_entities(path: &Path) -> Result<Entities, DataError> {
    let mut entities = Entities::default();
    table::read(path, &[KIND, NAME], |part| {
        let (kinds, names) = (table::texts(part, KIND)?, table::texts(part, NAME)?);
        for (kind, name) in kinds.iter().zip(&names) {
            let kind = entities.kind(kind.unwrap_or_default());
            let name = name.unwrap_or_default();
            let n_before = entities.len();
            let entity = entities.code_or_add(kind, name);
            Check { path }.that(entity as usize == n_before, || {
                format!("entity \"{name}\" is there twice, with the indices {entity} and {n_before}")
            })?;
        }
        Ok(())
    })?;
    Ok(entities)
}

fn read_triples(path: &Path) -> Result<Columns, DataError> {
    let mut columns = Columns::default();
    table::read(path, &[HEAD, RELATION, TAIL], |part| {
        columns.heads.extend(table::codes(part, HEAD)?);
        columns.relations.extend(table::codes(part, RELATION)?);
        columns.tails.extend(table::codes(part, TAIL)?);
        Ok(())
    })?;
    Ok(columns)
}

/// SHA-256 of entities and facts, in hexadecimal.
fn digest(entities: &Entities, columns: &Columns) -> String {
    let mut hash = Sha256::new();
    for entity in 0..entities.len() as u32 {
        for text in [entities.kind_of(entity), entities.name_of(entity)] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    for column in [&columns.heads, &columns.relations, &columns.tails] {
        for chunk in column.chunks(4096) {
            hash.update(chunk.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
