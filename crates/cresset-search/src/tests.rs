//! Searches by every kernel against a sort of all scores.

use proptest::prelude::*;

use crate::codes::{Codes, OFFSET, PANEL, QUAD, TILE};
use crate::kernels::AnyKernel;
use crate::queries::Queries;
use crate::score::score;
use crate::{FlatIndex, Hit, Masks, SearchError, Searcher};

/// Numbers between -1 and 1 that look random.
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// The first `k` of all scores, sorted.
fn expected(index: &FlatIndex, query: &[f32], k: usize, masked: &[u32]) -> Vec<Hit> {
    let ids = (0..index.n_items() as u32).filter(|item| !masked.contains(item));
    // -0 becomes 0.
    let mut hits: Vec<Hit> =
        ids.map(|item| Hit { item, score: score(index.vector(item), query) + 0.0 }).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
    hits.truncate(k);
    hits
}

/// That every kernel finds for each query what sorting all scores gives, alone and in a batch.
#[track_caller]
fn check(vectors: Vec<f32>, dim: usize, queries: &[f32], k: usize, masks: Masks<'_>) {
    let index = FlatIndex::try_new(vectors, dim).unwrap();
    let expected: Vec<_> = queries
        .chunks_exact(dim)
        .enumerate()
        .map(|(row, query)| expected(&index, query, k, masks.of(row)))
        .collect();
    for kernel in AnyKernel::available() {
        let mut searcher = Searcher::with_kernel(kernel);
        let found = searcher.search_batch(&index, queries, k, masks).unwrap();
        assert_eq!(found.n_queries(), expected.len());
        for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "query {row} of a batch, {kernel:?}");
        }
        for (row, query) in queries.chunks_exact(dim).enumerate() {
            let found = searcher.search(&index, query, k, masks.of(row)).unwrap();
            assert_eq!(found, expected[row], "query {row} alone, {kernel:?}");
        }
    }
}

#[test]
fn the_best_two_of_three_items_by_hand() {
    let index = FlatIndex::try_new(vec![1.0, 2.0, 3.0, -1.0, 0.0, 4.0], 2).unwrap();
    // 1 + 4 = 5, 3 - 2 = 1, 0 + 8 = 8.
    let found = index.search(&[1.0, 2.0], 2, &[]).unwrap();
    assert_eq!(found, [Hit { item: 2, score: 8.0 }, Hit { item: 0, score: 5.0 }]);
}

#[test]
fn equal_scores_come_in_order_of_item_id() {
    let index = FlatIndex::try_new(vec![1.0, 2.0, 1.0, 2.0, 1.0, -0.0, 0.0], 1).unwrap();
    let items = |k| index.search(&[1.0], k, &[]).unwrap().iter().map(|hit| hit.item).collect::<Vec<_>>();
    assert_eq!(items(4), [1, 3, 0, 2]);
    assert_eq!(items(7), [1, 3, 0, 2, 4, 5, 6]);
}

#[test]
fn masked_items_never_come_back() {
    let index = FlatIndex::try_new(vec![5.0, 4.0, 3.0, 2.0, 1.0], 1).unwrap();
    let items = |masked: &[u32]| {
        index.search(&[1.0], 5, masked).unwrap().iter().map(|hit| hit.item).collect::<Vec<_>>()
    };
    assert_eq!(items(&[0, 2, 2, 4, 9, u32::MAX]), [1, 3]);
    assert_eq!(items(&[0, 1, 2, 3, 4]), [0; 0]);
}

#[test]
fn a_k_beyond_the_catalogue_gives_all_and_a_k_of_zero_none() {
    let index = FlatIndex::try_new(vec![1.0, 2.0], 1).unwrap();
    assert_eq!(index.search(&[1.0], usize::MAX, &[]).unwrap().len(), 2);
    assert_eq!(index.search(&[1.0], 0, &[]).unwrap(), []);
}

#[test]
fn an_empty_index_and_an_empty_batch_find_nothing() {
    let empty = FlatIndex::try_new(Vec::new(), 3).unwrap();
    assert_eq!((empty.n_items(), empty.dim()), (0, 3));
    assert_eq!(empty.search(&[1.0, 2.0, 3.0], 5, &[]).unwrap(), []);
    let index = FlatIndex::try_new(vec![1.0; 6], 3).unwrap();
    let mut searcher = Searcher::default();
    let found = searcher.search_batch(&index, &[], 5, Masks::NONE).unwrap();
    assert_eq!((found.n_queries(), found.iter().count()), (0, 0));
}

