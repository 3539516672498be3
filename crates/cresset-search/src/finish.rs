//! What the shards of some queries found, joined and scored.

use crate::best::keep_best;
use crate::candidate::Candidate;
use crate::kernels::{Kernel, WithKernel};
use crate::order::number;
use crate::scan::{Findings, Search, Task};

/// The best of some queries. The memory is used again by the next call.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Of one query after the other, best first.
    pub(crate) candidates: Vec<Candidate>,
    /// Where those of each query end.
    pub(crate) ends: Vec<usize>,
    scored: Vec<Candidate>,
    lowers: Vec<u32>,
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

    fn run<K: Kernel, const PANELS: usize, const GROUP: usize>(self, kernel: K) {
        self.found.candidates.clear();
        self.found.ends.clear();
        let task = self.shards[0].0;
        for query in 0..task.n_queries {
            let bar = self.found.bar(self.shards, query, self.search.k);
            let Found { candidates, ends, scored, .. } = &mut *self.found;
            scored.clear();
            for (task, findings) in self.shards {
                let score = |item| self.search.score(kernel, task.first_query + query, item);
                findings.best[query].score(bar, score, scored);
            }
            keep_best(scored, self.search.k);
            candidates.extend_from_slice(scored);
            ends.push(candidates.len());
        }
    }
}

impl Found {
    /// What a score must reach, since `k` items of all shards together surely do.
    fn bar(&mut self, shards: &[(Task, Findings)], query: usize, k: usize) -> f32 {
        self.lowers.clear();
        for (_, findings) in shards {
            self.lowers.extend(findings.best[query].lowers());
        }
        if self.lowers.len() < k {
            return f32::NEG_INFINITY;
        }
        let (_, lowest, _) = self.lowers.select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
        number(*lowest)
    }
}
