use burn::backend::Flex;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::{floats, ids, on_both, read};
use crate::RecommenderBackend;
use crate::kernels::plain;

/// Whole numbers, whose products are exact, so that ties are ties everywhere.
fn whole<B: Backend>(shape: [usize; 2], salt: u32, device: &B::Device) -> Tensor<B, 2> {
    let values: Vec<f32> = ids(shape[0] * shape[1], 5, salt).iter().map(|&id| id as f32 - 2.0).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn whole_numbers<B: Backend>(ids: Tensor<B, 2, Int>) -> Vec<i32> {
    ids.into_data().convert::<i32>().to_vec().expect("converted just before")
}

fn seen(n: usize, n_items: usize) -> Vec<Vec<u32>> {
    // None, then all but the first, then some.
    let some = |query: usize| (0..n_items as u32).filter(move |item| item % 3 == query as u32 % 3).collect();
    (0..n)
        .map(|query| match query {
            0 => vec![],
            1 => (1..n_items as u32).collect(),
            _ => some(query),
        })
        .collect()
}

#[test]
fn the_best_items_are_those_of_the_default_body() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let cpu = Default::default();
        for (n, n_items, dim, k) in
            [(0, 3, 2, 1), (1, 1, 1, 1), (3, 4, 2, 4), (5, 300, 3, 7), (4, 600, 7, 17)]
        {
            for full in [false, true] {
                let case = format!("{n} x {n_items}, width {dim}, k {k}, bias and seen {full}");
                let lists = seen(n, n_items);
                let lists = full.then_some(&lists[..]);
                let (queries, items) = (whole([n, dim], 1, device), whole([n_items, dim], 2, device));
                let bias = full.then(|| whole([n_items, 1], 3, device).squeeze_dim(1));
                let (scores, ids) = B::top_k(queries, items, bias, lists, k);
                let (queries, items) = (whole([n, dim], 1, &cpu), whole::<Flex>([n_items, dim], 2, &cpu));
                let bias = full.then(|| whole::<Flex>([n_items, 1], 3, &cpu).squeeze_dim(1));
                let (scores_here, ids_here) = plain::top_k::<Flex>(queries, items, bias, lists, k);
                assert_eq!(read(scores), read(scores_here), "{case}");
                assert_eq!(whole_numbers(ids), whole_numbers(ids_here), "{case}");
            }
        }
    }
    on_both!(check);
}

#[test]
fn infinities_are_in_order_and_nan_comes_last() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let query = Tensor::<B, 2>::ones([1, 1], device);
        let items = Tensor::<B, 2>::zeros([6, 1], device);
        let bias = vec![f32::NEG_INFINITY, f32::NAN, -1.0, f32::INFINITY, 2.0, -3.0];
        let bias = Tensor::from_data(TensorData::new(bias, [6]), device);
        let (scores, ids) = B::top_k(query, items, Some(bias), Some(&[vec![5]]), 6);
        assert_eq!(whole_numbers(ids), [3, 4, 2, 0, 1, -1]);
        let scores = read(scores);
        assert_eq!(scores[..4], [f32::INFINITY, 2.0, -1.0, f32::NEG_INFINITY]);
        assert!(scores[4].is_nan());
        assert_eq!(scores[5], f32::NEG_INFINITY);
    }
    on_both!(check);
}

#[test]
fn scores_of_whole_width_give_the_same_items() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let (_, ids) = B::top_k(floats([9, 5], 1, device), floats([700, 5], 2, device), None, None, 10);
        let cpu = Default::default();
        let queries = floats::<Flex, 2>([9, 5], 1, &cpu);
        let (_, ids_here) = plain::top_k::<Flex>(queries, floats([700, 5], 2, &cpu), None, None, 10);
        assert_eq!(whole_numbers(ids), whole_numbers(ids_here));
    }
    on_both!(check);
}
