//! Which items are found beside which: a sparse row of similarities for each item.

use rayon::prelude::*;

use super::ItemNeighboursConfig;
use crate::histories::{Histories, Places};

/// The nearest neighbours of each item by id, in one array (compressed sparse rows).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Similarities {
    pub(crate) offsets: Vec<usize>,
    pub(crate) neighbours: Vec<u32>,
    pub(crate) weights: Vec<f32>,
}

impl Similarities {
    /// Each row is summed by one thread, users in order.
    pub(crate) fn of(histories: &Histories, n_items: usize, config: &ItemNeighboursConfig) -> Self {
        let counting = Counting::new(histories, n_items, config);
        let rows: Vec<Vec<(u32, f32)>> = (0..n_items)
            .into_par_iter()
            .map_init(|| Sums::new(n_items), |sums, item| counting.neighbours(item, sums))
            .collect();
        let n_entries = rows.iter().map(Vec::len).sum();
        let mut found = Self {
            offsets: vec![0],
            neighbours: Vec::with_capacity(n_entries),
            weights: Vec::with_capacity(n_entries),
        };
        for row in rows {
            found.neighbours.extend(row.iter().map(|entry| entry.0));
            found.weights.extend(row.iter().map(|entry| entry.1));
            found.offsets.push(found.neighbours.len());
        }
        found
    }

    /// The neighbours of an item, by id, and how near each is; none for an item there is not.
    pub(crate) fn row(&self, item: u32) -> (&[u32], &[f32]) {
        let range = match self.offsets.get(item as usize + 1) {
            Some(&end) => self.offsets[item as usize]..end,
            None => 0..0,
        };
        (&self.neighbours[range.clone()], &self.weights[range])
    }
}

/// What all rows share.
struct Counting<'a> {
    config: &'a ItemNeighboursConfig,
    histories: &'a Histories,
    places: Places,
    /// Weight of each user's pairs.
    user_weights: Vec<f32>,
    /// Weight of two items by how far apart they are, from 1 place on.
    distance_weights: Vec<f32>,
    /// Of each item, what a similarity is divided by if it is the source, and if it is the neighbour.
    divisors: Vec<(f64, f64)>,
}

/// Sums by item, and which of them are not zero.
struct Sums {
    by_item: Vec<f32>,
    touched: Vec<u32>,
}

impl Sums {
    fn new(n_items: usize) -> Self {
        Self { by_item: vec![0.0; n_items], touched: Vec::new() }
    }

    #[inline]
    fn add(&mut self, item: u32, value: f32) {
        let sum = &mut self.by_item[item as usize];
        if *sum == 0.0 && value > 0.0 {
            self.touched.push(item);
        }
        *sum += value;
    }

    fn clear(&mut self) {
        self.touched.iter().for_each(|&item| self.by_item[item as usize] = 0.0);
        self.touched.clear();
    }
}

impl<'a> Counting<'a> {
    fn new(histories: &'a Histories, n_items: usize, config: &'a ItemNeighboursConfig) -> Self {
        let lengths = || histories.offsets.windows(2).map(|bounds| bounds[1] - bounds[0]);
        let user_weight = |n: usize| (n.max(1) as f64).powf(-config.user_exponent) as f32;
        let user_weights: Vec<f32> = lengths().map(user_weight).collect();
        let farthest = lengths().max().unwrap_or(0).min(config.window.unwrap_or(usize::MAX));
        let distance_weight = |d: usize| (d as f64).powf(-config.distance_exponent) as f32;
        let places = histories.places(n_items);
        let divisor = |item: usize| {
            let count: f64 = places.of(item).map(|(_, user)| f64::from(user_weights[user as usize])).sum();
            (count.powf(config.source_exponent), count.powf(config.popularity_exponent))
        };
        let divisors = (0..n_items).map(divisor).collect();
        let distance_weights = (1..=farthest).map(distance_weight).collect();
        Self { config, histories, places, user_weights, distance_weights, divisors }
    }

    /// The nearest neighbours of `item`, by id.
    fn neighbours(&self, item: usize, sums: &mut Sums) -> Vec<(u32, f32)> {
        for (row, user) in self.places.of(item) {
            self.add_pairs(row, user, sums);
        }
        let mut row: Vec<(u32, f32)> =
            sums.touched.iter().map(|&other| (other, self.similarity(item, other, sums))).collect();
        sums.clear();
        keep_nearest(&mut row, self.config.n_neighbours);
        row
    }

    /// Adds what the user's other items within reach of `row` add to the item there.
    fn add_pairs(&self, row: usize, user: u32, sums: &mut Sums) {
        let (start, end) = (self.histories.offsets[user as usize], self.histories.offsets[user as usize + 1]);
        let weight = self.user_weights[user as usize];
        let items = &self.histories.items;
        for (&other, &near) in items[row + 1..end].iter().zip(&self.distance_weights) {
            sums.add(other, weight * near);
        }
        if self.config.directed {
            return;
        }
        for (&other, &near) in items[start..row].iter().rev().zip(&self.distance_weights) {
            sums.add(other, weight * near);
        }
    }

    fn similarity(&self, item: usize, other: u32, sums: &Sums) -> f32 {
        let sum = f64::from(sums.by_item[other as usize]);
        let divisor = self.divisors[item].0 * self.divisors[other as usize].1 + self.config.shrinkage;
        let plain = sum / divisor;
        // A power of 1 would cost as much as any other.
        if self.config.amplification == 1.0 {
            plain as f32
        } else {
            plain.powf(self.config.amplification) as f32
        }
    }
}

/// Leaves the `n` entries of highest weight, the lower ids among equals, in order of their ids.
fn keep_nearest(row: &mut Vec<(u32, f32)>, n: usize) {
    if n < row.len() {
        row.select_nth_unstable_by(n, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        row.truncate(n);
    }
    row.sort_unstable_by_key(|entry| entry.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_kept_and_among_equals_the_lower_ids() {
        let mut row = vec![(5, 1.0), (2, 3.0), (9, 2.0), (1, 2.0), (0, 0.5)];
        keep_nearest(&mut row, 2);
        assert_eq!(row, [(1, 2.0), (2, 3.0)]);
    }
}
