//! The best items of a catalogue for each query; the scores of all pairs are never stored.

use std::array::from_fn;
use std::cmp::Reverse;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::rows::check_offsets;

/// Items that stay in the cache while every panel of queries passes over them; whole tiles.
const BLOCK_ITEMS: usize = 240;

/// Queries of one task.
const TASK_QUERIES: usize = 128;

/// Tasks that few queries are cut into, by items, so that they too keep several threads busy.
const FEW_TASKS: usize = 8;

/// Items below which a catalogue is not cut further.
const SHARD_ITEMS: usize = 8_192;

/// The `k` items of the highest score for each query, `query · item + bias`, as scores and ids, both `[n,
/// k]`.
///
/// Best first, and of equal scores (-0 equals 0) the lower id first. Where fewer than `k` items are left, the
/// row ends in scores of negative infinity and ids of -1. A NaN score ranks below all others, as NaN.
///
/// Every product is summed over `dim` in order, whatever the number of queries, items and threads: an item's
/// score for a query, and so the result, has the same bits in every batch.
///
/// # Shapes
///
/// - queries: `[n, dim]`
/// - items: `[m, dim]`
/// - bias: `[m]`
/// - seen: offsets `[n + 1]`, and for each query the rising ids of the items that must not come back
///
/// # Panics
///
/// If `k` exceeds `m`, if a query's seen ids do not rise, or if a length is not as above.
pub(crate) fn top_k(
    queries: &[f32],
    items: &[f32],
    dim: usize,
    bias: Option<&[f32]>,
    seen: Option<(&[i32], &[i32])>,
    k: usize,
) -> (Vec<f32>, Vec<i32>) {
    let search = Search { queries, items, dim, bias, seen, k };
    search.check();
    let n = queries.len() / dim;
    let (mut scores, mut ids) = (vec![f32::NEG_INFINITY; n * k], vec![-1; n * k]);
    if k == 0 || n == 0 {
        return (scores, ids);
    }
    let best = search.best_of_shards();
    let rows = scores.par_chunks_mut(k).zip(ids.par_chunks_mut(k)).with_min_len(TASK_QUERIES);
    rows.enumerate().for_each(|(query, (scores, ids))| {
        let (task, row) = (query / TASK_QUERIES, query % TASK_QUERIES);
        let mut best: Vec<Candidate> = best[task].iter().flat_map(|shard| &shard[row]).copied().collect();
        best.sort_unstable_by_key(|&candidate| Reverse(candidate));
        for (place, candidate) in best.iter().take(k).enumerate() {
            (scores[place], ids[place]) = (candidate.score(), candidate.item());
        }
    });
    (scores, ids)
}

/// The candidates of each query of a task, in no order.
type Candidates = Vec<Vec<Candidate>>;

/// What is asked, as in [`top_k`].
#[derive(Clone, Copy)]
struct Search<'a> {
    queries: &'a [f32],
    items: &'a [f32],
    dim: usize,
    bias: Option<&'a [f32]>,
    seen: Option<(&'a [i32], &'a [i32])>,
    k: usize,
}

