//! A built-in world that looks like films, whose truth is known.
//!
//! A [`World`] needs no download and has any size. Its films have genres, a director, actors and tags, which
//! together make a knowledge graph; each of these entities has a latent vector, and a film is made of the
//! vectors of its entities, of a part of its own and of a quality. Its users have a taste that turns with
//! time, and care for one relation (their favourite) much more than for the others. They meet films by a long
//! tail of popularity, take the ones they expect to like, and rate them in half stars. Text and image vectors
//! show some parts of a film, through noise; so does a tag genome. Who needs no ratings asks for [`WorldFilms`].
//!
//! A configuration may make a sparse shop of it, in which users with few ratings each love one entity (`devotion`), every
//! film is rated at least once (`every_item_rated`), and some come out late (`late_share`).
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

mod catalogue;
mod config;
mod devotion;
mod films;
mod first_ratings;
mod genome;
mod history;
mod names;
mod numeric;
mod people;
mod relation;
#[cfg(test)]
mod tests;
mod truth;
mod views;

pub use catalogue::WorldFilms;
pub use config::{WorldConfig, WorldError};
pub use relation::Relation;
pub use truth::Truth;

use std::sync::Arc;

use crate::catalogue::Catalogue;
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
    /// Title and genres of every film, by world index, and what else the configuration asks for; nothing of users.
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
        let of_films = WorldFilms::generate(config)?;
        let (people, interactions) = of_films.rate();
        Ok(Self {
            interactions,
            catalogue: of_films.catalogue(),
            graph: of_films.graph(),
            truth: Truth { films: of_films.films, people },
            config: config.clone(),
        })
    }

    /// The ratings and the catalogue alone, which is what a data set is read from.
    pub(crate) fn ratings(config: &WorldConfig) -> Result<(Interactions, Catalogue), WorldError> {
        let of_films = WorldFilms::generate(config)?;
        Ok((of_films.rate().1, of_films.catalogue()))
    }

    /// How relevant each tag is to each film: see [`WorldFilms::genome`].
    pub fn genome(&self) -> Vectors {
        self.films().genome()
    }

    /// A vector for each film as a text encoder might give it: see [`WorldFilms::text_vectors`].
    pub fn text_vectors(&self) -> Vectors {
        self.films().text_vectors()
    }

    /// A vector for each film as an image encoder might give it: see [`WorldFilms::image_vectors`].
    pub fn image_vectors(&self) -> Vectors {
        self.films().image_vectors()
    }

    /// The films by themselves.
    pub fn films(&self) -> WorldFilms {
        WorldFilms { config: self.config.clone(), films: Arc::clone(&self.truth.films) }
    }
}
