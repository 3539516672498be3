//! The best items of a catalogue.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use super::{Reference, combinations, drawn, host, normal, on_every_backend, tensor};
use crate::RecommenderBackend;
use crate::kernels::plain;

on_every_backend! {
    items_are_chosen_as_by_sorting_all_of_them,
    scores_and_items_equal_the_plain_ones,
    under_autodiff_the_same_items_are_chosen,
    of_equal_scores_the_lower_id_comes_first_whatever_the_sign_of_zero,
    a_score_that_is_not_a_number_comes_last,
    places_for_which_no_item_is_left_are_marked,
    #[should_panic(expected = "k = 4 exceeds the 3 items of the catalogue")]
    more_items_than_there_are_panic,
}

/// Queries, items and width; the last two are cut into several blocks and tasks.
const SHAPES: [[usize; 3]; 8] =
    [[0, 5, 3], [1, 1, 1], [3, 7, 1], [1, 300, 16], [5, 33, 17], [64, 241, 8], [130, 500, 33], [2, 9000, 4]];

#[derive(Debug, Clone, Copy)]
struct Case {
    shape: [usize; 3],
    k: usize,
    has_bias: bool,
    seen: Seen,
}

#[derive(Debug, Clone, Copy)]
enum Seen {
    Unasked,
    Nothing,
    Some,
    All,
}

type Best<B> = (Tensor<B, 2>, Tensor<B, 2, Int>);

impl Case {
    fn grid(shape: [usize; 3]) -> impl Iterator<Item = Self> {
        combinations([4, 2, 4]).map(move |[k, bias, seen]| Self {
            shape,
            k: [0, 1, 10, usize::MAX][k].min(shape[1]),
            has_bias: bias == 1,
            seen: [Seen::Unasked, Seen::Nothing, Seen::Some, Seen::All][seen],
        })
    }

    /// Whole numbers from -2 to 2, so that scores are exact and many are equal.
    fn whole(name: &str, n: usize) -> Vec<f32> {
        drawn(name, n, 5).iter().map(|&value| value as f32 - 2.0).collect()
    }

