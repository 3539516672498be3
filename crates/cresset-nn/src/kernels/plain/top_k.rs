//! The best items for each query: scores on the device, block by block, the choice on the host.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

/// Scores held at once: 16 MB of them.
const SCORES_PER_BLOCK: usize = 1 << 22;

pub(crate) fn top_k<B: Backend>(
    queries: Tensor<B, 2>,
    items: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
    seen: Option<&[Vec<u32>]>,
    k: usize,
) -> (Tensor<B, 2>, Tensor<B, 2, Int>) {
    let [n, _] = queries.dims();
    let [n_items, _] = items.dims();
    assert!(k <= n_items, "k = {k} exceeds the {n_items} items of the catalogue");
    let device = queries.device();
    let rows = (SCORES_PER_BLOCK / n_items.max(1)).max(1);
    let (mut scores, mut ids) = (Vec::with_capacity(n * k), Vec::with_capacity(n * k));
    for start in (0..n).step_by(rows) {
        let queries = queries.clone().narrow(0, start, rows.min(n - start));
        let mut block = queries.matmul(items.clone().transpose());
        if let Some(bias) = &bias {
            block = block + bias.clone().unsqueeze_dim(0);
        }
        let block: Vec<f32> = block.into_data().convert::<f32>().to_vec().expect("converted just before");
        for (row, block) in block.chunks_exact(n_items.max(1)).enumerate() {
            let seen = seen.map_or(&[][..], |seen| &seen[start + row]);
            for (score, id) in best(block, seen, k) {
                scores.push(score);
                ids.push(id);
            }
        }
    }
    let scores = Tensor::from_data(TensorData::new(scores, [n, k]), &device);
    (scores, Tensor::from_data(TensorData::new(ids, [n, k]), &device))
}

/// Exactly `k` pairs of score and id; NaN comes last.
fn best(scores: &[f32], seen: &[u32], k: usize) -> Vec<(f32, i32)> {
    // Added to 0, minus 0 is equal to 0 in the total order, too.
    let key = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score + 0.0 };
    let left = (0..scores.len() as u32).filter(|id| seen.binary_search(id).is_err());
    let mut left: Vec<(f32, i32)> = left.map(|id| (scores[id as usize], id as i32)).collect();
    let order = |a: &(f32, i32), b: &(f32, i32)| {
        a.0.is_nan().cmp(&b.0.is_nan()).then(key(b.0).total_cmp(&key(a.0))).then(a.1.cmp(&b.1))
    };
    if k < left.len() && k > 0 {
        left.select_nth_unstable_by(k - 1, order);
    }
    left.truncate(k);
    left.sort_unstable_by(order);
    left.resize(k, (f32::NEG_INFINITY, -1));
    left
}
