//! The fused update of rows: gradient, row and moments are passed over once, and the table is written in
//! place.

use std::array::from_fn;

use half::bf16;
use pulp::Arch;
use rayon::prelude::*;

use super::rows::{Element, TASK_ELEMENTS, count_rows, prefetch};
use crate::DropoutKey;
use crate::kernels::spec::RowRule;
use crate::rounding;

/// Values that one vector instruction takes on the widest processors.
const LANES: usize = 16;

/// Moved elements from which a step is worth waking other threads, which takes some 50 microseconds.
const PARALLEL_ELEMENTS: usize = 1 << 17;

/// The same for tables that no cache holds, where every row is waited for, and two threads wait for two.
const PARALLEL_FAR_ELEMENTS: usize = 1 << 15;

/// Values of a table that no cache holds.
const FAR_ELEMENTS: usize = 1 << 24;

/// Rows between the one that is updated and the one that is asked of memory.
const ROWS_AHEAD: usize = 8;

/// Which rows move, and their gradients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowGrads<'a> {
    /// `[n]`, strictly ascending; `None` for every row of the table.
    pub(crate) ids: Option<&'a [i32]>,
    /// `[n, dim]`.
    pub(crate) grads: &'a [f32],
    /// Width of a row.
    pub(crate) dim: usize,
    /// Multiplies the gradients: the factor of a clipped norm, over the scale of the loss.
    pub(crate) scale: f32,
}

/// Moves the named rows and their moments by one step of `rule`, in place; all other rows keep their bits.
///
/// A scale that is not finite, the mark of a gradient that is not, leaves everything as it was. The result
/// does not depend on the number of threads.
///
/// Nothing becomes denormal, which would slow every later step: a scaled gradient below `2^-54` in magnitude
/// (`5e-17`) counts as 0 for the rules that square it, and weights, first moments and velocities below
/// `2^-100`, sums and means of squares below `2^-120` are written as 0.
///
/// # Shapes
///
/// - table: `[n_rows, dim]`
/// - moments: as many as the rule keeps, of `[n_rows, dim]`; `[n_rows, 1]` for [`RowRule::RowwiseAdagrad`]
///
/// # Panics
///
/// If the ids do not strictly ascend or name no row, naming the place; if a length is not as above.
pub(crate) fn update(rule: RowRule, table: &mut [f32], moments: &mut [&mut [f32]], rows: &RowGrads) {
    update_any(rule, table, moments, rows, DropoutKey::default());
}

/// [`update`] for a table that is stored as bf16; its moments stay in f32.
///
/// A new weight is rounded stochastically, by a hash of `key` and the element's index in the table
/// ([`rounding::noise`]): a key serves one step of one table.
///
/// # Panics
///
/// As [`update`].
pub(crate) fn update_bf16(
    rule: RowRule,
    table: &mut [bf16],
    moments: &mut [&mut [f32]],
    rows: &RowGrads,
    key: DropoutKey,
) {
    update_any(rule, table, moments, rows, key);
}

fn update_any<T: Element>(
    rule: RowRule,
    table: &mut [T],
    moments: &mut [&mut [f32]],
    rows: &RowGrads,
    key: DropoutKey,
) {
    check(rule, table.len(), moments, rows);
    if !rows.scale.is_finite() || rows.grads.is_empty() {
        return;
    }
    let walk = Walk { rows: *rows, key };
    match rule {
        RowRule::Sgd { learning_rate, momentum: 0.0, weight_decay } => {
            walk.run(Descent { learning_rate, weight_decay }, table, moments);
        }
        RowRule::Sgd { learning_rate, momentum, weight_decay } => {
            walk.run(Momentum { learning_rate, momentum, weight_decay }, table, moments);
        }
        RowRule::Adagrad { learning_rate, epsilon, weight_decay } => {
            walk.run(Adagrad { learning_rate, epsilon, weight_decay }, table, moments);
        }
        RowRule::RowwiseAdagrad { learning_rate, epsilon, weight_decay } => {
            walk.run(Rowwise { learning_rate, epsilon, weight_decay }, table, moments);
        }
        RowRule::Adam { rate, beta_1, beta_2, root_2, epsilon, weight_decay, decay } => {
            let correction_2 = root_2.recip();
            let adam = Adam { rate, beta_1, beta_2, correction_2, epsilon, weight_decay, decay };
            walk.run(adam, table, moments);
        }
    }
}

