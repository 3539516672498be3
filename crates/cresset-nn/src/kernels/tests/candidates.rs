//! Losses of queries against candidates.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Int, Tensor, activation};

use super::{
    Differentiable, Reference, assert_near, assert_values_near, bits, check_against_autodiff,
    check_against_differences, combinations, drawn, host, next, normal_values, on_every_backend, tensor,
    vector,
};
use crate::kernels::plain;
use crate::{
    AccidentalHits, Against, CandidateGradients, CandidateLoss, Objective, RecommenderBackend, id_tensor,
};

on_every_backend! {
    losses_and_gradients_equal_the_plain_ones,
    gradients_equal_those_of_ordinary_operations,
    gradients_equal_finite_differences,
    queries_without_weight_leave_a_loss_and_gradients_of_zero,
    a_value_that_is_not_a_number_is_not_hidden,
    scores_far_apart_give_finite_losses_and_gradients,
    the_cross_entropy_of_equal_scores_is_the_logarithm_of_their_number,
    a_query_without_negatives_has_no_bpr_and_no_softmax,
    a_scale_that_is_not_a_finite_number_above_0_is_refused_by_value,
}

/// Queries, candidates and width; the last two are cut into several panels, tiles and groups.
const SHAPES: [[usize; 3]; 9] = [
    [0, 5, 4],
    [1, 1, 1],
    [1, 5, 3],
    [7, 1, 8],
    [5, 9, 2],
    [13, 70, 17],
    [64, 192, 16],
    [70, 200, 33],
    [300, 450, 20],
];

const OBJECTIVES: [Objective; 4] =
    [Objective::Softmax, Objective::Sigmoid { beta: 1.0 }, Objective::Sigmoid { beta: 0.3 }, Objective::Bpr];

#[derive(Debug, Clone, Copy)]
struct Case {
    shape: [usize; 3],
    objective: Objective,
    kind: Kind,
    has_hits: bool,
    has_bias: bool,
    weights: Weights,
    scale: f32,
}

/// What the queries are set against.
#[derive(Debug, Clone, Copy)]
enum Kind {
    All,
    OwnPositive,
    /// So many negatives for each query, at least one; for some queries one of them is the positive.
    Drawn(usize),
}

#[derive(Debug, Clone, Copy)]
enum Weights {
    Unasked,
    /// A third of the queries have none.
    Some,
    None,
}

impl Case {
    fn grid(shape: [usize; 3]) -> impl Iterator<Item = Self> {
        combinations([4, 6, 2, 3]).map(move |[objective, kind, bias, weights]| {
            use Kind::{All, Drawn, OwnPositive};
            let kinds = [Drawn(1), Drawn(5), All, OwnPositive, All, OwnPositive];
            Self {
                shape,
                objective: OBJECTIVES[objective],
                kind: kinds[kind],
                has_hits: kind > 3,
                has_bias: bias == 1,
                weights: [Weights::Unasked, Weights::Some, Weights::None][weights],
                scale: [1.0, 2.5][(objective + weights) % 2],
            }
        })
    }

    /// Values of scores around 1, so that no query is so sure of its positive that `1 - p` is a rounding
    /// error.
    fn queries(&self) -> Vec<f32> {
        let [n, _, dim] = self.shape;
        normal_values("queries", n * dim).iter().map(|value| value / (dim as f32).sqrt()).collect()
    }

    fn candidates(&self) -> Vec<f32> {
        normal_values("candidates", self.shape[1] * self.shape[2])
    }

    fn own_positives(&self) -> Vec<f32> {
        normal_values("own positives", self.shape[0] * self.shape[2])
    }

    fn positives(&self) -> Vec<u32> {
        drawn("positives", self.shape[0], self.shape[1])
    }

    fn negatives(&self, each: usize) -> Vec<u32> {
        drawn("negatives", self.shape[0] * each, self.shape[1])
    }

    /// Ids of the candidates, several of which are equal, and of the positives; ids of [`Kind::All`]'s
    /// positives are those of the candidates that they are.
    fn hits(&self) -> (Vec<u32>, Vec<u32>) {
        let [n, n_candidates, _] = self.shape;
        let n_ids = n_candidates.div_ceil(3);
        let candidates = drawn("candidate ids", n_candidates, n_ids);
        let positives = match self.kind {
            Kind::All => self.positives().iter().map(|&at| candidates[at as usize]).collect(),
            _ => drawn("positive ids", n, n_ids),
        };
        (candidates, positives)
    }

    fn bias(&self) -> Vec<f32> {
        normal_values("bias", self.shape[1])
    }

