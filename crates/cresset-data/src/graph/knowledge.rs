//! The knowledge graph under dense indices, items first.

use super::adjacency::{Adjacency, Neighbours};
use super::entities::{Entities, ITEM, ITEM_KIND, add_new};
use super::error::GraphError;
use super::inverse::inverse_name;
use super::skipped::SkippedRows;
use super::triples::{Columns, Fact, Link, Triples};
use crate::names::Names;
use crate::vocabulary::Vocabulary;

/// What links the items of a data set to the world, under indices from 0.
///
/// The entity of item `i` is `i`, for every item of the vocabulary, with facts or without; the other entities follow
/// in the order in which their sources name them. An entity of the kind `item` beyond the items is one that the data
/// set does not have, or has no longer after cleaning.
///
/// ```
/// use cresset_data::graph::{KnowledgeGraph, Triples};
/// use cresset_data::{Catalogue, ItemInfo, Vocabulary};
///
/// let genres = vec!["Drama".to_owned()];
/// let film = ItemInfo { id: "7".to_owned(), genres, ..ItemInfo::default() };
/// let triples = Triples::from_genres(&Catalogue { items: vec![film], users: vec![] });
/// let items = Vocabulary::from_ids(["3", "7"]);
///
/// let graph = KnowledgeGraph::new(triples, &items, true)?;
/// let drama = graph.entities().find("genre", "Drama").expect("a genre of the film");
/// let genre = graph.relation("genre").expect("the only relation");
/// assert_eq!(drama, 2);
/// assert_eq!(graph.neighbours_by_relation(1, genre), [drama]);
/// assert_eq!(graph.neighbours_by_relation(drama, graph.inverse_of(genre).unwrap()), [1]);
/// assert!(graph.neighbours(0).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Leakage
///
/// Whoever holds facts out to test on them must hold out the turned fact as well. The inverses that this graph adds
/// stand apart: [`facts`](Self::facts) gives each fact once. Inverses that a source states itself, as Freebase does,
/// are facts like any other until [`Triples::fold_inverses`] folds them.
#[derive(Debug, Clone, PartialEq)]
pub struct KnowledgeGraph {
    pub(super) n_items: usize,
    pub(super) entities: Entities,
    /// Those of the sources, then the inverse of each where there are inverses.
    relations: Names,
    /// The number of relations of the sources.
    n_stated: u32,
    adjacency: Adjacency,
    pub(super) links: Vec<Link>,
    pub(super) n_repeats: u64,
    pub(super) skipped: SkippedRows,
}

impl KnowledgeGraph {
    /// The graph of some facts for the items of a vocabulary; with `inverse`, walked both ways.
    ///
    /// # Errors
    ///
    /// [`GraphError::InverseTaken`] when an inverse to add has the name of a relation that the facts have.
    pub fn new(triples: Triples, items: &Vocabulary, inverse: bool) -> Result<Self, GraphError> {
        let mut entities = Entities::default();
        items.ids().iter().for_each(|id| {
            entities.code_or_add(ITEM_KIND, id);
        });
        let entity_of = add_entities(&mut entities, &triples);
        let Triples { entities: of_sources, relations, mut columns, links, n_repeats, skipped } = triples;
        // Millions of names are not held twice while the neighbours are sorted.
        drop(of_sources);
        for entity in columns.heads.iter_mut().chain(&mut columns.tails) {
            *entity = entity_of[*entity as usize];
        }
        let moved = links.into_iter().map(|link| Link { item: entity_of[link.item as usize], ..link });
        let mut links: Vec<Link> = moved.filter(|link| link.item != u32::MAX).collect();
        links.sort_unstable();
        let facts = Triples { entities, relations, columns, links, n_repeats, skipped };
        Self::from_facts(items.len(), facts, inverse)
    }

    /// The graph of facts whose first `n_items` entities are the items.
    pub(super) fn from_facts(n_items: usize, facts: Triples, inverse: bool) -> Result<Self, GraphError> {
        let Triples { entities, mut relations, columns, links, n_repeats, skipped } = facts;
        let n_stated = relations.len() as u32;
        if inverse {
            let inverses: Vec<String> = relations.iter().map(inverse_name).collect();
            for relation in inverses {
                if !add_new(&mut relations, &relation) {
                    return Err(GraphError::InverseTaken { relation });
                }
            }
        }
        let adjacency = Adjacency::new(entities.len(), &columns, inverse.then_some(n_stated));
        Ok(Self { n_items, entities, relations, n_stated, adjacency, links, n_repeats, skipped })
    }

    /// The number of items, which are the first entities.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// The number of entities, items included.
    pub fn n_entities(&self) -> usize {
        self.entities.len()
    }

    /// The number of relations, added inverses included.
    pub fn n_relations(&self) -> usize {
        self.relations.len()
    }

    /// The number of facts; an added inverse is none.
    pub fn n_facts(&self) -> usize {
        if self.has_inverses() { self.adjacency.n_links() / 2 } else { self.adjacency.n_links() }
    }

    /// Whether inverses were added.
    pub fn has_inverses(&self) -> bool {
        self.relations.len() > self.n_stated as usize
    }

    /// The entities by index.
    pub fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The relations' names by index: those of the sources, then their inverses.
    pub fn relations(&self) -> &Names {
        &self.relations
    }

