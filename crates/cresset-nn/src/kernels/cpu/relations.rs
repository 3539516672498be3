//! Attention of users over the relations of items: forward example by example, back by example, by item and by user.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::candidates::{add_scaled, dot};
use super::exp::exp_of_negative;
use super::groups;
use super::rows::check_ids;
use crate::neighbourhoods::NeighbourLists;

/// Examples of one task.
const TASK_EXAMPLES: usize = 256;

/// One row for each example, and the examples of each row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'a> {
    /// The row of each example, `[batch]`.
    pub(crate) rows: &'a [i32],
    /// Where the examples of each row begin, `[n_rows + 1]`.
    pub(crate) offsets: &'a [i32],
    /// Examples by row, `[batch]`.
    pub(crate) examples: &'a [i32],
}

impl Chosen<'_> {
    fn n_rows(&self) -> usize {
        self.offsets.len() - 1
    }

    #[inline(always)]
    fn examples_of(&self, row: usize) -> &[i32] {
        &self.examples[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

/// What users and items of some examples have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relations<'a> {
    pub(crate) lists: &'a NeighbourLists,
    pub(crate) users: Chosen<'a>,
    pub(crate) items: Chosen<'a>,
    /// `[batch, dim]`
    pub(crate) tastes: &'a [f32],
    /// `[n_slots, dim]`
    pub(crate) pooled: &'a [f32],
    pub(crate) dim: usize,
}

/// What [`Relations::forward`] gives.
#[derive(Debug, PartialEq)]
pub(crate) struct Forward {
    /// `[batch]`
    pub(crate) output: Vec<f32>,
    /// `[batch, places]`, as many places as an item has slots at most.
    pub(crate) weights: Vec<f32>,
    /// `[batch, places]`
    pub(crate) products: Vec<f32>,
}

/// What [`Relations::backward`] gives.
#[derive(Debug, PartialEq)]
pub(crate) struct Gradients {
    /// `[batch, dim]`
    pub(crate) tastes: Vec<f32>,
    /// `[n_users, n_relations]`
    pub(crate) logits: Vec<f32>,
    /// `[n_slots, dim]`
    pub(crate) pooled: Vec<f32>,
}

impl<'a> Relations<'a> {
    /// Outputs, weights and products; `logits` is `[n_users, n_relations]`.
    ///
    /// # Panics
    ///
    /// If a row of users or items is beyond their number.
    pub(crate) fn forward(self, logits: &[f32]) -> Forward {
        let (batch, n_places) = (self.batch(), self.lists.most_slots);
        check_ids(self.users.rows, self.users.n_rows());
        check_ids(self.items.rows, self.items.n_rows());
        let mut output = vec![0.0; batch];
        let mut weights = vec![0.0; batch * n_places];
        let mut products = vec![0.0; batch * n_places];
        let ranges = self.example_ranges();
        let outputs = groups::cut(&ranges, |end| end, &mut output);
        let of_weights = groups::cut(&ranges, |end| end * n_places, &mut weights);
        let of_products = groups::cut(&ranges, |end| end * n_places, &mut products);
        let parts = ranges.into_iter().zip(outputs).zip(of_weights).zip(of_products);
        let tasks = parts.map(|(((examples, output), weights), products)| ForwardTask {
            relations: self,
            logits,
            examples,
            output,
            weights,
            products,
        });
        groups::run(tasks.collect(), self.n_elements(), |task: ForwardTask| Arch::new().dispatch(task));
        Forward { output, weights, products }
    }

    /// Gradients by tastes, logits and pooled rows.
    ///
    /// # Shapes
    ///
    /// - grad: `[batch]`
    /// - weights, products: as of [`forward`](Self::forward)
    pub(crate) fn backward(self, grad: &[f32], weights: &[f32], products: &[f32]) -> Gradients {
        let back = Back { relations: self, grad, weights, products };
        let (tastes, by_scores) = back.by_examples();
        Gradients { tastes, logits: self.by_users(&by_scores), pooled: back.by_items() }
    }

    /// Gradients by logits: over the examples of each user, the scores of their places.
    fn by_users(self, by_scores: &[f32]) -> Vec<f32> {
        let (n_relations, n_places) = (self.lists.n_relations, self.lists.most_slots);
        let mut by_logits = vec![0.0; self.users.n_rows() * n_relations];
        let size = |user| self.users.examples_of(user).len();
        let ranges = groups::ranges(self.users.n_rows(), size, TASK_EXAMPLES);
        let parts = groups::cut(&ranges, |end| end * n_relations, &mut by_logits);
        let tasks: Vec<_> = ranges.into_iter().zip(parts).collect();
        groups::run(tasks, by_scores.len(), |(users, by_logits): (Range<usize>, &mut [f32])| {
            for (at, user) in users.enumerate() {
                let by_logits = &mut by_logits[at * n_relations..][..n_relations];
                for &example in self.users.examples_of(user) {
                    let by_scores = &by_scores[example as usize * n_places..][..n_places];
                    let relations = &self.lists.relations[self.slots_of(example as usize)];
                    for (&relation, by_score) in relations.iter().zip(by_scores) {
                        by_logits[relation as usize] += by_score;
                    }
                }
            }
        });
        by_logits
    }

    #[inline(always)]
    fn taste(&self, dim: usize, example: usize) -> &'a [f32] {
        &self.tastes[example * dim..][..dim]
    }

    #[inline(always)]
    fn row(&self, dim: usize, slot: usize) -> &'a [f32] {
        &self.pooled[slot * dim..][..dim]
    }

    #[inline(always)]
    fn slots_of(&self, example: usize) -> Range<usize> {
        self.lists.slots_of(self.items.rows[example] as usize)
    }

    fn batch(&self) -> usize {
        self.items.rows.len()
    }

    fn example_ranges(&self) -> Vec<Range<usize>> {
        groups::ranges(self.batch(), |_| 0, TASK_EXAMPLES)
    }

    fn n_elements(&self) -> usize {
        self.batch() * self.lists.most_slots * self.dim
    }
}

