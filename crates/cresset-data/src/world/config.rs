//! What kind of world to make.

use serde::{Deserialize, Serialize};

/// The most users, films or entities of one kind that a world may have.
const MAX_COUNT: usize = 100_000_000;
/// The widest vectors that a world may have.
const MAX_DIM: usize = 8_192;

/// Size and character of a synthetic world; [`World::generate`](super::World::generate) checks it.
///
/// The default is the world of the quickstart: 2,000 users, 1,000 films, 120,000 ratings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldConfig {
    /// Number of users, 1 to 100,000,000. Default: 2,000.
    pub n_users: usize,
    /// Number of films, 2 to 100,000,000. Default: 1,000.
    pub n_items: usize,
    /// Number of ratings in all: at least one a user (and, with `every_item_rated`, as many as films), at most half of all
    /// pairs. Default: 120,000.
    pub n_ratings: usize,
    /// Width of the latent vectors of tastes and of each relation, 1 to 8,192. Default: 4.
    pub latent_dim: usize,
    /// Number of genres, at least 1; more than `latent_dim` lets them say all they can. Default: 18.
    pub n_genres: usize,
    /// Number of directors, at least 1. Default: 120.
    pub n_directors: usize,
    /// Number of actors, at least 1. Default: 300.
    pub n_actors: usize,
    /// Number of tags, at least 1. Default: 100.
    pub n_tags: usize,
    /// Width of a film's text vector, 1 to 8,192. Default: 32.
    pub text_dim: usize,
    /// Width of a film's image vector, 1 to 8,192. Default: 32.
    pub image_dim: usize,
    /// Angle, in radians, by which a taste turns between a user's first and last day, 0 to 3.2. Default: 0.5.
    pub drift: f64,
    /// Standard deviation, in stars, of what no taste explains in a rating, 0 to 5. Default: 0.55.
    pub noise: f64,
    /// How fast exposure falls with a film's rank of popularity, 0 (all alike) to 3. Default: 2.0.
    pub popularity_exponent: f64,
    /// Share of the catalogue, from its most popular film on, over which exposure is nearly flat before it falls, 0 to 1.
    /// Default: 0.1.
    pub popularity_head: f64,
    /// How strongly users choose what they like among what they meet, 0 (not at all) to 20. Default: 1.75.
    pub taste_strength: f64,
    /// How often a user meets a film through the one genre, director, actor or tag they love, rather than by its fame,
    /// 0 to 1; above 0, that is where their taste points on their first day. Default: 0, nobody loves one above all.
    pub devotion: f64,
    /// Days for which the middle user is active, 1 to 1,826. Default: 120.
    pub active_days: f64,
    /// Ratings that a user gives in one sitting, seconds apart, 1 to 1,000; sittings are spread over the active days.
    /// Default: 12.
    pub sitting: usize,
    /// Whether each film is rated at least once, which needs as many ratings as films. Default: false.
    pub every_item_rated: bool,
    /// Share of films that come out in the course of the five years, on days of their own, 0 to 0.5; the others are
    /// there from the beginning. Default: 0.
    pub late_share: f64,
    /// Whether items have the attributes of a shop: `category`, their first genre, and `brand`, their director. Default:
    /// false.
    pub attributes: bool,
    /// Seed of everything random. Default: 42.
    pub seed: u64,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            n_users: 2_000,
            n_items: 1_000,
            n_ratings: 120_000,
            latent_dim: 4,
            n_genres: 18,
            n_directors: 120,
            n_actors: 300,
            n_tags: 100,
            text_dim: 32,
            image_dim: 32,
            drift: 0.5,
            noise: 0.55,
            popularity_exponent: 2.0,
            popularity_head: 0.1,
            taste_strength: 1.75,
            devotion: 0.0,
            active_days: 120.0,
            sitting: 12,
            every_item_rated: false,
            late_share: 0.0,
            attributes: false,
            seed: 42,
        }
    }
}

impl WorldConfig {
    /// Nothing, when every field is in its documented range.
    ///
    /// # Errors
    ///
    /// The first field out of range, with its key, its value and what would be right.
    pub fn validate(&self) -> Result<(), WorldError> {
        count("n_users", self.n_users, 1, MAX_COUNT)?;
        count("n_items", self.n_items, 2, MAX_COUNT)?;
        let half = (self.n_users as u128 * self.n_items as u128 / 2).min(usize::MAX as u128) as usize;
        let least = if self.every_item_rated { self.n_users.max(self.n_items) } else { self.n_users };
        count("n_ratings", self.n_ratings, least, half)?;
        count("n_genres", self.n_genres, 1, MAX_COUNT)?;
        count("n_directors", self.n_directors, 1, MAX_COUNT)?;
        count("n_actors", self.n_actors, 1, MAX_COUNT)?;
        count("n_tags", self.n_tags, 1, MAX_COUNT)?;
        count("latent_dim", self.latent_dim, 1, MAX_DIM)?;
        count("text_dim", self.text_dim, 1, MAX_DIM)?;
        count("image_dim", self.image_dim, 1, MAX_DIM)?;
        number("drift", self.drift, 0.0, 3.2)?;
        number("noise", self.noise, 0.0, 5.0)?;
        number("popularity_exponent", self.popularity_exponent, 0.0, 3.0)?;
        number("popularity_head", self.popularity_head, 0.0, 1.0)?;
        number("taste_strength", self.taste_strength, 0.0, 20.0)?;
        number("devotion", self.devotion, 0.0, 1.0)?;
        number("active_days", self.active_days, 1.0, 1_826.0)?;
        count("sitting", self.sitting, 1, 1_000)?;
        number("late_share", self.late_share, 0.0, 0.5)
    }
}

