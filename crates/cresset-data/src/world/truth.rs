//! What a test may know and a model may not.

use std::sync::Arc;

use super::films::Films;
use super::numeric::dot;
use super::people::Person;
use super::relation::Relation;

/// The causes behind a world's ratings, by world index: user `u` and film `i` have the ids `u + 1` and `i + 1`.
///
/// A score is the sum of the user's baseline, the film's quality, the contribution of each relation, and the
/// contribution of what is the film's own; a rating is the score with noise, cut to 0.5 to 5 stars.
#[derive(Debug, Clone)]
pub struct Truth {
    pub(super) films: Arc<Films>,
    pub(super) people: Vec<Person>,
}

impl Truth {
    /// What each relation does to a user's scores, in the order of [`Relation::ALL`]: the standard deviation of
    /// its contribution over the catalogue, in stars.
    ///
    /// # Panics
    ///
    /// If there is no such user.
    pub fn relation_preferences(&self, user: usize) -> [f32; 4] {
        self.people[user].preferences
    }

    /// The relation that explains most of a user's scores.
    ///
    /// # Panics
    ///
    /// If there is no such user.
    pub fn favourite_relation(&self, user: usize) -> Relation {
        self.people[user].favourite()
    }

    /// What a user thinks of a film at a time, in stars; without noise, not cut to the scale.
    ///
    /// # Panics
    ///
    /// If there is no such user or film.
    pub fn true_score(&self, user: usize, item: usize, time: i64) -> f32 {
        let person = &self.people[user];
        person.baseline + self.films.quality[item] + dot(&person.wish(time), self.films.parts(item))
    }

    /// What a user thinks of every film at a time, as [`true_score`](Self::true_score).
    ///
    /// # Panics
    ///
    /// If there is no such user.
    pub fn true_scores(&self, user: usize, time: i64) -> Vec<f32> {
        let person = &self.people[user];
        let wish = person.wish(time);
        let score = |item| person.baseline + self.films.quality[item] + dot(&wish, self.films.parts(item));
        (0..self.films.len()).map(score).collect()
    }

    /// How much of a score one relation brings, in stars: the sum over the film's entities of
    /// [`entity_contribution`](Self::entity_contribution), over the square root of their number.
    ///
    /// # Panics
    ///
    /// If there is no such user or film.
    pub fn contribution(&self, user: usize, item: usize, relation: Relation, time: i64) -> f32 {
        self.on_taste(user, relation, time, self.films.part(item, relation))
    }

    /// What a user thinks of one entity of a relation at a time, in stars.
    ///
    /// # Panics
    ///
    /// If there is no such user or entity.
    pub fn entity_contribution(&self, user: usize, relation: Relation, entity: usize, time: i64) -> f32 {
        self.on_taste(user, relation, time, self.films.entity(relation, entity))
    }

    /// The entities of a film in one relation.
    ///
    /// # Panics
    ///
    /// If there is no such film.
    pub fn entities(&self, item: usize, relation: Relation) -> &[u32] {
        self.films.cast(item, relation)
    }

    fn on_taste(&self, user: usize, relation: Relation, time: i64, vector: &[f32]) -> f32 {
        let person = &self.people[user];
        person.preferences[relation as usize] * dot(&person.taste(time), vector)
    }
}
