//! Self-attention of short sequences: one cube for each place of each head.

use burn::tensor::{DType, Tensor};
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::device::{Mask, dropped, highest_of_cube, mask, sum_of_cube};
use super::host::{CubeTensors, NARROW, address_type, cubes, empty, floats, ints, is_f32, optional, tensor};
use crate::kernels::plain;
use crate::kernels::spec::Attention;

/// A row of scores lies in the memory that the units of a cube share, of which WebGPU promises 16 kB.
const LONGEST_SEQ: usize = 2048;
/// Parts of a row of `qkv`.
const QUERY: usize = 0;
const KEY: usize = 1;
const VALUE: usize = 2;
/// Below every score.
const NOT_SEEN: f32 = -1e30;

pub(super) fn attention_forward<B: CubeTensors>(
    qkv: Tensor<B, 3>,
    attention: Attention<B>,
) -> (Tensor<B, 3>, Tensor<B, 4>) {
    let Some(shape) = Layout::of(&qkv, attention.n_heads) else {
        return plain::attention_forward(qkv, attention);
    };
    if shape.places() * shape.d_head == 0 {
        let (Layout { batch, seq, n_heads, d_head }, device) = (shape, qkv.device());
        return (
            Tensor::zeros([batch, seq, n_heads * d_head], &device),
            Tensor::zeros([batch, n_heads, seq, seq], &device),
        );
    }
    let qkv = floats(qkv);
    let output = empty(&qkv, [shape.batch, shape.seq, shape.n_heads * shape.d_head], DType::F32);
    let probabilities = empty(&qkv, [shape.batch, shape.n_heads, shape.seq, shape.seq], DType::F32);
    let (count, cube_dim) = cubes(&qkv.client, shape.places(), NARROW);
    forward::launch::<B::Runtime>(
        &output.client,
        count,
        cube_dim,
        address_type(&[&qkv, &probabilities]),
        qkv.clone().into_array_arg(),
        padding(&attention),
        mask(attention.dropout),
        probabilities.clone().into_array_arg(),
        output.clone().into_array_arg(),
        shape.argument(),
        attention.causal,
        shape.shared_len(),
    );
    (tensor(output), tensor(probabilities))
}

pub(super) fn attention_backward<B: CubeTensors>(
    grad: Tensor<B, 3>,
    qkv: Tensor<B, 3>,
    probabilities: Tensor<B, 4>,
    attention: Attention<B>,
) -> Tensor<B, 3> {
    let Some(shape) = Layout::of(&qkv, attention.n_heads) else {
        return plain::attention_backward(grad, qkv, probabilities, attention);
    };
    if shape.places() * shape.d_head == 0 {
        return qkv;
    }
    let [grad, qkv, probabilities] = [floats(grad), floats(qkv), floats(probabilities)];
    let by_score = empty(&qkv, [shape.batch, shape.n_heads, shape.seq, shape.seq], DType::F32);
    let by_qkv = empty(&qkv, [shape.batch, shape.seq, 3 * shape.n_heads * shape.d_head], DType::F32);
    let address = address_type(&[&qkv, &probabilities]);
    let array = |buffer: &CubeTensor<B::Runtime>| buffer.clone().into_array_arg();
    let (count, cube_dim) = cubes(&qkv.client, shape.places(), NARROW);
    backward_by_query::launch::<B::Runtime>(
        &qkv.client,
        count.clone(),
        cube_dim,
        address,
        array(&grad),
        array(&qkv),
        array(&probabilities),
        mask(attention.dropout),
        array(&by_score),
        array(&by_qkv),
        shape.argument(),
        shape.shared_len(),
    );
    backward_by_key_and_value::launch::<B::Runtime>(
        &qkv.client,
        count,
        cube_dim,
        address,
        array(&grad),
        array(&qkv),
        array(&probabilities),
        array(&by_score),
        mask(attention.dropout),
        array(&by_qkv),
        shape.argument(),
    );
    tensor(by_qkv)
}

fn padding<B: CubeTensors>(attention: &Attention<B>) -> ComptimeOptionArgs<Array<i32>, B::Runtime> {
    optional(attention.mask_pad.clone().map(|mask| ints(mask.int())))
}