impl Search<'_> {
    fn check(&self) {
        let Self { dim, k, .. } = *self;
        assert!(dim > 0, "queries and items have a width above 0");
        assert_eq!(self.queries.len() % dim, 0, "queries are whole rows of width {dim}");
        assert_eq!(self.items.len() % dim, 0, "items are whole rows of width {dim}");
        let (n, m) = (self.queries.len() / dim, self.items.len() / dim);
        assert!(k <= m, "k = {k} exceeds the {m} items of the catalogue");
        assert!(i32::try_from(m).is_ok(), "item ids are i32, too short for {m} items");
        assert!(self.bias.is_none_or(|bias| bias.len() == m), "one bias for each of {m} items");
        let Some((offsets, ids)) = self.seen else { return };
        assert_eq!(offsets.len(), n + 1, "seen items have an offset for each of {n} queries and one more");
        check_offsets(offsets, ids.len());
        for query in 0..n {
            assert!(self.seen_by(query).is_sorted(), "the seen ids of query {query} rise");
        }
    }

    fn seen_by(&self, query: usize) -> &[i32] {
        self.seen.map_or(&[], |(offsets, ids)| &ids[offsets[query] as usize..offsets[query + 1] as usize])
    }

    /// The best of each shard of the items, for each task's queries.
    fn best_of_shards(&self) -> Vec<Vec<Candidates>> {
        let m = self.items.len() / self.dim;
        let n_tasks = (self.queries.len() / self.dim).div_ceil(TASK_QUERIES);
        let n_shards = FEW_TASKS.div_ceil(n_tasks).min(m.div_ceil(SHARD_ITEMS)).max(1);
        let shard_items = m.div_ceil(n_shards);
        let pairs: Vec<_> =
            (0..n_tasks).flat_map(|task| (0..n_shards).map(move |shard| (task, shard))).collect();
        let run = |&(task, shard): &(usize, usize)| {
            let first_item = (shard * shard_items).min(m);
            let end_item = m.min(first_item + shard_items);
            let first_query = task * TASK_QUERIES;
            Arch::new().dispatch(Task { search: *self, first_query, first_item, end_item })
        };
        let mut best = pairs.par_iter().map(run).collect::<Vec<_>>().into_iter();
        (0..n_tasks).map(|_| best.by_ref().take(n_shards).collect()).collect()
    }
}

/// Some queries against some items.
struct Task<'a> {
    search: Search<'a>,
    first_query: usize,
    first_item: usize,
    end_item: usize,
}

impl WithSimd for Task<'_> {
    type Output = Candidates;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Candidates {
        let n_queries = (self.search.queries.len() / self.search.dim - self.first_query).min(TASK_QUERIES);
        // Vectors of queries and items of a tile, whose products are the sums that the registers hold.
        if n_queries <= S::F32_LANES {
            self.run::<S, 1, 12>(simd, n_queries)
        } else if S::REGISTER_COUNT >= 32 {
            self.run::<S, 4, 6>(simd, n_queries)
        } else {
            self.run::<S, 2, 6>(simd, n_queries)
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn run<S: Simd, const W: usize, const I: usize>(self, simd: S, n_queries: usize) -> Candidates {
        let dim = self.search.dim;
        let width = W * S::F32_LANES;
        let queries = &self.search.queries[self.first_query * dim..][..n_queries * dim];
        let panels = pack(queries, dim, width);
        let mut best = Best::new(self.search, self.first_query, n_queries, width);
        for first in (self.first_item..self.end_item).step_by(BLOCK_ITEMS) {
            let end = self.end_item.min(first + BLOCK_ITEMS);
            for (number, panel) in panels.chunks_exact(width * dim).enumerate() {
                let (vectors, _) = S::as_simd_f32s(panel);
                let panel = Panel::<S, W> { simd, queries: vectors.as_chunks().0, first: number * width };
                panel.score::<I>(&self.search, first, end, &mut best);
            }
        }
        best.candidates
    }
}

/// The queries in panels of `width`, each panel by column, so that a vector holds one column of many queries;
/// the last panel is filled up with zeros.
fn pack(queries: &[f32], dim: usize, width: usize) -> Vec<f32> {
    let n_queries = queries.len() / dim;
    let mut panels = vec![0.0; n_queries.div_ceil(width) * width * dim];
    for (query, row) in queries.chunks_exact(dim).enumerate() {
        let panel = &mut panels[query / width * width * dim..];
        for (column, &value) in row.iter().enumerate() {
            panel[column * width + query % width] = value;
        }
    }
    panels
}

/// `W` vectors of queries; `queries[column][w]`.
struct Panel<'a, S: Simd, const W: usize> {
    simd: S,
    queries: &'a [[S::f32s; W]],
    /// The first query, counted in its task.
    first: usize,
}

