//! A cell: the logits of a panel against a tile, made into `e` where they lie.

use pulp::{Simd, WithSimd};

use super::super::Objective;
use super::super::functions::{exp_of_negative, sigmoid_and_softplus};
use super::panel::Panel;
use super::{PANEL, Run};
use crate::kernels::cpu::product::{Left, Start, multiply};

/// Registers of a panel whose sums are kept at once.
const ABREAST: usize = 4;

/// What a cell's negatives add up to, for each query of the panel.
#[derive(Clone, Copy)]
pub(super) struct CellSums {
    pub(super) shift: [f32; PANEL],
    pub(super) mass: [f32; PANEL],
    pub(super) loss: [f32; PANEL],
    pub(super) count: [f32; PANEL],
}

impl CellSums {
    pub(super) const EMPTY: Self =
        CellSums { shift: [0.0; PANEL], mass: [0.0; PANEL], loss: [0.0; PANEL], count: [0.0; PANEL] };
}

/// Computes the logits of a cell, turns them into `e`, and multiplies them by the tile's rows.
pub(super) struct FillCell<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) panel: &'a Panel,
    pub(super) tile: usize,
    pub(super) scores: &'a mut [f32],
    pub(super) product: Option<&'a mut [f32]>,
    pub(super) sums: &'a mut CellSums,
}

impl WithSimd for FillCell<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let FillCell { run, panel, tile, scores, product, sums } = self;
        let (begin, end) = run.bounds(tile);
        let scores = &mut scores[..(end - begin) * PANEL];
        let rows = Left::Rows(&run.candidates[begin * run.plan.width..], run.plan.width);
        let start = run.input.bias.map_or(Start::Zero, |bias| Start::Constants(&bias[begin..end]));
        multiply(simd, rows, &panel.columns, PANEL, start, scores);
        sums.count = [(end - begin) as f32; PANEL];
        if let Some((ids, _)) = run.input.ids {
            mask_hits(simd, &ids[begin..end], &panel.ids, scores, &mut sums.count);
        }
        mask_positives(run, panel, begin, scores, &mut sums.count);
        match run.objective {
            Objective::Softmax => exponentials(simd, scores, sums),
            Objective::Sigmoid { .. } => sigmoids(simd, &[0.0; PANEL], scores, sums),
            Objective::Bpr => sigmoids(simd, &panel.positives, scores, sums),
        }
        if let Some(product) = product {
            multiply(
                simd,
                Left::Columns(scores, PANEL),
                run.tile_rows(tile),
                run.plan.width,
                Start::Zero,
                product,
            );
        }
    }
}

/// Sets the logits of accidental hits to minus infinity, where every `e` is 0, and takes them off the count.
#[inline(always)]
fn mask_hits<S: Simd>(simd: S, ids: &[i32], positives: &[i32], scores: &mut [f32], count: &mut [f32; PANEL]) {
    let positives = S::as_simd_i32s(positives).0;
    let count = S::as_mut_simd_f32s(count).0;
    let scores = S::as_mut_simd_f32s(scores).0;
    for (row, &id) in scores.chunks_exact_mut(PANEL / S::F32_LANES).zip(ids) {
        let id = simd.splat_i32s(id);
        for ((score, positive), count) in row.iter_mut().zip(positives).zip(count.iter_mut()) {
            let hit = simd.equal_i32s(id, *positive);
            *score = simd.select_f32s(hit, simd.splat_f32s(f32::NEG_INFINITY), *score);
            let one = simd.select_f32s(hit, simd.splat_f32s(1.0), simd.splat_f32s(0.0));
            *count = simd.sub_f32s(*count, one);
        }
    }
}

/// Takes the positives that are candidates of this tile out of the negatives.
#[inline(always)]
fn mask_positives(run: &Run<'_>, panel: &Panel, begin: usize, scores: &mut [f32], count: &mut [f32; PANEL]) {
    for lane in 0..PANEL {
        let column = panel.columns_of_positives[lane].wrapping_sub(begin as i32) as usize;
        if column < scores.len() / PANEL {
            scores[column * PANEL + lane] = f32::NEG_INFINITY;
            let counted_as_hit = run.input.ids.is_some_and(|(ids, _)| ids[begin + column] == panel.ids[lane]);
            count[lane] -= if counted_as_hit { 0.0 } else { 1.0 };
        }
    }
}

/// Turns logits into exponentials relative to the cell's largest, which becomes the shift, and sums them.
#[inline(always)]
fn exponentials<S: Simd>(simd: S, scores: &mut [f32], sums: &mut CellSums) {
    let scores = S::as_mut_simd_f32s(scores).0;
    let shifts = S::as_mut_simd_f32s(&mut sums.shift).0;
    let masses = S::as_mut_simd_f32s(&mut sums.mass).0;
    let width = PANEL / S::F32_LANES;
    for first in (0..width).step_by(ABREAST) {
        // Finite, so that a column of minus infinities gives zeros and not NaN.
        let mut shift = [simd.splat_f32s(f32::MIN); ABREAST];
        for row in scores.chunks_exact(width) {
            for (shift, score) in shift.iter_mut().zip(&row[first..][..ABREAST]) {
                *shift = simd.max_f32s(*shift, *score);
            }
        }
        let mut mass = [simd.splat_f32s(0.0); ABREAST];
        for row in scores.chunks_exact_mut(width) {
            for ((score, shift), mass) in row[first..][..ABREAST].iter_mut().zip(shift).zip(&mut mass) {
                *score = exp_of_negative(simd, simd.sub_f32s(*score, shift));
                *mass = simd.add_f32s(*mass, *score);
            }
        }
        shifts[first..][..ABREAST].copy_from_slice(&shift);
        masses[first..][..ABREAST].copy_from_slice(&mass);
    }
}

/// Turns logits into `sigmoid(logit - offset)`, and sums them and the losses `softplus(logit - offset)`.
#[inline(always)]
fn sigmoids<S: Simd>(simd: S, offsets: &[f32; PANEL], scores: &mut [f32], sums: &mut CellSums) {
    let scores = S::as_mut_simd_f32s(scores).0;
    let offsets = S::as_simd_f32s(offsets).0;
    let losses = S::as_mut_simd_f32s(&mut sums.loss).0;
    let masses = S::as_mut_simd_f32s(&mut sums.mass).0;
    let width = PANEL / S::F32_LANES;
    for first in (0..width).step_by(ABREAST) {
        let offset: [S::f32s; ABREAST] = *offsets[first..].first_chunk().expect("whole groups of registers");
        let mut loss = [simd.splat_f32s(0.0); ABREAST];
        let mut mass = loss;
        for row in scores.chunks_exact_mut(width) {
            for (c, score) in row[first..][..ABREAST].iter_mut().enumerate() {
                let (sigmoid, softplus) = sigmoid_and_softplus(simd, simd.sub_f32s(*score, offset[c]));
                *score = sigmoid;
                loss[c] = simd.add_f32s(loss[c], softplus);
                mass[c] = simd.add_f32s(mass[c], sigmoid);
            }
        }
        losses[first..][..ABREAST].copy_from_slice(&loss);
        masses[first..][..ABREAST].copy_from_slice(&mass);
    }
}