#[derive(Clone, Copy)]
struct Layout {
    batch: usize,
    seq: usize,
    n_heads: usize,
    d_head: usize,
}

impl Layout {
    /// `None` where the kernels do not serve.
    fn of<B: CubeTensors>(qkv: &Tensor<B, 3>, n_heads: usize) -> Option<Self> {
        let [batch, seq, width] = qkv.dims();
        let serves = is_f32(qkv) && seq <= LONGEST_SEQ;
        serves.then_some(Self { batch, seq, n_heads, d_head: width / 3 / n_heads })
    }

    fn places(&self) -> usize {
        self.batch * self.n_heads * self.seq
    }

    /// Few lengths, because each is a kernel of its own.
    fn shared_len(&self) -> usize {
        self.seq.next_power_of_two()
    }

    fn argument<R: Runtime>(&self) -> HeadsLaunch<R> {
        HeadsLaunch::new(self.seq, self.n_heads, self.d_head, self.places())
    }
}

#[derive(CubeType, CubeLaunch)]
struct Heads {
    seq: usize,
    n_heads: usize,
    d_head: usize,
    /// Of all sequences and heads.
    places: usize,
}

/// The sequence, head and place that the cube is for.
#[derive(CubeType)]
struct Own {
    sequence: usize,
    head: usize,
    place: usize,
}

#[cube]
fn own(heads: &Heads) -> Own {
    let of_head = CUBE_POS / heads.seq;
    Own { sequence: of_head / heads.n_heads, head: of_head % heads.n_heads, place: CUBE_POS % heads.seq }
}

/// Where a place's query, key or value of the cube's head begins.
#[cube]
fn vector(heads: &Heads, own: &Own, place: usize, #[comptime] part: usize) -> usize {
    let d_model = heads.n_heads * heads.d_head;
    (own.sequence * heads.seq + place) * 3 * d_model + part * d_model + own.head * heads.d_head
}

/// Where a place's vector of the cube's head begins in the output.
#[cube]
fn output_vector(heads: &Heads, own: &Own, place: usize) -> usize {
    ((own.sequence * heads.seq + place) * heads.n_heads + own.head) * heads.d_head
}

#[cube]
fn sees(
    padding: &ComptimeOption<Array<i32>>,
    heads: &Heads,
    own: &Own,
    key: usize,
    #[comptime] causal: bool,
) -> bool {
    let in_time = !causal || key <= own.place;
    #[comptime]
    match padding {
        ComptimeOption::Some(padding) => {
            let start = own.sequence * heads.seq;
            in_time && padding[start + key] == 0 && padding[start + own.place] == 0
        }
        ComptimeOption::None => in_time,
    }
}

#[cube(launch, address_type = "dynamic")]
fn forward(
    qkv: &Array<f32>,
    padding: &ComptimeOption<Array<i32>>,
    mask: &ComptimeOption<Mask>,
    probabilities: &mut Array<f32>,
    output: &mut Array<f32>,
    heads: &Heads,
    #[comptime] causal: bool,
    #[comptime] shared_len: usize,
) {
    if CUBE_POS >= heads.places {
        terminate!();
    }
    let own = own(heads);
    let query = vector(heads, &own, own.place, QUERY);
    let root = f32::cast_from(heads.d_head).sqrt();
    let mut shared = SharedMemory::<f32>::new(comptime!(NARROW as usize));
    let mut scores = SharedMemory::<f32>::new(shared_len);
    let mut highest = NOT_SEEN.runtime();
    let mut key = UNIT_POS as usize;
    while key < heads.seq {
        let mut score = NOT_SEEN.runtime();
        if sees(padding, heads, &own, key, causal) {
            let at = vector(heads, &own, key, KEY);
            score = 0.0f32.runtime();
            for i in 0..heads.d_head {
                score += qkv[query + i] * qkv[at + i];
            }
            score /= root;
        }
        scores[key] = score;
        highest = max(highest, score);
        key += NARROW as usize;
    }
    let highest = highest_of_cube(highest, &mut shared, NARROW);
    let mut sum = 0.0f32;
    let mut key = UNIT_POS as usize;
    while key < heads.seq {
        // So asked, a score that is not a number stays one.
        let weight = select(scores[key] < NOT_SEEN * 0.5, 0.0, (scores[key] - highest).exp());
        scores[key] = weight;
        sum += weight;
        key += NARROW as usize;
    }
    let sum = sum_of_cube(sum, &mut shared, NARROW);
    let mut key = UNIT_POS as usize;
    while key < heads.seq {
        let index = CUBE_POS * heads.seq + key;
        // A place of padding sees nothing.
        let probability = select(sum == 0.0, 0.0, scores[key] / sum);
        probabilities[index] = probability;
        scores[key] = dropped(probability, index, mask);
        key += NARROW as usize;
    }
    sync_cube();
    let to = output_vector(heads, &own, own.place);
    let mut i = UNIT_POS as usize;
    while i < heads.d_head {
        let mut mixed = 0.0f32;
        for key in 0..heads.seq {
            mixed += scores[key] * qkv[vector(heads, &own, key, VALUE) + i];
        }
        output[to + i] = mixed;
        i += NARROW as usize;
    }
}

