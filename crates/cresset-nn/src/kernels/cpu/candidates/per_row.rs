//! Every query against negatives of its own.
//!
//! Queries are taken in chunks, a task each, which gathers candidates, finishes losses and the queries'
//! gradients, and sorts what the candidates receive by ranges of candidates. When a group of chunks is done,
//! a task for each range adds these up in the order of the chunks. Chunks, groups and ranges depend on the
//! shapes alone, so results do not vary with the number of threads.

use std::mem::take;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::functions::{exp_of_negative, sigmoid_and_softplus};
use super::{Gradients, Objective, RowSums, active_rows, add_scaled, candidate_index, dot};

/// Indices of a chunk, about: they, and what is made of them, stay in the second cache.
const CHUNK: usize = 32_768;

/// Most queries of a chunk.
const MOST_ROWS: usize = 256;

/// Chunks of a group, which bound the scratch.
const GROUP: usize = 128;

/// Ranges that the candidates are cut into, about.
const RANGES: usize = 64;

/// Registers that are summed at once where rows are added up.
const ABREAST: usize = 4;

/// Queries, candidate rows, and the numbers of each query's positive and negatives among them.
///
/// Logits, weights and NaN are as in [`Shared`](super::Shared). A negative that is the query's positive is
/// skipped; one that is drawn twice counts twice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerRow<'a> {
    /// `[n, dim]`
    pub(crate) queries: &'a [f32],
    /// `[m, dim]`
    pub(crate) candidates: &'a [f32],
    /// Width of the rows, at least 1.
    pub(crate) dim: usize,
    /// `[m]`, added to the logits, such as minus the log-Q; a constant.
    pub(crate) bias: Option<&'a [f32]>,
    /// The inverse of the temperature.
    pub(crate) scale: f32,
    /// `[n]`, at least 0; rows of weight 0, such as padding, are not even read.
    pub(crate) weights: Option<&'a [f32]>,
    /// `[n]`
    pub(crate) positives: &'a [i32],
    /// `[n, k]`
    pub(crate) negatives: &'a [i32],
}

impl PerRow<'_> {
    /// Returns the loss.
    ///
    /// # Panics
    ///
    /// If the lengths contradict each other, or a positive or negative is not a candidate.
    pub(crate) fn loss(&self, objective: Objective) -> f32 {
        self.check();
        Run::new(self, objective, Arch::new()).over_groups(None)
    }

    /// Returns the loss and its gradients.
    ///
    /// # Panics
    ///
    /// As [`loss`](Self::loss).
    pub(crate) fn loss_and_gradients(&self, objective: Objective) -> (f32, Gradients) {
        self.loss_and_gradients_on(Arch::new(), objective)
    }

    /// Returns the loss and its gradients by the given instruction set.
    pub(super) fn loss_and_gradients_on(&self, arch: Arch, objective: Objective) -> (f32, Gradients) {
        self.check();
        let mut gradients = Gradients {
            queries: vec![0.0; self.queries.len()],
            candidates: vec![0.0; self.candidates.len()],
            positives: Vec::new(),
        };
        let loss = Run::new(self, objective, arch).over_groups(Some(&mut gradients));
        (loss, gradients)
    }

    fn check(&self) {
        assert!(self.dim > 0, "rows are at least 1 wide");
        assert_eq!(self.queries.len() % self.dim, 0, "queries are whole rows");
        assert_eq!(self.candidates.len() % self.dim, 0, "candidates are whole rows");
        let (n, m) = (self.queries.len() / self.dim, self.n_candidates());
        assert!(self.bias.is_none_or(|bias| bias.len() == m), "one bias a candidate");
        assert_eq!(self.positives.len(), n, "one positive a query");
        assert_eq!(self.negatives.len(), n * self.n_negatives(), "as many negatives for each query");
    }

    fn n_candidates(&self) -> usize {
        self.candidates.len() / self.dim
    }

    fn n_negatives(&self) -> usize {
        self.negatives.len() / self.positives.len().max(1)
    }

    fn candidate(&self, index: usize) -> &[f32] {
        &self.candidates[index * self.dim..][..self.dim]
    }

    #[inline(always)]
    fn logit<S: Simd>(&self, simd: S, query: &[f32], candidate: usize) -> f32 {
        let bias = self.bias.map_or(0.0, |bias| bias[candidate]);
        self.scale * dot(simd, query, self.candidate(candidate)) + bias
    }
}

