//! What the shards of some queries found, joined and scored.

use crate::best::{Bounds, Scratch, keep_best};
use crate::candidate::Candidate;
use crate::kernels::{Kernel, WithKernel};
use crate::scan::{Findings, Search, Task};

/// The best of some queries. The memory is used again by the next call.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Of one query after the other, best first.
    pub(crate) candidates: Vec<Candidate>,
    /// Where those of each query end.
    pub(crate) ends: Vec<usize>,
    held: Vec<Bounds>,
    scratch: Scratch,
}

/// Finds the best among what was held of the same queries in all shards.
pub(crate) struct Finish<'a> {
    pub(crate) search: Search<'a>,
    /// One for each shard.
    pub(crate) shards: &'a [(Task, Findings)],
    pub(crate) found: &'a mut Found,
}

impl WithKernel for Finish<'_> {
    type Output = ();

    fn run<K: Kernel, const PANELS: usize, const GROUP: usize>(mut self, kernel: K) {
        self.found.candidates.clear();
        self.found.ends.clear();
        let (task, _) = self.shards[0];
        for query in 0..task.n_queries {
            self.finish_query(kernel, task.first_query + query, query);
        }
    }
}

impl Finish<'_> {
    fn finish_query<K: Kernel>(&mut self, kernel: K, row: usize, query: usize) {
        let Search { k, .. } = self.search;
        let Found { candidates, ends, held, scratch } = &mut *self.found;
        held.clear();
        for (_, findings) in self.shards {
            held.extend_from_slice(findings.best[query].held());
        }
        let bar = scratch.bar(held, k);
        scratch.begin();
        scratch.score(held, bar, |items, scored| self.search.score_all(kernel, row, items, scored));
        keep_best(&mut scratch.scored, k);
        candidates.extend_from_slice(&scratch.scored);
        ends.push(candidates.len());
    }
}
