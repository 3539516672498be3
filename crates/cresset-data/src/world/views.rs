//! What can be read and seen of a film: vectors that reveal a part of its latent factors.

use super::films::Films;
use super::numeric::{dot, normal, normalise, normals};
use super::relation::Relation;
use crate::random::stream;

/// Length of the noise in a view against the signal's 1.
const BLUR: f32 = 0.6;

/// One vector of equal width for each film, by world index.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// Width of each vector.
    pub dim: usize,
    /// The vectors one after another, each of length 1.
    pub values: Vec<f32>,
}

impl Vectors {
    /// The vector of one film.
    ///
    /// # Panics
    ///
    /// If there is no such film.
    pub fn row(&self, item: usize) -> &[f32] {
        &self.values[item * self.dim..][..self.dim]
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

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

/// A noisy linear view of some parts of each film, of length 1.
pub(super) fn view(films: &Films, seen: &[Seen], dim: usize, seed: u64, site: &str) -> Vectors {
    let width: usize = seen.iter().map(|part| part.of(films, 0).len()).sum();
    let mut lens = normals(&mut stream(seed, site, 0), dim * width);
    lens.iter_mut().for_each(|x| *x /= (width as f32).sqrt());
    let mut values = Vec::with_capacity(films.len() * dim);
    for item in 0..films.len() {
        let mut rng = stream(seed, site, 1 + item as u64);
        let parts: Vec<f32> = seen.iter().flat_map(|part| part.of(films, item)).copied().collect();
        let mut row: Vec<f32> =
            lens.chunks_exact(width).map(|axis| dot(axis, &parts) + BLUR * normal(&mut rng)).collect();
        normalise(&mut row);
        values.extend(row);
    }
    Vectors { dim, values }
}
