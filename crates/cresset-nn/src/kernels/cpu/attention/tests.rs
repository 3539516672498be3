//! Against the definition in double precision, over shapes, masks and dropout.

use cresset_data::random::{below, standard_normal, stream};

use super::*;

/// batch, seq, heads, `d_head`
const SHAPES: [[usize; 4]; 10] = [
    [0, 5, 1, 4],
    [2, 0, 1, 4],
    [1, 1, 1, 1],
    [2, 5, 2, 3],
    [3, 16, 2, 8],
    [2, 17, 1, 40],
    [1, 33, 3, 9],
    [3, 50, 2, 32],
    [2, 70, 2, 5],
    [64, 3, 2, 64],
];

fn noise(n: usize, place: u64) -> Vec<f32> {
    let mut rng = stream(1, "attention", place);
    (0..n).map(|_| standard_normal(&mut rng)).collect()
}

/// None, in front, anywhere, everywhere.
fn paddings(batch: usize, seq: usize) -> [Option<Vec<bool>>; 4] {
    let mut rng = stream(1, "padding", 0);
    let in_front = (0..batch * seq).map(|place| place % seq < (place / seq) % (seq + 1)).collect();
    let anywhere = (0..batch * seq).map(|_| below(3, &mut rng) == 0).collect();
    [None, Some(in_front), Some(anywhere), Some(vec![true; batch * seq])]
}

/// Calls `check` with the number of sequences for every shape, mask and dropout.
fn for_each_attention(check: impl Fn(usize, &SelfAttention<'_>)) {
    for [batch, seq, n_heads, d_head] in SHAPES {
        for mask in paddings(batch, seq) {
            for (causal, dropout) in [(true, 0.0), (false, 0.3), (true, 0.3), (false, 0.0)] {
                let dropout = (dropout > 0.0).then(|| Dropout::new(dropout, 1, 2, "test").unwrap());
                let mask_pad = mask.as_deref();
                let d_model = n_heads * d_head;
                check(batch, &SelfAttention { seq, d_model, n_heads, causal, mask_pad, dropout });
            }
        }
    }
}

/// Output and probabilities by the definition, in double precision.
fn reference(qkv: &[f64], batch: usize, attention: &SelfAttention<'_>) -> (Vec<f64>, Vec<f64>) {
    let SelfAttention { seq, d_model, n_heads, .. } = *attention;
    let mut out = vec![0.0; batch * seq * d_model];
    let mut probabilities = vec![0.0; batch * n_heads * seq * seq];
    for row in 0..batch * n_heads * seq {
        let [sequence, head, query] = [row / seq / n_heads, row / seq % n_heads, row % seq];
        let kept = &mut probabilities[row * seq..][..seq];
        reference_row(qkv, [sequence, head, query], attention, kept);
        let d_head = attention.d_head();
        let out = &mut out[(sequence * seq + query) * d_model + head * d_head..][..d_head];
        for (key, &probability) in kept.iter().enumerate() {
            let index = (row * seq + key) as u32;
            let factor = attention.dropout.map_or(1.0, |dropout| f64::from(dropout.factor(index)));
            let value = &qkv[(sequence * seq + key) * 3 * d_model + 2 * d_model + head * d_head..];
            out.iter_mut().zip(value).for_each(|(out, value)| *out += probability * factor * value);
        }
    }
    (out, probabilities)
}

fn reference_row(
    qkv: &[f64],
    [sequence, head, query]: [usize; 3],
    attention: &SelfAttention<'_>,
    probabilities: &mut [f64],
) {
    let SelfAttention { seq, d_model, causal, mask_pad, .. } = *attention;
    let d_head = attention.d_head();
    let padding = |place: usize| mask_pad.is_some_and(|mask| mask[sequence * seq + place]);
    let part = |part, place| &qkv[(sequence * seq + place) * 3 * d_model + part * d_model + head * d_head..];
    for (key, probability) in probabilities.iter_mut().enumerate() {
        let seen = !padding(query) && !padding(key) && (!causal || key <= query);
        let product: f64 = part(0, query)[..d_head].iter().zip(part(1, key)).map(|(q, k)| q * k).sum();
        *probability = if seen { (product / (d_head as f64).sqrt()).exp() } else { 0.0 };
    }
    let sum: f64 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|probability| *probability /= if sum > 0.0 { sum } else { 1.0 });
}

fn widened(x: &[f32]) -> Vec<f64> {
    x.iter().copied().map(f64::from).collect()
}

fn assert_close(found: &[f32], expected: &[f64], what: &dyn std::fmt::Debug) {
    assert_eq!(found.len(), expected.len());
    for (place, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(found) - expected).abs() < 1e-5, "{what:?} at {place}: {found}, not {expected}");
    }
}

