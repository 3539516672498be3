//! The queries of a call as whole numbers of eight bits, in groups that one pass over a tile serves.

use crate::best::Bounds;
use crate::codes::{Lengths, MAX_CODE, QUAD};
use crate::encode::{encode, greatest_magnitude};
use crate::score::product;

/// The smallest number: a score so small that it is not normal is off by up to half of it, whatever its length.
const SMALLEST: f64 = f32::from_bits(1) as f64;

/// What is kept of a query beside its codes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct QueryFacts {
    /// The sum of its codes.
    pub(crate) code_sum: i32,
    scale: f64,
    /// One over its scale: scores are compared in units of it.
    per_scale: f64,
    /// Its product with the centre of the items: part of every score.
    common: f64,
    /// Its length, in units of its scale.
    length: f64,
    /// The length of its error, in units of its scale.
    error_length: f64,
}

/// The queries of a call. The memory is used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    n_quads: usize,
    group: usize,
    /// `[n_groups, n_quads, group]`; the last group is filled up with zeros.
    quads: Vec<[i8; QUAD]>,
    facts: Vec<QueryFacts>,
    /// One query, and its codes in order.
    row: Vec<f64>,
    codes: Vec<i8>,
}

impl Queries {
    /// Takes the codes of finite `rows`, in groups of `group`, for items with a `centre`.
    pub(crate) fn encode(&mut self, rows: &[f32], centre: &[f32], group: usize) {
        let dim = centre.len();
        let n_queries = rows.len() / dim;
        let n_slots = n_queries.next_multiple_of(group);
        self.group = group;
        self.n_quads = dim.div_ceil(QUAD);
        self.quads.clear();
        self.quads.resize(n_slots * self.n_quads, [0; QUAD]);
        self.facts.clear();
        self.facts.resize(n_slots, QueryFacts::default());
        for (query, row) in rows.chunks_exact(dim).enumerate() {
            self.encode_query(query, row, product(row, centre));
        }
    }

    fn encode_query(&mut self, query: usize, row: &[f32], common: f64) {
        self.row.clear();
        self.row.extend(row.iter().map(|&value| f64::from(value)));
        let greatest = greatest_magnitude(&self.row);
        let scale = if greatest > 0.0 { greatest / MAX_CODE } else { 1.0 };
        let encoded = encode(&self.row, scale, &mut self.codes);
        let first = query / self.group * self.n_quads * self.group + query % self.group;
        let quads = self.quads[first..].iter_mut().step_by(self.group);
        quads
            .zip(self.codes.as_chunks::<QUAD>().0)
            .take(self.n_quads)
            .for_each(|(quad, &codes)| *quad = codes);
        self.facts[query] = QueryFacts {
            code_sum: self.codes.iter().map(|&code| i32::from(code)).sum(),
            scale,
            per_scale: 1.0 / scale,
            common,
            length: encoded.length / scale,
            error_length: encoded.error_length / scale,
        };
    }

    /// The codes of a group, one entry for each four columns.
    ///
    /// # Panics
    ///
    /// If `N` is not the size of the groups.
    #[inline(always)]
    pub(crate) fn group<const N: usize>(&self, group: usize) -> &[[[i8; QUAD]; N]] {
        assert_eq!(N, self.group, "a kernel reads groups of its size");
        let len = self.n_quads * N;
        self.quads[group * len..][..len].as_chunks().0
    }

    #[inline(always)]
    pub(crate) fn facts(&self, query: usize) -> &QueryFacts {
        &self.facts[query]
    }
}

impl QueryFacts {
    /// What the product of the codes, times the item's scale, must reach for a score of `bar` to be possible.
    #[inline(always)]
    pub(crate) fn floor(&self, bar: f32, item: Lengths) -> f32 {
        // Beyond the largest number are scores of many sizes, all infinite as `f32`.
        let bar = f64::from(bar.min(f32::MAX)) - SMALLEST;
        let reach = (bar - self.common) * self.per_scale;
        (reach - self.possible_error(item)) as f32
    }

    /// Between which scores an item's lies, of which `product` is the product of the codes, times the item's
    /// scale.
    #[inline(always)]
    pub(crate) fn bounds(&self, item: u32, product: f64, lengths: Lengths) -> Bounds {
        let error = self.possible_error(lengths);
        let score = |product: f64| (product * self.scale + self.common) as f32;
        Bounds { item, lower: score(product - error), upper: score(product + error) }
    }

    /// How far a product of codes can be from that of the vectors, in units of the query's scale.
    #[inline(always)]
    fn possible_error(&self, item: Lengths) -> f64 {
        item.error * self.length + item.codes * self.error_length
    }
}
