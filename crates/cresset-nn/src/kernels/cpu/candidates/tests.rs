//! Both kernels against the definitions in f64, over a grid of shapes.

use pulp::Arch;
use rayon::ThreadPoolBuilder;

use super::*;

const OBJECTIVES: [Objective; 4] =
    [Objective::Softmax, Objective::Sigmoid { beta: 1.0 }, Objective::Sigmoid { beta: 0.3 }, Objective::Bpr];

/// A stream of numbers that depends on the seed alone.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.below(20_001) as f32 / 10_000.0 - 1.0).collect()
    }

    fn ids(&mut self, n: usize, below: usize) -> Vec<i32> {
        (0..n).map(|_| self.below(below) as i32).collect()
    }
}

/// Loss and gradients in f64, by the definitions; the candidates are followed by the positive rows, if any.
#[derive(Debug)]
struct Expected {
    loss: f64,
    queries: Vec<f64>,
    candidates: Vec<f64>,
}

/// A batch as lists: for each query its weight, its positive and its negatives, as rows of `candidates`.
struct Lists {
    queries: Vec<f64>,
    candidates: Vec<f64>,
    bias: Vec<f64>,
    dim: usize,
    scale: f64,
    rows: Vec<(f64, usize, Vec<usize>)>,
}

impl Lists {
    fn new(queries: &[f32], candidates: &[f32], dim: usize, scale: f32) -> Self {
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let bias = vec![0.0; candidates.len() / dim];
        let (queries, candidates) = (wide(queries), wide(candidates));
        Lists { queries, candidates, bias, dim, scale: f64::from(scale), rows: Vec::new() }
    }

    fn logit(&self, query: usize, candidate: usize) -> f64 {
        let (q, c) = (&self.queries[query * self.dim..], &self.candidates[candidate * self.dim..]);
        let dot: f64 = q.iter().zip(c).take(self.dim).map(|(q, c)| q * c).sum();
        self.scale * dot + self.bias[candidate]
    }

    /// The loss of a query, and its gradient in the logits: the positive's first.
    fn row(&self, objective: Objective, query: usize) -> (f64, Vec<f64>) {
        let (_, positive, negatives) = &self.rows[query];
        let plus = self.logit(query, *positive);
        let minus: Vec<f64> = negatives.iter().map(|&c| self.logit(query, c)).collect();
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let share = 1.0 / minus.len() as f64;
        match objective {
            Objective::Softmax => {
                let largest = minus.iter().copied().fold(plus, f64::max);
                let total: f64 = minus.iter().chain([&plus]).map(|s| (s - largest).exp()).sum();
                let p = |s: f64| (s - largest).exp() / total;
                let gradient = std::iter::once(p(plus) - 1.0).chain(minus.iter().map(|&s| p(s))).collect();
                (total.ln() + largest - plus, gradient)
            }
            Objective::Sigmoid { beta } => {
                let beta = f64::from(beta);
                let share = 1.0 / (1.0 + minus.len() as f64);
                let loss = beta * sigmoid(plus).ln() + minus.iter().map(|&s| sigmoid(-s).ln()).sum::<f64>();
                let first = -beta * (1.0 - sigmoid(plus)) * share;
                (
                    -loss * share,
                    std::iter::once(first).chain(minus.iter().map(|&s| sigmoid(s) * share)).collect(),
                )
            }
            Objective::Bpr if minus.is_empty() => (0.0, vec![0.0]),
            Objective::Bpr => {
                let loss: f64 = minus.iter().map(|s| -sigmoid(plus - s).ln() * share).sum();
                let each: Vec<f64> = minus.iter().map(|s| sigmoid(s - plus) * share).collect();
                (loss, std::iter::once(-each.iter().sum::<f64>()).chain(each.iter().copied()).collect())
            }
        }
    }

