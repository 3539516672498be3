//! One step of every rule on rows of a table.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};

use super::{
    Reference, assert_near, assert_values_near, bits, drawn, host, normal_values, on_every_backend, tensor,
};
use crate::kernels::plain;
use crate::{DropoutKey, RecommenderBackend, RowRule, RowState, RowStep, id_tensor};

on_every_backend! {
    every_rule_moves_the_rows_as_the_plain_body_does,
    rows_that_are_not_named_keep_their_bits,
    a_scale_that_is_not_finite_moves_nothing,
    a_gradient_and_its_scale_count_as_their_product,
    under_autodiff_the_same_rows_move_beneath_the_graph,
    bf16_rows_are_rounded_to_a_neighbour_of_the_f32_result,
    bf16_rows_arrive_in_the_mean_and_by_a_key,
    no_rows_leave_the_table_as_it_was,
    a_view_of_a_larger_tensor_is_written_as_if_it_were_a_table_of_its_own,
    another_owner_of_table_or_moments_sees_no_change,
    tiny_values_and_gradients_move_nothing_but_tiny_values,
}

const RULES: [RowRule; 8] = [
    RowRule::Sgd { learning_rate: 0.1, momentum: 0.0, weight_decay: 0.0 },
    RowRule::Sgd { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.05 },
    RowRule::Adagrad { learning_rate: 0.1, epsilon: 1e-3, weight_decay: 0.0 },
    RowRule::Adagrad { learning_rate: 0.1, epsilon: 1e-3, weight_decay: 0.05 },
    RowRule::RowwiseAdagrad { learning_rate: 0.1, epsilon: 1e-3, weight_decay: 0.0 },
    RowRule::RowwiseAdagrad { learning_rate: 0.1, epsilon: 1e-3, weight_decay: 0.05 },
    // The third step: 1 - 0.9^3 = 0.271 and the root of 1 - 0.999^3 = 0.05475.
    RowRule::Adam {
        rate: 0.1 / 0.271,
        beta_1: 0.9,
        beta_2: 0.999,
        root_2: 0.05475,
        epsilon: 1e-3,
        weight_decay: 0.05,
        decay: 1.0,
    },
    RowRule::Adam {
        rate: 0.1 / 0.271,
        beta_1: 0.9,
        beta_2: 0.999,
        root_2: 0.05475,
        epsilon: 1e-3,
        weight_decay: 0.0,
        decay: 0.995,
    },
];

/// A step on some rows of a table.
#[derive(Debug, Clone, Copy)]
struct Case {
    rule: RowRule,
    n_rows: usize,
    dim: usize,
    /// Every so many rows are named; 0 for all of them without naming one.
    stride: usize,
    scale: f32,
}

impl Case {
    fn ids(&self) -> Option<Vec<u32>> {
        (self.stride > 0).then(|| (0..self.n_rows as u32).step_by(self.stride).collect())
    }

    fn n_moved(&self) -> usize {
        self.ids().map_or(self.n_rows, |ids| ids.len())
    }

    fn is_moved(&self, row: usize) -> bool {
        self.stride == 0 || row.is_multiple_of(self.stride)
    }

    /// Magnitudes from 1 to 2, of either sign, as f32.
    fn table(&self) -> Vec<f32> {
        let magnitudes = drawn("table", self.n_rows * self.dim, 512);
        magnitudes
            .iter()
            .map(|&word| (1.0 + (word >> 1) as f32 / 256.0) * if word & 1 == 0 { 1.0 } else { -1.0 })
            .collect()
    }

    /// Sums of squares are positive; first moments and velocities are not.
    fn moments(&self) -> Vec<Vec<f32>> {
        let values = |name, width: usize| normal_values(name, self.n_rows * width);
        let squares = |width| values("second", width).iter().map(|value| 0.5 + value * value).collect();
        match self.rule {
            RowRule::Sgd { momentum: 0.0, .. } => vec![],
            RowRule::Sgd { .. } => vec![values("first", self.dim)],
            RowRule::Adagrad { .. } => vec![squares(self.dim)],
            RowRule::RowwiseAdagrad { .. } => vec![squares(1)],
            RowRule::Adam { .. } => vec![values("first", self.dim), squares(self.dim)],
        }
    }