/// Some examples on their way forward, with what is written of them.
struct ForwardTask<'a> {
    relations: Relations<'a>,
    logits: &'a [f32],
    examples: Range<usize>,
    output: &'a mut [f32],
    weights: &'a mut [f32],
    products: &'a mut [f32],
}

impl WithSimd for ForwardTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.shares();
        // A width that the compiler knows needs no loop for a row.
        match self.relations.dim {
            16 => self.score(simd, 16),
            32 => self.score(simd, 32),
            64 => self.score(simd, 64),
            dim => self.score(simd, dim),
        }
    }
}

impl ForwardTask<'_> {
    /// The exponential of each logit less the largest of its example; 0 for a place that the item lacks.
    #[inline(always)]
    fn shares(&mut self) {
        let Relations { lists, users, .. } = self.relations;
        let n_places = lists.most_slots;
        for (at, example) in self.examples.clone().enumerate() {
            let relations = &lists.relations[self.relations.slots_of(example)];
            let logits =
                &self.logits[users.rows[example] as usize * lists.n_relations..][..lists.n_relations];
            let places = &mut self.weights[at * n_places..][..n_places];
            let (scores, lacking) = places.split_at_mut(relations.len());
            let mut largest = f32::NEG_INFINITY;
            for (score, &relation) in scores.iter_mut().zip(relations) {
                *score = logits[relation as usize];
                largest = if *score > largest { *score } else { largest };
            }
            scores.iter_mut().for_each(|score| *score -= largest);
            lacking.fill(f32::NEG_INFINITY);
        }
        // Of all examples at once, since an item has fewer slots than a register has places.
        self.weights.iter_mut().for_each(|weight| *weight = exp_of_negative(*weight));
    }

    /// Makes shares weights, and multiplies tastes with the rows of slots.
    #[inline(always)]
    fn score<S: Simd>(self, simd: S, dim: usize) {
        let n_places = self.relations.lists.most_slots;
        for ((at, example), output) in self.examples.enumerate().zip(self.output) {
            let slots = self.relations.slots_of(example);
            let n_slots = slots.len();
            let taste = self.relations.taste(dim, example);
            let weights = &mut self.weights[at * n_places..][..n_slots];
            let products = &mut self.products[at * n_places..][..n_slots];
            let share = 1.0 / weights.iter().sum::<f32>();
            let mut mean = 0.0;
            for ((weight, product), slot) in weights.iter_mut().zip(products).zip(slots) {
                *weight *= share;
                *product = dot(simd, taste, self.relations.row(dim, slot));
                mean += *weight * *product;
            }
            *output = n_slots as f32 * mean;
        }
    }
}

/// What the way back reads.
#[derive(Clone, Copy)]
struct Back<'a> {
    relations: Relations<'a>,
    grad: &'a [f32],
    weights: &'a [f32],
    products: &'a [f32],
}

impl Back<'_> {
    /// Gradients by tastes, `[batch, dim]`, and by the scores of the places, `[batch, places]`.
    fn by_examples(self) -> (Vec<f32>, Vec<f32>) {
        let Relations { dim, lists, tastes, .. } = self.relations;
        let mut by_tastes = vec![0.0; tastes.len()];
        let mut by_scores = vec![0.0; self.weights.len()];
        let ranges = self.relations.example_ranges();
        let of_tastes = groups::cut(&ranges, |end| end * dim, &mut by_tastes);
        let of_scores = groups::cut(&ranges, |end| end * lists.most_slots, &mut by_scores);
        let parts = ranges.into_iter().zip(of_tastes).zip(of_scores);
        let tasks = parts.map(|((examples, by_tastes), by_scores)| ExampleTask {
            back: self,
            examples,
            by_tastes,
            by_scores,
        });
        let n_elements = self.relations.n_elements();
        groups::run(tasks.collect(), n_elements, |task: ExampleTask| Arch::new().dispatch(task));
        (by_tastes, by_scores)
    }

    /// Gradients by pooled rows: over the examples of each item, their tastes.
    fn by_items(self) -> Vec<f32> {
        let Relations { dim, lists, items, pooled, .. } = self.relations;
        let mut by_pooled = vec![0.0; pooled.len()];
        let ranges = groups::ranges(items.n_rows(), |item| items.examples_of(item).len(), TASK_EXAMPLES);
        let parts = groups::cut(&ranges, |item| lists.item_offsets[item] as usize * dim, &mut by_pooled);
        let tasks =
            ranges.into_iter().zip(parts).map(|(items, by_pooled)| ItemTask { back: self, items, by_pooled });
        let n_elements = self.relations.n_elements();
        groups::run(tasks.collect(), n_elements, |task: ItemTask| Arch::new().dispatch(task));
        by_pooled
    }
}