/// One pass over all groups of queries.
struct Run<'a> {
    input: &'a PerRow<'a>,
    objective: Objective,
    arch: Arch,
    rows: Vec<u32>,
    total_weight: f64,
    /// A candidate's range is its number shifted right by this.
    range_shift: u32,
}

/// What a query adds to a candidate's gradient: `coefficient` times its row.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    candidate: u32,
    query: u32,
    coefficient: f32,
}

/// What comes of a chunk: its loss, and the candidates' shares, range by range.
#[derive(Default)]
struct Chunk {
    loss: f64,
    shares: Vec<Share>,
    /// Where each range begins in `shares`, and where the last ends.
    begins: Vec<usize>,
}

impl<'a> Run<'a> {
    fn new(input: &'a PerRow<'a>, objective: Objective, arch: Arch) -> Self {
        let (rows, total_weight) = active_rows(input.positives.len(), input.weights);
        let range = input.n_candidates().div_ceil(RANGES).next_power_of_two();
        Run { input, objective, arch, rows, total_weight, range_shift: range.trailing_zeros() }
    }

    /// Returns the loss; fills the gradients, which come as zeros, where there are any.
    fn over_groups(&self, mut gradients: Option<&mut Gradients>) -> f32 {
        if self.rows.is_empty() {
            return 0.0;
        }
        let n_rows = (CHUNK / (self.input.n_negatives() + 1)).clamp(1, MOST_ROWS);
        let mut loss = 0.0;
        for rows in self.rows.chunks(n_rows * GROUP) {
            let queries = gradients.as_deref_mut().map(|gradients| &mut gradients.queries[..]);
            let chunks = self.chunks(rows, n_rows, queries);
            loss += chunks.iter().map(|chunk| chunk.loss).sum::<f64>();
            if let Some(gradients) = gradients.as_deref_mut() {
                self.add_to_candidates(&chunks, &mut gradients.candidates);
            }
        }
        (loss / self.total_weight) as f32
    }

    /// Works a group's chunks out; fills the gradients of their queries where there are any.
    fn chunks(&self, rows: &[u32], n_rows: usize, queries: Option<&mut [f32]>) -> Vec<Chunk> {
        let run_chunk = |rows, gradient| self.arch.dispatch(FillChunk { run: self, rows, gradient });
        let Some(mut queries) = queries else {
            return rows.par_chunks(n_rows).map(|rows| run_chunk(rows, None)).collect();
        };
        let mut parts = Vec::with_capacity(rows.len().div_ceil(n_rows));
        let mut begin = 0;
        for rows in rows.chunks(n_rows) {
            let (first, end) = (rows[0] as usize, rows[rows.len() - 1] as usize + 1);
            let (_, rest) = take(&mut queries).split_at_mut((first - begin) * self.input.dim);
            let (part, rest) = rest.split_at_mut((end - first) * self.input.dim);
            parts.push((rows, part));
            (queries, begin) = (rest, end);
        }
        parts.into_par_iter().map(|(rows, part)| run_chunk(rows, Some(part))).collect()
    }

    /// Adds the chunks' shares to the candidates' gradients, a range a task.
    fn add_to_candidates(&self, chunks: &[Chunk], gradient: &mut [f32]) {
        let range = (1 << self.range_shift) * self.input.dim;
        gradient.par_chunks_mut(range).enumerate().for_each(|(range, gradient)| {
            self.arch.dispatch(AddToRange { run: self, chunks, range, gradient });
        });
    }

    fn n_ranges(&self) -> usize {
        self.input.n_candidates().div_ceil(1 << self.range_shift)
    }
}