/// The gradient of each score of a query, and that of the query.
#[cube(launch, address_type = "dynamic")]
fn backward_by_query(
    grad: &Array<f32>,
    qkv: &Array<f32>,
    probabilities: &Array<f32>,
    mask: &ComptimeOption<Mask>,
    by_score: &mut Array<f32>,
    by_qkv: &mut Array<f32>,
    heads: &Heads,
    #[comptime] shared_len: usize,
) {
    if CUBE_POS >= heads.places {
        terminate!();
    }
    let own = own(heads);
    let from = output_vector(heads, &own, own.place);
    let root = f32::cast_from(heads.d_head).sqrt();
    let mut shared = SharedMemory::<f32>::new(comptime!(NARROW as usize));
    let mut slopes = SharedMemory::<f32>::new(shared_len);
    let mut along = 0.0f32;
    let mut key = UNIT_POS as usize;
    while key < heads.seq {
        let index = CUBE_POS * heads.seq + key;
        let value = vector(heads, &own, key, VALUE);
        let mut slope = 0.0f32;
        for i in 0..heads.d_head {
            slope += grad[from + i] * qkv[value + i];
        }
        let slope = dropped(slope, index, mask);
        slopes[key] = slope;
        along += slope * probabilities[index];
        key += NARROW as usize;
    }
    let along = sum_of_cube(along, &mut shared, NARROW);
    let mut key = UNIT_POS as usize;
    while key < heads.seq {
        let index = CUBE_POS * heads.seq + key;
        let slope = (slopes[key] - along) * probabilities[index] / root;
        slopes[key] = slope;
        by_score[index] = slope;
        key += NARROW as usize;
    }
    sync_cube();
    let to = vector(heads, &own, own.place, QUERY);
    let mut i = UNIT_POS as usize;
    while i < heads.d_head {
        let mut sum = 0.0f32;
        for key in 0..heads.seq {
            sum += slopes[key] * qkv[vector(heads, &own, key, KEY) + i];
        }
        by_qkv[to + i] = sum;
        i += NARROW as usize;
    }
}

/// The gradients of a place's key and value.
#[cube(launch, address_type = "dynamic")]
fn backward_by_key_and_value(
    grad: &Array<f32>,
    qkv: &Array<f32>,
    probabilities: &Array<f32>,
    by_score: &Array<f32>,
    mask: &ComptimeOption<Mask>,
    by_qkv: &mut Array<f32>,
    heads: &Heads,
) {
    if CUBE_POS >= heads.places {
        terminate!();
    }
    let own = own(heads);
    let (to_key, to_value) = (vector(heads, &own, own.place, KEY), vector(heads, &own, own.place, VALUE));
    let first = (CUBE_POS - own.place) * heads.seq + own.place;
    let mut i = UNIT_POS as usize;
    while i < heads.d_head {
        let mut key_sum = 0.0f32;
        let mut value_sum = 0.0f32;
        for query in 0..heads.seq {
            let index = first + query * heads.seq;
            key_sum += by_score[index] * qkv[vector(heads, &own, query, QUERY) + i];
            value_sum +=
                dropped(probabilities[index], index, mask) * grad[output_vector(heads, &own, query) + i];
        }
        by_qkv[to_key + i] = key_sum;
        by_qkv[to_value + i] = value_sum;
        i += NARROW as usize;
    }
}
