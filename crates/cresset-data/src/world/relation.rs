//! The kinds of link between a film and the world.

use super::config::WorldConfig;
use super::names;

/// What links a film to an entity of the knowledge graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// One to three genres.
    Genre = 0,
    /// One director.
    Director = 1,
    /// Two to four actors.
    Actor = 2,
    /// Three to six tags.
    Tag = 3,
}

impl Relation {
    /// All relations, in the order of every array by relation.
    pub const ALL: [Self; 4] = [Self::Genre, Self::Director, Self::Actor, Self::Tag];

    /// The relation's name in the graph.
    pub fn name(self) -> &'static str {
        ["genre", "director", "actor", "tag"][self as usize]
    }

    /// Number of entities of this kind.
    pub(super) fn n_entities(self, config: &WorldConfig) -> usize {
        match self {
            Self::Genre => config.n_genres,
            Self::Director => config.n_directors,
            Self::Actor => config.n_actors,
            Self::Tag => config.n_tags,
        }
    }

    /// The name of an entity, unlike any other of the same world: genres are capitalised and tags are not, and
    /// actors count on in the list of people where the directors end.
    pub(super) fn entity_name(self, config: &WorldConfig, entity: usize) -> String {
        match self {
            Self::Genre => names::genre(entity),
            Self::Director => names::person(entity),
            Self::Actor => names::person(config.n_directors + entity),
            Self::Tag => names::tag(entity),
        }
    }
}
