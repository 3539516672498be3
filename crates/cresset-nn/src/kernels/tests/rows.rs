//! Gathered rows, sums of rows, and sums of squares.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};

use super::{
    Differentiable, NEAR, Reference, assert_near, assert_values_near, bits, check_against_autodiff,
    check_against_differences, drawn, host, next, normal, normal_values, on_every_backend, tensor, vector,
};
use crate::kernels::plain;
use crate::{Pooling, RecommenderBackend, Selection, id_tensor};

on_every_backend! {
    gathered_rows_are_those_of_the_table_bit_for_bit,
    rows_of_a_bf16_table_come_as_f32,
    values_are_copied_to_the_host_bit_for_bit,
    sums_of_rows_equal_the_plain_ones,
    sums_of_rows_have_the_gradient_of_a_product_with_the_dense_matrix,
    the_sum_of_squares_equals_that_in_64_bits,
    the_sum_of_squares_has_the_gradient_of_ordinary_operations,
    pair_products_equal_the_plain_ones_and_have_the_gradient_of_ordinary_operations,
    the_sum_of_squares_is_not_finite_where_a_value_is_not,
    #[should_panic(expected = "4")]
    an_id_beyond_the_table_panics,
}

/// Rows and width of a table, and how many rows are gathered.
const TABLES: [(usize, usize, usize); 9] = [
    (1, 1, 0),
    (1, 1, 3),
    (5, 3, 7),
    (40, 16, 1),
    (40, 17, 64),
    (33, 32, 100),
    (50, 64, 65),
    (9, 130, 20),
    (900, 128, 1100),
];

fn gathered_rows_are_those_of_the_table_bit_for_bit<B: RecommenderBackend>() {
    for (n_rows, dim, n) in TABLES {
        let ids = drawn("ids", n, n_rows);
        let found = B::gather_rows(normal("table", [n_rows, dim]), id_tensor(&ids, &B::Device::default()));
        assert_eq!(found.dims(), [n, dim]);
        let table = normal_values("table", n_rows * dim);
        let expected: Vec<f32> =
            ids.iter().flat_map(|&id| &table[id as usize * dim..][..dim]).copied().collect();
        assert_eq!(host(found), expected, "{:?}", (n_rows, dim, n));
    }
}

fn rows_of_a_bf16_table_come_as_f32<B: RecommenderBackend>() {
    let device = B::Device::default();
    if !B::supports_dtype(&device, DType::BF16) {
        return;
    }
    for (n_rows, dim, n) in TABLES {
        let ids = drawn("ids", n, n_rows);
        let table = normal::<B, 2>("table", [n_rows, dim]).cast(DType::BF16);
        let found = B::gather_rows(table.clone(), id_tensor(&ids, &device));
        assert_eq!(found.dtype(), DType::F32);
        let table = host(table.cast(DType::F32));
        let expected: Vec<f32> =
            ids.iter().flat_map(|&id| &table[id as usize * dim..][..dim]).copied().collect();
        assert_eq!(host(found), expected, "{:?}", (n_rows, dim, n));
    }
}

fn values_are_copied_to_the_host_bit_for_bit<B: RecommenderBackend>() {
    for n in [0, 1, 17, 1_000] {
        let mut values = vec![-1.0; n];
        B::copy_to_host(normal("values", [n]), &mut values);
        assert_eq!(bits(&values), bits(&normal_values("values", n)), "{n}");
    }
}

fn an_id_beyond_the_table_panics<B: RecommenderBackend>() {
    host(B::gather_rows(normal("table", [4, 2]), id_tensor(&[1, 4], &B::Device::default())));
}

/// Lists of rows.
#[derive(Debug)]
struct Lists {
    n_lists: usize,
    n_rows: usize,
    /// At most so many entries in a list.
    longest: usize,
    dim: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    OneEach,
    Sum,
    Mean,
    Weighted,
}

impl Lists {
    fn offsets(&self) -> Vec<u32> {
        if self.kind == Kind::OneEach {
            return (0..=self.n_lists as u32).collect();
        }
        let lengths = drawn("lengths", self.n_lists, self.longest + 1);
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        std::iter::once(0).chain(ends).collect()
    }

    fn entries(&self) -> Vec<u32> {
        drawn("entries", self.offsets()[self.n_lists] as usize, self.n_rows)
    }

    fn weights(&self) -> Vec<f32> {
        normal_values("weights", self.entries().len())
    }

    fn selection<B: Backend>(&self) -> Selection<B> {
        let (offsets, entries, weights) = (self.offsets(), self.entries(), self.weights());
        let device = B::Device::default();
        let pooling = match self.kind {
            Kind::OneEach => return Selection::one_each(&entries, self.n_rows, &device),
            Kind::Sum => Pooling::Sum,
            Kind::Mean => Pooling::Mean,
            Kind::Weighted => Pooling::Weighted(&weights),
        };
        Selection::bags(&offsets, &entries, self.n_rows, pooling, &device)
    }