    fn expected(&self, objective: Objective) -> Expected {
        let mut out = Expected {
            loss: 0.0,
            queries: vec![0.0; self.queries.len()],
            candidates: vec![0.0; self.candidates.len()],
        };
        let total: f64 = self.rows.iter().map(|row| row.0).sum();
        for (query, (weight, positive, negatives)) in self.rows.iter().enumerate() {
            if *weight == 0.0 {
                continue;
            }
            let (loss, gradient) = self.row(objective, query);
            out.loss += loss * weight / total;
            for (&candidate, slope) in std::iter::once(positive).chain(negatives).zip(gradient) {
                for i in 0..self.dim {
                    let (q, c) = (query * self.dim + i, candidate * self.dim + i);
                    out.queries[q] += slope * self.scale * self.candidates[c] * weight / total;
                    out.candidates[c] += slope * self.scale * self.queries[q] * weight / total;
                }
            }
        }
        out
    }
}

/// Inputs of [`Shared`] that own their values.
struct SharedCase {
    queries: Vec<f32>,
    candidates: Vec<f32>,
    dim: usize,
    bias: Option<Vec<f32>>,
    scale: f32,
    weights: Option<Vec<f32>>,
    columns: Vec<i32>,
    /// Rows and their bias; the columns are not used then.
    rows: Option<(Vec<f32>, Option<Vec<f32>>)>,
    ids: Option<(Vec<i32>, Vec<i32>)>,
}

impl SharedCase {
    /// Draws a case whose options follow from the bits of `options`.
    fn draw([n, m, dim]: [usize; 3], options: usize, draws: &mut Draws) -> Self {
        let on = |bit: usize| options >> bit & 1 == 1;
        let columns = draws.ids(n, m);
        let ids = on(0).then(|| {
            let candidates = draws.ids(m, 1 + m / 2);
            let of_column = |&c: &i32| candidates[c as usize];
            let positives =
                if on(1) { draws.ids(n, 1 + m / 2) } else { columns.iter().map(of_column).collect() };
            (candidates, positives)
        });
        let weight = |draws: &mut Draws| [0.0, 1.0, 0.5, 3.0][draws.below(4)];
        SharedCase {
            queries: draws.floats(n * dim),
            candidates: draws.floats(m * dim),
            dim,
            bias: on(2).then(|| draws.floats(m)),
            scale: if on(3) { 2.5 } else { 1.0 },
            weights: on(4).then(|| (0..n).map(|_| weight(draws)).collect()),
            columns,
            rows: on(1).then(|| (draws.floats(n * dim), on(3).then(|| draws.floats(n)))),
            ids,
        }
    }

    fn input(&self) -> Shared<'_> {
        Shared {
            queries: &self.queries,
            candidates: &self.candidates,
            dim: self.dim,
            bias: self.bias.as_deref(),
            scale: self.scale,
            weights: self.weights.as_deref(),
            positives: match &self.rows {
                None => Positives::Column(&self.columns),
                Some((rows, bias)) => Positives::Rows { rows, bias: bias.as_deref() },
            },
            ids: self.ids.as_ref().map(|(candidates, positives)| (&candidates[..], &positives[..])),
        }
    }

    fn lists(&self) -> Lists {
        let m = self.candidates.len() / self.dim;
        let mut rows = self.candidates.clone();
        let mut bias = self.bias.clone().unwrap_or(vec![0.0; m]);
        if let Some((positives, positive_bias)) = &self.rows {
            rows.extend_from_slice(positives);
            bias.extend(positive_bias.clone().unwrap_or(vec![0.0; positives.len() / self.dim]));
        }
        let mut lists = Lists::new(&self.queries, &rows, self.dim, self.scale);
        lists.bias = bias.iter().map(|&b| f64::from(b)).collect();
        for query in 0..self.queries.len() / self.dim {
            let weight = self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[query]));
            let positive = if self.rows.is_some() { m + query } else { self.columns[query] as usize };
            let is_hit =
                |c: usize| self.ids.as_ref().is_some_and(|(ids, positives)| ids[c] == positives[query]);
            lists.rows.push((weight, positive, (0..m).filter(|&c| c != positive && !is_hit(c)).collect()));
        }
        lists
    }
}

