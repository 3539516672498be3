//! Facts under the names of their sources, before any data set is known.

use super::entities::{Entities, ITEM_KIND};
use super::error::GraphError;
use super::skipped::SkippedRows;
use crate::groups::Groups;
use crate::names::Names;

/// Distinct facts `head, relation, tail` in columns, with a dictionary of entities and one of relations.
///
/// ```
/// use cresset_data::{Catalogue, ItemInfo, graph::Triples};
///
/// let film = |id: &str, genres: &[&str]| ItemInfo {
///     id: id.to_owned(),
///     genres: genres.iter().map(|&genre| genre.to_owned()).collect(),
///     ..ItemInfo::default()
/// };
/// let catalogue = Catalogue { items: vec![film("1", &["Comedy", "Drama"]), film("2", &["Drama"])], users: vec![] };
/// let triples = Triples::from_genres(&catalogue);
/// let facts: Vec<String> = triples.iter().map(|fact| fact.to_string()).collect();
/// assert_eq!(facts, ["1 genre Comedy", "1 genre Drama", "2 genre Drama"]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Triples {
    pub(super) entities: Entities,
    pub(super) relations: Names,
    pub(super) columns: Columns,
    /// Sorted by item; an item that several sources link has several.
    pub(super) links: Vec<Link>,
    pub(super) n_repeats: u64,
    pub(super) skipped: SkippedRows,
}

/// Codes in columns of equal length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Columns {
    pub(super) heads: Vec<u32>,
    pub(super) relations: Vec<u32>,
    pub(super) tails: Vec<u32>,
}

/// What a source calls an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Entity of the item.
    pub item: u32,
    /// Name of the entity in the source, as a Freebase id.
    pub source_name: String,
}

/// One fact under its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fact<'a> {
    /// Kind and name of the head.
    pub head: (&'a str, &'a str),
    /// Name of the relation.
    pub relation: &'a str,
    /// Kind and name of the tail.
    pub tail: (&'a str, &'a str),
}

impl std::fmt::Display for Fact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.head.1, self.relation, self.tail.1)
    }
}

impl Triples {
    /// The number of distinct facts.
    pub fn len(&self) -> usize {
        self.columns.heads.len()
    }

    /// Whether there is no fact.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often a fact was given again; it counts once in [`len`](Self::len).
    pub fn n_repeats(&self) -> u64 {
        self.n_repeats
    }

    /// The rows that `on_bad_row: skip` left out.
    pub fn skipped(&self) -> SkippedRows {
        self.skipped
    }

    /// The number of entities that occur in a fact.
    pub fn n_entities(&self) -> usize {
        self.occurs().iter().filter(|&&occurs| occurs).count()
    }

    /// The relations, by first sight.
    pub fn relations(&self) -> &Names {
        &self.relations
    }

    /// The facts, in the order of their source.
    pub fn iter(&self) -> impl Iterator<Item = Fact<'_>> {
        let Columns { heads, relations, tails } = &self.columns;
        let entity = |code| (self.entities.kind_of(code), self.entities.name_of(code));
        heads.iter().zip(relations).zip(tails).map(move |((&head, &relation), &tail)| Fact {
            head: entity(head),
            relation: &self.relations[relation as usize],
            tail: entity(tail),
        })
    }

    /// The links from items to the names of their source: item id and source name.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.links.iter().map(|link| (self.entities.name_of(link.item), link.source_name.as_str()))
    }

    /// All facts of several sources; an entity of the same kind and name, or a relation of the same name, is the same.
    ///
    /// # Errors
    ///
    /// [`GraphError::TooManyTriples`] from 2^32 on.
    pub fn union(sources: impl IntoIterator<Item = Self>) -> Result<Self, GraphError> {
        let mut all = TripleSink::default();
        let mut links = Vec::new();
        let (mut n_repeats, mut skipped) = (0, SkippedRows::default());
        for source in sources {
            let entity_of = all.take_entities(&source);
            all.take_facts(&source, &entity_of);
            n_repeats += source.n_repeats;
            skipped += source.skipped;
            links.extend(
                source.links.into_iter().map(|link| Link { item: entity_of[link.item as usize], ..link }),
            );
        }
        let mut all = all.finish()?;
        links.sort_unstable();
        links.dedup();
        all.links = links;
        all.n_repeats += n_repeats;
        all.skipped = skipped;
        Ok(all)
    }

    /// Whether each entity is in a fact, by code.
    pub(super) fn occurs(&self) -> Vec<bool> {
        let mut occurs = vec![false; self.entities.len()];
        for &entity in self.columns.heads.iter().chain(&self.columns.tails) {
            occurs[entity as usize] = true;
        }
        occurs
    }

    /// Whether an entity is an item.
    pub(super) fn is_item(&self, entity: u32) -> bool {
        self.entities.kind_code(entity) == ITEM_KIND
    }
}