    fn weights(&self) -> Option<Vec<f32>> {
        let n = self.shape[0];
        match self.weights {
            Weights::Unasked => None,
            Weights::Some => Some((0..n).map(|query| [0.5, 2.0, 0.0][query % 3]).collect()),
            Weights::None => Some(vec![0.0; n]),
        }
    }

    fn against<B: Backend>(&self, own: Option<Tensor<B, 2>>) -> Against<B> {
        let device = B::Device::default();
        let hits = self.has_hits.then(|| {
            let (candidates, positives) = self.hits();
            AccidentalHits {
                candidate_ids: id_tensor(&candidates, &device),
                positive_ids: id_tensor(&positives, &device),
            }
        });
        let [n, _, dim] = self.shape;
        match self.kind {
            Kind::All => Against::All { positives: id_tensor(&self.positives(), &device), hits },
            Kind::OwnPositive => Against::OwnPositive {
                rows: own.unwrap_or_else(|| tensor(&self.own_positives(), [n, dim])),
                bias: self.has_bias.then(|| vector(&normal_values("positive bias", n))),
                hits,
            },
            Kind::Drawn(each) => Against::Drawn {
                positives: id_tensor(&self.positives(), &device),
                negatives: id_tensor(&self.negatives(each), &device).reshape([n, each]),
            },
        }
    }

    fn inputs<B: Backend>(&self) -> CandidateLoss<B> {
        let [n, n_candidates, dim] = self.shape;
        let [queries, candidates] = [(self.queries(), n), (self.candidates(), n_candidates)]
            .map(|(values, rows)| tensor(&values, [rows, dim]));
        self.with_rows(queries, candidates, None)
    }

    fn with_rows<B: Backend>(
        &self,
        queries: Tensor<B, 2>,
        candidates: Tensor<B, 2>,
        own: Option<Tensor<B, 2>>,
    ) -> CandidateLoss<B> {
        CandidateLoss {
            queries,
            candidates,
            against: self.against(own),
            bias: self.has_bias.then(|| vector(&self.bias())),
            scale: self.scale,
            weights: self.weights().map(|weights| vector(&weights)),
        }
    }

    /// 1 where a column of [`scores`] is a negative of the query, 0 where it is left out; `[n, columns]`.
    fn counted(&self) -> Vec<f32> {
        let [n, n_candidates, _] = self.shape;
        let (positives, (candidate_ids, positive_ids)) = (self.positives(), self.hits());
        let is_negative = |query: usize, candidate: usize| {
            let is_hit = self.has_hits && candidate_ids[candidate] == positive_ids[query];
            let is_positive =
                !matches!(self.kind, Kind::OwnPositive) && positives[query] as usize == candidate;
            !is_hit && !is_positive
        };
        let counted: Vec<bool> = match self.kind {
            Kind::Drawn(each) => {
                let negatives = self.negatives(each);
                (0..n * each).map(|at| negatives[at] != positives[at / each]).collect()
            }
            _ => (0..n * n_candidates).map(|at| is_negative(at / n_candidates, at % n_candidates)).collect(),
        };
        counted.into_iter().map(f32::from).collect()
    }
}

#[track_caller]
fn assert_gradients_near<B: Backend>(
    found: CandidateGradients<B>,
    expected: CandidateGradients<Reference>,
    case: &Case,
) {
    assert_near(found.queries, expected.queries, ("by queries", case));
    assert_near(found.candidates, expected.candidates, ("by candidates", case));
    assert_eq!(found.positives.is_some(), expected.positives.is_some(), "{case:?}");
    if let (Some(found), Some(expected)) = (found.positives, expected.positives) {
        assert_near(found, expected, ("by positives", case));
    }
}

fn losses_and_gradients_equal_the_plain_ones<B: RecommenderBackend>() {
    for case in SHAPES.into_iter().flat_map(Case::grid) {
        let expected = plain::candidate_loss::<Reference>(&case.inputs(), case.objective);
        assert_near(B::candidate_loss(case.inputs(), case.objective), expected.clone(), ("loss alone", case));
        let (loss, gradients) = B::candidate_loss_forward(case.inputs(), case.objective);
        assert_near(loss, expected, ("loss", case));
        let (_, expected) = plain::candidate_loss_forward::<Reference>(&case.inputs(), case.objective);
        assert_gradients_near(gradients, expected, &case);
    }
}