/// Computes the losses of a chunk, the gradients of its queries, and the candidates' shares.
struct FillChunk<'a> {
    run: &'a Run<'a>,
    rows: &'a [u32],
    /// The part of the queries' gradient from the chunk's first query on.
    gradient: Option<&'a mut [f32]>,
}

impl WithSimd for FillChunk<'_> {
    type Output = Chunk;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Chunk {
        let FillChunk { run, rows, mut gradient } = self;
        let dim = run.input.dim;
        let mut chunk = Chunk::default();
        let n_shares = if gradient.is_some() { rows.len() * (run.input.n_negatives() + 1) } else { 0 };
        let mut unsorted = Vec::with_capacity(n_shares);
        let mut row = RowScratch::new(run.input.n_negatives(), S::F32_LANES);
        for &query in rows {
            chunk.loss += row.fill(simd, run, query as usize);
            if let Some(gradient) = gradient.as_deref_mut() {
                let at = (query - rows[0]) as usize * dim;
                row.add_to_query(simd, run.input, &mut gradient[at..][..dim]);
                unsorted.extend(row.shares(run.input.scale, query));
            }
        }
        if gradient.is_some() {
            (chunk.shares, chunk.begins) = by_range(&unsorted, run.range_shift, run.n_ranges());
        }
        chunk
    }
}

/// Sorts shares by the range of their candidate, within a range in their order; returns where the ranges
/// begin too.
fn by_range(shares: &[Share], range_shift: u32, n_ranges: usize) -> (Vec<Share>, Vec<usize>) {
    let range_of = |share: &Share| (share.candidate >> range_shift) as usize;
    let mut begins = vec![0; n_ranges + 1];
    for share in shares {
        begins[range_of(share) + 1] += 1;
    }
    for range in 0..n_ranges {
        begins[range + 1] += begins[range];
    }
    let mut next = begins.clone();
    let mut sorted = vec![Share::default(); shares.len()];
    for share in shares {
        let next = &mut next[range_of(share)];
        sorted[*next] = *share;
        *next += 1;
    }
    (sorted, begins)
}

/// One query's candidates: the negatives that count, with `e` and then its coefficient in place of the logit.
struct RowScratch {
    indices: Vec<u32>,
    /// Whole registers; minus infinity, then 0, after the last negative.
    scores: Vec<f32>,
    lanes: usize,
    positive: u32,
    positive_coefficient: f32,
}

impl RowScratch {
    fn new(n_negatives: usize, lanes: usize) -> Self {
        let scores = Vec::with_capacity(n_negatives.next_multiple_of(lanes));
        RowScratch {
            indices: Vec::with_capacity(n_negatives),
            scores,
            lanes,
            positive: 0,
            positive_coefficient: 0.0,
        }
    }

    /// Computes the coefficients of a query and returns its weighted loss.
    #[inline(always)]
    fn fill<S: Simd>(&mut self, simd: S, run: &Run<'_>, query: usize) -> f64 {
        let input = run.input;
        let row = &input.queries[query * input.dim..][..input.dim];
        let positive = candidate_index(input.positives[query], input.n_candidates());
        let positive_logit = input.logit(simd, row, positive);
        self.indices.clear();
        self.scores.clear();
        for &negative in &input.negatives[query * input.n_negatives()..][..input.n_negatives()] {
            let negative = candidate_index(negative, input.n_candidates());
            if negative != positive {
                self.indices.push(negative as u32);
                self.scores.push(input.logit(simd, row, negative));
            }
        }
        self.scores.resize(self.scores.len().next_multiple_of(self.lanes), f32::NEG_INFINITY);
        let sums = self.sums(simd, run.objective, positive_logit);
        let result = run.objective.row(sums);
        let weight = input.weights.map_or(1.0, |weights| f64::from(weights[query]));
        let share = weight / run.total_weight;
        self.positive = positive as u32;
        self.positive_coefficient = (result.positive * share) as f32;
        let coefficient = simd.splat_f32s((result.negatives * share) as f32);
        for score in S::as_mut_simd_f32s(&mut self.scores).0 {
            *score = simd.mul_f32s(*score, coefficient);
        }
        weight * result.loss
    }