    fn grads(&self) -> Vec<f32> {
        normal_values("grads", self.n_moved() * self.dim)
    }

    fn state<B: Backend>(&self) -> RowState<B> {
        let matrix = |values: &Vec<f32>| tensor(values, [self.n_rows, values.len() / self.n_rows.max(1)]);
        RowState { value: matrix(&self.table()), moments: self.moments().iter().map(matrix).collect() }
    }

    fn step<B: Backend>(&self) -> RowStep<B> {
        RowStep {
            rule: self.rule,
            scale: tensor(&[self.scale], [1]),
            rounding: DropoutKey::new(1, 2, "table"),
        }
    }

    /// The state after one step by the body of the backend.
    fn moved<B: RecommenderBackend>(&self, state: RowState<B>) -> RowState<B> {
        let ids = self.ids().map(|ids| id_tensor(&ids, &B::Device::default()));
        B::update_rows(state, ids, tensor(&self.grads(), [self.n_moved(), self.dim]), self.step())
    }

    /// The state after one step by the plain body.
    fn expected(&self, state: RowState<Reference>) -> RowState<Reference> {
        let ids = self.ids().map(|ids| id_tensor(&ids, &Default::default()));
        plain::update_rows(state, ids, tensor(&self.grads(), [self.n_moved(), self.dim]), self.step())
    }
}

fn cases() -> impl Iterator<Item = Case> {
    // The last has enough rows to wake other threads.
    let shapes = [(1, 1), (9, 3), (8, 16), (33, 17), (20, 64), (7, 130), (2100, 128)];
    RULES.into_iter().flat_map(move |rule| {
        shapes.into_iter().flat_map(move |(n_rows, dim)| {
            [0, 1, 2, 5].map(|stride| Case { rule, n_rows, dim, stride, scale: 0.3 })
        })
    })
}

#[track_caller]
fn assert_state_near<B: Backend>(found: RowState<B>, expected: RowState<Reference>, case: &Case) {
    assert_near(found.value, expected.value, ("rows", case));
    assert_eq!(found.moments.len(), expected.moments.len(), "{case:?}");
    for (found, expected) in found.moments.into_iter().zip(expected.moments) {
        assert_near(found, expected, ("moment", case));
    }
}

fn state_bits<B: Backend>(state: &RowState<B>) -> Vec<Vec<u32>> {
    std::iter::once(&state.value).chain(&state.moments).map(|matrix| bits(&host(matrix.clone()))).collect()
}

fn every_rule_moves_the_rows_as_the_plain_body_does<B: RecommenderBackend>() {
    for case in cases() {
        let once = case.moved::<B>(case.state());
        let expected = case.expected(case.state());
        assert_state_near(case.moved(once), case.expected(expected), &case);
    }
}

fn rows_that_are_not_named_keep_their_bits<B: RecommenderBackend>() {
    for case in cases() {
        let [before, after] =
            [case.state::<B>(), case.moved::<B>(case.state())].map(|state| state_bits(&state));
        for (before, after) in before.iter().zip(&after) {
            let width = before.len() / case.n_rows;
            let rows = before.chunks(width).zip(after.chunks(width)).enumerate();
            for (row, (before, after)) in rows {
                assert_eq!(before != after, case.is_moved(row), "row {row} of {case:?}");
            }
        }
    }
}

fn a_scale_that_is_not_finite_moves_nothing<B: RecommenderBackend>() {
    for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for case in cases() {
            let case = Case { scale, ..case };
            let [before, after] = [case.state::<B>(), case.moved::<B>(case.state())];
            assert_eq!(state_bits(&before), state_bits(&after), "{case:?}");
        }
    }
}