/// Collects facts; what comes out is distinct.
#[derive(Debug, Default)]
pub(super) struct TripleSink {
    pub(super) entities: Entities,
    pub(super) relations: Names,
    columns: Columns,
}

impl TripleSink {
    /// The code of an entity.
    pub(super) fn entity(&mut self, kind: u32, name: &str) -> u32 {
        self.entities.code_or_add(kind, name)
    }

    /// The code of a relation.
    pub(super) fn relation(&mut self, name: &str) -> u32 {
        self.relations.code_or_add(name)
    }

    /// Appends a fact.
    pub(super) fn push(&mut self, head: u32, relation: u32, tail: u32) {
        self.columns.heads.push(head);
        self.columns.relations.push(relation);
        self.columns.tails.push(tail);
    }

    /// The facts, each once, in the order of first sight.
    pub(super) fn finish(self) -> Result<Triples, GraphError> {
        let Self { entities, relations, columns } = self;
        let found = columns.heads.len();
        if u32::try_from(found).is_err() {
            return Err(GraphError::TooManyTriples { found });
        }
        let columns = columns.distinct(entities.len());
        let n_repeats = (found - columns.heads.len()) as u64;
        Ok(Triples { entities, relations, columns, n_repeats, ..Triples::default() })
    }

    fn take_entities(&mut self, source: &Triples) -> Vec<u32> {
        let kinds: Vec<u32> = source.entities.kinds().iter().map(|kind| self.entities.kind(kind)).collect();
        let codes = 0..source.entities.len() as u32;
        codes
            .map(|code| {
                let kind = kinds[source.entities.kind_code(code) as usize];
                self.entity(kind, source.entities.name_of(code))
            })
            .collect()
    }

    fn take_facts(&mut self, source: &Triples, entity_of: &[u32]) {
        let relation_of: Vec<u32> = source.relations.iter().map(|name| self.relation(name)).collect();
        let Columns { heads, relations, tails } = &source.columns;
        for ((&head, &relation), &tail) in heads.iter().zip(relations).zip(tails) {
            self.push(entity_of[head as usize], relation_of[relation as usize], entity_of[tail as usize]);
        }
    }
}

impl Columns {
    /// The rows without their repeats, in the same order; heads are below `n_entities`.
    pub(super) fn distinct(mut self, n_entities: usize) -> Self {
        let n_rows = self.heads.len() as u32;
        let mut of_head = Groups::by(&self.heads, n_entities, 0..n_rows);
        let mut is_repeat = vec![false; n_rows as usize];
        for rows in of_head.each_mut() {
            let fact = |row: u32| (self.relations[row as usize], self.tails[row as usize]);
            rows.sort_unstable_by_key(|&row| (fact(row), row));
            for pair in rows.windows(2).filter(|pair| fact(pair[0]) == fact(pair[1])) {
                is_repeat[pair[1] as usize] = true;
            }
        }
        if is_repeat.contains(&true) {
            for column in [&mut self.heads, &mut self.relations, &mut self.tails] {
                let mut row = 0;
                column.retain(|_| {
                    row += 1;
                    !is_repeat[row - 1]
                });
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triples(facts: &[(&str, &str, &str)]) -> Triples {
        let mut sink = TripleSink::default();
        for (head, relation, tail) in facts {
            let kind = sink.entities.kind(relation);
            let (head, relation, tail) =
                (sink.entity(ITEM_KIND, head), sink.relation(relation), sink.entity(kind, tail));
            sink.push(head, relation, tail);
        }
        sink.finish().unwrap()
    }

    fn shown(triples: &Triples) -> Vec<String> {
        triples.iter().map(|fact| fact.to_string()).collect()
    }

    #[test]
    fn a_fact_given_again_is_kept_once_and_counted() {
        let found = triples(&[("1", "genre", "Drama"), ("2", "genre", "Drama"), ("1", "genre", "Drama")]);
        assert_eq!(shown(&found), ["1 genre Drama", "2 genre Drama"]);
        assert_eq!((found.n_repeats(), found.n_entities()), (1, 3));
    }

    #[test]
    fn a_union_joins_entities_of_one_kind_and_name_and_no_others() {
        let genres = triples(&[("1", "genre", "Music")]);
        let people = triples(&[("1", "actor", "Music"), ("2", "genre", "Music"), ("1", "genre", "Music")]);
        let all = Triples::union([genres, people]).unwrap();
        assert_eq!(shown(&all), ["1 genre Music", "1 actor Music", "2 genre Music"]);
        // Items 1 and 2, the genre and the actor.
        assert_eq!((all.n_entities(), all.n_repeats()), (4, 1));
    }
}