fn check(rule: RowRule, table_len: usize, moments: &[&mut [f32]], rows: &RowGrads) {
    let dim = rows.dim;
    assert!(dim > 0, "rows have a width above 0");
    let n_rows = count_rows(table_len, dim);
    assert_eq!(moments.len(), rule.n_moments(), "as many moments as the rule keeps");
    let width = if matches!(rule, RowRule::RowwiseAdagrad { .. }) { 1 } else { dim };
    for moment in moments {
        assert_eq!(moment.len(), n_rows * width, "a moment has {n_rows} rows of width {width}");
    }
    let n_moved = rows.ids.map_or(n_rows, <[i32]>::len);
    assert_eq!(rows.grads.len(), n_moved * dim, "one gradient of width {dim} for each of {n_moved} rows");
    if let Some(ids) = rows.ids {
        check_ascending(ids, n_rows);
    }
}

fn check_ascending(ids: &[i32], n_rows: usize) {
    let (Some(&first), Some(&last)) = (ids.first(), ids.last()) else { return };
    assert!(first >= 0, "row id {first} is not one of the table's {n_rows} rows");
    let n_falls = ids.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    if n_falls > 0 {
        let place = ids.windows(2).position(|pair| pair[0] >= pair[1]).expect("one was counted");
        let (before, id) = (ids[place], ids[place + 1]);
        panic!("row ids ascend strictly, but id {} is {id} after {before}", place + 1);
    }
    assert!((last as usize) < n_rows, "row id {last} is not one of the table's {n_rows} rows");
}

/// How a rule moves rows of a table with `N` moments.
trait Mover<const N: usize>: Copy + Sync {
    /// Whether a row has one number in each moment, and not one for each element.
    const BY_ROW: bool;

    /// Moves the rows of a chunk.
    #[inline(always)]
    fn move_chunk<T: Element>(self, walk: &Walk, chunk: Chunk<T, N>) {
        walk.move_rows(self, chunk);
    }

    /// Moves a row whose first element is at a place of the table.
    fn move_row<T: Element>(self, row: &mut [T], moments: [&mut [f32]; N], grads: &[f32], at: At);
}

/// Where in the table a row starts, and what all rows share.
#[derive(Clone, Copy)]
struct At {
    element: u64,
    scale: f32,
    key: DropoutKey,
}

/// Some of the moved rows and the part of the table that they lie in.
struct Chunk<'a, T, const N: usize> {
    /// The row that `table` starts with.
    first: usize,
    table: &'a mut [T],
    moments: [&'a mut [f32]; N],
    ids: Option<&'a [i32]>,
    grads: &'a [f32],
}

impl<T: Element, const N: usize> Chunk<'_, T, N> {
    /// Moves up to [`LANES`] rows of width 1: brought together, they move as one vector.
    #[inline(always)]
    fn move_scalars(&mut self, rule: impl ElementRule<N>, ids: &[i32], grads: &[f32], at: At) {
        let mut lanes = Lanes { weights: [T::default(); LANES], moments: [[0.0; LANES]; N] };
        let mut elements = [0; LANES];
        let mut lane_grads = [0.0; LANES];
        lane_grads[..grads.len()].copy_from_slice(grads);
        for (lane, &id) in ids.iter().enumerate() {
            let place = id as usize - self.first;
            elements[lane] = id as u64;
            lanes.weights[lane] = self.table[place];
            for n in 0..N {
                lanes.moments[n][lane] = self.moments[n][place];
            }
        }
        let after = lanes.step(rule, &lane_grads, elements, at);
        for (lane, &id) in ids.iter().enumerate() {
            let place = id as usize - self.first;
            self.table[place] = after.weights[lane];
            for n in 0..N {
                self.moments[n][place] = after.moments[n][lane];
            }
        }
    }
}

/// A pass over the moved rows.
#[derive(Clone, Copy)]
struct Walk<'a> {
    rows: RowGrads<'a>,
    key: DropoutKey,
}