fn a_gradient_and_its_scale_count_as_their_product<B: RecommenderBackend>() {
    // A quarter is exact, so that both give the same bits but for a fused multiplication.
    for case in cases() {
        let Case { n_rows, dim, .. } = case;
        let case = Case { stride: 0, scale: 0.25, ..case };
        let grads: Vec<f32> = case.grads().iter().map(|grad| grad * 0.25).collect();
        let step = RowStep { scale: tensor(&[1.0], [1]), ..case.step() };
        let expected =
            plain::update_rows(case.state::<Reference>(), None, tensor(&grads, [n_rows, dim]), step);
        assert_state_near(case.moved::<B>(case.state()), expected, &case);
    }
}

fn under_autodiff_the_same_rows_move_beneath_the_graph<B: RecommenderBackend>() {
    for case in cases().filter(|case| case.n_rows == 9) {
        let found = case.moved::<Autodiff<B>>(case.state());
        assert!(!found.value.is_require_grad());
        assert_eq!(state_bits(&found), state_bits(&case.moved::<B>(case.state())), "{case:?}");
    }
}

/// The case with its table as bf16, which all of its values are.
fn in_bf16<B: Backend>(case: &Case) -> RowState<B> {
    let RowState { value, moments } = case.state();
    RowState { value: value.cast(DType::BF16), moments }
}

fn has_bf16<B: Backend>() -> bool {
    B::supports_dtype(&B::Device::default(), DType::BF16)
}

fn bf16_rows_are_rounded_to_a_neighbour_of_the_f32_result<B: RecommenderBackend>() {
    for case in cases().filter(|_| has_bf16::<B>()) {
        let found = case.moved::<B>(in_bf16(&case));
        let expected = case.expected(in_f32(&case));
        assert_eq!(found.value.dtype(), DType::BF16);
        for (found, expected) in found.moments.into_iter().zip(expected.moments) {
            assert_near(found, expected, ("moment", case));
        }
        let rows = host(found.value.cast(DType::F32))
            .into_iter()
            .zip(host(expected.value))
            .zip(host(case.state::<Reference>().value));
        for (at, ((found, expected), before)) in rows.enumerate() {
            // A step of bf16 is at most a 128th of the value; a body that adds up rounds to steps of the old
            // value.
            let step = expected.abs().max(before.abs()) / 128.0 * 1.0001;
            assert!((found - expected).abs() <= step, "{found}, not {expected}, at {at} of {case:?}");
            assert!(
                case.is_moved(at / case.dim) || found == expected,
                "{found}, not {expected}, at {at} of {case:?}"
            );
        }
    }
}

/// The rows as f32 of what bf16 holds.
fn in_f32(case: &Case) -> RowState<Reference> {
    let RowState { value, moments } = in_bf16(case);
    RowState { value: value.cast(DType::F32), moments }
}

fn bf16_rows_arrive_in_the_mean_and_by_a_key<B: RecommenderBackend>() {
    if !has_bf16::<B>() {
        return;
    }
    // From 1 by 0.001, an eighth of the step to the next bf16 above 1, so that one value in 7.8125 goes up.
    let device = B::Device::default();
    let stepped = |step, ids: Option<&[u32]>| {
        let value = Tensor::<B, 2>::ones([200, 50], &device).cast(DType::BF16);
        let rule = RowRule::Sgd { learning_rate: 1.0, momentum: 0.0, weight_decay: 0.0 };
        let step = RowStep { rule, scale: tensor(&[1.0], [1]), rounding: DropoutKey::new(7, step, "table") };
        let ids = ids.map(|ids| id_tensor(ids, &device));
        let n = ids.as_ref().map_or(200, |ids| ids.dims()[0]);
        let state = RowState { value, moments: vec![] };
        host(B::update_rows(state, ids, Tensor::full([n, 50], -0.001, &device), step).value.cast(DType::F32))
    };
    let first = stepped(0, None);
    assert_eq!(first, stepped(0, None));
    assert_ne!(first, stepped(1, None));
    let n_up = first.iter().filter(|&&value| value > 1.0).count() as f64;
    assert!(first.iter().all(|value| [1.0, 1.0 + 1.0 / 128.0].contains(value)));
    // 10,000 values at a chance of 0.128: one standard deviation is 33.
    assert!((n_up - 1280.0).abs() < 150.0, "{n_up} of 10,000 went up, not about 1,280");
    // A row rounds by its place in the table and not in the batch.
    let some = stepped(0, Some(&[3, 100]));
    assert_eq!(some[3 * 50..4 * 50], first[3 * 50..4 * 50]);
    assert_eq!(some[100 * 50..101 * 50], first[100 * 50..101 * 50]);
}

