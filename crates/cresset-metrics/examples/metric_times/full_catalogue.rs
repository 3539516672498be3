//! A catalogue in the shape of MovieLens 20M, ranked for all its users by products of vectors of width 64.

use cresset_metrics::{RankingPlan, RankingTask, Scorer, rank_catalogue};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

use crate::inputs::{Lists, hashed};
use crate::{Options, Outcome};

const USERS: u32 = 138_493;
const ITEMS: u32 = 26_744;
const WIDTH: usize = 64;
const KEYS: [&str; 3] = ["hit_rate@10", "recall@10", "ndcg@10"];

/// Items that a user has, and items that should be found.
const SEEN: u32 = 100;
const RELEVANT: u32 = 10;

/// Users whose scores one thread computes at a time: their rows stay in its cache.
const ROWS: usize = 16;

pub(crate) fn run(options: &Options) -> Outcome {
    let users: Vec<u32> = (0..USERS).collect();
    // Both walk through the catalogue from a place of their own, in steps that have no common factor with it.
    let walk = |start: u32, step: u32, count: u32| {
        let mut items: Vec<u32> = (0..count).map(|place| (start % ITEMS + step * place) % ITEMS).collect();
        items.sort_unstable();
        items
    };
    let seen = Lists::of(users.iter().map(|&user| walk(hashed(user), 233, SEEN)));
    let relevant = Lists::of(users.iter().map(|&user| walk(hashed(user + 1_000_000), 2_003, RELEVANT)));
    let task = RankingTask { users: &users, relevant: relevant.view(), seen: seen.view() };
    let model = Factors { users: factors(USERS, 0), items: factors(ITEMS, 0x8000_0000) };
    let plan = RankingPlan::parse(&KEYS)?;
    let case = format!("{USERS}x{ITEMS}x{WIDTH}");
    options.measure(&case, || Ok(rank_catalogue(&model, &task, &plan)?.metrics))?;
    options.report_peak_memory();
    Ok(())
}

/// A model whose score is the product of two vectors.
struct Factors {
    users: Array2<f32>,
    items: Array2<f32>,
}

/// Vectors of values between -1 and 1.
fn factors(rows: u32, salt: u32) -> Array2<f32> {
    let value = |row: usize, column: usize| {
        let word = hashed(salt ^ (row * WIDTH + column) as u32);
        (word >> 8) as f32 / 8_388_608.0 - 1.0
    };
    Array2::from_shape_fn((rows as usize, WIDTH), |(row, column)| value(row, column))
}

impl Scorer for Factors {
    fn n_items(&self) -> usize {
        self.items.nrows()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        let rows: Vec<usize> = users.iter().map(|&user| user as usize).collect();
        let vectors = self.users.select(Axis(0), &rows);
        let score = |(vectors, scores): (ArrayView2<'_, f32>, ArrayViewMut2<'_, f32>)| {
            let mut scores = scores;
            general_mat_mul(1.0, &vectors, &self.items.t(), 0.0, &mut scores);
        };
        let mut scores =
            ArrayViewMut2::from_shape((users.len(), self.n_items()), scores).expect("a row for each user");
        let blocks: Vec<_> =
            vectors.axis_chunks_iter(Axis(0), ROWS).zip(scores.axis_chunks_iter_mut(Axis(0), ROWS)).collect();
        blocks.into_par_iter().for_each(score);
    }
}