fn run(qkv: &[f32], batch: usize, attention: &SelfAttention<'_>) -> (Vec<f32>, Vec<f32>) {
    let SelfAttention { seq, d_model, n_heads, .. } = *attention;
    let mut out = vec![f32::NAN; batch * seq * d_model];
    let mut probabilities = vec![f32::NAN; batch * n_heads * seq * seq];
    forward(qkv, attention, &mut out, &mut probabilities);
    (out, probabilities)
}

#[test]
fn every_shape_and_mask_agrees_with_the_definition() {
    for_each_attention(|batch, attention| {
        let qkv = noise(batch * attention.seq * 3 * attention.d_model, 0);
        let (out, probabilities) = run(&qkv, batch, attention);
        let expected = reference(&widened(&qkv), batch, attention);
        assert_close(&out, &expected.0, attention);
        assert_close(&probabilities, &expected.1, attention);
    });
}

#[test]
fn gradients_agree_with_finite_differences() {
    for_each_attention(|batch, attention| {
        let SelfAttention { seq, d_model, .. } = *attention;
        let (qkv, grad_out) = (noise(batch * seq * 3 * d_model, 0), noise(batch * seq * d_model, 1));
        let probabilities = run(&qkv, batch, attention).1;
        let mut grad_qkv = vec![f32::NAN; qkv.len()];
        backward(&grad_out, &qkv, &probabilities, attention, &mut grad_qkv);
        assert!(grad_qkv.iter().all(|x| x.is_finite()), "{attention:?}");
        let value = |qkv: &[f64]| {
            let out = reference(qkv, batch, attention).0;
            out.iter().zip(&grad_out).map(|(out, &grad)| out * f64::from(grad)).sum::<f64>()
        };
        // All of a small input, some of a large one.
        for place in (0..qkv.len()).step_by(qkv.len() / 40 + 1) {
            let moved = |by| {
                let mut qkv = widened(&qkv);
                qkv[place] += by;
                value(&qkv)
            };
            let expected = (moved(1e-4) - moved(-1e-4)) / 2e-4;
            let found = grad_qkv[place];
            assert!(
                (f64::from(found) - expected).abs() < 2e-5,
                "{attention:?} at {place}: {found}, not {expected}"
            );
        }
    });
}

fn causal(seq: usize, d_model: usize, n_heads: usize) -> SelfAttention<'static> {
    SelfAttention { seq, d_model, n_heads, causal: true, mask_pad: None, dropout: None }
}

#[test]
fn results_have_the_same_bits_on_any_number_of_threads() {
    let (qkv, grad_out) = (noise(40 * 20 * 48, 0), noise(40 * 20 * 16, 1));
    let attention = causal(20, 16, 2);
    let with_threads = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| {
            let (out, probabilities) = run(&qkv, 40, &attention);
            let mut grad_qkv = vec![0.0; qkv.len()];
            backward(&grad_out, &qkv, &probabilities, &attention, &mut grad_qkv);
            (out, grad_qkv)
        })
    };
    assert_eq!(with_threads(1), with_threads(3));
}

#[test]
fn scores_that_lie_far_apart_leave_no_denormal_numbers() {
    let mut qkv = noise(2 * 50 * 3 * 64, 0);
    qkv.iter_mut().for_each(|x| *x *= 12.0);
    let grad_out: Vec<f32> = noise(2 * 50 * 64, 1).into_iter().map(|x| x * 1e-8).collect();
    let attention = causal(50, 64, 2);
    let (out, probabilities) = run(&qkv, 2, &attention);
    let mut grad_qkv = vec![0.0; qkv.len()];
    backward(&grad_out, &qkv, &probabilities, &attention, &mut grad_qkv);
    assert!(probabilities.contains(&1.0), "one key of some query has it all");
    for x in [out, probabilities, grad_qkv].concat() {
        assert!(x.is_finite() && !x.is_subnormal(), "{x}");
    }
}

#[test]
fn a_nan_is_passed_on_to_those_who_see_it_and_to_no_other() {
    let mut qkv = noise(20 * 3 * 8, 0);
    qkv[10 * 24 + 8] = f32::NAN; // a key of place 10
    let (out, _) = run(&qkv, 1, &causal(20, 8, 1));
    for (place, row) in out.chunks(8).enumerate() {
        assert!(row.iter().all(|x| x.is_nan() == (place >= 10)), "place {place}: {row:?}");
    }
}

#[test]
#[should_panic(expected = "3 heads divide a width of 8")]
fn heads_that_do_not_divide_the_width_are_refused() {
    run(&[0.0; 48], 1, &causal(2, 8, 3));
}
