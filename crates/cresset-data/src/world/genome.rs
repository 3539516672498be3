//! The tag genome: how relevant each tag is to each film.

use rayon::prelude::*;

use super::config::WorldConfig;
use super::films::Films;
use super::numeric::{dot, logistic, normal, normalise};
use super::relation::Relation;
use crate::random::stream;
use crate::vectors::Vectors;

/// Relevance, on the scale before the logistic function, of a tag that has nothing to do with a film: below a tenth.
const UNRELATED: f32 = -2.5;
/// What a tag gains that points where the film does.
const LIKENESS: f32 = 2.0;
/// What a tag gains that the film has.
const OWN: f32 = 4.5;
/// Standard deviation of the noise: people agree on no tag to the last digit.
const NOISE: f32 = 0.6;

/// Relevances from 0 to 1, a row for each film by world index, a column for each tag.
pub(super) fn relevances(config: &WorldConfig, films: &Films) -> Vectors {
    let (n_tags, dim) = (config.n_tags, config.latent_dim);
    let directions: Vec<f32> =
        (0..n_tags).flat_map(|tag| direction(films.entity(Relation::Tag, tag))).collect();
    let mut values = vec![0.0; films.len() * n_tags];
    values.par_chunks_exact_mut(n_tags).enumerate().for_each(|(item, row)| {
        let mut rng = stream(config.seed, "world.genome", item as u64);
        let made_of = direction(&sum_of_parts(films.parts(item), dim));
        for (logit, tag) in row.iter_mut().zip(directions.chunks_exact(dim)) {
            *logit = UNRELATED + LIKENESS * dot(tag, &made_of) + NOISE * normal(&mut rng);
        }
        films.cast(item, Relation::Tag).iter().for_each(|&tag| row[tag as usize] += OWN);
        row.iter_mut().for_each(|value| *value = logistic(*value));
    });
    Vectors { ids: (1..=films.len()).map(|id| id.to_string()).collect(), dim: n_tags, values }
}

/// What a film is made of, in the space that all relations share with the tastes.
fn sum_of_parts(parts: &[f32], dim: usize) -> Vec<f32> {
    let mut sum = vec![0.0; dim];
    for part in parts.chunks_exact(dim) {
        sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    sum
}

/// The same vector at length 1.
fn direction(vector: &[f32]) -> Vec<f32> {
    let mut vector = vector.to_vec();
    normalise(&mut vector);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genome() -> (Films, Vectors) {
        let config = WorldConfig::default();
        let films = Films::draw(&config);
        let genome = relevances(&config, &films);
        (films, genome)
    }

    fn mean(values: impl Iterator<Item = f32>) -> f32 {
        let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        sum / n
    }

    #[test]
    fn parts_add_up_axis_by_axis() {
        assert_eq!(sum_of_parts(&[1.0, 2.0, 10.0, 20.0, 100.0, 200.0], 2), [111.0, 222.0]);
    }

    #[test]
    fn tags_that_a_film_has_are_close_to_1_and_most_others_close_to_0() {
        let (films, genome) = genome();
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for item in 0..films.len() {
            let cast = films.cast(item, Relation::Tag);
            for (tag, &relevance) in genome.row(item).iter().enumerate() {
                assert!((0.0..=1.0).contains(&relevance));
                let side = if cast.contains(&(tag as u32)) { &mut own } else { &mut others };
                side.push(relevance);
            }
        }
        let (own, others) = (mean(own.into_iter()), mean(others.into_iter()));
        assert!((0.8..0.95).contains(&own), "{own}");
        assert!((0.05..0.2).contains(&others), "{others}");
    }

    #[test]
    fn a_tag_that_points_where_the_film_does_is_more_relevant_than_one_that_points_away() {
        let (films, genome) = genome();
        let likeness = |item: usize, tag: usize| {
            let tag = direction(films.entity(Relation::Tag, tag));
            dot(&tag, &direction(&sum_of_parts(films.parts(item), tag.len())))
        };
        let pairs = || (0..films.len()).flat_map(|item| (0..genome.dim).map(move |tag| (item, tag)));
        let near = mean(pairs().filter(|&(i, t)| likeness(i, t) > 0.5).map(|(i, t)| genome.row(i)[t]));
        let far = mean(pairs().filter(|&(i, t)| likeness(i, t) < -0.5).map(|(i, t)| genome.row(i)[t]));
        assert!(near > 2.0 * far, "{near} against {far}");
    }
}