/// Four rows of width 2, whole numbers.
fn small<B: Backend>() -> Tensor<B, 2> {
    tensor(&[0., 1., 2., 3., 4., 5., 6., 7.], [4, 2])
}

/// `table` after gradient descent on some rows, at a learning rate of 1.
fn descended<B: RecommenderBackend>(table: Tensor<B, 2>, ids: &[u32], grads: &[f32]) -> Tensor<B, 2> {
    let rule = RowRule::Sgd { learning_rate: 1.0, momentum: 0.0, weight_decay: 0.0 };
    let step = RowStep { rule, scale: tensor(&[1.0], [1]), rounding: DropoutKey::new(0, 0, "") };
    let ids = id_tensor(ids, &B::Device::default());
    let grads = tensor(grads, [ids.dims()[0], table.dims()[1]]);
    B::update_rows(RowState { value: table, moments: vec![] }, Some(ids), grads, step).value
}

fn no_rows_leave_the_table_as_it_was<B: RecommenderBackend>() {
    assert_eq!(host(descended::<B>(small(), &[], &[])), host(small::<B>()));
    let nothing = descended::<B>(Tensor::zeros([0, 2], &B::Device::default()), &[], &[]);
    assert_eq!(nothing.dims(), [0, 2]);
}

fn a_view_of_a_larger_tensor_is_written_as_if_it_were_a_table_of_its_own<B: RecommenderBackend>() {
    let whole = small::<B>();
    let written = descended(whole.clone().narrow(0, 1, 2), &[0], &[2., 3.]);
    assert_eq!(host(written), [0., 0., 4., 5.]);
    assert_eq!(host(whole), host(small::<B>()));
    // With no other owner, a view still begins in the middle of its storage, or runs against its rows.
    assert_eq!(host(descended(small::<B>().narrow(0, 1, 2), &[1], &[4., 5.])), [2., 3., 0., 0.]);
    assert_eq!(
        host(descended(small::<B>().transpose(), &[1], &[1., 3., 5., 7.])),
        [0., 2., 4., 6., 0., 0., 0., 0.]
    );
}

fn another_owner_of_table_or_moments_sees_no_change<B: RecommenderBackend>() {
    for case in cases().filter(|case| case.n_rows == 9) {
        let state = case.state::<B>();
        let kept = state.clone();
        case.moved(state);
        assert_eq!(state_bits(&kept), state_bits(&case.state::<B>()), "{case:?}");
    }
}

fn tiny_values_and_gradients_move_nothing_but_tiny_values<B: RecommenderBackend>() {
    // No body may turn what is below the smallest normal number into anything large or into NaN.
    for case in cases().filter(|case| case.n_rows == 9) {
        let ids = case.ids().map(|ids| id_tensor(&ids, &B::Device::default()));
        let grads = vec![1e-39; case.n_moved() * case.dim];
        let state = RowState { value: case.state::<B>().value * 0.0, moments: case.state().moments };
        let moments: Vec<_> = state.moments.iter().map(|moment| moment.clone() * 0.0).collect();
        let state = RowState { moments, ..state };
        let after = B::update_rows(state, ids, tensor(&grads, [case.n_moved(), case.dim]), case.step());
        let largest = host(after.value).iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
        assert!(largest < 1e-30, "{largest} after {case:?}");
        assert!(
            after.moments.iter().all(|moment| host(moment.clone()).iter().all(|value| value.abs() < 1e-30))
        );
    }
}

