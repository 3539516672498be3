//! KGAT's folder: `kg_final.txt` and the lists that its numbers stand for.

use std::path::{Path, PathBuf};

use super::ids::Ids;
use super::read_triples;
use super::records::{Header, Layout, for_each_record};
use crate::error::DataError;
use crate::files::TextFile;
use crate::graph::config::{ItemIds, KgatGraph, Separator};
use crate::graph::entities::add_new;
use crate::graph::error::GraphFault;
use crate::graph::skipped::Refusals;
use crate::graph::triples::Triples;
use crate::names::Names;
use crate::source::{open_any, open_required};

/// The columns of every list, and what errors call them.
const LIST: [&str; 2] = ["org_id", "remap_id"];

/// Triples under the names of the lists; `item_list.txt` says which of the first entities is which item.
pub(in crate::graph) fn read(
    folder: &Path,
    config: &KgatGraph,
    mut refusals: Refusals,
) -> Result<Triples, DataError> {
    let triples = open_required(folder, &["kg_final.txt"])?;
    let items = open_required(folder, &["item_list.txt"])?;
    let mut ids = Ids::default();
    let entities = match open_any(folder, &["entity_list.txt"])? {
        Some(file) => Some(EntityList::read(file, &mut refusals)?),
        None => None,
    };
    read_items(items, config.item_ids, entities.as_ref(), &mut ids, &mut refusals)?;
    if let Some(entities) = entities {
        entities.declare(&mut ids);
    }
    if let Some(file) = open_any(folder, &["relation_list.txt"])? {
        ids.relation_list = Some(file.path.clone());
        for_each_record(file, LIST, list(), &mut refusals, |_, [name, id]| ids.declare_relation(name, id))?;
    }
    let layout = Layout { separator: Some(Separator::Space), header: Header::Absent };
    read_triples(triples, layout, &mut ids, &mut refusals)?;
    let mut facts = ids.finish()?;
    facts.skipped = refusals.skipped;
    Ok(facts)
}

fn list() -> Layout<2> {
    Layout { separator: Some(Separator::Space), header: Header::Named(LIST) }
}

fn read_items(
    file: TextFile,
    item_ids: ItemIds,
    entities: Option<&EntityList>,
    ids: &mut Ids,
    refusals: &mut Refusals,
) -> Result<(), DataError> {
    for_each_record(file, LIST, list(), refusals, |_, [original, remapped]| {
        let source_name = match entities {
            Some(entities) => entities.name_of(remapped)?,
            None => original,
        };
        let item = if item_ids == ItemIds::Remapped { remapped } else { original };
        ids.link(item, remapped, source_name)
    })
}

/// The names of all entities, items too, by the order of the list.
struct EntityList {
    file: PathBuf,
    ids: Names,
    names: Names,
}

impl EntityList {
    fn read(file: TextFile, refusals: &mut Refusals) -> Result<Self, DataError> {
        let mut list = Self { file: file.path.clone(), ids: Names::default(), names: Names::default() };
        for_each_record(file, LIST, self::list(), refusals, |_, [name, id]| list.push(name, id))?;
        Ok(list)
    }

    fn push(&mut self, name: &str, id: &str) -> Result<(), GraphFault> {
        let repeated = |column, value: &str| GraphFault::Repeated { column, value: value.to_owned() };
        if self.ids.code_of(id).is_some() {
            return Err(repeated("entity id", id));
        }
        if !add_new(&mut self.names, name) {
            return Err(repeated("entity", name));
        }
        self.ids.code_or_add(id);
        Ok(())
    }

    fn name_of(&self, id: &str) -> Result<&str, GraphFault> {
        let unknown = || GraphFault::UnknownEntity {
            column: "remap_id",
            value: id.to_owned(),
            list: self.file.clone(),
        };
        self.ids.code_of(id).map(|code| &self.names[code as usize]).ok_or_else(unknown)
    }

    /// Declares all entities that are no items, after which there are no others.
    fn declare(self, ids: &mut Ids) {
        for (id, name) in self.ids.iter().zip(self.names.iter()) {
            if ids.knows(id) {
                continue;
            }
            ids.declare_entity(name, id).expect("the list holds every id and every name once");
        }
        ids.entity_list = Some(self.file);
    }
}