/// A field of [`WorldConfig`] outside its documented range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value}: expected {expected}")]
pub struct WorldError {
    /// Key in a configuration file, as in `data.synthetic.n_users`.
    pub key: String,
    /// The value found.
    pub value: String,
    /// What would be right.
    pub expected: String,
}

fn count(field: &str, value: usize, least: usize, most: usize) -> Result<(), WorldError> {
    let right = (least..=most).contains(&value);
    right.then_some(()).ok_or_else(|| error(field, value.to_string(), format!("{least} to {most}")))
}

/// Accepts `least` to `most`; a NaN is in no range.
fn number(field: &str, value: f64, least: f64, most: f64) -> Result<(), WorldError> {
    let right = (least..=most).contains(&value);
    right.then_some(()).ok_or_else(|| error(field, value.to_string(), format!("{least} to {most}")))
}

fn error(field: &str, value: String, expected: String) -> WorldError {
    WorldError { key: format!("data.synthetic.{field}"), value, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_refused(change: impl FnOnce(&mut WorldConfig)) -> String {
        let mut config = WorldConfig::default();
        change(&mut config);
        config.validate().unwrap_err().key
    }

    #[test]
    fn the_default_is_valid() {
        assert_eq!(WorldConfig::default().validate(), Ok(()));
    }

    #[test]
    fn no_users_is_an_error_of_one_sentence_with_key_value_and_remedy() {
        let error = WorldConfig { n_users: 0, ..WorldConfig::default() }.validate().unwrap_err();
        assert_eq!(error.to_string(), "data.synthetic.n_users = 0: expected 1 to 100000000");
    }

    #[test]
    fn every_count_of_zero_is_an_error_that_names_its_key() {
        assert_eq!(key_refused(|c| c.n_items = 0), "data.synthetic.n_items");
        assert_eq!(key_refused(|c| c.n_ratings = 0), "data.synthetic.n_ratings");
        assert_eq!(key_refused(|c| c.latent_dim = 0), "data.synthetic.latent_dim");
        assert_eq!(key_refused(|c| c.n_genres = 0), "data.synthetic.n_genres");
        assert_eq!(key_refused(|c| c.n_directors = 0), "data.synthetic.n_directors");
        assert_eq!(key_refused(|c| c.n_actors = 0), "data.synthetic.n_actors");
        assert_eq!(key_refused(|c| c.n_tags = 0), "data.synthetic.n_tags");
        assert_eq!(key_refused(|c| c.text_dim = 0), "data.synthetic.text_dim");
        assert_eq!(key_refused(|c| c.sitting = 0), "data.synthetic.sitting");
        assert_eq!(key_refused(|c| c.image_dim = 0), "data.synthetic.image_dim");
    }

    #[test]
    fn half_of_all_pairs_is_the_most_that_can_be_rated() {
        let config = WorldConfig { n_users: 3, n_items: 5, n_ratings: 7, ..WorldConfig::default() };
        assert_eq!(config.validate(), Ok(()));
        assert!(WorldConfig { n_ratings: 8, ..config.clone() }.validate().is_err());
        assert!(WorldConfig { n_ratings: 2, ..config }.validate().is_err());
    }

    #[test]
    fn numbers_below_zero_or_not_a_number_are_errors_that_name_their_key() {
        for wrong in [-0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(key_refused(|c| c.noise = wrong), "data.synthetic.noise");
            assert_eq!(key_refused(|c| c.drift = wrong), "data.synthetic.drift");
            assert_eq!(key_refused(|c| c.taste_strength = wrong), "data.synthetic.taste_strength");
            assert_eq!(key_refused(|c| c.popularity_exponent = wrong), "data.synthetic.popularity_exponent");
            assert_eq!(key_refused(|c| c.popularity_head = wrong), "data.synthetic.popularity_head");
            assert_eq!(key_refused(|c| c.devotion = wrong), "data.synthetic.devotion");
            assert_eq!(key_refused(|c| c.active_days = wrong), "data.synthetic.active_days");
            assert_eq!(key_refused(|c| c.late_share = wrong), "data.synthetic.late_share");
        }
    }

    #[test]
    fn a_rating_for_every_film_needs_as_many_ratings_as_films() {
        let config = WorldConfig { n_users: 50, n_items: 100, n_ratings: 99, ..WorldConfig::default() };
        assert_eq!(config.validate(), Ok(()));
        let error = WorldConfig { every_item_rated: true, ..config }.validate().unwrap_err();
        assert_eq!(error.to_string(), "data.synthetic.n_ratings = 99: expected 100 to 2500");
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let parsed = serde_json::from_str::<WorldConfig>(r#"{"n_user": 3}"#);
        assert!(parsed.unwrap_err().to_string().contains("n_user"));
    }
}