    /// The relation of a name.
    pub fn relation(&self, name: &str) -> Option<u32> {
        self.relations.code_of(name)
    }

    /// The name of a relation.
    ///
    /// # Panics
    ///
    /// If `relation` is not below [`n_relations`](Self::n_relations).
    pub fn relation_name(&self, relation: u32) -> &str {
        &self.relations[relation as usize]
    }

    /// The relation that turns another round, where inverses were added.
    pub fn inverse_of(&self, relation: u32) -> Option<u32> {
        let n = self.n_stated;
        self.has_inverses().then(|| if relation < n { relation + n } else { relation - n })
    }

    /// The entity of an item by its external id: of the data set's items and of others that the sources know.
    pub fn item(&self, id: &str) -> Option<u32> {
        self.entities.find(ITEM, id)
    }

    /// What the sources call an item, one link a source; none where heads are item ids.
    pub fn links(&self, item: u32) -> &[Link] {
        let start = self.links.partition_point(|link| link.item < item);
        let end = self.links.partition_point(|link| link.item <= item);
        &self.links[start..end]
    }

    /// What an entity is linked to, by relation and then by tail.
    ///
    /// # Panics
    ///
    /// If `entity` is not below [`n_entities`](Self::n_entities).
    pub fn neighbours(&self, entity: u32) -> Neighbours<'_> {
        self.adjacency.of(entity)
    }

    /// What an entity is linked to by one relation, ascending.
    ///
    /// # Panics
    ///
    /// If `entity` is not below [`n_entities`](Self::n_entities).
    pub fn neighbours_by_relation(&self, entity: u32, relation: u32) -> &[u32] {
        self.neighbours(entity).of_relation(relation)
    }

    /// The number of links of an entity.
    ///
    /// # Panics
    ///
    /// If `entity` is not below [`n_entities`](Self::n_entities).
    pub fn degree(&self, entity: u32) -> usize {
        self.neighbours(entity).len()
    }

    /// Where the links of each entity begin in [`all_links`](Self::all_links), and last the end: `[entities + 1]`.
    pub fn offsets(&self) -> &[usize] {
        self.adjacency.offsets()
    }

    /// The links of all entities, one entity after another: what a model copies to its device.
    pub fn all_links(&self) -> Neighbours<'_> {
        self.adjacency.all()
    }

    /// Each fact once, as head, relation, tail, ascending; added inverses are left out.
    pub fn facts(&self) -> impl Iterator<Item = [u32; 3]> {
        (0..self.n_entities() as u32).flat_map(move |head| {
            let stated = self.neighbours(head).iter().take_while(|&(relation, _)| relation < self.n_stated);
            stated.map(move |(relation, tail)| [head, relation, tail])
        })
    }

    /// A fact under its names.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    pub fn named(&self, [head, relation, tail]: [u32; 3]) -> Fact<'_> {
        let entity = |entity| (self.entities.kind_of(entity), self.entities.name_of(entity));
        Fact { head: entity(head), relation: self.relation_name(relation), tail: entity(tail) }
    }

    /// The names of the sources' relations.
    pub(super) fn stated_relations(&self) -> impl Iterator<Item = &str> {
        self.relations.iter().take(self.n_stated as usize)
    }

    /// The facts in columns.
    pub(super) fn columns(&self) -> Columns {
        let n_facts = self.n_facts();
        let column = || Vec::with_capacity(n_facts);
        let mut columns = Columns { heads: column(), relations: column(), tails: column() };
        for [head, relation, tail] in self.facts() {
            columns.heads.push(head);
            columns.relations.push(relation);
            columns.tails.push(tail);
        }
        columns
    }

    /// The graph with every fact turned round, each relation under its [`inverse_name`]; turned twice it is the same.
    ///
    /// # Panics
    ///
    /// Never: inverses of distinct names are distinct.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let Columns { heads, relations: codes, tails } = self.columns();
        let mut relations = Names::default();
        self.stated_relations().for_each(|name| {
            relations.code_or_add(&inverse_name(name));
        });
        let facts = Triples {
            entities: self.entities.clone(),
            relations,
            columns: Columns { heads: tails, relations: codes, tails: heads },
            links: self.links.clone(),
            n_repeats: self.n_repeats,
            skipped: self.skipped,
        };
        Self::from_facts(self.n_items, facts, self.has_inverses())
            .expect("inverses of distinct names are distinct")
    }
}

/// Adds the entities that occur in facts, and gives each code its index; codes that do not occur have none unless
/// they are known already.
fn add_entities(entities: &mut Entities, triples: &Triples) -> Vec<u32> {
    // A kind is added with its first entity, so that kinds are in the order in which a saved graph names them.
    let mut kind_of: Vec<Option<u32>> = vec![None; triples.entities.kinds().len()];
    let occurs = triples.occurs();
    let index_of = |code: u32| {
        let (kind, name) = (triples.entities.kind_of(code), triples.entities.name_of(code));
        if occurs[code as usize] {
            let slot = &mut kind_of[triples.entities.kind_code(code) as usize];
            let kind = *slot.get_or_insert_with(|| entities.kind(kind));
            return entities.code_or_add(kind, name);
        }
        entities.find(kind, name).unwrap_or(u32::MAX)
    };
    (0..triples.entities.len() as u32).map(index_of).collect()
}
