//! The films: who made them, what they are about, how good and how well known they are.

use std::array::from_fn;

use rand_chacha::ChaCha8Rng;

use super::config::WorldConfig;
use super::numeric::{Whitening, below, normal, normals, uniform};
use super::relation::Relation;
use crate::random::stream;

/// Standard deviation of a film's quality, in stars.
const QUALITY: f32 = 0.5;
/// Correlation between a film's quality and its fame.
const FAME_FOLLOWS_QUALITY: f32 = 0.95;
/// The fewest and the most entities of each relation in a film.
const CAST: [(usize, usize); 4] = [(1, 3), (1, 1), (2, 4), (3, 6)];
/// How often an entity comes from those at home in the film's first genre.
const AT_HOME: f32 = 0.5;

/// All films in columns, by world index.
#[derive(Debug, Clone)]
pub(super) struct Films {
    /// Width of one part.
    dim: usize,
    /// One row a film: a part of each relation, then the part that is the film's own; each of width `dim`.
    parts: Vec<f32>,
    /// What every user finds in the film, in stars.
    pub(super) quality: Vec<f32>,
    /// How often the film is met, on any scale.
    pub(super) exposure: Vec<f64>,
    /// Year of release.
    pub(super) years: Vec<u32>,
    /// The entities of each film, by relation.
    casts: Vec<[Vec<u32>; 4]>,
    /// The latent vectors of each relation's entities, one row of width `dim` each.
    entities: [Vec<f32>; 4],
}

impl Films {
    /// Draws the films of a world.
    pub(super) fn draw(config: &WorldConfig) -> Self {
        let dim = config.latent_dim;
        let mut films = Self {
            dim,
            parts: vec![0.0; config.n_items * 5 * dim],
            quality: Vec::with_capacity(config.n_items),
            exposure: Vec::new(),
            years: Vec::with_capacity(config.n_items),
            casts: Vec::with_capacity(config.n_items),
            entities: Relation::ALL.map(|relation| draw_entities(config, relation)),
        };
        let fame: Vec<f32> = (0..config.n_items).map(|item| films.draw_film(config, item)).collect();
        films.exposure = long_tail(&fame, config.popularity_exponent, config.popularity_head);
        Relation::ALL.iter().for_each(|&relation| films.whiten(relation));
        films
    }

    /// Number of films.
    pub(super) fn len(&self) -> usize {
        self.casts.len()
    }

    /// All parts of a film in a row: genre, director, actor, tag, own.
    pub(super) fn parts(&self, item: usize) -> &[f32] {
        &self.parts[item * 5 * self.dim..][..5 * self.dim]
    }

    /// The part of a film that comes from one relation, made of its entities' vectors.
    pub(super) fn part(&self, item: usize, relation: Relation) -> &[f32] {
        &self.parts(item)[relation as usize * self.dim..][..self.dim]
    }

    /// The part of a film that no relation explains.
    pub(super) fn own_part(&self, item: usize) -> &[f32] {
        &self.parts(item)[4 * self.dim..]
    }

    /// The entities that a film has in one relation.
    pub(super) fn cast(&self, item: usize, relation: Relation) -> &[u32] {
        &self.casts[item][relation as usize]
    }

    /// The latent vector of an entity.
    pub(super) fn entity(&self, relation: Relation, entity: usize) -> &[f32] {
        &self.entities[relation as usize][entity * self.dim..][..self.dim]
    }

    /// Draws one film and says how famous it is.
    fn draw_film(&mut self, config: &WorldConfig, item: usize) -> f32 {
        let mut rng = stream(config.seed, "world.film", item as u64);
        self.casts.push(draw_cast(config, &mut rng));
        self.years.push(2014 - (uniform(&mut rng) * uniform(&mut rng) * 80.0) as u32);
        let quality = normal(&mut rng);
        self.quality.push(QUALITY * quality);
        let own = normals(&mut rng, self.dim);
        self.parts[(item * 5 + 4) * self.dim..][..self.dim].copy_from_slice(&own);
        let luck = (1.0 - FAME_FOLLOWS_QUALITY * FAME_FOLLOWS_QUALITY).sqrt();
        FAME_FOLLOWS_QUALITY * quality + luck * normal(&mut rng)
    }

    /// Composes a relation's parts from its entities, moved so that over the catalogue the parts have mean 0
    /// and covariance 1: a user's weight for a relation is then what the relation does to the user's scores.
    fn whiten(&mut self, relation: Relation) {
        self.centre(relation);
        let map = Whitening::fit(&self.compose(relation), self.dim);
        self.entities[relation as usize].chunks_exact_mut(self.dim).for_each(|row| map.apply(row));
        let composed = self.compose(relation);
        for (item, part) in composed.chunks_exact(self.dim).enumerate() {
            let start = (item * 5 + relation as usize) * self.dim;
            self.parts[start..start + self.dim].copy_from_slice(part);
        }
    }

    /// Shifts all entities of a relation alike, so that the composed parts have mean 0.
    fn centre(&mut self, relation: Relation) {
        let root = |item: usize| (self.cast(item, relation).len() as f64).sqrt();
        let roots: f64 = (0..self.len()).map(root).sum();
        let mut shift = vec![0.0f64; self.dim];
        for part in self.compose(relation).chunks_exact(self.dim) {
            shift.iter_mut().zip(part).for_each(|(sum, &x)| *sum += f64::from(x) / roots);
        }
        for row in self.entities[relation as usize].chunks_exact_mut(self.dim) {
            row.iter_mut().zip(&shift).for_each(|(x, shift)| *x -= *shift as f32);
        }
    }

