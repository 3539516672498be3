//! What the candidates of a tile receive from a group of queries.

use pulp::{Simd, WithSimd};

use super::super::add_scaled;
use super::panel::Panel;
use super::{Cells, PANEL, Plan, Run};
use crate::kernels::cpu::product::{Left, Start, multiply};

/// Adds a group's share to the gradient of a tile's rows.
pub(super) struct AddToTile<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) panels: &'a [Panel],
    pub(super) cells: &'a Cells,
    pub(super) tile: usize,
    /// `[PANEL, width]`, scratch for the queries times their factors.
    pub(super) rows: &'a mut [f32],
    /// `[tile, width]`, scratch for rows that are not whole registers.
    pub(super) padded: &'a mut [f32],
    pub(super) gradient: &'a mut [f32],
}

impl WithSimd for AddToTile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AddToTile { run, panels, cells, tile, rows, padded, gradient } = self;
        let Plan { width, tile: tile_size, .. } = run.plan;
        let (begin, end) = run.bounds(tile);
        let whole = width == run.input.dim;
        let padded = &mut padded[..(end - begin) * width];
        padded.fill(0.0);
        for (index, panel) in panels.iter().enumerate() {
            let factors = &panel.factors[tile];
            if factors.iter().all(|&factor| factor == 0.0) {
                continue; // Far from every query of the panel.
            }
            rows.fill(0.0);
            let queries = panel.rows.chunks_exact(width).zip(rows.chunks_exact_mut(width));
            for ((from, to), &factor) in queries.zip(factors) {
                add_scaled(simd, factor, from, to);
            }
            let cell = tile * panels.len() + index;
            let scores = Left::Rows(&cells.scores[cell * tile_size * PANEL..], PANEL);
            let out = if whole { &mut *gradient } else { &mut *padded };
            multiply(simd, scores, rows, width, Start::Previous, out);
        }
        if !whole {
            for (to, from) in gradient.chunks_exact_mut(run.input.dim).zip(padded.chunks_exact(width)) {
                add_scaled(simd, 1.0, &from[..run.input.dim], to);
            }
        }
        for panel in panels {
            add_positives(simd, run, panel, begin, gradient);
        }
    }
}

/// Adds to each candidate of a tile what it receives as the positive of a panel's queries.
#[inline(always)]
fn add_positives<S: Simd>(simd: S, run: &Run<'_>, panel: &Panel, begin: usize, gradient: &mut [f32]) {
    let (dim, width) = (run.input.dim, run.plan.width);
    for (lane, &column) in panel.columns_of_positives.iter().enumerate() {
        let column = column.wrapping_sub(begin as i32) as usize;
        if column < gradient.len() / dim {
            let row = &panel.rows[lane * width..][..dim];
            add_scaled(simd, panel.positive_coefficients[lane], row, &mut gradient[column * dim..][..dim]);
        }
    }
}