impl<'a> Walk<'a> {
    fn run<T: Element, const N: usize, R: Mover<N>>(
        self,
        rule: R,
        table: &mut [T],
        moments: &mut [&mut [f32]],
    ) {
        let mut moments = moments.iter_mut();
        let moments = from_fn(|_| &mut **moments.next().expect("counted before"));
        let is_far = table.len() >= FAR_ELEMENTS;
        let enough = if is_far { PARALLEL_FAR_ELEMENTS } else { PARALLEL_ELEMENTS };
        let chunks = self.split::<T, N, R>(table, moments);
        let run = |chunk: Chunk<T, N>| {
            Arch::new().dispatch(
                #[inline(always)]
                || rule.move_chunk(&self, chunk),
            );
        };
        if self.rows.grads.len() < enough {
            chunks.into_iter().for_each(run);
        } else {
            chunks.into_par_iter().for_each(run);
        }
    }

    /// Cuts the table between moved rows, into chunks of about a task's number of moved elements.
    fn split<'b, T: Element, const N: usize, R: Mover<N>>(
        self,
        mut table: &'b mut [T],
        mut moments: [&'b mut [f32]; N],
    ) -> Vec<Chunk<'b, T, N>>
    where
        'a: 'b,
    {
        let dim = self.rows.dim;
        let width = self.moment_width::<N, R>();
        let chunk_rows = TASK_ELEMENTS.div_ceil(dim);
        let n_moved = self.rows.grads.len() / dim;
        let mut first = 0;
        let cut = |start: usize| {
            let end = n_moved.min(start + chunk_rows);
            let ids = self.rows.ids.map(|ids| &ids[start..end]);
            let end_row = ids.map_or(end, |ids| ids[ids.len() - 1] as usize + 1);
            let n_rows = end_row - first;
            let chunk = Chunk {
                first,
                table: table.split_off_mut(..n_rows * dim).expect("ids ascend within the table"),
                moments: from_fn(|n| moments[n].split_off_mut(..n_rows * width).expect("rows as the table")),
                ids,
                grads: &self.rows.grads[start * dim..end * dim],
            };
            first = end_row;
            chunk
        };
        (0..n_moved).step_by(chunk_rows).map(cut).collect()
    }

    #[inline(always)]
    fn move_rows<T: Element, const N: usize, R: Mover<N>>(&self, rule: R, chunk: Chunk<T, N>) {
        match chunk.ids {
            Some(ids) => self.move_named_rows(rule, chunk, ids.iter().map(|&id| id as usize)),
            None => {
                let end = chunk.first + chunk.table.len() / self.rows.dim;
                let ids = chunk.first..end;
                self.move_named_rows(rule, chunk, ids);
            }
        }
    }

    #[inline(always)]
    fn move_named_rows<T: Element, const N: usize, R: Mover<N>>(
        &self,
        rule: R,
        chunk: Chunk<T, N>,
        ids: impl Iterator<Item = usize> + Clone,
    ) {
        let dim = self.rows.dim;
        let width = self.moment_width::<N, R>();
        let Chunk { first, table, mut moments, grads, .. } = chunk;
        let mut ahead = ids.clone().skip(ROWS_AHEAD);
        for (id, grads) in ids.zip(grads.chunks_exact(dim)) {
            if let Some(ahead) = ahead.next() {
                prefetch(&table[(ahead - first) * dim..][..dim]);
                for moment in &moments {
                    prefetch(&moment[(ahead - first) * width..][..width]);
                }
            }
            let row = &mut table[(id - first) * dim..][..dim];
            let moments = moments.each_mut().map(|moment| &mut moment[(id - first) * width..][..width]);
            rule.move_row(row, moments, grads, self.at(id));
        }
    }

    fn moment_width<const N: usize, R: Mover<N>>(&self) -> usize {
        if R::BY_ROW { 1 } else { self.rows.dim }
    }

    fn at(&self, id: usize) -> At {
        At { element: (id * self.rows.dim) as u64, scale: self.rows.scale, key: self.key }
    }
}

/// A rule that moves each element by itself.
trait ElementRule<const N: usize>: Copy + Sync {
    /// The weight and its moments after the step.
    fn step(self, weight: f32, moments: [f32; N], grad: f32) -> (f32, [f32; N]);
}

