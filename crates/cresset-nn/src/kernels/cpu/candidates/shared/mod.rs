//! Every query against every candidate.
//!
//! The queries are taken a group at a time, and a group is cut into panels of [`PANEL`] queries and the
//! candidates into tiles. For a panel and a tile, a cell, one task computes the logits, turns them in place
//! into `e`, and multiplies them by the tile's rows. When all cells of a group are done, its normalisers are
//! known, and two more rounds of tasks complete the gradients: one of the queries panel by panel, one of the
//! candidates tile by tile. Who writes what depends on the shapes alone, so results do not vary with the
//! number of threads.

mod cell;
mod finish;
mod panel;
mod tile;

use std::borrow::Cow;

use pulp::Arch;
use rayon::prelude::*;

use super::{Gradients, Objective, active_rows, candidate_index};
use crate::kernels::cpu::product::LANES;
use cell::{CellSums, FillCell};
use finish::FinishPanel;
use panel::{PackPanel, Panel};
use tile::AddToTile;

/// Queries that lie side by side in registers, so that a query's sums over candidates never cross lanes.
const PANEL: usize = 64;

/// Most candidates of a tile: a cell's logits and the tile's rows stay in the first two caches.
const LARGEST_TILE: usize = 192;

/// Floats of scratch that a group may take while it has more than one panel.
const SCRATCH: usize = 40 << 20;

/// Most panels of a group; more would not make the rounds of tasks any more worth their start.
const MOST_PANELS: usize = 8;

/// Where each query's positive comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Positives<'a> {
    /// `[n]`: it is the candidate of this number.
    Column(&'a [i32]),
    /// It lies beside the candidates, which are all negatives.
    Rows {
        /// `[n, dim]`
        rows: &'a [f32],
        /// `[n]`, added to the positive logits; a constant.
        bias: Option<&'a [f32]>,
    },
}

/// Queries, the candidates that all of them see, and their positives.
///
/// A logit is `scale * query . candidate + bias`. The loss is the mean of the queries' losses by `weights`;
/// without any weight it is 0, and so are the gradients. NaN in a row that takes part makes the loss NaN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared<'a> {
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
    /// Each query's positive.
    pub(crate) positives: Positives<'a>,
    /// Ids of the candidates `[m]` and of the positives `[n]`: a candidate that is not the positive but has
    /// its id, an accidental hit, is not a negative of that query.
    pub(crate) ids: Option<(&'a [i32], &'a [i32])>,
}

impl Shared<'_> {
    /// Returns the loss.
    ///
    /// # Panics
    ///
    /// If the lengths contradict each other, or a positive is not a candidate.
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
        let n_positives = if let Positives::Rows { rows, .. } = self.positives { rows.len() } else { 0 };
        let mut gradients = Gradients {
            queries: vec![0.0; self.queries.len()],
            candidates: vec![0.0; self.candidates.len()],
            positives: vec![0.0; n_positives],
        };
        let loss = Run::new(self, objective, arch).over_groups(Some(&mut gradients));
        (loss, gradients)
    }

    fn n_queries(&self) -> usize {
        self.queries.len() / self.dim
    }

    fn n_candidates(&self) -> usize {
        self.candidates.len() / self.dim
    }

    fn check(&self) {
        assert!(self.dim > 0, "rows are at least 1 wide");
        let (n, m) = (self.n_queries(), self.n_candidates());
        assert_eq!(self.queries.len(), n * self.dim, "queries are whole rows");
        assert_eq!(self.candidates.len(), m * self.dim, "candidates are whole rows");
        assert!(self.bias.is_none_or(|bias| bias.len() == m), "one bias a candidate");
        let n_positives = match self.positives {
            Positives::Column(columns) => columns.len(),
            Positives::Rows { rows, bias } => {
                assert!(bias.is_none_or(|bias| bias.len() == n), "one bias a positive");
                assert_eq!(rows.len() % self.dim, 0, "positives are whole rows");
                rows.len() / self.dim
            }
        };
        assert_eq!(n_positives, n, "one positive a query");
        if let Some((candidates, positives)) = self.ids {
            assert_eq!((candidates.len(), positives.len()), (m, n), "one id a candidate and one a query");
        }
    }
}

/// How the candidates are cut and how many panels a group has: a function of the shapes alone.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// `dim` in whole registers.
    width: usize,
    tile: usize,
    n_tiles: usize,
    n_panels: usize,
}