    fn seen(&self) -> Option<Vec<Vec<u32>>> {
        let [n, n_items, _] = self.shape;
        let some = |query| {
            let mut ids = drawn(&format!("seen/{query}"), query % 40, n_items);
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        match self.seen {
            Seen::Unasked => None,
            Seen::Nothing => Some(vec![vec![]; n]),
            Seen::Some => Some((0..n).map(some).collect()),
            Seen::All => Some(vec![(0..n_items as u32).collect(); n]),
        }
    }

    fn inputs<B: Backend>(&self) -> (Tensor<B, 2>, Tensor<B, 2>, Option<Tensor<B, 1>>) {
        let [n, n_items, dim] = self.shape;
        let matrix = |name, rows| tensor(&Self::whole(name, rows * dim), [rows, dim]);
        let bias = self.has_bias.then(|| tensor(&Self::whole("bias", n_items), [n_items]));
        (matrix("queries", n), matrix("items", n_items), bias)
    }

    fn best<B: RecommenderBackend>(&self) -> Best<B> {
        let (queries, items, bias) = self.inputs();
        B::top_k(queries, items, bias, self.seen().as_deref(), self.k)
    }

    /// By sorting all items that a query has not seen.
    fn sorted(&self) -> (Vec<f32>, Vec<i64>) {
        let [n, n_items, dim] = self.shape;
        let [queries, items] =
            [("queries", n), ("items", n_items)].map(|(name, rows)| Self::whole(name, rows * dim));
        let bias = if self.has_bias { Self::whole("bias", n_items) } else { vec![0.0; n_items] };
        let seen = self.seen().unwrap_or_else(|| vec![vec![]; n]);
        let (mut scores, mut ids) = (vec![], vec![]);
        for (query, seen) in queries.chunks_exact(dim).zip(&seen) {
            let product = |item: usize| -> f32 {
                query.iter().zip(&items[item * dim..]).map(|(a, b)| a * b).sum::<f32>() + bias[item]
            };
            let left = (0..n_items).filter(|&item| seen.binary_search(&(item as u32)).is_err());
            let mut ranked: Vec<(f32, i64)> = left.map(|item| (product(item), item as i64)).collect();
            ranked.sort_by(|a, b| b.0.partial_cmp(&a.0).expect("whole numbers").then(a.1.cmp(&b.1)));
            ranked.resize(ranked.len().max(self.k), (f32::NEG_INFINITY, -1));
            scores.extend(ranked[..self.k].iter().map(|&(score, _)| score));
            ids.extend(ranked[..self.k].iter().map(|&(_, id)| id));
        }
        (scores, ids)
    }
}

fn numbers<B: Backend>(ids: Tensor<B, 2, Int>) -> Vec<i64> {
    ids.into_data().convert::<i64>().to_vec().expect("converted just before")
}

fn items_are_chosen_as_by_sorting_all_of_them<B: RecommenderBackend>() {
    for case in SHAPES.into_iter().flat_map(Case::grid) {
        let (scores, ids) = case.best::<B>();
        assert_eq!(scores.dims(), [case.shape[0], case.k], "{case:?}");
        assert_eq!(ids.dims(), [case.shape[0], case.k], "{case:?}");
        assert_eq!((host(scores), numbers(ids)), case.sorted(), "{case:?}");
    }
}

fn scores_and_items_equal_the_plain_ones<B: RecommenderBackend>() {
    // Values of any size; no two scores of a query lie as near as two orders of summation do.
    for [n, n_items, dim] in SHAPES {
        let k = n_items.min(7);
        let (scores, ids) =
            B::top_k(normal("queries", [n, dim]), normal("items", [n_items, dim]), None, None, k);
        let (expected, expected_ids) = plain::top_k::<Reference>(
            normal("queries", [n, dim]),
            normal("items", [n_items, dim]),
            None,
            None,
            k,
        );
        super::assert_near(scores, expected, [n, n_items, dim]);
        assert_eq!(numbers(ids), numbers(expected_ids), "{:?}", [n, n_items, dim]);
    }
}

fn under_autodiff_the_same_items_are_chosen<B: RecommenderBackend>() {
    for case in Case::grid([5, 33, 17]) {
        let (scores, ids) = case.best::<Autodiff<B>>();
        assert!(!scores.is_require_grad());
        let beneath = case.best::<B>();
        assert_eq!(host(scores), host(beneath.0), "{case:?}");
        assert_eq!(numbers(ids), numbers(beneath.1), "{case:?}");
    }
}

fn of_equal_scores_the_lower_id_comes_first_whatever_the_sign_of_zero<B: RecommenderBackend>() {
    let items = tensor::<B, 2>(&[0.0, -0.0, 0.0, -0.0, -1.0], [5, 1]);
    let bias = tensor(&[-0.0; 5], [5]);
    for query in [1.0, -0.0] {
        let (_, ids) = B::top_k(tensor(&[query], [1, 1]), items.clone(), Some(bias.clone()), None, 4);
        assert_eq!(numbers(ids), [0, 1, 2, 3], "query {query}");
    }
}

fn a_score_that_is_not_a_number_comes_last<B: RecommenderBackend>() {
    let bias = tensor::<B, 1>(&[f32::NAN, 1.0, f32::NEG_INFINITY, 3.0, f32::NAN], [5]);
    let zeros = |rows| Tensor::zeros([rows, 2], &B::Device::default());
    let (scores, ids) = B::top_k(zeros(1), zeros(5), Some(bias), Some(&[vec![1]]), 5);
    assert_eq!(numbers(ids), [3, 2, 0, 4, -1]);
    let scores = host(scores);
    assert_eq!(scores[..2], [3.0, f32::NEG_INFINITY]);
    assert!(scores[2].is_nan() && scores[3].is_nan());
    assert_eq!(scores[4], f32::NEG_INFINITY);
}

fn places_for_which_no_item_is_left_are_marked<B: RecommenderBackend>() {
    let items = tensor::<B, 2>(&[1.0, 2.0, 3.0], [3, 1]);
    let queries = tensor(&[1.0, -1.0], [2, 1]);
    let (scores, ids) = B::top_k(queries, items, None, Some(&[vec![0, 2], vec![]]), 3);
    assert_eq!(numbers(ids), [1, -1, -1, 0, 1, 2]);
    assert_eq!(host(scores), [2.0, f32::NEG_INFINITY, f32::NEG_INFINITY, -1.0, -2.0, -3.0]);
}

fn more_items_than_there_are_panic<B: RecommenderBackend>() {
    B::top_k(normal("queries", [1, 2]), normal("items", [3, 2]), None, None, 4);
}
