//! What a panel's cells come to: its losses and coefficients, and the gradients of its queries.

use pulp::{Simd, WithSimd};

use super::super::functions::exp_of_negative;
use super::super::{Objective, RowSums, add_scaled};
use super::cell::CellSums;
use super::panel::Panel;
use super::{Cells, PANEL, Run};

/// Computes the losses and coefficients of a panel, and with gradients those of its queries and positive
/// rows.
pub(super) struct FinishPanel<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) index: usize,
    pub(super) n_panels: usize,
    pub(super) panel: &'a mut Panel,
    pub(super) cells: &'a Cells,
    /// Parts of the gradients of queries and of positive rows, from the panel's first query on.
    pub(super) gradients: Option<(&'a mut [f32], &'a mut [f32])>,
}

impl WithSimd for FinishPanel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let FinishPanel { run, index, n_panels, panel, cells, gradients } = self;
        let of_panel = |tile: usize| tile * n_panels + index;
        let mut totals = CellSums::EMPTY;
        if run.objective == Objective::Softmax {
            totals.shift = panel.positives;
            for tile in 0..run.plan.n_tiles {
                for (to, &from) in totals.shift.iter_mut().zip(&cells.sums[of_panel(tile)].shift) {
                    *to = if from > *to { from } else { *to };
                }
            }
        }
        for (tile, factor) in panel.factors.iter_mut().enumerate() {
            total(simd, &cells.sums[of_panel(tile)], factor, &mut totals);
        }
        let coefficients = coefficients(run, panel, &totals);
        for factor in &mut panel.factors {
            for (factor, coefficient) in factor.iter_mut().zip(coefficients) {
                *factor *= coefficient;
            }
        }
        if let Some((queries, positives)) = gradients {
            let width = run.plan.width;
            let size = PANEL * width;
            let mut sum = vec![0.0; size];
            for (tile, factors) in panel.factors.iter().enumerate() {
                let product = &cells.products[of_panel(tile) * size..][..size];
                let rows = product.chunks_exact(width).zip(sum.chunks_exact_mut(width));
                for ((from, to), &factor) in rows.zip(factors).take(panel.numbers.len()) {
                    add_scaled(simd, factor, from, to);
                }
            }
            write_rows(simd, run, panel, &sum, queries, positives);
        }
    }
}

/// Adds a cell's sums to a panel's, and keeps the factor that brings the cell's `e` to the panel's shift.
#[inline(always)]
fn total<S: Simd>(simd: S, cell: &CellSums, factors: &mut [f32; PANEL], totals: &mut CellSums) {
    let shifts = S::as_simd_f32s(&cell.shift).0.iter().zip(S::as_simd_f32s(&totals.shift).0);
    for (factor, (from, to)) in S::as_mut_simd_f32s(factors).0.iter_mut().zip(shifts) {
        *factor = exp_of_negative(simd, simd.sub_f32s(*from, *to));
    }
    for (mass, (cell, factor)) in totals.mass.iter_mut().zip(cell.mass.iter().zip(factors)) {
        *mass += cell * *factor;
    }
    add_scaled(simd, 1.0, &cell.loss, &mut totals.loss);
    add_scaled(simd, 1.0, &cell.count, &mut totals.count);
}

/// Returns what `e` is multiplied by, lane by lane; keeps the panel's loss and its positives' coefficients.
fn coefficients(run: &Run<'_>, panel: &mut Panel, totals: &CellSums) -> [f32; PANEL] {
    let mut coefficients = [0.0; PANEL];
    panel.loss = 0.0;
    for (lane, &number) in panel.numbers.iter().enumerate() {
        let row = run.objective.row(RowSums {
            positive: f64::from(panel.positives[lane]),
            shift: f64::from(totals.shift[lane]),
            mass: f64::from(totals.mass[lane]),
            loss: f64::from(totals.loss[lane]),
            count: f64::from(totals.count[lane]),
        });
        let weight = run.input.weights.map_or(1.0, |weights| f64::from(weights[number as usize]));
        panel.loss += weight * row.loss;
        panel.positive_coefficients[lane] = (row.positive * weight / run.total_weight) as f32;
        coefficients[lane] = (row.negatives * weight / run.total_weight) as f32;
    }
    coefficients
}

/// Writes the gradients of a panel's queries, `scale * (sum + coefficient * positive)`, and of its positive
/// rows.
#[inline(always)]
fn write_rows<S: Simd>(
    simd: S,
    run: &Run<'_>,
    panel: &Panel,
    sum: &[f32],
    queries: &mut [f32],
    positives: &mut [f32],
) {
    let (dim, width, scale) = (run.input.dim, run.plan.width, run.input.scale);
    for (lane, &number) in panel.numbers.iter().enumerate() {
        let number = number as usize;
        let coefficient = panel.positive_coefficients[lane];
        let at = (number - panel.first()) * dim;
        add_scaled(simd, scale, &sum[lane * width..][..dim], &mut queries[at..][..dim]);
        add_scaled(simd, scale * coefficient, run.positive_of(number).0, &mut queries[at..][..dim]);
        if !positives.is_empty() {
            add_scaled(simd, coefficient, &panel.rows[lane * width..][..dim], &mut positives[at..][..dim]);
        }
    }
}
