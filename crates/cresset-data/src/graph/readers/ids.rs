//! Ids of a format and what they stand for: items, entities, relations.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::graph::entities::{ENTITY, Entities, ITEM_KIND, add_new};
use crate::graph::error::GraphFault;
use crate::graph::skipped::Refusals;
use crate::graph::triples::{Link, TripleSink, Triples};
use crate::names::Names;

/// The entities and relations of one format by the ids of its files, and the triples read so far.
///
/// What a list declares has the first codes; where no list closes the ids, others follow by first sight.
#[derive(Default)]
pub(super) struct Ids {
    entity_ids: Names,
    relation_ids: Names,
    /// What the declared ids stand for, by code.
    declared: Entities,
    declared_relations: Names,
    links: Vec<Link>,
    /// The list that holds all entities.
    pub(super) entity_list: Option<PathBuf>,
    /// The list that holds all relations.
    pub(super) relation_list: Option<PathBuf>,
    triples: TripleSink,
}

impl Ids {
    /// Declares the entity that is an item; the source calls it `source_name`.
    pub(super) fn link(&mut self, item: &str, entity: &str, source_name: &str) -> Result<(), GraphFault> {
        self.declare(ITEM_KIND, ("item", item), ("entity", entity))?;
        let item = self.declared.len() as u32 - 1;
        self.links.push(Link { item, source_name: source_name.to_owned() });
        Ok(())
    }

    /// Declares an entity that is no item.
    pub(super) fn declare_entity(&mut self, name: &str, id: &str) -> Result<(), GraphFault> {
        let kind = self.declared.kind(ENTITY);
        self.declare(kind, ("entity", name), ("entity id", id))
    }

    /// Declares a relation.
    pub(super) fn declare_relation(&mut self, name: &str, id: &str) -> Result<(), GraphFault> {
        if self.relation_ids.code_of(id).is_some() {
            return Err(repeated("relation id", id));
        }
        if !add_new(&mut self.declared_relations, name) {
            return Err(repeated("relation", name));
        }
        self.relation_ids.code_or_add(id);
        Ok(())
    }

    fn declare(
        &mut self,
        kind: u32,
        (column, name): (&'static str, &str),
        (id_column, id): (&'static str, &str),
    ) -> Result<(), GraphFault> {
        if self.knows(id) {
            return Err(repeated(id_column, id));
        }
        let n_declared = self.declared.len();
        if self.declared.code_or_add(kind, name) as usize != n_declared {
            return Err(repeated(column, name));
        }
        self.entity_ids.code_or_add(id);
        Ok(())
    }

    /// Whether an entity's id was declared or seen.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.entity_ids.code_of(id).is_some()
    }

    /// The code of an entity's id.
    pub(super) fn entity(&mut self, column: &'static str, id: &str) -> Result<u32, GraphFault> {
        let Some(list) = &self.entity_list else { return Ok(self.entity_ids.code_or_add(id)) };
        let unknown = || GraphFault::UnknownEntity { column, value: id.to_owned(), list: list.clone() };
        self.entity_ids.code_of(id).ok_or_else(unknown)
    }

    /// The code of a relation's id.
    pub(super) fn relation(&mut self, id: &str) -> Result<u32, GraphFault> {
        let Some(list) = &self.relation_list else { return Ok(self.relation_ids.code_or_add(id)) };
        let unknown = || GraphFault::UnknownRelation { value: id.to_owned(), list: list.clone() };
        self.relation_ids.code_of(id).ok_or_else(unknown)
    }

    /// Appends a triple.
    pub(super) fn push(&mut self, head: u32, relation: u32, tail: u32) {
        self.triples.push(head, relation, tail);
    }

    /// The triples under the names that their ids stand for.
    pub(super) fn finish(self) -> Result<Triples, DataError> {
        let Self { entity_ids, relation_ids, declared, declared_relations, mut links, mut triples, .. } =
            self;
        triples.entities = declared;
        let kind = triples.entities.kind(ENTITY);
        for code in triples.entities.len()..entity_ids.len() {
            triples.entities.code_or_add(kind, &entity_ids[code]);
        }
        triples.relations = declared_relations;
        for code in triples.relations.len()..relation_ids.len() {
            triples.relation(&relation_ids[code]);
        }
        let mut triples = triples.finish()?;
        links.sort_unstable();
        triples.links = links;
        Ok(triples)
    }
}

fn repeated(column: &'static str, value: &str) -> GraphFault {
    GraphFault::Repeated { column, value: value.to_owned() }
}

/// Where each declared link came from: the link of code `c` is on line `lines[c]`.
pub(super) struct LinkRows {
    file: PathBuf,
    lines: Vec<u64>,
}

impl LinkRows {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), lines: Vec::new() }
    }

    pub(super) fn push(&mut self, line: u64) {
        self.lines.push(line);
    }

    /// Refuses links to entities that are in no triple, and takes them out.
    pub(super) fn check(
        &self,
        facts: &mut Triples,
        triples: &Path,
        refusals: &mut Refusals,
    ) -> Result<(), DataError> {
        let occurs = facts.occurs();
        for link in facts.links.iter().filter(|link| !occurs[link.item as usize]) {
            let fault =
                GraphFault::LinkWithoutFacts { value: link.source_name.clone(), triples: triples.to_owned() };
            refusals.refuse(&self.file, self.lines[link.item as usize], fault)?;
        }
        facts.links.retain(|link| occurs[link.item as usize]);
        Ok(())
    }
}