impl Differentiable for Case {
    fn parents(&self) -> Vec<Vec<f32>> {
        let mut parents = vec![self.queries(), self.candidates()];
        if matches!(self.kind, Kind::OwnPositive) {
            parents.push(self.own_positives());
        }
        parents
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [n, n_candidates, dim] = self.shape;
        let mut parents = parents.into_iter();
        let (queries, candidates) = (next(&mut parents, [n, dim]), next(&mut parents, [n_candidates, dim]));
        let own = matches!(self.kind, Kind::OwnPositive).then(|| next(&mut parents, [n, dim]));
        B::candidate_loss(self.with_rows(queries, candidates, own), self.objective)
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let (positive, negatives) = self.scores(parents);
        let counted = tensor::<B, 2>(&self.counted(), negatives.dims());
        let left_out: Tensor<B, 2, Bool> = counted.clone().equal_elem(0.0);
        let n_counted = counted.clone().sum_dim(1);
        let losses = match self.objective {
            Objective::Softmax => {
                let scores = Tensor::cat(vec![positive, negatives.mask_fill(left_out, -1e9)], 1);
                activation::log_softmax(scores, 1).narrow(1, 0, 1).neg()
            }
            Objective::Sigmoid { beta } => {
                let of_negatives = (activation::log_sigmoid(negatives.neg()) * counted).sum_dim(1);
                (activation::log_sigmoid(positive) * beta + of_negatives).neg() / (n_counted + 1.0)
            }
            Objective::Bpr => {
                let each = activation::log_sigmoid(positive - negatives) * counted;
                each.sum_dim(1).neg() / n_counted.clamp_min(1.0)
            }
        };
        let weights = self.weights().unwrap_or_else(|| vec![1.0; self.shape[0]]);
        let total = weights.iter().sum::<f32>();
        let shares: Vec<f32> = weights.iter().map(|w| if total == 0.0 { 0.0 } else { w / total }).collect();
        (losses * tensor(&shares, [shares.len(), 1])).sum()
    }
}

impl Case {
    /// Each query's score of its positive, `[n, 1]`, and those of what may be its negatives.
    fn scores<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> (Tensor<B, 2>, Tensor<B, 2>) {
        let [n, n_candidates, dim] = self.shape;
        let device = B::Device::default();
        let mut parents = parents.into_iter();
        let queries: Tensor<B, 2> = next(&mut parents, [n, dim]);
        let candidates: Tensor<B, 2> = next(&mut parents, [n_candidates, dim]);
        let mut all = queries.clone().matmul(candidates.transpose()) * self.scale;
        if self.has_bias {
            all = all + tensor(&self.bias(), [1, n_candidates]);
        }
        let columns =
            |ids: &[u32]| -> Tensor<B, 2, Int> { id_tensor(ids, &device).reshape([n, ids.len() / n]) };
        match self.kind {
            Kind::All => (all.clone().gather(1, columns(&self.positives())), all),
            Kind::Drawn(each) => {
                let negatives = all.clone().gather(1, columns(&self.negatives(each)));
                (all.gather(1, columns(&self.positives())), negatives)
            }
            Kind::OwnPositive => {
                let own: Tensor<B, 2> = next(&mut parents, [n, dim]);
                let mut positive = (queries * own).sum_dim(1) * self.scale;
                if self.has_bias {
                    positive = positive + tensor(&normal_values("positive bias", n), [n, 1]);
                }
                (positive, all)
            }
        }
    }
}

fn gradients_equal_those_of_ordinary_operations<B: RecommenderBackend>() {
    let shapes = SHAPES.into_iter().filter(|shape| shape[0] > 0);
    shapes.flat_map(Case::grid).for_each(|case| check_against_autodiff::<B>(&case));
}

fn gradients_equal_finite_differences<B: RecommenderBackend>() {
    [[1, 5, 3], [5, 9, 2]]
        .into_iter()
        .flat_map(Case::grid)
        .for_each(|case| check_against_differences::<B>(&case));
}

fn queries_without_weight_leave_a_loss_and_gradients_of_zero<B: RecommenderBackend>() {
    for shape in [[0, 5, 4], [5, 9, 2], [70, 200, 33]] {
        for case in Case::grid(shape).filter(|case| shape[0] == 0 || matches!(case.weights, Weights::None)) {
            let (loss, gradients) = B::candidate_loss_forward(case.inputs(), case.objective);
            let all = [Some(gradients.queries), Some(gradients.candidates), gradients.positives];
            let shapes = [[shape[0], shape[2]], [shape[1], shape[2]], [shape[0], shape[2]]];
            assert_eq!(host(loss), [0.0], "{case:?}");
            for (gradient, shape) in all.into_iter().zip(shapes) {
                let Some(gradient) = gradient else { continue };
                assert_eq!(gradient.dims(), shape, "{case:?}");
                assert!(host(gradient).iter().all(|&value| value == 0.0), "{case:?}");
            }
        }
    }
}

