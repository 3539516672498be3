//! Searches one after the other, in the same memory.

use rayon::prelude::*;

use crate::bars::Bars;
use crate::finish::{Finish, Found};
use crate::index::check_rows;
use crate::kernels::AnyKernel;
use crate::queries::Queries;
use crate::scan::{Findings, Scan, Search, Task};
use crate::{FlatIndex, Hit, Masks, SearchError};

/// Most queries of a task: their codes stay in the nearest cache while all items pass by.
const TASK_QUERIES: usize = 96;

/// Tasks for each thread, so that one that is held up does not hold up all.
const TASKS_PER_THREAD: usize = 4;

/// Items below which a catalogue is not cut further.
const SHARD_ITEMS: usize = 8_192;

/// Searches indices, one call after the other, and keeps its memory for the next: a call of a size that has
/// been seen before allocates next to nothing. Any number of them may search one index at the same time.
///
/// A call works on all threads of the current Rayon pool. Its result does not depend on their number.
#[derive(Debug)]
pub struct Searcher {
    kernel: AnyKernel,
    queries: Queries,
    bars: Bars,
    tasks: Vec<(Task, Findings)>,
    hits: Vec<Hit>,
    /// Where the hits of each query start, and at last where all end.
    offsets: Vec<usize>,
    found: Vec<Found>,
}

/// What a batch of queries found.
#[derive(Debug, Clone, Copy)]
pub struct BatchHits<'a> {
    hits: &'a [Hit],
    offsets: &'a [usize],
}

impl Searcher {
    /// A searcher without any memory yet.
    pub fn new() -> Self {
        Self::with_kernel(AnyKernel::best())
    }

    pub(crate) fn with_kernel(kernel: AnyKernel) -> Self {
        Self {
            kernel,
            queries: Queries::default(),
            bars: Bars::default(),
            tasks: Vec::new(),
            hits: Vec::new(),
            offsets: Vec::new(),
            found: Vec::new(),
        }
    }

    /// The `k` items of the highest inner product with `query` that are not `masked`, best first; of equal
    /// scores the lower id first. Fewer where fewer are left.
    ///
    /// The ids of `masked` rise; those that the index does not hold mask nothing.
    ///
    /// # Shapes
    ///
    /// - query: `[dim]`
    ///
    /// # Errors
    ///
    /// If the query has another width than the index or holds a number that is not finite, or if the masked
    /// ids do not rise.
    pub fn search(
        &mut self,
        index: &FlatIndex,
        query: &[f32],
        k: usize,
        masked: &[u32],
    ) -> Result<&[Hit], SearchError> {
        if query.len() != index.dim() {
            return Err(SearchError::WrongWidth { found: query.len(), dim: index.dim() });
        }
        let masks = Masks { offsets: &[0, masked.len()], items: masked };
        Ok(self.search_batch(index, query, k, masks)?.hits)
    }

    /// For each of `queries` what [`search`](Self::search) finds, to the bit.
    ///
    /// # Shapes
    ///
    /// - queries: `[n_queries, dim]`
    ///
    /// # Errors
    ///
    /// If the queries are not whole rows of the width of the index or hold a number that is not finite, or if
    /// the masks are not a list for each query whose ids rise.
    pub fn search_batch(
        &mut self,
        index: &FlatIndex,
        queries: &[f32],
        k: usize,
        masks: Masks<'_>,
    ) -> Result<BatchHits<'_>, SearchError> {
        check_rows("queries", "query", queries, index.dim())?;
        let n_queries = queries.len() / index.dim();
        masks.check(n_queries)?;
        self.hits.clear();
        self.offsets.clear();
        self.offsets.resize(n_queries + 1, 0);
        let k = k.min(index.n_items());
        if k > 0 && n_queries > 0 {
            self.find(index, queries, k, masks);
        }
        Ok(BatchHits { hits: &self.hits, offsets: &self.offsets })
    }

    fn find(&mut self, index: &FlatIndex, rows: &[f32], k: usize, masks: Masks<'_>) {
        let n_queries = rows.len() / index.dim();
        let group = self.kernel.group(n_queries);
        self.queries.encode(rows, index.codes().centre(), group);
        self.bars.begin(n_queries);
        let n_shards = self.plan(index.n_items(), n_queries, group);
        let search = Search { index, rows, queries: &self.queries, k, masks, bars: &self.bars };
        let kernel = self.kernel;
        self.tasks.par_iter_mut().for_each(|(task, findings)| {
            kernel.dispatch(n_queries, Scan { search, task: *task, findings });
        });
        self.found.resize_with(self.tasks.len() / n_shards, Found::default);
        self.found.par_iter_mut().zip(self.tasks.par_chunks(n_shards)).for_each(|(found, shards)| {
            kernel.dispatch(n_queries, Finish { search, shards, found });
        });
        self.offsets.clear();
        self.offsets.push(0);
        for found in &self.found {
            self.offsets.extend(found.ends.iter().map(|end| self.hits.len() + end));
            self.hits.extend(found.candidates.iter().map(|candidate| candidate.hit()));
        }
    }

    /// Cuts the work into tasks, the shards of the same queries side by side, and returns the number of
    /// shards.
    fn plan(&mut self, n_items: usize, n_queries: usize, group: usize) -> usize {
        let n_threads = rayon::current_num_threads();
        let n_wanted = if n_threads == 1 { 1 } else { n_threads * TASKS_PER_THREAD };
        let most_blocks = n_queries.div_ceil(group);
        let n_blocks = n_queries.div_ceil(TASK_QUERIES).next_multiple_of(n_threads).min(most_blocks);
        let task_queries = n_queries.div_ceil(n_blocks).next_multiple_of(group);
        let n_blocks = n_queries.div_ceil(task_queries);
        let n_shards = n_wanted.div_ceil(n_blocks).min(n_items.div_ceil(SHARD_ITEMS));
        let n_shards = if n_blocks >= n_threads { 1 } else { n_shards };
        self.tasks.resize_with(n_blocks * n_shards, || (Task::default(), Findings::default()));
        for (number, (task, _)) in self.tasks.iter_mut().enumerate() {
            let first_query = number / n_shards * task_queries;
            let n_queries = task_queries.min(n_queries - first_query);
            *task = Task { first_query, n_queries, shard: number % n_shards, n_shards };
        }
        n_shards
    }
}

impl Default for Searcher {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> BatchHits<'a> {
    /// What was found for one query, best first.
    ///
    /// # Panics
    ///
    /// If the batch had no such query.
    pub fn of(&self, query: usize) -> &'a [Hit] {
        &self.hits[self.offsets[query]..self.offsets[query + 1]]
    }

    /// Number of queries.
    pub fn n_queries(&self) -> usize {
        self.offsets.len() - 1
    }

    /// What was found, query by query.
    pub fn iter(&self) -> impl Iterator<Item = &'a [Hit]> {
        let (hits, offsets) = (self.hits, self.offsets);
        offsets.windows(2).map(move |pair| &hits[pair[0]..pair[1]])
    }
}