/// Some examples on their way back, with what is written of them.
struct ExampleTask<'a> {
    back: Back<'a>,
    examples: Range<usize>,
    by_tastes: &'a mut [f32],
    by_scores: &'a mut [f32],
}

impl WithSimd for ExampleTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.back.relations.dim {
            16 => self.run(simd, 16),
            32 => self.run(simd, 32),
            64 => self.run(simd, 64),
            dim => self.run(simd, dim),
        }
    }
}

impl ExampleTask<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, dim: usize) {
        let Back { relations, grad, weights, products } = self.back;
        let n_places = relations.lists.most_slots;
        for (at, example) in self.examples.enumerate() {
            let slots = relations.slots_of(example);
            let n_slots = slots.len();
            let slope = grad[example] * n_slots as f32;
            let weights = &weights[example * n_places..][..n_slots];
            let products = &products[example * n_places..][..n_slots];
            let mean: f32 = weights.iter().zip(products).map(|(weight, product)| weight * product).sum();
            let by_taste = &mut self.by_tastes[at * dim..][..dim];
            let by_scores = &mut self.by_scores[at * n_places..][..n_slots];
            for (place, slot) in slots.enumerate() {
                let slope = slope * weights[place];
                by_scores[place] = slope * (products[place] - mean);
                add_scaled(simd, slope, relations.row(dim, slot), by_taste);
            }
        }
    }
}

/// Some items on their way back, with what is written of their slots.
struct ItemTask<'a> {
    back: Back<'a>,
    items: Range<usize>,
    by_pooled: &'a mut [f32],
}

impl WithSimd for ItemTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.back.relations.dim {
            16 => self.run(simd, 16),
            32 => self.run(simd, 32),
            64 => self.run(simd, 64),
            dim => self.run(simd, dim),
        }
    }
}

impl ItemTask<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S, dim: usize) {
        let Back { relations, grad, weights, .. } = self.back;
        let lists = relations.lists;
        let (n_places, first) = (lists.most_slots, lists.slots_of(self.items.start).start);
        for item in self.items {
            let slots = lists.slots_of(item);
            let by_slots = &mut self.by_pooled[(slots.start - first) * dim..(slots.end - first) * dim];
            for &example in relations.items.examples_of(item) {
                let example = example as usize;
                let slope = grad[example] * slots.len() as f32;
                let taste = relations.taste(dim, example);
                let weights = &weights[example * n_places..][..slots.len()];
                for (place, weight) in weights.iter().enumerate() {
                    add_scaled(simd, slope * weight, taste, &mut by_slots[place * dim..][..dim]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DropoutKey, Neighbourhoods};

    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        let key = DropoutKey::new(seed, 0, "numbers");
        (0..n as u32).map(|i| (key.word(i) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    #[test]
    fn both_ways_have_the_same_bits_on_any_number_of_threads() {
        let (batch, n_rows, dim) = (6_000, 100, 16);
        let device = Default::default();
        let offsets: Vec<u32> = (0..=n_rows).map(|item| 3 * item).collect();
        let relations: Vec<u32> = (0..3 * n_rows).map(|slot| slot % 3).collect();
        let links: Vec<u32> = (0..=3 * n_rows).collect();
        let entities: Vec<u32> = (0..3 * n_rows).map(|link| link % 7).collect();
        let lists =
            Neighbourhoods::<burn_flex::Flex>::new(&offsets, &relations, &links, &entities, 7, 3, &device);
        // Example `b` has row `b / 60`: the examples of a row lie together.
        let rows: Vec<i32> = (0..batch).map(|example| example / 60).collect();
        let starts: Vec<i32> = (0..=n_rows as i32).map(|row| 60 * row).collect();
        let examples: Vec<i32> = (0..batch).collect();
        let chosen = Chosen { rows: &rows, offsets: &starts, examples: &examples };
        let (tastes, pooled) = (numbers(batch as usize * dim, 1), numbers(3 * n_rows as usize * dim, 2));
        let relations = Relations {
            lists: &lists.lists,
            users: chosen,
            items: chosen,
            tastes: &tastes,
            pooled: &pooled,
            dim,
        };
        let both_ways = || {
            let forward = relations.forward(&numbers(3 * n_rows as usize, 3));
            let grad = numbers(batch as usize, 4);
            let gradients = relations.backward(&grad, &forward.weights, &forward.products);
            (forward, gradients)
        };
        let on = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(both_ways)
        };
        assert_eq!(on(1), on(3));
    }
}
