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
use crate::text::is_tabbed;

/// The columns of every list, and what errors call them.
const LIST: [&str; 2] = ["org_id", "remap_id"];

/// Triples under the names of the lists; `item_list.txt` says which of the first entities is which item.
pub(in crate::graph) fn read(
    folder: &Path,
    config: &KgatGraph,
    mut refusals: Refusals,
) -> Result<Triples, DataError> {
    let triples = open_required(folder, &["kg_final.txt"])?;
    let items = List::required(folder, "item_list.txt")?;
    let mut ids = Ids::default();
    let entities = match List::open(folder, "entity_list.txt")? {
        Some(list) => Some(EntityList::read(list, &mut refusals)?),
        None => None,
    };
    read_items(items, config.item_ids, entities.as_ref(), &mut ids, &mut refusals)?;
    if let Some(entities) = entities {
        entities.declare(&mut ids);
    }
    if let Some(list) = List::open(folder, "relation_list.txt")? {
        ids.relation_list = Some(list.file.path.clone());
        list.for_each(&mut refusals, |[name, id]| ids.declare_relation(name, id))?;
    }
    let layout = Layout { separator: Some(Separator::Space), header: Header::Absent };
    read_triples(triples, layout, &mut ids, &mut refusals)?;
    let mut facts = ids.finish()?;
    facts.skipped = refusals.skipped;
    Ok(facts)
}

/// A list of names and numbers.
struct List {
    file: TextFile,
    /// Spaces, or tabs where names hold spaces.
    separator: Separator,
}

impl List {
    fn open(folder: &Path, name: &str) -> Result<Option<Self>, DataError> {
        let Some(file) = open_any(folder, &[name])? else { return Ok(None) };
        let separator = if is_tabbed(file)? { Separator::Tab } else { Separator::Space };
        Ok(open_any(folder, &[name])?.map(|file| Self { file, separator }))
    }

    fn required(folder: &Path, name: &str) -> Result<Self, DataError> {
        let missing = || DataError::Missing { folder: folder.to_owned(), looked_for: name.to_owned() };
        Self::open(folder, name)?.ok_or_else(missing)
    }

    fn for_each(
        self,
        refusals: &mut Refusals,
        mut each: impl FnMut([&str; 2]) -> Result<(), GraphFault>,
    ) -> Result<(), DataError> {
        let layout = Layout { separator: Some(self.separator), header: Header::Named(LIST) };
        for_each_record(self.file, LIST, layout, refusals, |_, record| each(record))
    }
}

fn read_items(
    list: List,
    item_ids: ItemIds,
    entities: Option<&EntityList>,
    ids: &mut Ids,
    refusals: &mut Refusals,
) -> Result<(), DataError> {
    list.for_each(refusals, |[original, remapped]| {
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
    fn read(list: List, refusals: &mut Refusals) -> Result<Self, DataError> {
        let mut entities =
            Self { file: list.file.path.clone(), ids: Names::default(), names: Names::default() };
        list.for_each(refusals, |[name, id]| entities.push(name, id))?;
        Ok(entities)
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
