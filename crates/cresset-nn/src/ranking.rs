//! Where items stand among the scores of a block of users, counted where the scores are.

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

/// A list of items for each row of a block: the list of row `r` is `items[offsets[r]..offsets[r + 1]]`, ascending.
#[derive(Debug, Clone, Copy)]
pub struct RowLists<'a> {
    /// `[rows + 1]`
    pub offsets: &'a [usize],
    /// Item ids of all lists.
    pub items: &'a [u32],
}

/// What [`rank_rows`] counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RankedRows {
    /// For each item asked for, how many candidates score above it; of an item that is masked, meaningless.
    pub above: Vec<u32>,
    /// For each item asked for, how many candidates score as high, itself included.
    pub equal: Vec<u32>,
    /// The best candidates of each row, equal scores by rising id: `[rows, top_k]`; [`NO_CANDIDATE`] behind the last.
    pub top_items: Vec<u32>,
    /// Row, item and value of the first score that is NaN or infinite; the rest is then empty.
    pub not_finite: Option<(usize, u32, f32)>,
}

/// Stands for no item, where a row has fewer candidates than were asked for.
pub const NO_CANDIDATE: u32 = u32::MAX;

/// Counts, on the device of the scores, where the asked items stand among the candidates, which are all but the masked.
///
/// A few numbers for each item asked for cross to the host instead of one for each score. The exception is a row whose
/// list ends within a tie: which of the equals have the lowest ids is decided on the host.
///
/// # Shapes
///
/// - scores: `[rows, n_items]`
/// - asked, masked: one list for each row
///
/// # Panics
///
/// If there is not one list for each row.
pub fn rank_rows<B: Backend>(
    scores: Tensor<B, 2>,
    asked: RowLists<'_>,
    masked: RowLists<'_>,
    top_k: usize,
) -> RankedRows {
    let [n_rows, n_items] = scores.dims();
    for lists in [asked, masked] {
        assert_eq!(lists.offsets.len(), n_rows + 1, "one list for each row");
    }
    if n_rows * n_items == 0 {
        return RankedRows::default();
    }
    if !scores.clone().is_finite().all().into_scalar().to_bool() {
        return RankedRows { not_finite: first_not_finite(scores), ..RankedRows::default() };
    }
    let candidates = without(scores.clone(), masked);
    let (above, equal) = counts(&scores, &candidates, asked);
    let top_items = if top_k > 0 { best(&candidates, top_k) } else { Vec::new() };
    RankedRows { above, equal, top_items, not_finite: None }
}

impl RowLists<'_> {
    fn of(&self, row: usize) -> &[u32] {
        &self.items[self.offsets[row]..self.offsets[row + 1]]
    }

    fn longest(&self) -> usize {
        self.offsets.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0)
    }

    /// The lists as a rectangle, filled up with item 0, and which places are real: `[rows, longest]` each.
    fn padded(&self) -> (Vec<i32>, Vec<bool>, [usize; 2]) {
        let (n_rows, width) = (self.offsets.len() - 1, self.longest());
        let (mut items, mut is_real) = (vec![0; n_rows * width], vec![false; n_rows * width]);
        for row in 0..n_rows {
            for (at, &item) in self.of(row).iter().enumerate() {
                items[row * width + at] = item as i32;
                is_real[row * width + at] = true;
            }
        }
        (items, is_real, [n_rows, width])
    }
}

/// The scores with those of the masked items below all others.
fn without<B: Backend>(scores: Tensor<B, 2>, masked: RowLists<'_>) -> Tensor<B, 2> {
    if masked.longest() == 0 {
        return scores;
    }
    let device = scores.device();
    let (items, is_real, shape) = masked.padded();
    // What fills up the rectangle adds nothing to item 0.
    let added: Vec<f32> = is_real.iter().map(|&real| if real { f32::NEG_INFINITY } else { 0.0 }).collect();
    let items = Tensor::<B, 2, Int>::from_data(TensorData::new(items, shape), &device);
    let added = Tensor::<B, 2>::from_data(TensorData::new(added, shape), &device);
    scores.scatter(1, items, added, IndexingUpdateOp::Add)
}

/// How many candidates score above each asked item, and how many as high, one column of asked items at a time.
fn counts<B: Backend>(
    scores: &Tensor<B, 2>,
    candidates: &Tensor<B, 2>,
    asked: RowLists<'_>,
) -> (Vec<u32>, Vec<u32>) {
    let (items, is_real, shape) = asked.padded();
    let [n_rows, width] = shape;
    if width == 0 {
        return (Vec::new(), Vec::new());
    }
    let items = Tensor::<B, 2, Int>::from_data(TensorData::new(items, shape), &scores.device());
    let thresholds = scores.clone().gather(1, items);
    let column = |at: usize| {
        let threshold = thresholds.clone().narrow(1, at, 1).expand([n_rows as i64, -1]);
        let above = candidates.clone().greater(threshold.clone()).int().sum_dim(1);
        let equal = candidates.clone().equal(threshold).int().sum_dim(1);
        Tensor::cat(vec![above, equal], 1)
    };
    // [rows, 2 * width]: above and equal by turns.
    let counted = ints(Tensor::cat((0..width).map(column).collect(), 1));
    let places = (0..n_rows * width).filter(|&place| is_real[place]);
    places.map(|place| (counted[2 * place], counted[2 * place + 1])).unzip()
}

/// The best candidates of each row, equal scores by rising id.
fn best<B: Backend>(candidates: &Tensor<B, 2>, top_k: usize) -> Vec<u32> {
    let [n_rows, n_items] = candidates.dims();
    let k = top_k.min(n_items);
    let (values, items) = candidates.clone().topk_with_indices(k, 1);
    let last = values.clone().narrow(1, k - 1, 1).expand([n_rows as i64, -1]);
    let at_least = ints(candidates.clone().greater_equal(last).int().sum_dim(1));
    let (values, items) = (floats(values), ints(items));
    let mut best = Vec::with_capacity(n_rows * top_k);
    for (row, &at_least) in at_least.iter().enumerate() {
        let place = row * k..(row + 1) * k;
        let mut list: Vec<(f32, u32)> =
            values[place.clone()].iter().copied().zip(items[place].iter().copied()).collect();
        if at_least as usize > k {
            let scores = floats(candidates.clone().narrow(0, row, 1));
            list = scores.into_iter().zip(0..).collect();
        }
        list.retain(|(score, _)| *score > f32::NEG_INFINITY);
        // Stable under -0 and 0, which are equal.
        list.sort_unstable_by(|a, b| (b.0 + 0.0).total_cmp(&(a.0 + 0.0)).then(a.1.cmp(&b.1)));
        let found = list.iter().take(top_k).map(|&(_, item)| item);
        best.extend(found.chain(std::iter::repeat(NO_CANDIDATE)).take(top_k));
    }
    best
}

fn first_not_finite<B: Backend>(scores: Tensor<B, 2>) -> Option<(usize, u32, f32)> {
    let [_, n_items] = scores.dims();
    let scores = floats(scores);
    let at = scores.iter().position(|score| !score.is_finite())?;
    Some((at / n_items, (at % n_items) as u32, scores[at]))
}

fn floats<B: Backend>(tensor: Tensor<B, 2>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().to_vec().expect("converted just before")
}

fn ints<B: Backend>(tensor: Tensor<B, 2, Int>) -> Vec<u32> {
    let values: Vec<i32> = tensor.into_data().convert::<i32>().to_vec().expect("converted just before");
    values.into_iter().map(|value| value as u32).collect()
}