impl Plan {
    fn new(n_rows: usize, n_candidates: usize, dim: usize) -> Self {
        let width = dim.next_multiple_of(LANES);
        // Even tiles, of whole register blocks; small catalogues still make enough of them for every core.
        let wanted = n_candidates.div_ceil(LARGEST_TILE).max((n_candidates / 48).min(16)).max(1);
        let tile = n_candidates.div_ceil(wanted).next_multiple_of(6).max(6);
        let n_tiles = n_candidates.div_ceil(tile);
        let panel_scratch = PANEL * n_tiles * (tile + width);
        let n_panels = (SCRATCH / panel_scratch.max(1)).clamp(1, MOST_PANELS).min(n_rows.div_ceil(PANEL));
        Plan { width, tile, n_tiles, n_panels }
    }
}

/// Returns how many floats a pass allocates beside its results and, per thread, a tile or two.
#[cfg(test)]
pub(super) fn scratch_floats(n_rows: usize, n_candidates: usize, dim: usize) -> usize {
    let plan = Plan::new(n_rows, n_candidates, dim);
    let padded = if plan.width == dim { 0 } else { n_candidates * plan.width };
    padded + plan.n_panels * PANEL * (plan.n_tiles * (plan.tile + plan.width + 5) + 2 * plan.width)
}

/// One pass over all groups of queries.
struct Run<'a> {
    input: &'a Shared<'a>,
    objective: Objective,
    arch: Arch,
    plan: Plan,
    /// Candidate rows, padded to the plan's width where that differs from theirs.
    candidates: Cow<'a, [f32]>,
    rows: Vec<u32>,
    total_weight: f64,
}

/// Scratch of a group, cell by cell: the cells of a tile lie together.
struct Cells {
    /// `[tile, PANEL]` a cell: logits, then `e`.
    scores: Vec<f32>,
    /// `[PANEL, width]` a cell: `e` times the tile's rows.
    products: Vec<f32>,
    sums: Vec<CellSums>,
}

impl<'a> Run<'a> {
    fn new(input: &'a Shared<'a>, objective: Objective, arch: Arch) -> Self {
        let (rows, total_weight) = active_rows(input.n_queries(), input.weights);
        let plan = Plan::new(rows.len(), input.n_candidates(), input.dim);
        let candidates = if plan.width == input.dim {
            input.candidates.into()
        } else {
            let mut padded = vec![0.0; input.n_candidates() * plan.width];
            for (to, from) in padded.chunks_mut(plan.width).zip(input.candidates.chunks(input.dim)) {
                to[..input.dim].copy_from_slice(from);
            }
            padded.into()
        };
        Run { input, objective, arch, plan, candidates, rows, total_weight }
    }

    /// Returns the loss; fills the gradients, which come as zeros, where there are any.
    fn over_groups(&self, mut gradients: Option<&mut Gradients>) -> f32 {
        if self.rows.is_empty() {
            return 0.0;
        }
        let Plan { width, tile, n_tiles, n_panels } = self.plan;
        let n_cells = n_tiles * n_panels;
        let with_gradients = gradients.is_some();
        let mut cells = Cells {
            scores: vec![0.0; n_cells * tile * PANEL],
            products: vec![0.0; if with_gradients { n_cells * PANEL * width } else { 0 }],
            sums: vec![CellSums::EMPTY; n_cells],
        };
        let mut panels: Vec<Panel> = (0..n_panels).map(|_| Panel::new(self)).collect();
        let mut loss = 0.0;
        for rows in self.rows.chunks(n_panels * PANEL) {
            let panels = &mut panels[..rows.len().div_ceil(PANEL)];
            panels.par_iter_mut().zip(rows.par_chunks(PANEL)).for_each(|(panel, numbers)| {
                self.arch.dispatch(PackPanel { run: self, panel, numbers });
            });
            self.fill_cells(panels, &mut cells, with_gradients);
            self.finish_panels(panels, &cells, gradients.as_deref_mut());
            if let Some(gradients) = gradients.as_deref_mut() {
                self.add_to_candidates(panels, &cells, &mut gradients.candidates);
            }
            loss += panels.iter().map(|panel| panel.loss).sum::<f64>();
        }
        (loss / self.total_weight) as f32
    }