/// Asserts that all values agree to a few millionths of the largest, and to 5e-8 where all are small.
#[track_caller]
fn assert_close(what: &str, case: &str, got: &[f32], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{what} of {case}");
    let largest = expected.iter().fold(1e-2, |a: f64, b| a.max(b.abs()));
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs();
        assert!(error <= 5e-6 * largest, "{what} {i} of {case}: {got} instead of {expected}");
    }
}

#[track_caller]
fn assert_as_defined(case: &str, lists: &Lists, objective: Objective, (loss, got): (f32, &Gradients)) {
    let expected = lists.expected(objective);
    assert_close("loss", case, &[loss], &[expected.loss]);
    assert_close("gradient of queries", case, &got.queries, &expected.queries);
    let (candidates, positives) = expected.candidates.split_at(got.candidates.len());
    assert_close("gradient of candidates", case, &got.candidates, candidates);
    assert_close("gradient of positives", case, &got.positives, positives);
}

#[track_caller]
fn check_shared(shape: [usize; 3], options: usize) {
    let case = SharedCase::draw(shape, options, &mut Draws(7 + options as u64));
    for objective in OBJECTIVES {
        let name = format!("{shape:?}, options {options:b}, {objective:?}");
        let (loss, gradients) = case.input().loss_and_gradients(objective);
        assert_as_defined(&name, &case.lists(), objective, (loss, &gradients));
        assert_eq!(case.input().loss(objective).to_bits(), loss.to_bits(), "loss alone, {name}");
    }
}

#[test]
fn shared_candidates_of_every_shape_are_as_defined() {
    for n in [0, 1, 2, 63, 64, 65, 300] {
        for m in [1, 2, 5, 6, 7, 50, 193, 400] {
            for dim in [1, 3, 16, 17] {
                check_shared([n, m, dim], n + m + dim);
            }
        }
    }
}

#[test]
fn shared_candidates_with_every_option_are_as_defined() {
    for options in 0..32 {
        check_shared([70, 230, 33], options);
        check_shared([130, 19, 64], options);
    }
}

#[test]
fn wide_rows_are_as_defined() {
    for dim in [64, 80, 128, 200] {
        check_shared([67, 101, dim], 0b10101);
    }
}

#[test]
fn no_candidates_leave_the_positive_rows_alone() {
    let rows = [0.5, -1.0];
    let input = Shared {
        queries: &[1.0, 2.0],
        candidates: &[],
        dim: 2,
        bias: None,
        scale: 1.0,
        weights: None,
        positives: Positives::Rows { rows: &rows, bias: None },
        ids: None,
    };
    assert_eq!(input.loss(Objective::Softmax), 0.0);
    assert_eq!(input.loss(Objective::Bpr), 0.0);
    let (loss, gradients) = input.loss_and_gradients(Objective::Sigmoid { beta: 1.0 });
    assert!((loss - 1.701_413_3).abs() < 1e-6, "softplus(1.5), not {loss}");
    assert!(
        (gradients.positives[0] + 0.817_574_5).abs() < 1e-6,
        "-sigmoid(1.5), not {}",
        gradients.positives[0]
    );
}

#[test]
fn without_any_weight_loss_and_gradients_are_0_whatever_the_rows_hold() {
    let mut case = SharedCase::draw([65, 20, 8], 0b10000, &mut Draws(3));
    case.weights = Some(vec![0.0; 65]);
    case.queries.fill(f32::NAN);
    case.columns.fill(-100);
    for objective in OBJECTIVES {
        let (loss, gradients) = case.input().loss_and_gradients(objective);
        assert_eq!(loss, 0.0);
        assert!(gradients.queries.iter().chain(&gradients.candidates).all(|&g| g == 0.0));
    }
}