impl<const N: usize, R: ElementRule<N>> Mover<N> for R {
    const BY_ROW: bool = false;

    #[inline(always)]
    fn move_chunk<T: Element>(self, walk: &Walk, mut chunk: Chunk<T, N>) {
        match chunk.ids {
            None => {
                let at = walk.at(chunk.first);
                self.move_row(chunk.table, chunk.moments, chunk.grads, at);
            }
            Some(ids) if walk.rows.dim == 1 => {
                for (ids, grads) in ids.chunks(LANES).zip(chunk.grads.chunks(LANES)) {
                    chunk.move_scalars(self, ids, grads, walk.at(0));
                }
            }
            Some(_) => walk.move_rows(self, chunk),
        }
    }

    #[inline(always)]
    fn move_row<T: Element>(self, row: &mut [T], moments: [&mut [f32]; N], grads: &[f32], at: At) {
        let rest = Piece { row, moments, grads, at };
        let rest = rest.move_blocks::<LANES>(self);
        let rest = rest.move_blocks::<4>(self);
        rest.move_blocks::<1>(self);
    }
}

/// Neighbouring elements that are still to be moved.
struct Piece<'a, T, const N: usize> {
    row: &'a mut [T],
    moments: [&'a mut [f32]; N],
    grads: &'a [f32],
    at: At,
}

impl<T: Element, const N: usize> Piece<'_, T, N> {
    /// Moves as many whole blocks of `L` elements as there are and gives back the rest.
    #[inline(always)]
    fn move_blocks<const L: usize>(self, rule: impl ElementRule<N>) -> Self {
        let (blocks, row) = self.row.as_chunks_mut::<L>();
        let (grad_blocks, grads) = self.grads.as_chunks::<L>();
        let mut moments = self.moments.map(|moment| moment.as_chunks_mut::<L>());
        let mut at = self.at;
        for (i, (block, grads)) in blocks.iter_mut().zip(grad_blocks).enumerate() {
            let before = Lanes { weights: *block, moments: from_fn(|n| moments[n].0[i]) };
            let after = before.step_block(rule, grads, at);
            *block = after.weights;
            for (moment, after) in moments.iter_mut().zip(after.moments) {
                moment.0[i] = after;
            }
            at.element += L as u64;
        }
        Self { row, moments: moments.map(|(_, rest)| rest), grads, at }
    }
}

/// Weights and their moments in locals: the compiler need not ask whether the slices overlap.
struct Lanes<T, const N: usize, const L: usize> {
    weights: [T; L],
    moments: [[f32; L]; N],
}

impl<T: Element, const N: usize, const L: usize> Lanes<T, N, L> {
    #[inline(always)]
    fn step_block(self, rule: impl ElementRule<N>, grads: &[f32; L], at: At) -> Self {
        self.step(rule, grads, from_fn(|lane| at.element + lane as u64), at)
    }

    #[inline(always)]
    fn step(mut self, rule: impl ElementRule<N>, grads: &[f32; L], elements: [u64; L], at: At) -> Self {
        for lane in 0..L {
            let grad = flush::<100>(grads[lane]) * at.scale;
            let moments = from_fn(|n| self.moments[n][lane]);
            let (weight, moments) = rule.step(self.weights[lane].widen(), moments, grad);
            let noise = rounding::noise(at.key, elements[lane]);
            self.weights[lane] = T::narrow(flush::<100>(weight), noise);
            for (lanes, moment) in self.moments.iter_mut().zip(moments) {
                lanes[lane] = moment;
            }
        }
        self
    }
}

/// The value, or 0 where its magnitude is below `2^-EXPONENT`; NaN stays.
///
/// Compared as integers: a comparison of denormal floats is itself slow on some processors.
#[inline(always)]
fn flush<const EXPONENT: u32>(value: f32) -> f32 {
    let is_tiny = value.to_bits() & 0x7fff_ffff < (127 - EXPONENT) << 23;
    if is_tiny { 0.0 } else { value }
}

/// A gradient whose square, times a share of `2^-18` or more, is not denormal.
#[inline(always)]
fn flush_for_square(grad: f32) -> f32 {
    flush::<54>(grad)
}

