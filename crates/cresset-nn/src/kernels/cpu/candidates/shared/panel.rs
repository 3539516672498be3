//! A panel: queries that lie side by side in registers.

use pulp::{Simd, WithSimd};

use super::super::{add_scaled, dot};
use super::{PANEL, Positives, Run, Shared};

/// A panel of queries, packed, with all that belongs to them.
pub(super) struct Panel {
    /// Scaled queries, `[dim, PANEL]`.
    pub(super) columns: Vec<f32>,
    /// Scaled queries, `[PANEL, width]`.
    pub(super) rows: Vec<f32>,
    /// Numbers of the queries; at most [`PANEL`].
    pub(super) numbers: Vec<u32>,
    /// Positive logits.
    pub(super) positives: [f32; PANEL],
    /// Column of each positive, -1 for none.
    pub(super) columns_of_positives: [i32; PANEL],
    /// Id of each positive.
    pub(super) ids: [i32; PANEL],
    /// Gradient of the loss in each positive logit.
    pub(super) positive_coefficients: [f32; PANEL],
    /// `[n_tiles, PANEL]`: what `e` in each tile is multiplied by.
    pub(super) factors: Vec<[f32; PANEL]>,
    pub(super) loss: f64,
}

impl Panel {
    pub(super) fn new(run: &Run<'_>) -> Self {
        Panel {
            columns: vec![0.0; run.input.dim * PANEL],
            rows: vec![0.0; PANEL * run.plan.width],
            numbers: Vec::with_capacity(PANEL),
            positives: [0.0; PANEL],
            columns_of_positives: [-1; PANEL],
            ids: [0; PANEL],
            positive_coefficients: [0.0; PANEL],
            factors: vec![[0.0; PANEL]; run.plan.n_tiles],
            loss: 0.0,
        }
    }

    /// Sets all lanes to zero, and to no positive.
    fn clear(&mut self) {
        self.columns.fill(0.0);
        self.rows.fill(0.0);
        self.numbers.clear();
        self.positives.fill(0.0);
        self.columns_of_positives.fill(-1);
    }

    /// Number of the panel's first query.
    pub(super) fn first(&self) -> usize {
        self.numbers[0] as usize
    }
}

/// Fills a panel with the queries `numbers`; lanes beyond them hold zeros.
pub(super) struct PackPanel<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) panel: &'a mut Panel,
    pub(super) numbers: &'a [u32],
}

impl WithSimd for PackPanel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let PackPanel { run, panel, numbers } = self;
        panel.clear();
        panel.numbers.extend_from_slice(numbers);
        let Shared { dim, scale, queries, .. } = *run.input;
        let rows = panel.rows.chunks_exact_mut(run.plan.width);
        for (lane, (&number, row)) in numbers.iter().zip(rows).enumerate() {
            let number = number as usize;
            let row = &mut row[..dim];
            add_scaled(simd, scale, &queries[number * dim..][..dim], row);
            for (column, &x) in panel.columns.chunks_exact_mut(PANEL).zip(&*row) {
                column[lane] = x;
            }
            let (positive, bias) = run.positive_of(number);
            panel.positives[lane] = dot(simd, row, positive) + bias;
            if let Positives::Column(columns) = run.input.positives {
                panel.columns_of_positives[lane] = columns[number];
            }
            if let Some((_, ids)) = run.input.ids {
                panel.ids[lane] = ids[number];
            }
        }
    }
}
