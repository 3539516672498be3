//! The distinct rows of a table that a batch touches.

/// Distinct ids of a batch, and where each example finds its own among them.
///
/// Embedding tables gather `ids` once, look examples up by `positions`, and update each touched row once.
///
/// ```
/// use cresset_data::UniqueRows;
///
/// let rows = UniqueRows::of(&[7, 3, 7]);
/// assert_eq!(rows.ids, [3, 7]);
/// assert_eq!(rows.positions, [1, 0, 1]);
/// assert_eq!(rows.counts, [1, 2]);
/// assert_eq!(rows.order, [1, 0, 2]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UniqueRows {
    /// Distinct ids, ascending: `[unique]`.
    pub ids: Vec<u32>,
    /// Index into `ids` of each example's id: `[batch]`.
    pub positions: Vec<u32>,
    /// Number of examples of each id, at least 1: `[unique]`.
    pub counts: Vec<u32>,
    /// The examples, those of the first id first, then those of the second ..., each group ascending: `[batch]`.
    pub order: Vec<u32>,
}

impl UniqueRows {
    /// The distinct ids among those of the examples, `[batch]`.
    ///
    /// # Panics
    ///
    /// If there are more than 2^32 examples.
    pub fn of(ids: &[u32]) -> Self {
        let n_examples = u32::try_from(ids.len()).expect("at most 2^32 examples in a batch");
        // Id and example in one number, so that one sort of plain integers brings equal ids together: 40 to 50
        // million ids a second, tens of times what training asks for (a radix sort gained a third).
        let mut keys: Vec<u64> =
            ids.iter().zip(0..n_examples).map(|(&id, example)| key(id, example)).collect();
        keys.sort_unstable();
        let order = keys.iter().map(|&key| key as u32).collect();
        let mut rows = Self { positions: vec![0; ids.len()], order, ..Self::default() };
        for key in keys {
            let (id, example) = ((key >> 32) as u32, key as u32);
            if rows.ids.last() != Some(&id) {
                rows.ids.push(id);
                rows.counts.push(0);
            }
            let position = rows.ids.len() - 1;
            rows.counts[position] += 1;
            rows.positions[example as usize] = position as u32;
        }
        rows
    }

    /// As [`of`](Self::of), of ids below `n_rows`: faster where the ids are many beside the rows there are, since it
    /// counts instead of sorting.
    ///
    /// # Panics
    ///
    /// If an id is not below `n_rows`, or there are more than 2^32 examples.
    pub fn among(ids: &[u32], n_rows: usize) -> Self {
        let n_examples = u32::try_from(ids.len()).expect("at most 2^32 examples in a batch");
        let mut counts = vec![0u32; n_rows];
        ids.iter().for_each(|&id| counts[id as usize] += 1);
        let mut rows = Self { order: vec![0; ids.len()], ..Self::default() };
        // Of each id in use: its place among the distinct ones, and where its next example goes.
        let (mut place_of, mut next) = (vec![0u32; n_rows], Vec::new());
        let mut start = 0;
        for (id, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
            place_of[id] = rows.ids.len() as u32;
            rows.ids.push(id as u32);
            rows.counts.push(count);
            next.push(start);
            start += count;
        }
        rows.positions = ids.iter().map(|&id| place_of[id as usize]).collect();
        for (&place, example) in rows.positions.iter().zip(0..n_examples) {
            let slot = &mut next[place as usize];
            rows.order[*slot as usize] = example;
            *slot += 1;
        }
        rows
    }

    /// The number of distinct ids.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

fn key(id: u32, example: u32) -> u64 {
    u64::from(id) << 32 | u64::from(example)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_example_touches_no_row() {
        assert_eq!(UniqueRows::of(&[]), UniqueRows::default());
    }

    #[test]
    fn the_highest_id_is_an_id_like_any_other() {
        let rows = UniqueRows::of(&[u32::MAX, 0, u32::MAX]);
        assert_eq!(rows.ids, [0, u32::MAX]);
        assert_eq!(rows.positions, [1, 0, 1]);
    }

    proptest! {
        #[test]
        fn examples_find_their_id_and_ids_their_count(
            ids in prop_oneof![
                prop::collection::vec(0u32..20, 0..100),
                prop::collection::vec(any::<u32>(), 0..100),
                prop::collection::vec(0u32..70_000, 3000..3100),
            ],
        ) {
            let rows = UniqueRows::of(&ids);
            let found: Vec<u32> = rows.positions.iter().map(|&position| rows.ids[position as usize]).collect();
            prop_assert_eq!(&found, &ids);
            let mut counts = BTreeMap::new();
            ids.iter().for_each(|&id| *counts.entry(id).or_insert(0) += 1);
            let counted: BTreeMap<u32, u32> = rows.ids.iter().copied().zip(rows.counts.iter().copied()).collect();
            prop_assert_eq!(counted, counts);
            prop_assert!(rows.ids.is_sorted_by(|a, b| a < b));
            let grouped: Vec<(u32, u32)> =
                rows.order.iter().map(|&example| (ids[example as usize], example)).collect();
            prop_assert_eq!(grouped.len(), ids.len());
            prop_assert!(grouped.is_sorted_by(|a, b| a < b));
        }

        #[test]
        fn counting_gives_what_sorting_gives(ids in prop::collection::vec(0u32..50, 0..200)) {
            prop_assert_eq!(UniqueRows::among(&ids, 50), UniqueRows::of(&ids));
        }
    }
}