impl<S: Simd, const W: usize> Panel<'_, S, W> {
    #[inline(always)]
    fn score<const I: usize>(&self, search: &Search, first: usize, end: usize, best: &mut Best) {
        let dim = search.dim;
        let mut item = first;
        while item + I <= end {
            let rows = from_fn(|i| &search.items[(item + i) * dim..][..dim]);
            self.score_tile::<I>(search, item, rows, best);
            item += I;
        }
        for item in item..end {
            self.score_tile(search, item, [&search.items[item * dim..][..dim]], best);
        }
    }

    #[inline(always)]
    fn score_tile<const I: usize>(&self, search: &Search, item: usize, rows: [&[f32]; I], best: &mut Best) {
        let mut scores = self.products(rows);
        if let Some(bias) = search.bias {
            for (scores, &bias) in scores.iter_mut().zip(&bias[item..]) {
                let bias = self.simd.splat_f32s(bias);
                *scores = scores.map(|score| self.simd.add_f32s(score, bias));
            }
        }
        for (i, scores) in scores.into_iter().enumerate() {
            for (w, scores) in scores.into_iter().enumerate() {
                best.offer(self.simd, scores, self.first + w * S::F32_LANES, (item + i) as i32);
            }
        }
    }

    #[expect(unsafe_code, reason = "with checked columns the sums do not stay in registers: half the speed")]
    #[inline(always)]
    fn products<const I: usize>(&self, rows: [&[f32]; I]) -> [[S::f32s; W]; I] {
        let rows = rows.map(|row| &row[..self.queries.len()]);
        let mut sums = [[self.simd.splat_f32s(0.0); W]; I];
        for (column, queries) in self.queries.iter().enumerate() {
            for i in 0..I {
                // SAFETY: every row was cut to the number of columns above, and `column` counts those.
                let value = unsafe { *rows[i].get_unchecked(column) };
                let value = self.simd.splat_f32s(value);
                for w in 0..W {
                    sums[i][w] = self.simd.mul_add_e_f32s(value, queries[w], sums[i][w]);
                }
            }
        }
        sums
    }
}

/// The best candidates so far of each query of a task.
struct Best<'a> {
    search: Search<'a>,
    first_query: usize,
    /// In no order, and more than `k`: the worst are dropped many at a time.
    candidates: Candidates,
    /// What a score must exceed to come in; NaN, which holds nothing back, until a query has `k` candidates.
    bars: Vec<f32>,
}

impl<'a> Best<'a> {
    fn new(search: Search<'a>, first_query: usize, n_queries: usize, width: usize) -> Self {
        let candidates = (0..n_queries).map(|_| Vec::with_capacity(most_candidates(search.k))).collect();
        // The queries that fill up the last panel take nothing.
        let mut bars = vec![f32::INFINITY; n_queries.next_multiple_of(width)];
        bars[..n_queries].fill(f32::NAN);
        Self { search, first_query, candidates, bars }
    }

    /// Offers an item's scores for neighbouring queries of the task.
    #[inline(always)]
    fn offer<S: Simd>(&mut self, simd: S, scores: S::f32s, first: usize, item: i32) {
        let (bars, _) = S::as_simd_f32s(&self.bars[first..][..S::F32_LANES]);
        // Not "exceeds": a comparison with NaN fails, and here lets pass.
        let passes = simd.not_m32s(simd.less_than_or_equal_f32s(scores, bars[0]));
        if simd.first_true_m32s(passes) < S::F32_LANES {
            let mut lanes = [0.0; 64];
            let lanes = &mut lanes[..S::F32_LANES];
            S::as_mut_simd_f32s(lanes).0[0] = scores;
            self.offer_lanes(lanes, first, item);
        }
    }

    #[inline(never)]
    fn offer_lanes(&mut self, scores: &[f32], first: usize, item: i32) {
        let mut passing: u64 = 0;
        for (lane, (&score, &bar)) in scores.iter().zip(&self.bars[first..]).enumerate() {
            let is_held_back = score <= bar;
            passing |= u64::from(!is_held_back) << lane;
        }
        while passing > 0 {
            let lane = passing.trailing_zeros() as usize;
            passing &= passing - 1;
            self.offer_one(first + lane, scores[lane], item);
        }
    }