    /// Turns the logits into `e` and returns what they add up to.
    #[inline(always)]
    fn sums<S: Simd>(&mut self, simd: S, objective: Objective, positive: f32) -> RowSums {
        let scores = S::as_mut_simd_f32s(&mut self.scores).0;
        let (mut mass, mut loss) = (simd.splat_f32s(0.0), simd.splat_f32s(0.0));
        let mut shift = 0.0;
        if objective == Objective::Softmax {
            // The positive's logit keeps it finite, so that minus infinities give zeros and not NaN.
            let largest = scores.iter().fold(simd.splat_f32s(f32::MIN), |a, b| simd.max_f32s(a, *b));
            shift = simd.reduce_max_f32s(largest).max(positive);
            for score in scores {
                *score = exp_of_negative(simd, simd.sub_f32s(*score, simd.splat_f32s(shift)));
                mass = simd.add_f32s(mass, *score);
            }
        } else {
            let offset = simd.splat_f32s(if objective == Objective::Bpr { positive } else { 0.0 });
            for score in scores {
                let (sigmoid, softplus) = sigmoid_and_softplus(simd, simd.sub_f32s(*score, offset));
                *score = sigmoid;
                mass = simd.add_f32s(mass, sigmoid);
                loss = simd.add_f32s(loss, softplus);
            }
        }
        RowSums {
            positive: f64::from(positive),
            shift: f64::from(shift),
            mass: f64::from(simd.reduce_sum_f32s(mass)),
            loss: f64::from(simd.reduce_sum_f32s(loss)),
            count: self.indices.len() as f64,
        }
    }

    /// Adds to a query's gradient.
    #[inline(always)]
    fn add_to_query<S: Simd>(&self, simd: S, input: &PerRow<'_>, gradient: &mut [f32]) {
        let scale = input.scale;
        add_scaled(
            simd,
            scale * self.positive_coefficient,
            input.candidate(self.positive as usize),
            gradient,
        );
        let block = ABREAST * S::F32_LANES;
        for (column, gradient) in gradient.chunks_mut(block).enumerate() {
            let width = gradient.len();
            let parts = self.indices.iter().zip(&self.scores).map(|(&index, &score)| {
                (scale * score, &input.candidate(index as usize)[column * block..][..width])
            });
            if width < block {
                parts.for_each(|(score, part)| add_scaled(simd, score, part, gradient));
                continue;
            }
            let mut sums = [simd.splat_f32s(0.0); ABREAST];
            for (score, part) in parts {
                for (sum, part) in sums.iter_mut().zip(S::as_simd_f32s(part).0) {
                    *sum = simd.mul_add_f32s(simd.splat_f32s(score), *part, *sum);
                }
            }
            for (gradient, sum) in S::as_mut_simd_f32s(gradient).0.iter_mut().zip(sums) {
                *gradient = simd.add_f32s(*gradient, sum);
            }
        }
    }

    /// Returns what the positive and the negatives receive.
    #[inline(always)]
    fn shares(&self, scale: f32, query: u32) -> impl Iterator<Item = Share> {
        let share =
            move |candidate, coefficient| Share { candidate, query, coefficient: scale * coefficient };
        let negatives =
            self.indices.iter().zip(&self.scores).map(move |(&index, &score)| share(index, score));
        std::iter::once(share(self.positive, self.positive_coefficient)).chain(negatives)
    }
}

/// Adds the chunks' shares to the gradients of a range of candidates.
struct AddToRange<'a> {
    run: &'a Run<'a>,
    chunks: &'a [Chunk],
    range: usize,
    gradient: &'a mut [f32],
}

impl WithSimd for AddToRange<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddToRange { run, chunks, range, gradient } = self;
        let dim = run.input.dim;
        let first = range << run.range_shift;
        for chunk in chunks {
            for share in &chunk.shares[chunk.begins[range]..chunk.begins[range + 1]] {
                let query = &run.input.queries[share.query as usize * dim..][..dim];
                let at = (share.candidate as usize - first) * dim;
                add_scaled(simd, share.coefficient, query, &mut gradient[at..][..dim]);
            }
        }
    }
}
