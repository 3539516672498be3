//! Some queries against some tiles: what can be among the best is scored, the rest is passed over.

use std::array::from_fn;
use std::iter::repeat;

use crate::bars::Bars;
use crate::best::{Best, Scratch};
use crate::candidate::Candidate;
use crate::codes::{Codes, PANEL, TILE, TILE_PANELS};
use crate::kernels::{Kernel, WithKernel};
use crate::queries::{Queries, QueryFacts};
use crate::score::score;
use crate::{FlatIndex, Masks};

/// Tiles that follow one another before the scan goes elsewhere.
const BLOCK_TILES: usize = 8;

/// How many rows ahead of the one that is scored the next are asked for.
const AHEAD: usize = 4;

/// What a call searches, the same for all of its tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) index: &'a FlatIndex,
    /// `[n_queries, dim]`
    pub(crate) rows: &'a [f32],
    pub(crate) queries: &'a Queries,
    /// Items wanted of each query, between 1 and the size of the index.
    pub(crate) k: usize,
    pub(crate) masks: Masks<'a>,
    pub(crate) bars: &'a Bars,
}

/// Some of the queries against some of the items.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Task {
    /// The first query, the first of a group.
    pub(crate) first_query: usize,
    pub(crate) n_queries: usize,
    /// Which of the shards of the items.
    pub(crate) shard: usize,
    pub(crate) n_shards: usize,
}

/// What a task comes to. The memory is used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Of each query of the task.
    pub(crate) best: Vec<Best>,
    /// What a score must reach, of each query and of those that fill up the last group.
    bars: Vec<f32>,
    scratch: Scratch,
}

/// A task at work.
pub(crate) struct Scan<'a> {
    pub(crate) search: Search<'a>,
    pub(crate) task: Task,
    pub(crate) findings: &'a mut Findings,
}

impl WithKernel for Scan<'_> {
    type Output = ();

    fn run<K: Kernel, const PANELS: usize, const GROUP: usize>(mut self, kernel: K) {
        self.begin(GROUP);
        kernel.vectorize(
            #[inline(always)]
            || self.scan::<K, PANELS, GROUP>(kernel),
        );
    }
}