    /// One row a film: the sum of its entities' vectors over the square root of their number, so that films
    /// with many entities are neither louder nor quieter than those with one.
    fn compose(&self, relation: Relation) -> Vec<f32> {
        let mut rows = vec![0.0; self.len() * self.dim];
        for (item, row) in rows.chunks_exact_mut(self.dim).enumerate() {
            let cast = self.cast(item, relation);
            let root = (cast.len() as f32).sqrt();
            for &entity in cast {
                let vector = self.entity(relation, entity as usize);
                row.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x / root);
            }
        }
        rows
    }
}

fn draw_entities(config: &WorldConfig, relation: Relation) -> Vec<f32> {
    let mut rng = stream(config.seed, "world.entities", relation as u64);
    normals(&mut rng, relation.n_entities(config) * config.latent_dim)
}

/// The entities of one film; directors, actors and tags are often at home in its first genre.
fn draw_cast(config: &WorldConfig, rng: &mut ChaCha8Rng) -> [Vec<u32>; 4] {
    let mut home = 0;
    from_fn(|relation| {
        let n_entities = Relation::ALL[relation].n_entities(config);
        let (least, most) = CAST[relation];
        let size = (least + below(rng, most - least + 1)).min(n_entities);
        let mut cast = Vec::with_capacity(size);
        while cast.len() < size {
            let drawn = draw_entity(rng, n_entities, (relation > 0).then_some((home, config.n_genres)));
            cast.push(next_free(drawn, n_entities, &cast));
        }
        if relation == 0 {
            home = cast[0] as usize;
        }
        cast
    })
}

/// An entity, low numbers more often: a few directors and actors make many films.
fn draw_entity(rng: &mut ChaCha8Rng, n_entities: usize, home: Option<(usize, usize)>) -> usize {
    let drawn = ((uniform(rng) * uniform(rng).sqrt()) * n_entities as f32) as usize;
    let at_home = home.map(|(genre, n_genres)| drawn - drawn % n_genres + genre);
    at_home.filter(|&entity| entity < n_entities && uniform(rng) < AT_HOME).unwrap_or(drawn)
}

fn next_free(drawn: usize, n_entities: usize, taken: &[u32]) -> u32 {
    let mut entity = drawn.min(n_entities - 1) as u32;
    while taken.contains(&entity) {
        entity = (entity + 1) % n_entities as u32;
    }
    entity
}

/// Exposure that falls with the rank of fame by the Zipf-Mandelbrot law, whose head is nearly flat.
fn long_tail(fame: &[f32], exponent: f64, head: f64) -> Vec<f64> {
    let mut by_fame: Vec<usize> = (0..fame.len()).collect();
    by_fame.sort_by(|&a, &b| fame[b].total_cmp(&fame[a]).then(a.cmp(&b)));
    let head = head * fame.len() as f64;
    let mut exposure = vec![0.0; fame.len()];
    for (rank, item) in by_fame.into_iter().enumerate() {
        exposure[item] = (1.0 + rank as f64 / (1.0 + head)).powf(-exponent);
    }
    exposure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::numeric::dot;

    fn films() -> Films {
        Films::draw(&WorldConfig::default())
    }

    #[test]
    fn parts_have_mean_0_and_covariance_1_over_the_catalogue() {
        let films = films();
        for relation in Relation::ALL {
            for axis in 0..films.dim {
                let column = |item: usize, axis: usize| f64::from(films.part(item, relation)[axis]) / 1e3;
                let mean: f64 = (0..1_000).map(|item| column(item, axis)).sum();
                let with = |other| (0..1_000).map(|i| column(i, axis) * column(i, other) * 1e3).sum::<f64>();
                assert!(mean.abs() < 1e-3, "{relation:?} {axis} {mean}");
                assert!((with(axis) - 1.0).abs() < 1e-3 && with((axis + 1) % films.dim).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn a_film_with_one_director_is_that_directors_vector() {
        let films = films();
        let director = films.cast(5, Relation::Director)[0] as usize;
        assert_eq!(films.part(5, Relation::Director), films.entity(Relation::Director, director));
    }

    #[test]
    fn no_film_names_an_entity_twice() {
        let config = WorldConfig { n_genres: 2, n_actors: 3, n_tags: 6, ..WorldConfig::default() };
        let films = Films::draw(&config);
        for cast in films.casts.iter().flatten() {
            assert!(!cast.is_empty());
            assert!(cast.iter().all(|a| cast.iter().filter(|b| a == *b).count() == 1), "{cast:?}");
        }
    }

    #[test]
    fn fewer_genres_than_dimensions_still_give_genres_their_full_weight() {
        let films = Films::draw(&WorldConfig { n_genres: 3, latent_dim: 16, ..WorldConfig::default() });
        let energy: f32 =
            (0..1_000).map(|i| films.part(i, Relation::Genre)).map(|part| dot(part, part)).sum();
        assert!((energy / 16_000.0 - 1.0).abs() < 1e-2, "{energy}");
    }

    #[test]
    fn exposure_falls_with_fame_and_an_exponent_of_0_makes_all_alike() {
        let exposure = long_tail(&[0.3, 2.0, -1.0], 1.5, 0.1);
        assert!(exposure[1] > exposure[0] && exposure[0] > exposure[2]);
        assert_eq!(long_tail(&[0.3, 2.0, -1.0], 0.0, 0.1), [1.0; 3]);
    }
}
