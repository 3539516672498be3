//! What can be read and seen of a film: vectors that reveal a part of its latent factors.

use rayon::prelude::*;

use super::films::Films;
use super::numeric::{dot, normal, normalise, normals};
use super::relation::Relation;
use crate::random::stream;
use crate::vectors::Vectors;

/// Length of the noise in a view against the signal's 1.
const BLUR: f32 = 0.6;

/// The part of a film that a view shows.
pub(super) enum Seen {
    Of(Relation),
    Own,
}

impl Seen {
    fn of<'a>(&self, films: &'a Films, item: usize) -> &'a [f32] {
        match self {
            Self::Of(relation) => films.part(item, *relation),
            Self::Own => films.own_part(item),
        }
    }
}

/// A noisy linear view of some parts of each film, of length 1, by world index.
pub(super) fn view(films: &Films, seen: &[Seen], dim: usize, seed: u64, site: &str) -> Vectors {
    let width: usize = seen.iter().map(|part| part.of(films, 0).len()).sum();
    let mut lens = normals(&mut stream(seed, site, 0), dim * width);
    lens.iter_mut().for_each(|x| *x /= (width as f32).sqrt());
    let mut values = vec![0.0; films.len() * dim];
    values.par_chunks_exact_mut(dim).enumerate().for_each(|(item, row)| {
        let mut rng = stream(seed, site, 1 + item as u64);
        let parts: Vec<f32> = seen.iter().flat_map(|part| part.of(films, item)).copied().collect();
        for (value, axis) in row.iter_mut().zip(lens.chunks_exact(width)) {
            *value = dot(axis, &parts) + BLUR * normal(&mut rng);
        }
        normalise(row);
    });
    let ids = (1..=films.len()).map(|id| id.to_string()).collect();
    Vectors { ids, dim, values }
}
