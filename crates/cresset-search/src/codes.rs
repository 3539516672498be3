//! The items as whole numbers of eight bits, and how far a product of those can be from the true one.
//!
//! # The bound
//!
//! All items have a centre `c` in common, whose product with a query is the same for all. What is left of a
//! row is written as `x - c = a·p + e`: a scale `a`, codes `p` between -127 and 127, and an error `e`, at
//! most half a scale in each column. A query is written as `y = b·r + f`. Then, with `·` the inner product
//! and |·| the length,
//!
//! ```text
//! x·y = c·y + ab p·r + a p·f + e·y   and so   (x·y - c·y) / b <= a p·r + |a p| |f| / b + |e| |y| / b
//! ```
//!
//! and not below the same with both lengths subtracted. `p·r` is a sum of whole numbers and exact. The two
//! lengths `|a p|` and `|e|` are kept of each item, the two factors `|f| / b` and `|y| / b` of each query,
//! all computed in `f64` from the numbers as they are stored.
//!
//! What remains are roundings, and `|e|` is made longer by more than all of them together:
//!
//! - `a p·r` in `f32`, and what it must reach if that is not plainly out of or within reach, are numbers of a few
//!   `|x - c| |y| / b` and off by a few times `2^-24` of them: `2^-18 |x - c|`.
//! - A score is rounded to `f32`, and so off by `2^-24 |x| |y|`; `f64` is off by far less of `(|x| + |c|) |y|`: `2^-22` of
//!   both. Bounds that are themselves rounded to `f32` need nothing, since rounding keeps the order.
//! - Products may be too small for normal numbers: the smallest of those. From the bar, which is a score, the smallest
//!   number of all is subtracted besides.

use rayon::prelude::*;

use crate::centre::centre;
use crate::encode::{encode, greatest_magnitude};
use crate::score::product;

/// Items of a panel: the lanes of the widest registers.
pub(crate) const PANEL: usize = 16;

/// Panels that lie side by side.
pub(crate) const TILE_PANELS: usize = 4;

/// Items of a tile.
pub(crate) const TILE: usize = PANEL * TILE_PANELS;

/// Columns that one instruction multiplies and adds up for each item.
pub(crate) const QUAD: usize = 4;

/// The largest code.
pub(crate) const MAX_CODE: f64 = 127.0;

/// What is added to a code, so that it is above 0 in its byte; the same as its highest bit turned over.
pub(crate) const OFFSET: u8 = 128;

/// The widest vectors: sums of that many products of a byte and a code fit into 32 bits.
pub(crate) const MAX_DIM: usize = 65_536;

/// What roundings of products of codes may add to the error of an item, as a share of its length without the
/// centre.
const CODE_SLACK: f64 = 1.0 / 262_144.0;

/// What roundings of scores may add to the error of an item, as a share of its length and of that of the
/// centre.
const SCORE_SLACK: f64 = 1.0 / 4_194_304.0;

/// Four columns of a tile, a cache line for each panel: item by item its four codes, each with [`OFFSET`]
/// added.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct TileQuad(pub(crate) [[u8; PANEL * QUAD]; TILE_PANELS]);

/// What the error of a product depends on, on the side of the items.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths {
    /// Of the error, roundings included.
    pub(crate) error: f64,
    /// Of the codes times the scale.
    pub(crate) codes: f64,
}

/// Scales and lengths of a tile's items.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct TileFacts {
    /// The scale of each item.
    pub(crate) scales: [[f32; PANEL]; TILE_PANELS],
    /// The greatest lengths among the tile's items.
    pub(crate) greatest: Lengths,
    /// Of each item.
    pub(crate) lengths: [Lengths; TILE],
}

/// The items in tiles; the last is filled up with zeros.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    /// What the items have in common, which is not in their codes.
    centre: Vec<f32>,
    n_quads: usize,
    quads: Vec<TileQuad>,
    facts: Vec<TileFacts>,
}

impl Codes {
    /// The codes of finite `vectors` of width `dim`.
    pub(crate) fn of(vectors: &[f32], dim: usize) -> Self {
        let n_quads = dim.div_ceil(QUAD);
        let n_tiles = (vectors.len() / dim).div_ceil(TILE);
        let mut quads = vec![TileQuad([[OFFSET; PANEL * QUAD]; TILE_PANELS]); n_tiles * n_quads];
        let mut facts = vec![TileFacts::ZEROS; n_tiles];
        let centre = centre(vectors, dim);
        let tiles = quads.par_chunks_mut(n_quads).zip(&mut facts);
        tiles.zip(vectors.par_chunks(TILE * dim)).for_each_init(
            || Encoder::new(&centre),
            |encoder, ((quads, facts), rows)| {
                for (place, row) in rows.chunks_exact(dim).enumerate() {
                    encoder.encode(row, place, quads, facts);
                }
            },
        );
        Self { centre, n_quads, quads, facts }
    }

    /// What the items have in common, which is not in their codes.
    pub(crate) fn centre(&self) -> &[f32] {
        &self.centre
    }

    pub(crate) fn n_tiles(&self) -> usize {
        self.facts.len()
    }

    /// The codes of a tile, one entry for each four columns.
    #[inline(always)]
    pub(crate) fn quads(&self, tile: usize) -> &[TileQuad] {
        &self.quads[tile * self.n_quads..][..self.n_quads]
    }

