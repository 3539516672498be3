//! A built-in world that looks like films, whose truth is known.
//!
//! A [`World`] needs no download and has any size. Its films have genres, a director, actors and tags, which
//! together make a knowledge graph; each of these entities has a latent vector, and a film is made of the
//! vectors of its entities, of a part of its own and of a quality. Its users have a taste that turns with
//! time, and care for one relation (their favourite) much more than for the others. They meet films by a long
//! tail of popularity, take the ones they expect to like, and rate them in half stars. Text and image vectors
//! show some parts of a film, through noise.
//!
//! The same configuration gives the same world. Whoever tests a model against it can ask its [`Truth`] what no
//! model is told: the relation behind a user's scores, and the scores themselves.
//!
//! ```
//! use cresset_data::world::{Relation, World, WorldConfig};
//!
//! let config = WorldConfig { n_users: 50, n_items: 40, n_ratings: 500, ..WorldConfig::default() };
//! let world = World::generate(&config)?;
//! assert_eq!(world.interactions.len(), 500);
//!
//! let film = &world.catalogue.items[0];
//! assert_eq!((film.id.as_str(), film.title.as_str()), ("1", "The Silent Harbour (1988)"));
//! let made_by = world.graph.iter().find(|link| link.head == film.id && link.relation == "director");
//! assert_eq!(made_by.map(|link| link.tail.as_str()), Some("Umberto Marchetti"));
//!
//! let favourite = world.truth.favourite_relation(0);
//! let preferences = world.truth.relation_preferences(0);
//! assert!(Relation::ALL.iter().all(|&other| preferences[other as usize] <= preferences[favourite as usize]));
//! # Ok::<(), cresset_data::world::WorldError>(())
//! ```

mod config;
mod films;
mod history;
mod names;
mod numeric;
mod people;
mod relation;
#[cfg(test)]
mod tests;
mod truth;
mod views;

pub use config::{WorldConfig, WorldError};
pub use relation::Relation;
pub use truth::Truth;

use films::Films;
use people::Person;
use views::{Seen, view};

use crate::catalogue::{Catalogue, ItemInfo};
use crate::interactions::Interactions;
use crate::vectors::Vectors;

/// A synthetic world: what a data set would say of it, and its truth.
///
/// Users and films are numbered from 0 here and in [`Truth`]; their ids are decimal numbers from 1, as in
/// MovieLens.
#[derive(Debug, Clone)]
pub struct World {
    /// What it was made from.
    pub config: WorldConfig,
    /// All ratings, user by user, each user's in ascending order of time (seconds, 2015 to 2020).
    pub interactions: Interactions,
    /// Title and genres of every film, by world index; nothing of users.
    pub catalogue: Catalogue,
    /// The knowledge graph: one link from every film to each of its genres, directors, actors and tags.
    pub graph: Vec<Triple>,
    /// The causes behind the ratings.
    pub truth: Truth,
}

/// A link of the knowledge graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triple {
    /// Id of a film.
    pub head: String,
    /// Name of the relation, as [`Relation::name`].
    pub relation: String,
    /// Name of an entity; no two entities share one, of whatever relation.
    pub tail: String,
}

impl World {
    /// The world that a configuration describes.
    ///
    /// # Errors
    ///
    /// If a field is out of its documented range.
    pub fn generate(config: &WorldConfig) -> Result<Self, WorldError> {
        config.validate()?;
        let films = Films::draw(config);
        let people: Vec<Person> = (0..config.n_users).map(|user| Person::draw(config, user)).collect();
        Ok(Self {
            interactions: history::draw_ratings(config, &films, &people),
            catalogue: Catalogue { items: describe(config, &films), users: Vec::new() },
            graph: link(config, &films),
            truth: Truth { films, people },
            config: config.clone(),
        })
    }

    /// A vector for each film as a text encoder might give it: a noisy view of genres, director and tags.
    pub fn text_vectors(&self) -> Vectors {
        let seen = [Seen::Of(Relation::Genre), Seen::Of(Relation::Director), Seen::Of(Relation::Tag)];
        view(&self.truth.films, &seen, self.config.text_dim, self.config.seed, "world.text")
    }

    /// A vector for each film as an image encoder might give it: a noisy view of actors and of what is the
    /// film's own.
    pub fn image_vectors(&self) -> Vectors {
        let seen = [Seen::Of(Relation::Actor), Seen::Own];
        view(&self.truth.films, &seen, self.config.image_dim, self.config.seed, "world.image")
    }
}

fn describe(config: &WorldConfig, films: &Films) -> Vec<ItemInfo> {
    let genres = entity_names(config, Relation::Genre);
    let describe = |item: usize| ItemInfo {
        id: (item + 1).to_string(),
        title: format!("{} ({})", names::title(item), films.years[item]),
        genres: films
            .cast(item, Relation::Genre)
            .iter()
            .map(|&genre| genres[genre as usize].clone())
            .collect(),
        ..ItemInfo::default()
    };
    (0..films.len()).map(describe).collect()
}

fn link(config: &WorldConfig, films: &Films) -> Vec<Triple> {
    let names = Relation::ALL.map(|relation| entity_names(config, relation));
    let mut graph = Vec::new();
    for item in 0..films.len() {
        for relation in Relation::ALL {
            graph.extend(films.cast(item, relation).iter().map(|&entity| Triple {
                head: (item + 1).to_string(),
                relation: relation.name().to_owned(),
                tail: names[relation as usize][entity as usize].clone(),
            }));
        }
    }
    graph
}

fn entity_names(config: &WorldConfig, relation: Relation) -> Vec<String> {
    (0..relation.n_entities(config)).map(|entity| relation.entity_name(config, entity)).collect()
}