#[test]
fn every_width_from_1_to_70_finds_what_sorting_gives() {
    for dim in 1..70 {
        check(numbers(dim * 150, 1), dim, &numbers(dim * 7, 2), 9, Masks::NONE);
    }
}

#[test]
fn a_large_catalogue_is_cut_into_shards_and_blocks() {
    let dim = 12;
    check(numbers(dim * 40_000, 3), dim, &numbers(dim * 3, 4), 50, Masks::NONE);
    check(numbers(dim * 900, 3), dim, &numbers(dim * 250, 4), 5, Masks::NONE);
}

#[test]
fn the_threads_change_nothing() {
    let dim = 8;
    let index = FlatIndex::try_new(numbers(dim * 40_000, 5), dim).unwrap();
    for n_queries in [1, 2, 150] {
        let queries = numbers(dim * n_queries, 6);
        let found = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| {
                let mut searcher = Searcher::new();
                let found = searcher.search_batch(&index, &queries, 20, Masks::NONE).unwrap();
                found.iter().map(<[Hit]>::to_vec).collect::<Vec<_>>()
            })
        };
        let alone = found(1);
        for n_threads in [2, 3, 7] {
            assert_eq!(found(n_threads), alone, "{n_queries} queries on {n_threads} threads");
        }
    }
}

#[test]
fn a_searcher_forgets_the_call_before() {
    let (wide, narrow) = (numbers(30 * 500, 7), numbers(5 * 300, 8));
    let wide = FlatIndex::try_new(wide, 30).unwrap();
    let narrow = FlatIndex::try_new(narrow, 5).unwrap();
    let mut searcher = Searcher::new();
    let queries = numbers(30 * 40, 9);
    for (index, n_queries, k) in [(&wide, 40, 60), (&narrow, 1, 3), (&narrow, 13, 300), (&wide, 2, 1)] {
        let queries = &queries[..n_queries * index.dim()];
        let found = searcher.search_batch(index, queries, k, Masks::NONE).unwrap();
        for (found, query) in found.iter().zip(queries.chunks_exact(index.dim())) {
            assert_eq!(found, expected(index, query, k, &[]));
        }
    }
}

#[test]
fn the_order_of_the_catalogue_changes_nothing() {
    let rising: Vec<f32> = (0..5_000).map(|item| item as f32).collect();
    check(rising.clone(), 1, &[1.0, -1.0, 0.5], 10, Masks::NONE);
    check(rising.into_iter().rev().collect(), 1, &[1.0, -1.0, 0.5], 10, Masks::NONE);
}

#[test]
fn rows_that_nearly_agree_are_told_apart() {
    let dim = 24;
    let base = numbers(dim, 10);
    let mut vectors = Vec::new();
    for noise in numbers(700 * dim, 11).chunks_exact(dim) {
        vectors.extend(base.iter().zip(noise).map(|(base, noise)| base + noise * 1e-6));
    }
    check(vectors, dim, &[base.clone(), numbers(dim, 12)].concat(), 25, Masks::NONE);
}

#[test]
fn rows_that_agree_entirely_come_in_order_of_item_id() {
    let dim = 24;
    check(numbers(dim, 13).repeat(500), dim, &numbers(dim * 2, 14), 70, Masks::NONE);
    check(numbers(4, 13).repeat(30_000), 4, &numbers(8, 14), 300, Masks::NONE);
}

#[test]
fn one_huge_coordinate_hides_nothing() {
    let dim = 20;
    let mut vectors = numbers(600 * dim, 15);
    vectors.chunks_exact_mut(dim).for_each(|row| row[3] *= 1e6);
    let mut queries = numbers(4 * dim, 16);
    // To the first query the huge coordinate is nothing, to the second everything.
    queries[3] = 0.0;
    queries[dim + 3] = 1e6;
    check(vectors, dim, &queries, 30, Masks::NONE);
}

#[test]
fn one_huge_item_among_small_ones_hides_none_of_them() {
    let dim = 16;
    let mut vectors = numbers(300 * dim, 17);
    vectors[5 * dim..6 * dim].fill(1e30);
    vectors[70 * dim..71 * dim].fill(-1e30);
    check(vectors, dim, &numbers(3 * dim, 18), 40, Masks::NONE);
}

#[test]
fn vectors_of_any_size_are_searched() {
    let dim = 9;
    for (items, queries) in [
        (1e-45, 1.0),
        (1e-40, 1e-40),
        (1e-38, 1e38),
        (1e38, 1e-38),
        (1e38, 1e38),
        (3.4e38, 3.4e38),
        (1.0, 0.0),
        (0.0, 1.0),
    ] {
        let scaled = |n, seed, factor: f32| numbers(n, seed).iter().map(|x| x * factor).collect::<Vec<_>>();
        check(scaled(200 * dim, 19, items), dim, &scaled(5 * dim, 20, queries), 15, Masks::NONE);
    }
}

