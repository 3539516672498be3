//! Cross-entropy over a whole catalogue: the loss and the gradients of hidden states and item table.

use burn::tensor::{Int, Tensor, TensorData};
use cresset::nn::{AutodiffRecommender, loss, scalar};

use crate::inputs::{ids, normal, random};
use crate::{Case, Work};

const POSITIONS: usize = 6_400;
const WIDTH: usize = 64;
const ITEMS: usize = 3_417;
const MANY_ITEMS: usize = 100_000;

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    let case = |n_items: usize, wide: bool| {
        let name = format!("{POSITIONS}x{WIDTH}x{n_items}{}", if wide { ", wide" } else { "" });
        Case::new(name, POSITIONS, move |device: &B::Device| start::<B>(n_items, wide, device))
    };
    let floats = (POSITIONS + MANY_ITEMS) * WIDTH;
    let many = Case { outputs_mb: Some((floats * size_of::<f32>()) as f64 / 1e6), ..case(MANY_ITEMS, false) };
    vec![case(ITEMS, false), case(ITEMS, true), many]
}

fn start<B: AutodiffRecommender>(n_items: usize, wide: bool, device: &B::Device) -> Work {
    let mut rng = random("targets");
    let mut draw = || {
        let drawn: Vec<i32> = ids(POSITIONS, n_items, &mut rng).into_iter().map(|id| id as i32).collect();
        Tensor::<B, 1, Int>::from_data(TensorData::new(drawn, [POSITIONS]), device)
    };
    let (targets, inputs) = (draw(), draw());
    let table = normal::<B>([n_items, WIDTH], if wide { 1.0 } else { 0.02 }, "table", device);
    // Hidden states of an untrained tied model resemble the embedding of their own input item.
    let hidden = if wide {
        table.clone().select(0, inputs)
    } else {
        normal([POSITIONS, WIDTH], 1.0, "hidden", device)
    };
    let (hidden, table) = (hidden.detach(), table.detach());
    Box::new(move || {
        let (hidden, table) = (hidden.clone().require_grad(), table.clone().require_grad());
        let loss = loss::catalogue_cross_entropy(hidden.clone(), table.clone(), targets.clone(), None);
        let value = loss.clone().inner();
        let mut grads = loss.backward();
        let by_hidden = hidden.grad_remove(&mut grads).expect("the loss depends on it");
        let by_table = table.grad_remove(&mut grads).expect("the loss depends on it");
        // Reading one value of each waits for all.
        let ends = [by_hidden, by_table].map(|grad| scalar(grad.slice([0..1, 0..1]).reshape([1])));
        assert!(scalar(value).is_finite() && ends.iter().all(|end| end.is_finite()));
    })
}