#[derive(Clone, Copy)]
struct Descent {
    learning_rate: f32,
    weight_decay: f32,
}

impl ElementRule<0> for Descent {
    #[inline(always)]
    fn step(self, weight: f32, _: [f32; 0], grad: f32) -> (f32, [f32; 0]) {
        let grad = grad + weight * self.weight_decay;
        (weight - grad * self.learning_rate, [])
    }
}

#[derive(Clone, Copy)]
struct Momentum {
    learning_rate: f32,
    momentum: f32,
    weight_decay: f32,
}

impl ElementRule<1> for Momentum {
    #[inline(always)]
    fn step(self, weight: f32, [velocity]: [f32; 1], grad: f32) -> (f32, [f32; 1]) {
        let grad = grad + weight * self.weight_decay;
        let velocity = flush::<100>(velocity * self.momentum + grad);
        (weight - velocity * self.learning_rate, [velocity])
    }
}

#[derive(Clone, Copy)]
struct Adagrad {
    learning_rate: f32,
    epsilon: f32,
    weight_decay: f32,
}

impl ElementRule<1> for Adagrad {
    #[inline(always)]
    fn step(self, weight: f32, [sum]: [f32; 1], grad: f32) -> (f32, [f32; 1]) {
        let grad = flush_for_square(grad + weight * self.weight_decay);
        let sum = flush::<120>(sum + grad * grad);
        let change = grad / (sum.sqrt() + self.epsilon);
        (weight - change * self.learning_rate, [sum])
    }
}

#[derive(Clone, Copy)]
struct Adam {
    rate: f32,
    beta_1: f32,
    beta_2: f32,
    /// 1 over the root of `1 - beta_2^step`: a product is cheaper than the second quotient.
    correction_2: f32,
    epsilon: f32,
    weight_decay: f32,
    decay: f32,
}

impl ElementRule<2> for Adam {
    #[inline(always)]
    fn step(self, weight: f32, [first, second]: [f32; 2], grad: f32) -> (f32, [f32; 2]) {
        let grad = flush_for_square(grad + weight * self.weight_decay);
        let first = flush::<100>(first * self.beta_1 + grad * (1.0 - self.beta_1));
        let second = flush::<120>(second * self.beta_2 + grad * grad * (1.0 - self.beta_2));
        let change = first / (second.sqrt() * self.correction_2 + self.epsilon);
        (weight * self.decay - change * self.rate, [first, second])
    }
}

#[derive(Clone, Copy)]
struct Rowwise {
    learning_rate: f32,
    epsilon: f32,
    weight_decay: f32,
}

impl Mover<1> for Rowwise {
    const BY_ROW: bool = true;

    #[inline(always)]
    fn move_row<T: Element>(self, row: &mut [T], [sum]: [&mut [f32]; 1], grads: &[f32], at: At) {
        let mean = self.sum_of_squares(row, grads, at.scale) / grads.len() as f32;
        sum[0] = flush::<120>(sum[0] + mean);
        let learning_rate = self.learning_rate / (sum[0].sqrt() + self.epsilon);
        Descent { learning_rate, weight_decay: self.weight_decay }.move_row(row, [], grads, at);
    }
}

impl Rowwise {
    #[inline(always)]
    fn sum_of_squares<T: Element>(self, row: &[T], grads: &[f32], scale: f32) -> f32 {
        let square = |weight: T, grad: f32| {
            let grad = flush_for_square(flush::<100>(grad) * scale + weight.widen() * self.weight_decay);
            grad * grad
        };
        let (blocks, row) = row.as_chunks::<LANES>();
        let (grad_blocks, grads) = grads.as_chunks::<LANES>();
        let mut lanes = [0.0; LANES];
        for (weights, grads) in blocks.iter().zip(grad_blocks) {
            for lane in 0..LANES {
                lanes[lane] += square(weights[lane], grads[lane]);
            }
        }
        let rest: f32 = row.iter().zip(grads).map(|(&weight, &grad)| square(weight, grad)).sum();
        lanes.iter().sum::<f32>() + rest
    }
}

#[cfg(test)]
mod tests;