    /// The same matrix with all its zeros, `[n_lists, n_rows]`.
    fn dense(&self) -> Vec<f32> {
        let (offsets, entries, weights) = (self.offsets(), self.entries(), self.weights());
        let mut dense = vec![0.0; self.n_lists * self.n_rows];
        for (list, ends) in offsets.windows(2).enumerate() {
            for at in ends[0] as usize..ends[1] as usize {
                dense[list * self.n_rows + entries[at] as usize] += match self.kind {
                    Kind::OneEach | Kind::Sum => 1.0,
                    Kind::Mean => 1.0 / (ends[1] - ends[0]) as f32,
                    Kind::Weighted => weights[at],
                };
            }
        }
        dense
    }
}

impl Differentiable for Lists {
    fn parents(&self) -> Vec<Vec<f32>> {
        vec![normal_values("rows", self.n_rows * self.dim)]
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let rows = next(&mut parents.into_iter(), [self.n_rows, self.dim]);
        let sums = B::select_rows(rows, &self.selection());
        assert_eq!(sums.dims(), [self.n_lists, self.dim]);
        sums.reshape([self.n_lists * self.dim])
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let rows = next(&mut parents.into_iter(), [self.n_rows, self.dim]);
        let dense = tensor::<B, 2>(&self.dense(), [self.n_lists, self.n_rows]);
        dense.matmul(rows).reshape([self.n_lists * self.dim])
    }
}

/// Lists of every kind, from none to enough of them to wake other threads; some lists are empty.
fn lists() -> impl Iterator<Item = Lists> {
    let shapes = [
        (1, 1, 1, 1),
        (1, 4, 0, 3),
        (4, 3, 2, 1),
        (7, 5, 3, 16),
        (30, 9, 5, 17),
        (70, 200, 3, 64),
        (5, 2, 700, 8),
        (3, 3, 2500, 50),
        (1500, 40, 4, 48),
    ];
    shapes.into_iter().flat_map(|(n_lists, n_rows, longest, dim)| {
        [Kind::OneEach, Kind::Sum, Kind::Mean, Kind::Weighted].map(|kind| Lists {
            n_lists,
            n_rows,
            longest,
            dim,
            kind,
        })
    })
}

fn sums_of_rows_equal_the_plain_ones<B: RecommenderBackend>() {
    for lists in lists() {
        // A long sum of one row over and over rounds in one direction.
        let near = if lists.longest > 512 { 10.0 * NEAR } else { NEAR };
        let check = |found: Tensor<B, 2>, expected: Tensor<Reference, 2>| {
            assert_eq!(found.dims(), expected.dims());
            assert_values_near(&host(found), &host(expected), near, &lists);
        };
        let (selection, reference) = (lists.selection::<B>(), lists.selection::<Reference>());
        let shape = [lists.n_rows, lists.dim];
        check(
            B::sum_rows(normal("rows", shape), &selection.matrix),
            plain::sum_rows(normal("rows", shape), &reference.matrix),
        );
        let shape = [lists.n_lists, lists.dim];
        check(
            B::sum_rows(normal("rows", shape), &selection.transposed),
            plain::sum_rows(normal("rows", shape), &reference.transposed),
        );
    }
}

fn sums_of_rows_have_the_gradient_of_a_product_with_the_dense_matrix<B: RecommenderBackend>() {
    lists().filter(|lists| lists.longest < 512).for_each(|lists| check_against_autodiff::<B>(&lists));
    lists().filter(|lists| lists.n_lists < 8).for_each(|lists| check_against_differences::<B>(&lists));
}

/// Shapes of values whose squares are summed; the last has enough of them to wake other threads.
const SQUARES: [[usize; 2]; 7] = [[0, 3], [1, 1], [1, 1000], [7, 5], [33, 17], [64, 64], [2100, 130]];

fn the_sum_of_squares_equals_that_in_64_bits<B: RecommenderBackend>() {
    for shape in SQUARES {
        let values = normal_values("values", shape.iter().product());
        for weights in [None, Some(normal_values("weights", shape[0]))] {
            let square = |(at, &value): (usize, &f32)| {
                let weight = weights.as_ref().map_or(1.0, |weights| weights[at / shape[1]]);
                f64::from(weight) * f64::from(value) * f64::from(value)
            };
            let squares: Vec<f64> = values.iter().enumerate().map(square).collect();
            let weights = weights.as_ref().map(|weights| tensor(weights, [shape[0], 1]));
            let found = host(B::sum_of_squares(tensor(&values, shape), weights));
            // Against the sum of magnitudes, since weights of either sign may leave next to nothing.
            let magnitude: f64 = squares.iter().map(|square| square.abs()).sum();
            let difference = (f64::from(found[0]) - squares.iter().sum::<f64>()).abs();
            assert!(difference <= NEAR * magnitude, "{shape:?}: off by {difference} of {magnitude}");
        }
    }
}

