//! One row per item of a vocabulary.

use std::collections::HashMap;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{IdMap, Vectors};
use crate::vocabulary::Vocabulary;

/// A row for each index of a vocabulary, with a mask for those that have none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlignedVectors {
    /// Width of each row.
    pub dim: usize,
    /// The rows by index, zero where absent: `[n, dim]`.
    pub values: Vec<f32>,
    /// Whether an index has a row: `[n]`.
    pub present: Vec<bool>,
    /// Number of vectors whose id no index asks for.
    pub n_unused: usize,
    /// Number of vectors, asked for or not, that are zeros alone: an encoder that was given nothing writes such.
    pub n_zero: usize,
}

impl AlignedVectors {
    /// The row of one index, zero where it is absent.
    ///
    /// # Panics
    ///
    /// If `index` is not below the length of the vocabulary.
    pub fn row(&self, index: u32) -> &[f32] {
        &self.values[index as usize * self.dim..][..self.dim]
    }

    /// SHA-256 of the rows, in hexadecimal: equal exactly when they are.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.dim as u64).to_le_bytes());
        for values in self.values.chunks(1 << 14) {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        hash.update(self.present.iter().map(|&is_present| u8::from(is_present)).collect::<Vec<u8>>());
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The number of indices that have a row.
    pub fn n_present(&self) -> usize {
        self.present.iter().filter(|&&is_present| is_present).count()
    }
}

impl AlignedVectors {
    /// The rows that are there, under the ids of their indices.
    pub fn under_ids(&self, vocabulary: &Vocabulary) -> Vectors {
        let here = |index: &usize| self.present[*index];
        let rows = || (0..self.present.len()).filter(here);
        Vectors {
            ids: rows().map(|index| vocabulary.id_of(index as u32).to_owned()).collect(),
            dim: self.dim,
            values: rows().flat_map(|index| self.row(index as u32).iter().copied()).collect(),
        }
    }
}

impl Vectors {
    /// A row for each id of `vocabulary`, in the order of its indices.
    pub fn align(&self, vocabulary: &Vocabulary) -> AlignedVectors {
        self.align_by(vocabulary, Some)
    }

    /// As [`align`](Self::align), for vectors under the ids of another data set: each id of `vocabulary` is looked up
    /// under the id that `map` gives it, and has no row where that gives none.
    ///
    /// Several ids may share a vector.
    pub fn align_mapped(&self, vocabulary: &Vocabulary, map: &IdMap) -> AlignedVectors {
        self.align_by(vocabulary, |id| map.get(id))
    }

    /// As [`align`](Self::align), without a copy where the vectors are those of the vocabulary in its order.
    pub fn into_aligned(self, vocabulary: &Vocabulary) -> AlignedVectors {
        if self.ids != vocabulary.ids() {
            return self.align(vocabulary);
        }
        let (n_zero, present) = (self.n_zero(), vec![true; self.len()]);
        AlignedVectors { dim: self.dim, values: self.values, present, n_unused: 0, n_zero }
    }

    /// Number of vectors that are zeros alone.
    fn n_zero(&self) -> usize {
        let is_zero = |row: &&[f32]| row.iter().all(|&value| value == 0.0);
        self.values.par_chunks_exact(self.dim.max(1)).filter(is_zero).count()
    }

    fn align_by<'m>(
        &self,
        vocabulary: &'m Vocabulary,
        vector_id: impl Fn(&'m str) -> Option<&'m str>,
    ) -> AlignedVectors {
        let row_of: HashMap<&str, usize> = self.ids.iter().map(String::as_str).zip(0..).collect();
        let mut values = vec![0.0; vocabulary.len() * self.dim];
        let mut present = vec![false; vocabulary.len()];
        let mut is_used = vec![false; self.len()];
        for (index, id) in vocabulary.ids().iter().enumerate() {
            // Ids of files have no blanks around them; those made in memory may.
            let Some(&row) = vector_id(id).and_then(|id| row_of.get(id.trim_ascii())) else { continue };
            values[index * self.dim..][..self.dim].copy_from_slice(self.row(row));
            present[index] = true;
            is_used[row] = true;
        }
        let n_unused = is_used.iter().filter(|&&is_used| !is_used).count();
        AlignedVectors { dim: self.dim, values, present, n_unused, n_zero: self.n_zero() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posters() -> Vectors {
        let ids = ["10", "20", "30"].map(str::to_owned).to_vec();
        Vectors { ids, dim: 2, values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] }
    }

    #[test]
    fn rows_follow_the_vocabulary_and_are_zero_where_absent() {
        let items = Vocabulary::from_ids(["5", "20", "10"]);
        let aligned = posters().align(&items);
        assert_eq!(aligned.values, [0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(aligned.present, [false, true, true]);
        assert_eq!((aligned.n_present(), aligned.n_unused), (2, 1));
        assert_eq!(aligned.row(2), [3.0, 4.0]);
    }

    #[test]
    fn ids_of_another_data_set_are_looked_up_through_the_map() {
        let items = Vocabulary::from_ids(["1", "2", "10"]);
        let map = IdMap::from_pairs([("1", "30"), ("2", "30"), ("3", "20")]);
        let aligned = posters().align_mapped(&items, &map);
        assert_eq!(aligned.values, [5.0, 6.0, 5.0, 6.0, 0.0, 0.0]);
        assert_eq!((aligned.n_present(), aligned.n_unused), (2, 2));
    }

    #[test]
    fn vectors_in_the_order_of_the_vocabulary_are_aligned_as_any_others() {
        let items = Vocabulary::from_ids(["10", "20", "30"]);
        assert_eq!(posters().into_aligned(&items), posters().align(&items));
        let fewer = Vocabulary::from_ids(["10", "30"]);
        assert_eq!(posters().into_aligned(&fewer), posters().align(&fewer));
    }

    #[test]
    fn vectors_of_zeros_alone_are_counted_and_present() {
        let zeros = Vectors { values: vec![0.0, 2.0, -0.0, 0.0, 0.0, 0.0], ..posters() };
        let items = Vocabulary::from_ids(["10", "20", "40"]);
        let aligned = zeros.align(&items);
        assert_eq!((aligned.n_zero, aligned.n_present(), aligned.n_unused), (2, 2, 1));
        let all = Vocabulary::from_ids(["10", "20", "30"]);
        assert_eq!(zeros.into_aligned(&all).n_zero, 2);
    }
}