    fn offer_one(&mut self, query: usize, score: f32, item: i32) {
        // A query that fills up the last panel lets NaN pass.
        let Some(candidates) = self.candidates.get_mut(query) else { return };
        let seen = self.search.seen_by(self.first_query + query);
        if seen.binary_search(&item).is_ok() {
            return;
        }
        candidates.push(Candidate::new(score, item));
        if candidates.len() == most_candidates(self.search.k) {
            self.bars[query] = keep_best(candidates, self.search.k);
        }
    }
}

/// Candidates of a query that are held until the worst are dropped.
fn most_candidates(k: usize) -> usize {
    2 * k.max(16)
}

/// Drops all but the best `k` and returns the lowest score left.
fn keep_best(candidates: &mut Vec<Candidate>, k: usize) -> f32 {
    let (_, worst, _) = candidates.select_nth_unstable_by_key(k - 1, |&candidate| Reverse(candidate));
    let bar = worst.score();
    candidates.truncate(k);
    bar
}

/// A score and an item in one number, greater where better: the higher score, then the lower item.
///
/// The upper half is the score's bits in the order of the numbers, with -0 as 0 and every NaN below all
/// numbers; the lower half is the complement of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate(u64);

impl Candidate {
    #[inline(always)]
    fn new(score: f32, item: i32) -> Self {
        let bits = (score + 0.0).to_bits();
        // Two negative numbers compare as their magnitudes do in reverse.
        let rank = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        let rank = if score.is_nan() { 0 } else { rank };
        Self(u64::from(rank) << 32 | u64::from(!item as u32))
    }

    fn score(self) -> f32 {
        let rank = (self.0 >> 32) as u32;
        match rank {
            0 => f32::NAN,
            _ if rank >> 31 == 1 => f32::from_bits(rank & !(1 << 31)),
            _ => f32::from_bits(!rank),
        }
    }

    fn item(self) -> i32 {
        !(self.0 as u32) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers from -2 to 2, so that products are exact and ties many.
    fn whole_numbers(n: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % 5
        };
        (0..n).map(|_| next() as f32 - 2.0).collect()
    }

    /// Sorts all scores, in f64.
    fn expected(search: &Search, query: usize) -> Vec<(f32, i32)> {
        let Search { queries, items, dim, k, .. } = *search;
        let row = &queries[query * dim..][..dim];
        let seen = search.seen_by(query);
        let mut all: Vec<(f64, i32)> = Vec::new();
        for (item, values) in items.chunks_exact(dim).enumerate() {
            let product: f64 = row.iter().zip(values).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            if !seen.contains(&(item as i32)) {
                all.push((product + search.bias.map_or(0.0, |bias| f64::from(bias[item])), item as i32));
            }
        }
        all.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
        let rest = std::iter::repeat((f32::NEG_INFINITY, -1));
        all.into_iter().map(|(score, item)| (score as f32, item)).chain(rest).take(k).collect()
    }

    fn check(search: &Search) {
        let Search { queries, items, dim, bias, seen, k } = *search;
        let (scores, ids) = top_k(queries, items, dim, bias, seen, k);
        let n = queries.len() / dim;
        assert_eq!((scores.len(), ids.len()), (n * k, n * k));
        for query in 0..n {
            let range = query * k..(query + 1) * k;
            let best: Vec<_> =
                scores[range.clone()].iter().copied().zip(ids[range].iter().copied()).collect();
            assert_eq!(best, expected(search, query), "query {query} of {n}, width {dim}, k {k}");
        }
    }