#[test]
fn vectors_of_all_sizes_at_once_are_searched() {
    let dim = 6;
    let mut vectors = numbers(400 * dim, 21);
    for (item, row) in vectors.chunks_exact_mut(dim).enumerate() {
        row.iter_mut().for_each(|value| *value *= 10_f32.powi(item as i32 % 76 - 38));
    }
    check(vectors, dim, &numbers(4 * dim, 22), 100, Masks::NONE);
}

#[test]
fn the_widest_vectors_do_not_overflow() {
    let dim = 65_536;
    let mut vectors = vec![1.0_f32; 5 * dim];
    vectors[dim..2 * dim].fill(-1.0);
    vectors[4 * dim] = -1.0;
    check(vectors, dim, &vec![1.0; dim], 5, Masks::NONE);
}

#[track_caller]
fn check_refused(result: Result<FlatIndex, SearchError>, expected: &str) {
    assert_eq!(result.unwrap_err().to_string(), expected);
}

#[test]
fn a_table_that_is_none_is_refused_with_its_place() {
    check_refused(FlatIndex::try_new(vec![1.0], 0), "the vectors are 0 wide, expected a width of at least 1");
    check_refused(FlatIndex::try_new(vec![], 65_537), "the vectors are 65537 wide, expected at most 65536");
    check_refused(FlatIndex::try_new(vec![1.0; 5], 3), "items: 5 values, expected whole rows of width 3");
    let not_finite =
        "item 1 holds NaN in column 0, expected finite numbers: a training that diverged gives others";
    check_refused(FlatIndex::try_new(vec![1.0, 2.0, f32::NAN, f32::INFINITY], 2), not_finite);
}