/// Squares summed with a weight for each row, or with none.
#[derive(Debug)]
struct Squares {
    shape: [usize; 2],
    has_weights: bool,
}

impl Squares {
    fn weights<B: Backend>(&self) -> Option<Tensor<B, 2>> {
        self.has_weights.then(|| normal::<B, 2>("weights", [self.shape[0], 1]).abs())
    }
}

impl Differentiable for Squares {
    fn parents(&self) -> Vec<Vec<f32>> {
        vec![normal_values("values", self.shape.iter().product())]
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        B::sum_of_squares(next(&mut parents.into_iter(), self.shape), self.weights())
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let squares = next::<B, 2>(&mut parents.into_iter(), self.shape).powi_scalar(2);
        match self.weights() {
            None => squares.sum(),
            Some(weights) => (squares * weights).sum(),
        }
    }
}

fn the_sum_of_squares_has_the_gradient_of_ordinary_operations<B: RecommenderBackend>() {
    for (shape, has_weights) in SQUARES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
        let case = Squares { shape, has_weights };
        check_against_autodiff::<B>(&case);
        if shape == [7, 5] {
            check_against_differences::<B>(&case);
        }
    }
}

/// Pairs of rows of two matrices.
#[derive(Debug)]
struct Pairs {
    n: usize,
    n_left: usize,
    n_right: usize,
    dim: usize,
}

/// The last has enough pairs to wake other threads.
const PAIRS: [Pairs; 7] = [
    Pairs { n: 0, n_left: 2, n_right: 3, dim: 4 },
    Pairs { n: 1, n_left: 1, n_right: 1, dim: 1 },
    Pairs { n: 9, n_left: 4, n_right: 3, dim: 3 },
    Pairs { n: 40, n_left: 7, n_right: 90, dim: 16 },
    Pairs { n: 65, n_left: 30, n_right: 5, dim: 33 },
    Pairs { n: 1000, n_left: 1, n_right: 700, dim: 64 },
    Pairs { n: 3000, n_left: 500, n_right: 900, dim: 64 },
];

impl Pairs {
    fn ids(&self) -> [Vec<u32>; 2] {
        [drawn("left ids", self.n, self.n_left), drawn("right ids", self.n, self.n_right)]
    }

    fn matrices<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> [Tensor<B, 2>; 2] {
        let mut parents = parents.into_iter();
        [next(&mut parents, [self.n_left, self.dim]), next(&mut parents, [self.n_right, self.dim])]
    }
}

impl Differentiable for Pairs {
    fn parents(&self) -> Vec<Vec<f32>> {
        vec![normal_values("left", self.n_left * self.dim), normal_values("right", self.n_right * self.dim)]
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [left, right] = self.matrices(parents);
        let [left_ids, right_ids] = self.ids();
        let device = B::Device::default();
        let left_of = Selection::one_each(&left_ids, self.n_left, &device);
        let right_of = Selection::one_each(&right_ids, self.n_right, &device);
        B::pair_products(left, right, &left_of, &right_of)
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let [left, right] = self.matrices(parents);
        let pairs = self.ids();
        let flat: Vec<u32> =
            (0..self.n).map(|at| pairs[0][at] * self.n_right as u32 + pairs[1][at]).collect();
        let products = left.matmul(right.transpose()).reshape([self.n_left * self.n_right]);
        products.select(0, id_tensor(&flat, &B::Device::default()))
    }
}

fn pair_products_equal_the_plain_ones_and_have_the_gradient_of_ordinary_operations<B: RecommenderBackend>() {
    for pairs in &PAIRS {
        let [left_ids, right_ids] = pairs.ids();
        let ids = |ids: &[u32]| id_tensor::<Reference>(ids, &Default::default());
        let (left, right) =
            (normal("left", [pairs.n_left, pairs.dim]), normal("right", [pairs.n_right, pairs.dim]));
        let expected = plain::pair_products::<Reference>(left, right, ids(&left_ids), ids(&right_ids));
        let parents: Vec<_> = pairs.parents().iter().map(|values| vector::<B>(values)).collect();
        assert_near(pairs.operation(parents), expected, pairs);
        check_against_autodiff::<B>(pairs);
    }
    PAIRS.iter().filter(|pairs| pairs.n < 10).for_each(check_against_differences::<B>);
}

fn the_sum_of_squares_is_not_finite_where_a_value_is_not<B: RecommenderBackend>() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, 15, 16, 99] {
            let mut values = vec![1.0; 100];
            values[at] = bad;
            let sum = host(B::sum_of_squares(tensor(&values, [20, 5]), None))[0];
            assert_eq!((sum.is_nan(), sum.is_infinite()), (bad.is_nan(), bad.is_infinite()), "{bad} at {at}");
        }
    }
}