#[test]
fn nan_in_any_row_that_takes_part_makes_the_loss_nan() {
    for objective in OBJECTIVES {
        for place in 0..3 {
            let mut case = SharedCase::draw([70, 200, 16], 0b00100, &mut Draws(5));
            match place {
                0 => case.queries[69 * 16 + 3] = f32::NAN,
                1 => case.candidates[150 * 16] = f32::NAN,
                _ => case.bias.as_mut().unwrap()[7] = f32::NAN,
            }
            assert!(case.input().loss(objective).is_nan(), "place {place}, {objective:?}");
            let (loss, gradients) = case.input().loss_and_gradients(objective);
            assert!(
                loss.is_nan() && gradients.queries.iter().any(|g| g.is_nan()),
                "place {place}, {objective:?}"
            );
            let (queries, negatives) = (&case.queries, Draws(5).ids(70 * 200, 200));
            let row = per_row(&case, queries, &negatives);
            assert!(row.loss(objective).is_nan(), "place {place}, {objective:?}, negatives of their own");
        }
    }
}

#[test]
fn logits_of_thousands_overflow_nothing() {
    let mut case = SharedCase::draw([66, 300, 8], 0, &mut Draws(11));
    case.scale = 4000.0;
    let lists = case.lists();
    let (loss, gradients) = case.input().loss_and_gradients(Objective::Softmax);
    let expected = lists.expected(Objective::Softmax);
    assert!((f64::from(loss) / expected.loss - 1.0).abs() < 1e-5, "{loss}, {}", expected.loss);
    assert!(gradients.queries.iter().chain(&gradients.candidates).all(|g| g.is_finite()));
    let (queries, negatives) = (&case.queries, Draws(5).ids(66 * 20, 300));
    assert!(per_row(&case, queries, &negatives).loss(Objective::Bpr).is_finite());
}

#[test]
fn a_confident_query_keeps_its_small_loss() {
    // log(1 + e^-20) = 2.06e-9: the difference of two logarithms near 20 could not tell it from 0.
    let input = Shared {
        queries: &[1.0],
        candidates: &[20.0, 0.0],
        dim: 1,
        bias: None,
        scale: 1.0,
        weights: None,
        positives: Positives::Column(&[0]),
        ids: None,
    };
    let (loss, gradients) = input.loss_and_gradients(Objective::Softmax);
    assert!((loss / 2.061_153_6e-9 - 1.0).abs() < 1e-6, "{loss}");
    assert!((gradients.candidates[0] / -2.061_153_6e-9 - 1.0).abs() < 1e-6, "{:?}", gradients.candidates);
}

#[test]
fn threads_change_no_bit() {
    let case = SharedCase::draw([500, 700, 40], 0b11101, &mut Draws(13));
    let negatives = Draws(17).ids(500 * 90, 700);
    let run = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let row = per_row(&case, &case.queries, &negatives);
            OBJECTIVES.map(|objective| {
                (case.input().loss_and_gradients(objective), row.loss_and_gradients(objective))
            })
        })
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert_eq!(run(threads), one, "{threads} threads");
    }
}

#[test]
fn scratch_stays_small_against_a_large_catalogue() {
    for (m, dim) in [(100_000, 64), (100_000, 256), (3_417, 768), (1_000, 16)] {
        let plan = shared::scratch_floats(6_400, m, dim);
        assert!(plan * 4 < 300 << 20, "{} MB for {m} x {dim}", plan >> 18);
    }
}

#[test]
#[should_panic(expected = "a candidate is a row number below 20, not 20")]
fn a_positive_beyond_the_candidates_is_refused() {
    let mut case = SharedCase::draw([65, 20, 8], 0, &mut Draws(3));
    case.columns[64] = 20;
    case.input().loss(Objective::Softmax);
}

#[test]
#[should_panic(expected = "a candidate is a row number below 20, not -1")]
fn a_negative_number_is_no_candidate() {
    let case = SharedCase::draw([2, 20, 8], 0, &mut Draws(3));
    per_row(&case, &case.queries, &[0, 1, 2, -1]).loss(Objective::Bpr);
}

