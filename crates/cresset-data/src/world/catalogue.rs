//! What a data set would say of a world's films, without anybody having seen one.

use std::sync::Arc;

use rayon::prelude::*;

use super::config::{WorldConfig, WorldError};
use super::devotion::{Shelves, fall_in_love};
use super::films::Films;
use super::people::Person;
use super::relation::Relation;
use super::views::{Seen, view};
use super::{Triple, genome, history, names};
use crate::catalogue::{Catalogue, ItemInfo};
use crate::interactions::Interactions;
use crate::vectors::Vectors;

/// The films of a world: what [`World`](super::World) says of them, without its users and ratings, which are most of
/// the work.
///
/// ```
/// use cresset_data::world::{World, WorldConfig, WorldFilms};
///
/// let config = WorldConfig { n_users: 50, n_items: 40, n_ratings: 500, ..WorldConfig::default() };
/// let films = WorldFilms::generate(&config)?;
/// assert_eq!(films.graph(), World::generate(&config)?.graph);
/// assert_eq!(films.genome().dim, films.tags().len());
/// # Ok::<(), cresset_data::world::WorldError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WorldFilms {
    pub(super) config: WorldConfig,
    pub(super) films: Arc<Films>,
}

impl WorldFilms {
    /// The films of the world that a configuration describes.
    ///
    /// # Errors
    ///
    /// If a field is out of its documented range.
    pub fn generate(config: &WorldConfig) -> Result<Self, WorldError> {
        config.validate()?;
        Ok(Self { films: Arc::new(Films::draw(config)), config: config.clone() })
    }

    /// Title and genres of every film, by world index, and where the configuration asks for them `category` and `brand`;
    /// nothing of users.
    pub fn catalogue(&self) -> Catalogue {
        let [genres, directors] = [Relation::Genre, Relation::Director].map(|it| self.entity_names(it));
        let describe = |item: usize| {
            let named = |names: &[String], relation| -> Vec<String> {
                self.films.cast(item, relation).iter().map(|&entity| names[entity as usize].clone()).collect()
            };
            let genres = named(&genres, Relation::Genre);
            let attributes = if self.config.attributes {
                let brand = named(&directors, Relation::Director).swap_remove(0);
                vec![("category".to_owned(), genres[0].clone()), ("brand".to_owned(), brand)]
            } else {
                Vec::new()
            };
            let title = format!("{} ({})", names::title(item), self.films.years[item]);
            ItemInfo { id: (item + 1).to_string(), title, genres, attributes }
        };
        Catalogue { items: (0..self.films.len()).map(describe).collect(), users: Vec::new() }
    }

    /// The knowledge graph: one link from every film to each of its genres, directors, actors and tags.
    pub fn graph(&self) -> Vec<Triple> {
        let names = Relation::ALL.map(|relation| self.entity_names(relation));
        let mut graph = Vec::new();
        for item in 0..self.films.len() {
            for relation in Relation::ALL {
                graph.extend(self.films.cast(item, relation).iter().map(|&entity| Triple {
                    head: (item + 1).to_string(),
                    relation: relation.name().to_owned(),
                    tail: names[relation as usize][entity as usize].clone(),
                }));
            }
        }
        graph
    }

    /// Name of every tag, by its number: the columns of [`genome`](Self::genome).
    pub fn tags(&self) -> Vec<String> {
        self.entity_names(Relation::Tag)
    }

    /// How relevant each tag is to each film, from 0 to 1, as a tag genome has it: close to 1 for the tags that the film
    /// has, for others the more the nearer they are to what the film is made of, through noise. A row for each film, a
    /// column for each tag.
    pub fn genome(&self) -> Vectors {
        genome::relevances(&self.config, &self.films)
    }

    /// A vector for each film as a text encoder might give it: a noisy view of genres, director and tags.
    pub fn text_vectors(&self) -> Vectors {
        let seen = [Seen::Of(Relation::Genre), Seen::Of(Relation::Director), Seen::Of(Relation::Tag)];
        view(&self.films, &seen, self.config.text_dim, self.config.seed, "world.text")
    }

    /// A vector for each film as an image encoder might give it: a noisy view of actors and of what is the
    /// film's own.
    pub fn image_vectors(&self) -> Vectors {
        let seen = [Seen::Of(Relation::Actor), Seen::Own];
        view(&self.films, &seen, self.config.image_dim, self.config.seed, "world.image")
    }

    /// The users of the world and what they rate, user by user, each user's in order of time.
    pub(super) fn rate(&self) -> (Vec<Person>, Interactions) {
        let (config, films) = (&self.config, self.films.as_ref());
        let mut people: Vec<Person> =
            (0..config.n_users).into_par_iter().map(|user| Person::draw(config, user)).collect();
        let shelves = (config.devotion > 0.0).then(|| {
            fall_in_love(config, films, &mut people);
            Shelves::of(config, films)
        });
        let interactions = history::draw_ratings(config, films, shelves.as_ref(), &people);
        (people, interactions)
    }

    fn entity_names(&self, relation: Relation) -> Vec<String> {
        (0..relation.n_entities(&self.config))
            .map(|entity| relation.entity_name(&self.config, entity))
            .collect()
    }
}