/// What is true of the pure-Rust CPU backend: where values lie, and what it checks.
mod on_the_cpu {
    use burn_flex::Flex;
    use proptest::prelude::*;

    use super::*;

    fn address(table: &Tensor<Flex, 2>) -> usize {
        table.clone().into_primitive().tensor().storage::<f32>().as_ptr() as usize
    }

    #[test]
    fn tables_and_moments_with_one_owner_are_written_where_they_lie() {
        for case in cases() {
            let state = case.state::<Flex>();
            let addresses = |state: &RowState<Flex>| -> Vec<usize> {
                std::iter::once(&state.value).chain(&state.moments).map(address).collect()
            };
            let before = addresses(&state);
            assert_eq!(addresses(&case.moved(state)), before, "{case:?}");
        }
    }

    #[test]
    fn a_table_with_another_owner_is_copied() {
        let table = small();
        let snapshot = table.clone();
        assert_ne!(address(&descended(table, &[0], &[1., 1.])), address(&snapshot));
        assert_eq!(host(snapshot), host(small::<Flex>()));
    }

    #[test]
    #[should_panic(expected = "row id 4 is not one of the table's 4 rows")]
    fn an_id_beyond_the_table_panics() {
        descended::<Flex>(small(), &[0, 4], &[1.; 4]);
    }

    #[test]
    #[should_panic(expected = "row ids ascend strictly, but id 1 is 1 after 3")]
    fn ids_that_do_not_ascend_panic() {
        descended::<Flex>(small(), &[3, 1], &[1.; 4]);
    }

    #[test]
    #[should_panic(expected = "row ids ascend strictly, but id 2 is 1 after 1")]
    fn an_id_named_twice_panics() {
        descended::<Flex>(small(), &[0, 1, 1], &[1.; 6]);
    }

    /// A table of whole numbers, some of its rows, and a gradient for each.
    fn descents() -> impl Strategy<Value = ([usize; 2], Vec<f32>, Vec<u32>, Vec<f32>)> {
        let whole = (-1000..1000i32).prop_map(|value| value as f32);
        (1usize..8, 1usize..5).prop_flat_map(move |(n_rows, dim)| {
            let ids = prop::sample::subsequence((0..n_rows as u32).collect::<Vec<_>>(), 0..=n_rows);
            let table = prop::collection::vec(whole.clone(), n_rows * dim);
            let grads = prop::collection::vec(whole.clone(), n_rows * dim);
            (Just([n_rows, dim]), table, ids, grads)
        })
    }

    proptest! {
        // Whole numbers, so that nothing rounds.
        #[test]
        fn named_rows_move_by_their_gradients_and_the_others_keep_their_bits(
            (shape, table, ids, grads) in descents()
        ) {
            let dim = shape[1];
            let grads = &grads[..ids.len() * dim];
            let mut expected = table.clone();
            for (id, grad) in ids.iter().zip(grads.chunks(dim)) {
                let row = &mut expected[*id as usize * dim..][..dim];
                row.iter_mut().zip(grad).for_each(|(value, grad)| *value -= grad);
            }
            prop_assert_eq!(host(descended::<Flex>(tensor(&table, shape), &ids, grads)), expected);
        }
    }

    #[test]
    fn the_result_does_not_depend_on_how_many_rows_are_moved_at_once() {
        for rule in RULES {
            let case = Case { rule, n_rows: 2100, dim: 128, stride: 0, scale: 0.3 };
            let whole = case.moved::<Flex>(case.state());
            let few = Case { n_rows: 9, ..case };
            let part = |matrix: &Tensor<Flex, 2>| host(matrix.clone().narrow(0, 0, 9));
            let moved = few.moved::<Flex>(few.state());
            assert_values_near(&host(moved.value), &part(&whole.value), 0.0, rule);
        }
    }
}