fn per_row<'a>(case: &'a SharedCase, queries: &'a [f32], negatives: &'a [i32]) -> PerRow<'a> {
    PerRow {
        queries,
        candidates: &case.candidates,
        dim: case.dim,
        bias: case.bias.as_deref(),
        scale: case.scale,
        weights: case.weights.as_deref(),
        positives: &case.columns,
        negatives,
    }
}

#[test]
fn negatives_of_their_own_are_as_defined() {
    for (n, m, k) in
        [(0, 3, 4), (1, 1, 1), (1, 7, 5), (3, 2, 40), (65, 130, 0), (300, 9, 17), (700, 1_000, 100)]
    {
        for (dim, options) in [(1, 0), (3, 0b11100), (17, 0b01000), (64, 0b10100), (130, 0b10000)] {
            let mut draws = Draws(19);
            let case = SharedCase::draw([n, m, dim], options, &mut draws);
            let negatives = draws.ids(n * k, m);
            let mut lists = case.lists();
            for (row, negatives) in lists.rows.iter_mut().zip(negatives.chunks(k.max(1))) {
                row.2 = negatives.iter().map(|&c| c as usize).filter(|&c| c != row.1).collect();
            }
            if k == 0 {
                lists.rows.iter_mut().for_each(|row| row.2.clear());
            }
            let input = per_row(&case, &case.queries, &negatives);
            for objective in OBJECTIVES {
                let name = format!("{n} x {k} of {m} x {dim}, options {options:b}, {objective:?}");
                let (loss, gradients) = input.loss_and_gradients(objective);
                assert_as_defined(&name, &lists, objective, (loss, &gradients));
                assert_eq!(input.loss(objective).to_bits(), loss.to_bits(), "loss alone, {name}");
            }
        }
    }
}

/// The instruction sets below the machine's best.
fn narrower_sets() -> Vec<Arch> {
    let mut sets = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    sets.extend(pulp::x86::V3::try_new().map(Arch::V3));
    sets
}

#[test]
fn every_instruction_set_gives_what_is_defined() {
    for arch in narrower_sets() {
        let mut draws = Draws(29);
        let case = SharedCase::draw([70, 230, 83], 0b11101, &mut draws);
        let negatives = draws.ids(70 * 33, 230);
        let mut lists = case.lists();
        for objective in OBJECTIVES {
            let name = format!("{arch:?}, {objective:?}");
            let (loss, gradients) = case.input().loss_and_gradients_on(arch, objective);
            assert_as_defined(&name, &lists, objective, (loss, &gradients));
        }
        for (row, negatives) in lists.rows.iter_mut().zip(negatives.chunks(33)) {
            row.2 = negatives.iter().map(|&c| c as usize).filter(|&c| c != row.1).collect();
        }
        for objective in OBJECTIVES {
            let name = format!("{arch:?}, {objective:?}, negatives of their own");
            let input = per_row(&case, &case.queries, &negatives);
            let (loss, gradients) = input.loss_and_gradients_on(arch, objective);
            assert_as_defined(&name, &lists, objective, (loss, &gradients));
        }
    }
}

#[test]
fn the_definitions_gradients_are_their_losses_slopes() {
    let case = SharedCase::draw([4, 5, 3], 0b11101, &mut Draws(23));
    for objective in OBJECTIVES {
        let mut lists = case.lists();
        let expected = lists.expected(objective);
        for i in 0..lists.candidates.len() {
            let at = lists.candidates[i];
            let mut loss_at = |x: f64| {
                lists.candidates[i] = x;
                lists.expected(objective).loss
            };
            let slope = (loss_at(at + 1e-5) - loss_at(at - 1e-5)) / 2e-5;
            loss_at(at);
            assert!((slope - expected.candidates[i]).abs() < 1e-8, "{objective:?} {i}");
        }
    }
}
