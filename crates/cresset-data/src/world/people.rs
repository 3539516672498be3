//! The users: what they like, how it changes, how much they rate.

use super::config::WorldConfig;
use super::films::Films;
use super::numeric::{below, dot, normal, normalise, normals, uniform};
use super::relation::Relation;
use crate::random::stream;

/// What a user without bias gives a film of middling quality, in stars; what users choose pleases them more.
const MEAN: f32 = 2.2;
/// Standard deviation of the users' bias, in stars.
const BIAS: f32 = 0.35;
/// Standard deviation that taste brings to one user's scores over the catalogue, in stars.
pub(super) const TASTE: f32 = 1.1;
/// Weight of each relation but the favourite, against the favourite's 1: from and to.
const MINOR: (f32, f32) = (0.1, 0.4);
/// Weight of the film's own part against the favourite's 1.
const OWN: f32 = 0.3;
/// 2015-01-01 and 2019-12-31 UTC, in seconds: the day left of 2019 is for sittings that begin late.
pub(super) const SPAN: (i64, i64) = (1_420_070_400, 1_577_750_400);
/// Seconds in a day.
const DAY: f32 = 86_400.0;

/// One user.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Score of a film of middling quality that matches no taste, in stars.
    pub(super) baseline: f32,
    /// What each relation does to the user's scores: its standard deviation over the catalogue, in stars.
    pub(super) preferences: [f32; 4],
    /// The same for a film's own part.
    own_preference: f32,
    /// Taste on the first day: a vector of length 1.
    first: Vec<f32>,
    /// Where the taste turns: of length 1, at a right angle to `first`.
    aside: Vec<f32>,
    /// Angle between the tastes of the first and the last day, in radians.
    turn: f32,
    /// First and last second of activity.
    pub(super) window: (i64, i64),
    /// How much the user rates, on any scale.
    pub(super) activity: f32,
    /// The entity of the favourite relation that the user loves above all, in a world of devoted users.
    pub(super) beloved: Option<u32>,
}

impl Person {
    /// Draws one user of a world.
    pub(super) fn draw(config: &WorldConfig, user: usize) -> Self {
        let mut rng = stream(config.seed, "world.person", user as u64);
        let favourite = below(&mut rng, 4);
        let mut weights = [0.0; 5].map(|_: f32| MINOR.0 + (MINOR.1 - MINOR.0) * uniform(&mut rng));
        weights[favourite] = 1.0;
        weights[4] = OWN;
        let scale = TASTE / dot(&weights, &weights).sqrt();
        let [genre, director, actor, tag, own] = weights.map(|weight| weight * scale);
        let (first, aside) =
            right_angle(normals(&mut rng, config.latent_dim), normals(&mut rng, config.latent_dim));
        Self {
            baseline: MEAN + BIAS * normal(&mut rng),
            preferences: [genre, director, actor, tag],
            own_preference: own,
            first,
            aside,
            turn: if config.latent_dim > 1 { config.drift as f32 } else { 0.0 },
            activity: normal(&mut rng).exp(),
            window: draw_window(config.active_days as f32, normal(&mut rng), uniform(&mut rng)),
            beloved: None,
        }
    }

    /// Makes an entity of the favourite relation the one that the user loves: where the taste points on the first day.
    pub(super) fn love(&mut self, entity: u32, films: &Films) {
        let vector = films.entity(self.favourite(), entity as usize).to_vec();
        (self.first, self.aside) = right_angle(vector, std::mem::take(&mut self.aside));
        self.beloved = Some(entity);
    }

    /// Taste at a time, a vector of length 1; it turns evenly during the window and rests outside it.
    pub(super) fn taste(&self, time: i64) -> Vec<f32> {
        let (from, to) = self.window;
        let passed = (time.clamp(from, to) - from) as f32 / (to - from).max(1) as f32;
        let (sin, cos) = (self.turn * passed).sin_cos();
        self.first.iter().zip(&self.aside).map(|(x, y)| cos * x + sin * y).collect()
    }

    /// What the inner product with a film's parts turns into stars: the taste, once a part, times its weight.
    pub(super) fn wish(&self, time: i64) -> Vec<f32> {
        let taste = self.taste(time);
        let weights = self.preferences.iter().chain([&self.own_preference]);
        weights.flat_map(|weight| taste.iter().map(move |x| weight * x)).collect()
    }

    /// The relation that does most to the user's scores.
    pub(super) fn favourite(&self) -> Relation {
        let mut best = Relation::Genre;
        for relation in Relation::ALL {
            if self.preferences[relation as usize] > self.preferences[best as usize] {
                best = relation;
            }
        }
        best
    }
}

/// Two directions at a right angle; in one dimension there is none, and what comes second means nothing.
fn right_angle(mut first: Vec<f32>, mut aside: Vec<f32>) -> (Vec<f32>, Vec<f32>) {
    normalise(&mut first);
    let along = dot(&first, &aside);
    aside.iter_mut().zip(&first).for_each(|(y, x)| *y -= along * x);
    normalise(&mut aside);
    (first, aside)
}

/// A window of activity, from days to years long, that begins and ends within the world's five years.
fn draw_window(middle_days: f32, size: f32, place: f32) -> (i64, i64) {
    let length = (((size * 1.2).exp() * middle_days * DAY) as i64).clamp(86_400, SPAN.1 - SPAN.0);
    let room = (SPAN.1 - SPAN.0 - length) as f64;
    let from = SPAN.0 + (room * f64::from(place)) as i64;
    (from, from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(config: &WorldConfig) -> Person {
        Person::draw(config, 3)
    }

    #[test]
    fn a_taste_turns_by_the_drift_between_first_and_last_day_and_rests_outside() {
        let person = person(&WorldConfig { drift: 0.7, ..WorldConfig::default() });
        let (from, to) = person.window;
        let (first, last) = (person.taste(from), person.taste(to));
        assert!((dot(&first, &last) - 0.7f32.cos()).abs() < 1e-4);
        assert_eq!(person.taste(from - 1_000_000), first);
        assert_eq!(person.taste(to + 1_000_000), last);
    }

    #[test]
    fn a_taste_of_one_dimension_does_not_turn() {
        let person = person(&WorldConfig { latent_dim: 1, drift: 1.0, ..WorldConfig::default() });
        assert_eq!(person.taste(person.window.1)[0].abs(), 1.0);
    }

    #[test]
    fn preferences_and_what_is_a_films_own_make_up_the_whole_taste() {
        let person = person(&WorldConfig::default());
        let squares = dot(&person.preferences, &person.preferences) + person.own_preference.powi(2);
        assert!((squares.sqrt() - TASTE).abs() < 1e-5);
    }

    #[test]
    fn each_relation_is_the_favourite_of_about_a_quarter() {
        let config = WorldConfig::default();
        let mut counts = [0; 4];
        (0..2_000).for_each(|user| counts[Person::draw(&config, user).favourite() as usize] += 1);
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }

    #[test]
    fn windows_lie_within_the_five_years() {
        for (size, place) in [(-6.0, 0.0), (-6.0, 0.999_999), (6.0, 0.0), (6.0, 0.999_999)] {
            let (from, to) = draw_window(120.0, size, place);
            assert!(from >= SPAN.0 && to <= SPAN.1 && to - from >= 86_400, "{from} {to}");
        }
    }
}