#[test]
fn a_question_that_is_none_is_refused_with_its_place() {
    let index = FlatIndex::try_new(vec![1.0; 6], 2).unwrap();
    let mut searcher = Searcher::new();
    let mut check = |queries: &[f32], offsets: &[usize], items: &[u32], expected: &str| {
        let error = searcher.search_batch(&index, queries, 1, Masks { offsets, items }).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(&[1.0; 3], &[], &[], "queries: 3 values, expected whole rows of width 2");
    let not_finite =
        "query 1 holds inf in column 1, expected finite numbers: a training that diverged gives others";
    check(&[1.0, 1.0, 1.0, f32::INFINITY], &[], &[], not_finite);
    let few = "1 lists of masked items for 2 queries, expected one for each, or Masks::NONE";
    check(&[1.0; 4], &[0, 1], &[1], few);
    let offsets = "expected offsets that start at 0, never fall and end at";
    check(&[1.0; 2], &[], &[1], &format!("the masks' offset 0 is 0, {offsets} 1"));
    check(&[1.0; 2], &[1, 1], &[1], &format!("the masks' offset 0 is 1, {offsets} 1"));
    check(&[1.0; 2], &[0, 2], &[1], &format!("the masks' offset 1 is 2, {offsets} 1"));
    check(&[1.0; 4], &[0, 2, 1], &[1], &format!("the masks' offset 2 is 1, {offsets} 1"));
    let order = "the masked items of query 1 have 1 out of order, expected ids that rise";
    check(&[1.0; 4], &[0, 1, 3], &[2, 2, 1], order);
    let width = "the query has 3 values, expected 2, the width of the index";
    assert_eq!(index.search(&[1.0; 3], 1, &[]).unwrap_err().to_string(), width);
}

/// A list of rising ids for each of `n_queries`.
fn masks(n_queries: usize, n_items: usize, seed: u64) -> (Vec<usize>, Vec<u32>) {
    let (mut offsets, mut items) = (vec![0], Vec::new());
    for query in 0..n_queries {
        let draws = numbers(n_items, seed.wrapping_add(query as u64));
        items.extend((0..n_items as u32).filter(|&item| draws[item as usize] > 0.6));
        offsets.push(items.len());
    }
    (offsets, items)
}

/// The product of the codes of an item and of a query, one by one.
fn product_of_codes(codes: &Codes, item: usize, query: &[[[i8; QUAD]; 1]]) -> i32 {
    let (panel, lane) = (item % TILE / PANEL, item % PANEL);
    let quads = codes.quads(item / TILE).iter().zip(query);
    let products = quads.flat_map(|(quad, [query])| {
        let item = quad.0[panel].as_chunks::<QUAD>().0[lane];
        item.into_iter()
            .zip(query)
            .map(|(byte, &code)| (i32::from(byte) - i32::from(OFFSET)) * i32::from(code))
    });
    products.sum()
}

/// That every item's score lies between its bounds, and that its product reaches what a bar of its score asks for.
#[track_caller]
fn check_bounds(vectors: &[f32], dim: usize, rows: &[f32]) {
    let codes = Codes::of(vectors, dim);
    let mut queries = Queries::default();
    queries.encode(rows, codes.centre(), 1);
    for (query, row) in rows.chunks_exact(dim).enumerate() {
        for (item, vector) in vectors.chunks_exact(dim).enumerate() {
            let (facts, place) = (codes.facts(item / TILE), item % TILE);
            let sum = product_of_codes(&codes, item, queries.group::<1>(query));
            let scale = facts.scales[place / PANEL][place % PANEL];
            let product = f64::from(sum) * f64::from(scale);
            let bounds = queries.facts(query).bounds(item as u32, product, facts.lengths[place]);
            let score = score(vector, row);
            assert!((bounds.lower..=bounds.upper).contains(&score), "{score} of {item}, expected {bounds:?}");
            for lengths in [facts.lengths[place], facts.greatest] {
                let floor = queries.facts(query).floor(score, lengths);
                assert!(sum as f32 * scale >= floor, "item {item} of score {score} misses {floor}");
            }
        }
    }
}

proptest! {
    #[test]
    fn every_score_lies_between_its_bounds(
        seed in any::<u64>(),
        n_items in 1_usize..140,
        dim in 1_usize..50,
        common in prop::sample::select(vec![0.0_f32, 1.0, 1e3, 1e7]),
        spread in 0_i32..60,
        exponent in -40_i32..20,
    ) {
        // Of some catalogues the vectors are of very different lengths, and of some they share a large part.
        let draw = |n, seed| {
            let sizes = numbers(n, seed ^ 7).into_iter().map(|x| 10_f32.powi(exponent + (x * spread as f32 / 4.0) as i32));
            numbers(n, seed).iter().zip(sizes).map(|(x, size)| x * size).collect::<Vec<_>>()
        };
        let shared: Vec<f32> = draw(dim, seed ^ 3).iter().map(|x| x * common).collect();
        let own = draw(n_items * dim, seed);
        let vectors: Vec<f32> = own.iter().zip(shared.iter().cycle()).map(|(own, shared)| own + shared).collect();
        check_bounds(&vectors, dim, &draw(4 * dim, seed ^ 1));
        check_bounds(&vectors, dim, &vectors[..dim]);
    }

    #[test]
    fn whole_numbers_have_the_ranking_of_exact_scores(
        seed in any::<u64>(),
        n_items in 1_usize..500,
        dim in 1_usize..30,
        k in 1_usize..40,
    ) {
        let draw = |n, seed| numbers(n, seed).iter().map(|x| (x * 3.0).round()).collect::<Vec<_>>();
        let (vectors, query) = (draw(n_items * dim, seed), draw(dim, seed ^ 1));
        let exact = |row: &[f32]| row.iter().zip(&query).map(|(&a, &b)| a as i64 * b as i64).sum::<i64>();
        let mut ranking: Vec<(i64, u32)> = vectors.chunks_exact(dim).map(exact).zip(0..).collect();
        ranking.sort_by_key(|&(score, item)| (std::cmp::Reverse(score), item));
        ranking.truncate(k);
        let found = FlatIndex::try_new(vectors, dim).unwrap().search(&query, k, &[]).unwrap();
        let found: Vec<_> = found.iter().map(|hit| (hit.score as i64, hit.item)).collect();
        prop_assert_eq!(found, ranking);
    }

    #[test]
    fn a_search_gives_the_head_of_the_sort_of_all_scores(
        seed in any::<u64>(),
        n_items in 0_usize..700,
        n_queries in 1_usize..20,
        dim in 1_usize..40,
        k in 0_usize..120,
        levels in prop::sample::select(vec![1.0_f32, 3.0, 1e3, 1e9]),
        exponent in -44_i32..38,
    ) {
        // Few levels make many ties.
        let draw = |n, seed| numbers(n, seed).iter().map(|x| (x * levels).round()).collect::<Vec<_>>();
        let factor = 10_f32.powi(exponent) / levels;
        let vectors = draw(n_items * dim, seed).iter().map(|x| x * factor).collect();
        let (offsets, items) = masks(n_queries, n_items, seed);
        check(vectors, dim, &draw(n_queries * dim, seed ^ 1), k, Masks { offsets: &offsets, items: &items });
    }
}