impl Scan<'_> {
    fn begin(&mut self, group: usize) {
        let n_queries = self.task.n_queries;
        if self.findings.best.len() < n_queries {
            self.findings.best.resize_with(n_queries, Best::default);
        }
        self.findings.best[..n_queries].iter_mut().for_each(|best| best.begin(self.search.k));
        self.findings.bars.clear();
        self.findings.bars.resize(n_queries, f32::NEG_INFINITY);
        self.findings.bars.resize(n_queries.next_multiple_of(group), f32::INFINITY);
    }

    #[inline(always)]
    fn scan<K: Kernel, const PANELS: usize, const GROUP: usize>(&mut self, kernel: K) {
        let n_tiles = self.codes().n_tiles();
        let n_blocks = n_tiles.div_ceil(BLOCK_TILES);
        let stride = stride(n_blocks);
        for place in (self.task.shard..n_blocks).step_by(self.task.n_shards) {
            self.learn_from_other_shards();
            let first = place * stride % n_blocks * BLOCK_TILES;
            for tile in first..n_tiles.min(first + BLOCK_TILES) {
                for group in 0..self.task.n_queries.div_ceil(GROUP) {
                    self.scan_tile::<K, PANELS, GROUP>(kernel, tile, group);
                }
            }
        }
    }

    #[inline(always)]
    fn scan_tile<K: Kernel, const PANELS: usize, const GROUP: usize>(
        &mut self,
        kernel: K,
        tile: usize,
        group: usize,
    ) {
        let first = group * GROUP;
        let floors = self.floors::<GROUP>(tile, first);
        for panel in (0..TILE_PANELS).step_by(PANELS) {
            let sums = self.products::<K, PANELS, GROUP>(kernel, tile, panel, first);
            for (q, sums) in sums.into_iter().enumerate() {
                let mut reaching = 0_u64;
                for (p, &sums) in sums.iter().enumerate() {
                    let scales = &self.codes().facts(tile).scales[panel + p];
                    reaching |= u64::from(kernel.reaching(sums, scales, floors[q])) << (p * PANEL);
                }
                if reaching != 0 {
                    let sums = sums.map(|sums| kernel.to_array(sums));
                    self.judge(kernel, first + q, tile * TILE + panel * PANEL, reaching, sums.as_flattened());
                }
            }
        }
    }

    /// What a product with any item of the tile must reach, for each query of the group that begins with
    /// `first`.
    #[inline(always)]
    fn floors<const GROUP: usize>(&self, tile: usize, first: usize) -> [f32; GROUP] {
        let greatest = self.codes().facts(tile).greatest;
        from_fn(|q| self.query(first + q).floor(self.findings.bars[first + q], greatest))
    }

    /// The products of each query of a group with each item of some panels of a tile.
    #[inline(always)]
    fn products<K: Kernel, const PANELS: usize, const GROUP: usize>(
        &self,
        kernel: K,
        tile: usize,
        panel: usize,
        first: usize,
    ) -> [[K::Sums; PANELS]; GROUP] {
        let quads = self.codes().quads(tile);
        let queries = self.search.queries.group::<GROUP>((self.task.first_query + first) / GROUP);
        let mut sums = from_fn(|q| [kernel.start(self.query(first + q).code_sum); PANELS]);
        for (quad, codes) in quads.iter().zip(queries) {
            let items: [K::Codes; PANELS] = from_fn(|p| kernel.codes(&quad.0[panel + p]));
            for (sums, &query) in sums.iter_mut().zip(codes) {
                for (sum, &items) in sums.iter_mut().zip(&items) {
                    *sum = kernel.add_products(*sum, items, query);
                }
            }
        }
        sums
    }

    /// What is kept of a query of the task.
    #[inline(always)]
    fn query(&self, query: usize) -> &QueryFacts {
        self.search.queries.facts(self.task.first_query + query)
    }

    /// Holds those items whose bits are set in `reaching`, counted from `first_item`, that can reach the bar
    /// of a query by their own lengths.
    #[inline(never)]
    fn judge<K: Kernel>(
        &mut self,
        kernel: K,
        query: usize,
        first_item: usize,
        mut reaching: u64,
        sums: &[i32],
    ) {
        if query >= self.task.n_queries {
            return;
        }
        while reaching != 0 {
            let place = reaching.trailing_zeros() as usize;
            reaching &= reaching - 1;
            self.judge_item(kernel, query, first_item + place, sums[place]);
        }
        if self.findings.best[query].is_crowded() {
            self.sift(kernel, query);
        }
    }

    #[inline(always)]
    fn judge_item<K: Kernel>(&mut self, kernel: K, query: usize, item: usize, sum: i32) {
        let Search { index, masks, .. } = self.search;
        let row = self.task.first_query + query;
        let (facts, place) = (index.codes().facts(item / TILE), item % TILE);
        let product = f64::from(sum) * f64::from(facts.scales[place / PANEL][place % PANEL]);
        let mut bounds = self.query(query).bounds(item as u32, product, facts.lengths[place]);
        let bar = self.findings.bars[query];
        // What fills up the last tile is no item.
        if bounds.upper < bar || item >= index.n_items() || masks.of(row).binary_search(&bounds.item).is_ok()
        {
            return;
        }
        if self.findings.best[query].is_undecided() {
            let is_known = bounds.lower == bounds.upper;
            let score = if is_known { bounds.lower } else { self.search.score(kernel, row, bounds.item) };
            if score < bar || self.findings.best[query].is_beaten(Candidate::new(score, bounds.item)) {
                return;
            }
            (bounds.lower, bounds.upper) = (score, score);
        }
        self.findings.best[query].hold(bounds);
    }

    #[inline(never)]
    fn sift<K: Kernel>(&mut self, kernel: K, query: usize) {
        let Findings { best, bars, scratch } = &mut *self.findings;
        let row = self.task.first_query + query;
        let score =
            |items: &[u32], scored: &mut Vec<Candidate>| self.search.score_all(kernel, row, items, scored);
        bars[query] = best[query].sift(bars[query], score, scratch);
        self.search.bars.raise(row, bars[query]);
    }

    fn learn_from_other_shards(&mut self) {
        if self.task.n_shards == 1 {
            return;
        }
        let Task { first_query, n_queries, .. } = self.task;
        for (query, bar) in self.findings.bars[..n_queries].iter_mut().enumerate() {
            *bar = bar.max(self.search.bars.get(first_query + query));
        }
    }

    #[inline(always)]
    fn codes(&self) -> &Codes {
        self.search.index.codes()
    }
}

impl Search<'_> {
    /// The score of an item for the query of a row.
    #[inline]
    fn score<K: Kernel>(&self, kernel: K, row: usize, item: u32) -> f32 {
        let query = &self.rows[row * self.index.dim()..][..self.index.dim()];
        let vector = self.index.vector(item);
        kernel.vectorize(
            #[inline(always)]
            || score(vector, query),
        )
    }

    /// Adds the scores of items for the query of a row to `scored`.
    pub(crate) fn score_all<K: Kernel>(
        &self,
        kernel: K,
        row: usize,
        items: &[u32],
        scored: &mut Vec<Candidate>,
    ) {
        let ahead = items.iter().skip(AHEAD).map(Some).chain(repeat(None));
        for (&item, ahead) in items.iter().zip(ahead) {
            if let Some(&ahead) = ahead {
                kernel.prefetch(self.index.vector(ahead));
            }
            scored.push(Candidate::new(self.score(kernel, row, item), item));
        }
    }
}

/// How far the scan goes from block to block, round and round, so that it meets each of `n_blocks` once.
///
/// Catalogues have an order: by age, by popularity, by category. If the best came last, each item would be
/// better than all before it; in leaps of about the golden section a fair sample comes first, whatever the
/// order.
fn stride(n_blocks: usize) -> usize {
    let golden = (n_blocks as f64 * 0.618) as usize;
    let divides_nothing = |stride: &usize| greatest_common_divisor(*stride, n_blocks) == 1;
    (golden.max(1)..).find(divides_nothing).unwrap_or(1)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_met_once() {
        for n_blocks in 1..200 {
            let mut met: Vec<_> = (0..n_blocks).map(|place| place * stride(n_blocks) % n_blocks).collect();
            met.sort_unstable();
            assert!(met.into_iter().eq(0..n_blocks), "{n_blocks} blocks");
        }
    }
}