    #[inline(always)]
    pub(crate) fn facts(&self, tile: usize) -> &TileFacts {
        &self.facts[tile]
    }
}

impl Lengths {
    const ZEROS: Self = Self { error: 0.0, codes: 0.0 };
}

impl TileFacts {
    const ZEROS: Self = Self {
        scales: [[0.0; PANEL]; TILE_PANELS],
        greatest: Lengths::ZEROS,
        lengths: [Lengths::ZEROS; TILE],
    };
}

/// Encodes items one after the other.
struct Encoder<'a> {
    centre: &'a [f32],
    centre_length: f64,
    /// A row without the centre.
    rest: Vec<f64>,
    codes: Vec<i8>,
}

impl<'a> Encoder<'a> {
    fn new(centre: &'a [f32]) -> Self {
        let centre_length = product(centre, centre).sqrt();
        Self { centre, centre_length, rest: Vec::new(), codes: Vec::new() }
    }

    /// Writes the codes of an item and what is kept beside them to its place in a tile.
    fn encode(&mut self, row: &[f32], place: usize, quads: &mut [TileQuad], facts: &mut TileFacts) {
        let (panel, lane) = (place / PANEL, place % PANEL);
        self.rest.clear();
        self.rest.extend(row.iter().zip(self.centre).map(|(&x, &c)| f64::from(x) - f64::from(c)));
        let scale = (greatest_magnitude(&self.rest) / MAX_CODE) as f32;
        let encoded = encode(&self.rest, f64::from(scale), &mut self.codes);
        for (quad, codes) in quads.iter_mut().zip(self.codes.as_chunks::<QUAD>().0) {
            quad.0[panel].as_chunks_mut::<QUAD>().0[lane] = codes.map(|code| code as u8 ^ OFFSET);
        }
        // The length of the row itself is at most that of both its parts.
        let slack = CODE_SLACK * encoded.length + SCORE_SLACK * (encoded.length + 2.0 * self.centre_length);
        let error = encoded.error_length + slack + f64::from(f32::MIN_POSITIVE);
        let lengths = Lengths { error, codes: encoded.code_length };
        facts.scales[panel][lane] = scale;
        facts.lengths[place] = lengths;
        facts.greatest.error = facts.greatest.error.max(lengths.error);
        facts.greatest.codes = facts.greatest.codes.max(lengths.codes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(codes: &Codes, item: usize, column: usize) -> i16 {
        let quad = codes.quads(item / TILE)[column / QUAD];
        let byte = quad.0[item % TILE / PANEL][item % PANEL * QUAD + column % QUAD];
        i16::from(byte) - i16::from(OFFSET)
    }

    #[test]
    fn the_largest_value_of_a_row_has_the_largest_code() {
        // The centre of these is 0.
        let codes = Codes::of(&[0.5, -1.0, 0.0, 2.0, 4.0, -3.0, -2.5, -3.0, 3.0], 3);
        assert_eq!(codes.centre(), [0.0; 3]);
        assert_eq!([0, 1, 2].map(|column| code(&codes, 0, column)), [64, -127, 0]);
        assert_eq!([0, 1, 2].map(|column| code(&codes, 1, column)), [64, 127, -95]);
        assert_eq!(codes.facts(0).scales[0][..4], [1.0 / 127.0, 4.0 / 127.0, 3.0 / 127.0, 0.0]);
    }

    #[test]
    fn codes_are_of_what_is_left_without_the_centre() {
        let codes = Codes::of(&[100.0, 1.0, 102.0, -1.0], 2);
        assert_eq!(codes.centre(), [101.0, 0.0]);
        assert_eq!(
            [0, 1].map(|item| [0, 1].map(|column| code(&codes, item, column))),
            [[-127, 127], [127, -127]]
        );
    }

    #[test]
    fn a_row_of_codes_has_next_to_no_error_and_others_have_theirs() {
        let codes = Codes::of(&[127.0, 5.0, -127.0, 5.25, 0.0, -10.25], 2);
        let [exact, rounded] = [0, 1].map(|item| codes.facts(0).lengths[item].error);
        assert_eq!(codes.centre(), [0.0; 2]);
        assert!(exact < 127.1 * 2.0 * CODE_SLACK, "{exact}");
        assert!((0.25..0.251).contains(&rounded), "{rounded}");
    }

    #[test]
    fn a_row_too_small_for_a_scale_is_all_error() {
        let tiny = f32::from_bits(1);
        let codes = Codes::of(&[tiny, 0.0, -tiny, 0.0], 2);
        assert_eq!((code(&codes, 0, 0), codes.facts(0).scales[0][0]), (0, 0.0));
        assert!(codes.facts(0).lengths[0].error >= f64::from(tiny));
    }

    #[test]
    fn the_last_tile_is_filled_up_with_zeros() {
        let rows: Vec<f32> = (0..66).flat_map(|row| [if row % 2 == 0 { 1.0 } else { -1.0 }; 6]).collect();
        let codes = Codes::of(&rows, 6);
        assert_eq!((codes.n_tiles(), codes.quads(1).len()), (2, 2));
        assert_eq!([0, 5, 6].map(|column| code(&codes, 65, column)), [-127, -127, 0]);
        assert_eq!(code(&codes, 66, 0), 0);
    }
}