    /// Computes every cell of the group.
    fn fill_cells(&self, panels: &[Panel], cells: &mut Cells, with_products: bool) {
        let Plan { width, tile, .. } = self.plan;
        let cell = |index: usize, scores: &mut [f32], product: Option<&mut [f32]>, sums: &mut CellSums| {
            let (tile, panel) = (index / panels.len(), &panels[index % panels.len()]);
            self.arch.dispatch(FillCell { run: self, panel, tile, scores, product, sums });
        };
        let sums = &mut cells.sums[..self.plan.n_tiles * panels.len()];
        let scores = cells.scores.par_chunks_mut(tile * PANEL);
        if with_products {
            let products = cells.products.par_chunks_mut(PANEL * width);
            sums.par_iter_mut().zip(scores).zip(products).enumerate().for_each(
                |(index, ((sums, scores), product))| {
                    cell(index, scores, Some(product), sums);
                },
            );
        } else {
            sums.par_iter_mut().zip(scores).enumerate().for_each(|(index, (sums, scores))| {
                cell(index, scores, None, sums);
            });
        }
    }

    /// Computes losses and coefficients from the cells, and with gradients those of queries and of positive
    /// rows.
    fn finish_panels(&self, panels: &mut [Panel], cells: &Cells, gradients: Option<&mut Gradients>) {
        let n_panels = panels.len();
        let Some(gradients) = gradients else {
            panels.par_iter_mut().enumerate().for_each(|(index, panel)| {
                self.arch.dispatch(FinishPanel { run: self, index, n_panels, panel, cells, gradients: None });
            });
            return;
        };
        let queries = split_by_panels(&mut gradients.queries, self.input.dim, panels);
        let positives = split_by_panels(&mut gradients.positives, self.input.dim, panels);
        let parts = panels.par_iter_mut().zip(queries).zip(positives).enumerate();
        parts.for_each(|(index, ((panel, queries), positives))| {
            let gradients = Some((queries, positives));
            self.arch.dispatch(FinishPanel { run: self, index, n_panels, panel, cells, gradients });
        });
    }

    /// Adds the group's share to the candidates' gradients, a tile a task.
    fn add_to_candidates(&self, panels: &[Panel], cells: &Cells, gradient: &mut [f32]) {
        let Plan { width, tile, .. } = self.plan;
        let scratch = || (vec![0.0; PANEL * width], vec![0.0; tile * width]);
        gradient.par_chunks_mut(tile * self.input.dim).enumerate().for_each_init(
            scratch,
            |scratch, (tile, gradient)| {
                let (rows, padded) = (&mut scratch.0, &mut scratch.1);
                self.arch.dispatch(AddToTile { run: self, panels, cells, tile, rows, padded, gradient });
            },
        );
    }

    /// First candidate of a tile, and the one after its last.
    fn bounds(&self, tile: usize) -> (usize, usize) {
        let begin = tile * self.plan.tile;
        (begin, (begin + self.plan.tile).min(self.input.n_candidates()))
    }

    /// Rows of a tile, padded.
    fn tile_rows(&self, tile: usize) -> &[f32] {
        let (begin, end) = self.bounds(tile);
        &self.candidates[begin * self.plan.width..end * self.plan.width]
    }
}

impl Run<'_> {
    /// Returns the positive row of a query and what is added to its logit.
    fn positive_of(&self, query: usize) -> (&[f32], f32) {
        let dim = self.input.dim;
        match self.input.positives {
            Positives::Column(columns) => {
                let column = candidate_index(columns[query], self.input.n_candidates());
                (
                    &self.input.candidates[column * dim..][..dim],
                    self.input.bias.map_or(0.0, |bias| bias[column]),
                )
            }
            Positives::Rows { rows, bias } => {
                (&rows[query * dim..][..dim], bias.map_or(0.0, |bias| bias[query]))
            }
        }
    }
}

/// Cuts `rows` so that each panel gets a part of its own: from its first query to the next panel's, or
/// nothing at all where there are no rows. Queries of one panel lie in order, so the parts do not overlap.
fn split_by_panels<'a>(mut rows: &'a mut [f32], dim: usize, panels: &[Panel]) -> Vec<&'a mut [f32]> {
    let mut parts = Vec::with_capacity(panels.len());
    let mut begin = 0;
    for panel in panels {
        if rows.is_empty() {
            parts.push(&mut [][..]);
            continue;
        }
        let (first, last) = (panel.first(), panel.numbers[panel.numbers.len() - 1] as usize);
        let (_, rest) = rows.split_at_mut((first - begin) * dim);
        let (part, rest) = rest.split_at_mut((last + 1 - first) * dim);
        parts.push(part);
        (rows, begin) = (rest, last + 1);
    }
    parts
}
