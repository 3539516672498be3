use burn::backend::Flex;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::{Bare, assert_close, device, floats, ids, ints, on_both};
use crate::RecommenderBackend;
use crate::kernels::cube::candidates::candidate_loss_in_blocks;
use crate::kernels::plain;
use crate::kernels::spec::{AccidentalHits, Against, CandidateLoss, Objective};

const OBJECTIVES: [Objective; 4] =
    [Objective::Softmax, Objective::Sigmoid { beta: 1.0 }, Objective::Sigmoid { beta: 0.3 }, Objective::Bpr];
/// Queries, candidates and width.
const SHAPES: [[usize; 3]; 6] = [[0, 3, 4], [1, 1, 1], [3, 5, 4], [7, 300, 9], [65, 257, 16], [5, 1000, 3]];

#[derive(Debug, Clone, Copy)]
enum Kind {
    All,
    Own,
    Drawn,
}

/// With everything optional, or with nothing of it.
fn inputs<B: Backend>(
    [n, n_candidates, dim]: [usize; 3],
    kind: Kind,
    full: bool,
    device: &B::Device,
) -> CandidateLoss<B> {
    let positives = || ids(n, n_candidates, 3);
    // Few distinct ids, so that many a negative is the positive under another row.
    let candidate_ids: Vec<i32> = (0..n_candidates as i32).map(|id| id % 4).collect();
    let hits = |positive_ids: Vec<i32>| {
        full.then(|| AccidentalHits {
            candidate_ids: ints(candidate_ids.clone(), [n_candidates], device),
            positive_ids: ints(positive_ids, [n], device),
        })
    };
    let against = match kind {
        Kind::All => Against::All {
            positives: ints(positives(), [n], device),
            hits: hits(positives().iter().map(|id| id % 4).collect()),
        },
        Kind::Own => Against::OwnPositive {
            rows: floats([n, dim], 4, device),
            bias: full.then(|| floats([n], 5, device)),
            hits: hits(positives().iter().map(|id| id % 4).collect()),
        },
        Kind::Drawn => Against::Drawn {
            positives: ints(positives(), [n], device),
            negatives: ints(ids(n * 3, n_candidates, 6), [n, 3], device),
        },
    };
    CandidateLoss {
        queries: floats([n, dim], 1, device),
        candidates: floats([n_candidates, dim], 2, device),
        against,
        bias: full.then(|| floats([n_candidates], 7, device)),
        scale: if full { 3.0 } else { 1.0 },
        weights: full.then(|| floats::<B, 1>([n], 8, device).clamp_min(0.0)),
    }
}

#[test]
fn losses_and_gradients_are_those_of_the_default_body() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let cpu = Default::default();
        for shape in SHAPES {
            for objective in OBJECTIVES {
                for (kind, full) in [
                    (Kind::All, false),
                    (Kind::All, true),
                    (Kind::Own, false),
                    (Kind::Own, true),
                    (Kind::Drawn, true),
                ] {
                    let case = format!("{shape:?}, {objective:?}, {kind:?}, full {full}");
                    let here = inputs::<Flex>(shape, kind, full, &cpu);
                    let (loss_here, here) = plain::candidate_loss_forward::<Flex>(&here, objective);
                    let there = inputs::<B>(shape, kind, full, device);
                    assert_close(B::candidate_loss(there.clone(), objective), loss_here.clone(), &case);
                    let (loss, there) = B::candidate_loss_forward(there, objective);
                    assert_close(loss, loss_here, &case);
                    assert_close(there.queries, here.queries, &case);
                    assert_close(there.candidates, here.candidates, &case);
                    assert_eq!(there.positives.is_some(), here.positives.is_some(), "{case}");
                    if let Some((there, here)) = there.positives.zip(here.positives) {
                        assert_close(there, here, &case);
                    }
                }
            }
        }
    }
    on_both!(check);
}

#[test]
fn blocks_of_queries_sum_to_the_whole() {
    let Some(device) = device() else { return };
    let cpu = Default::default();
    for kind in [Kind::All, Kind::Own] {
        let shape = [65, 257, 16];
        let there = inputs::<Bare>(shape, kind, true, &device);
        // Of 3 queries each, and one of 2.
        let (loss, there) = candidate_loss_in_blocks(&there, Objective::Softmax, 3 * 257);
        let here = inputs::<Flex>(shape, kind, true, &cpu);
        let (loss_here, here) = plain::candidate_loss_forward::<Flex>(&here, Objective::Softmax);
        let case = format!("{kind:?}");
        assert_close(loss, loss_here, &case);
        assert_close(there.queries, here.queries, &case);
        assert_close(there.candidates, here.candidates, &case);
        if let Some((there, here)) = there.positives.zip(here.positives) {
            assert_close(there, here, &case);
        }
    }
}

#[test]
fn scores_far_apart_leave_the_loss_finite() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let cpu = Default::default();
        for objective in OBJECTIVES {
            let there = CandidateLoss { scale: 300.0, ..inputs::<B>([7, 300, 9], Kind::All, false, device) };
            let here = CandidateLoss { scale: 300.0, ..inputs::<Flex>([7, 300, 9], Kind::All, false, &cpu) };
            let (loss, there) = B::candidate_loss_forward(there, objective);
            let (loss_here, here) = plain::candidate_loss_forward::<Flex>(&here, objective);
            assert_close(loss, loss_here, &format!("{objective:?}"));
            assert_close(there.queries, here.queries, &format!("{objective:?}"));
        }
    }
    on_both!(check);
}

#[test]
fn queries_without_weight_have_neither_loss_nor_gradient() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let weights = Some(Tensor::zeros([7], device));
        let inputs = CandidateLoss { weights, ..inputs::<B>([7, 300, 9], Kind::Own, false, device) };
        let (loss, gradients) = B::candidate_loss_forward(inputs, Objective::Softmax);
        assert_eq!(super::read(loss), [0.0]);
        assert!(super::read(gradients.candidates).iter().all(|&slope| slope == 0.0));
    }
    on_both!(check);
}