fn a_value_that_is_not_a_number_is_not_hidden<B: RecommenderBackend>() {
    for case in Case::grid([13, 70, 17]).filter(|case| !matches!(case.weights, Weights::None)) {
        // Query 3 has weight, whatever the weights.
        let mut queries = case.queries();
        queries[3 * 17 + 5] = f32::NAN;
        let inputs = || CandidateLoss { queries: tensor(&queries, [13, 17]), ..case.inputs::<B>() };
        assert!(host(B::candidate_loss(inputs(), case.objective))[0].is_nan(), "{case:?}");
        assert!(host(B::candidate_loss_forward(inputs(), case.objective).0)[0].is_nan(), "{case:?}");
    }
}

fn scores_far_apart_give_finite_losses_and_gradients<B: RecommenderBackend>() {
    for case in Case::grid([13, 70, 17]).filter(|case| !matches!(case.weights, Weights::None)) {
        let inputs = CandidateLoss { scale: 1e4, ..case.inputs::<B>() };
        let (loss, gradients) = B::candidate_loss_forward(inputs, case.objective);
        let expected = plain::candidate_loss(
            &CandidateLoss { scale: 1e4, ..case.inputs::<Reference>() },
            case.objective,
        );
        assert_near(loss, expected, case);
        let all = [Some(gradients.queries), Some(gradients.candidates), gradients.positives];
        let finite = |gradient: Tensor<B, 2>| host(gradient).iter().all(|value| value.is_finite());
        assert!(all.into_iter().flatten().all(finite), "{case:?}");
    }
}

fn the_cross_entropy_of_equal_scores_is_the_logarithm_of_their_number<B: RecommenderBackend>() {
    for n_candidates in [1, 2, 63, 64, 65, 1000] {
        let case = Case {
            shape: [3, n_candidates, 4],
            objective: Objective::Softmax,
            kind: Kind::All,
            has_hits: false,
            has_bias: false,
            weights: Weights::Unasked,
            scale: 1.0,
        };
        let queries = Tensor::<B, 2>::zeros([3, 4], &B::Device::default());
        let loss = host(B::candidate_loss(CandidateLoss { queries, ..case.inputs() }, case.objective));
        assert!((f64::from(loss[0]) - (n_candidates as f64).ln()).abs() < 1e-5, "{n_candidates}: {loss:?}");
    }
}

fn a_query_without_negatives_has_no_bpr_and_no_softmax<B: RecommenderBackend>() {
    for (objective, kind) in
        [Objective::Softmax, Objective::Bpr].into_iter().flat_map(|o| [(o, Kind::All), (o, Kind::Drawn(5))])
    {
        // The one candidate is everybody's positive, and every negative that is drawn is it.
        let case = Case {
            shape: [7, 1, 8],
            objective,
            kind,
            has_hits: false,
            has_bias: false,
            weights: Weights::Unasked,
            scale: 1.0,
        };
        let (loss, gradients) = B::candidate_loss_forward(case.inputs::<B>(), objective);
        assert_eq!(bits(&[host(loss)[0].abs()]), [0], "{case:?}");
        assert_values_near(&host(gradients.queries), &[0.0; 56], 0.0, case);
        assert_values_near(&host(gradients.candidates), &[0.0; 8], 0.0, case);
    }
}

fn a_scale_that_is_not_a_finite_number_above_0_is_refused_by_value<B: RecommenderBackend>() {
    let refusal = |pass: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(pass)).expect_err("a scale that is refused");
        *panic.downcast::<String>().expect("a message with the value")
    };
    for (scale, named) in [
        (0.0, "scale = 0 (temperature inf)"),
        (-2.0, "scale = -2 (temperature -0.5)"),
        (f32::INFINITY, "scale = inf (temperature 0)"),
        (f32::NAN, "scale = NaN (temperature NaN)"),
    ] {
        for case in Case::grid([7, 9, 4]).step_by(4) {
            let inputs = || CandidateLoss { scale, ..case.inputs::<B>() };
            let forward = refusal(&|| drop(B::candidate_loss(inputs(), case.objective)));
            let both = refusal(&|| drop(B::candidate_loss_forward(inputs(), case.objective)));
            assert_eq!(forward, format!("{named}, expected a finite number above 0"), "{case:?}");
            assert_eq!(both, forward, "{case:?}");
        }
    }
}