    #[test]
    fn the_result_is_the_head_of_the_full_sort_at_every_shape() {
        for (n, m, dim) in [(0, 5, 3), (1, 1, 1), (3, 7, 5), (17, 250, 16), (65, 301, 8), (130, 490, 33)] {
            let (queries, items) = (whole_numbers(n * dim, 1), whole_numbers(m * dim, 2));
            let bias = whole_numbers(m, 3);
            for k in [0, 1, 10, 100, m].map(|k: usize| k.min(m)) {
                for bias in [None, Some(&bias[..])] {
                    check(&Search { queries: &queries, items: &items, dim, bias, seen: None, k });
                }
            }
        }
    }

    #[test]
    fn a_catalogue_of_several_shards_is_searched_as_one() {
        let (queries, items) = (whole_numbers(3 * 4, 1), whole_numbers((3 * SHARD_ITEMS + 1) * 4, 2));
        check(&Search { queries: &queries, items: &items, dim: 4, bias: None, seen: None, k: 50 });
    }

    #[test]
    fn seen_items_never_come_back_and_the_rest_of_a_short_row_is_filled() {
        let (queries, items) = (whole_numbers(4 * 3, 1), whole_numbers(40 * 3, 2));
        // Nothing, every item, all but two, and a few with repeats.
        let rows: [Vec<i32>; 4] = [vec![], (0..40).collect(), (1..39).collect(), vec![3, 3, 8, 31]];
        let offsets = [0, 0, 40, 78, 82];
        let seen = rows.concat();
        let search = |k| Search {
            queries: &queries,
            items: &items,
            dim: 3,
            bias: None,
            seen: Some((&offsets, &seen)),
            k,
        };
        check(&search(5));
        check(&search(40));
    }

    #[test]
    fn a_query_has_the_same_bits_alone_as_in_a_batch() {
        let numbers = |n, seed| whole_numbers(n, seed).iter().map(|v| (v + 0.1).sin()).collect::<Vec<f32>>();
        let (queries, items) = (numbers(200 * 24, 1), numbers(3 * SHARD_ITEMS * 24, 2));
        let batch = top_k(&queries, &items, 24, None, None, 7);
        for query in [0, 63, 128, 199] {
            let alone = top_k(&queries[query * 24..][..24], &items, 24, None, None, 7);
            assert_eq!(alone.0, batch.0[query * 7..][..7]);
            assert_eq!(alone.1, batch.1[query * 7..][..7]);
        }
    }

    #[test]
    fn equal_scores_come_by_rising_id_and_the_zeros_are_equal() {
        let (scores, ids) = top_k(&[1.0], &[0.0, 2.0, -0.0, 2.0, 0.0, -1.0], 1, None, None, 5);
        assert_eq!((scores, ids), (vec![2.0, 2.0, 0.0, 0.0, 0.0], vec![1, 3, 0, 2, 4]));
    }

    #[test]
    fn nan_ranks_below_negative_infinity_and_above_nothing() {
        let items = [f32::NAN, 1.0, f32::NEG_INFINITY, f32::NAN, f32::INFINITY];
        let (scores, ids) = top_k(&[1.0], &items, 1, None, Some((&[0, 1], &[3])), 5);
        assert_eq!(ids, [4, 1, 2, 0, -1]);
        assert!(scores[3].is_nan() && scores[4] == f32::NEG_INFINITY && scores[2] == f32::NEG_INFINITY);
        // Many, so that rows fill up with NaN before a number comes.
        let items: Vec<f32> = (0..500).map(|i| if i == 490 { -3.0 } else { f32::NAN }).collect();
        assert_eq!(top_k(&[1.0; 70], &items, 1, None, None, 2).1, [490, 0].repeat(70));
    }

    #[test]
    #[should_panic(expected = "k = 4 exceeds the 3 items of the catalogue")]
    fn a_k_above_the_catalogue_is_refused() {
        top_k(&[1.0; 2], &[1.0; 6], 2, None, None, 4);
    }

    #[test]
    #[should_panic(expected = "the seen ids of query 1 rise")]
    fn seen_ids_out_of_order_are_refused() {
        top_k(&[1.0; 2], &[1.0; 6], 1, None, Some((&[0, 1, 3], &[5, 4, 2])), 1);
    }
}
