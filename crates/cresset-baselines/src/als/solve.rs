//! One vector of one side, the other side held still.

use pulp::{Arch, Simd, WithSimd};

use super::factors::Factors;
use super::kernels::{BAND, bands, combine, dots, rows_at};

/// The normal equations of one row: `A x = b` with `A = gram + sum w y y^T` and `b = sum (1 + w) y` over its
/// interactions, where `w` is what each adds to the confidence of 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Equations<'a> {
    /// The other side.
    pub(super) others: &'a Factors,
    /// Its `Y^T Y + l2 I`: the part that all rows share.
    pub(super) gram: &'a [f32],
    /// The other side's ids in this row.
    pub(super) ids: &'a [u32],
    /// What each adds to the confidence.
    pub(super) weights: &'a [f32],
}

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// Steps at most.
    pub(super) n_steps: usize,
    /// The share of the first residual's squared length at which it is enough.
    pub(super) residual: f32,
}

/// Room for one solve.
#[derive(Debug)]
pub(super) struct Scratch {
    residual: Vec<f32>,
    direction: Vec<f32>,
    image: Vec<f32>,
}

impl Scratch {
    pub(super) fn new(stride: usize) -> Self {
        Self { residual: vec![0.0; stride], direction: vec![0.0; stride], image: vec![0.0; stride] }
    }
}

impl Equations<'_> {
    /// Moves `x` towards the solution by conjugate gradients; without interactions the solution is zero.
    ///
    /// `A` is never made: a step costs one pass over the interactions.
    ///
    /// # Source
    ///
    /// Takács, Pilászy and Tikk, RecSys 2011, <https://doi.org/10.1145/2043932.2043987>.
    pub(super) fn solve(self, x: &mut [f32], stop: Stop, scratch: &mut Scratch) {
        if self.ids.is_empty() {
            x.fill(0.0);
            return;
        }
        Arch::new().dispatch(ConjugateGradient { equations: self, stop, x, scratch });
    }

    /// Adds `sign A v + target b` to `out`.
    #[inline(always)]
    fn add_image<S: Simd>(&self, simd: S, image: Image<'_>, out: &mut [f32]) {
        let out = S::as_mut_simd_f32s(out).0;
        let (of_gram, rest_of_gram) = bands(self.others.dim);
        for at in of_gram {
            self.add_gram::<S, BAND>(simd, image, at, out);
        }
        for at in rest_of_gram {
            self.add_gram::<S, 1>(simd, image, at, out);
        }
        let (of_interactions, rest_of_interactions) = bands(self.ids.len());
        for at in of_interactions {
            self.add_interactions::<S, BAND>(simd, image, at, out);
        }
        for at in rest_of_interactions {
            self.add_interactions::<S, 1>(simd, image, at, out);
        }
    }

    #[inline(always)]
    fn add_gram<S: Simd, const N: usize>(
        &self,
        simd: S,
        Image { v, sign, .. }: Image<'_>,
        at: usize,
        out: &mut [S::f32s],
    ) {
        let mut coefficients = [0.0; N];
        for (coefficient, value) in coefficients.iter_mut().zip(&v[at..]) {
            *coefficient = sign * value;
        }
        combine(simd, coefficients, rows_at::<S, N>(self.gram, v.len(), at), out);
    }

    #[inline(always)]
    fn add_interactions<S: Simd, const N: usize>(
        &self,
        simd: S,
        Image { v, sign, target }: Image<'_>,
        at: usize,
        out: &mut [S::f32s],
    ) {
        let mut rows: [&[S::f32s]; N] = [&[]; N];
        for (row, &id) in rows.iter_mut().zip(&self.ids[at..]) {
            *row = S::as_simd_f32s(self.others.row(id)).0;
        }
        let mut coefficients = dots(simd, rows, S::as_simd_f32s(v).0);
        for (coefficient, weight) in coefficients.iter_mut().zip(&self.weights[at..]) {
            *coefficient = target * (1.0 + weight) + sign * weight * *coefficient;
        }
        combine(simd, coefficients, rows, out);
    }
}

/// Which combination of the two sides of the equations is asked for.
#[derive(Clone, Copy)]
struct Image<'a> {
    v: &'a [f32],
    sign: f32,
    target: f32,
}

struct ConjugateGradient<'a, 'b> {
    equations: Equations<'a>,
    stop: Stop,
    x: &'b mut [f32],
    scratch: &'b mut Scratch,
}

/// A residual whose square is below this is nothing but rounding.
const NOTHING: f32 = 1e-20;

impl WithSimd for ConjugateGradient<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { equations, stop, x, scratch: Scratch { residual, direction, image } } = self;
        // b - A x, in one pass.
        residual.fill(0.0);
        equations.add_image(simd, Image { v: x, sign: -1.0, target: 1.0 }, residual);
        direction.copy_from_slice(residual);
        let mut length = product(simd, residual, residual);
        let enough = (length * stop.residual).max(NOTHING);
        for _ in 0..stop.n_steps {
            if length <= enough {
                return;
            }
            image.fill(0.0);
            equations.add_image(simd, Image { v: direction, sign: 1.0, target: 0.0 }, image);
            let curvature = product(simd, direction, image);
            if curvature <= 0.0 {
                // Without a regulariser, a direction that the equations say nothing of.
                return;
            }
            let step = length / curvature;
            combine(simd, [step], [S::as_simd_f32s(direction).0], S::as_mut_simd_f32s(x).0);
            combine(simd, [-step], [S::as_simd_f32s(image).0], S::as_mut_simd_f32s(residual).0);
            let shorter = product(simd, residual, residual);
            let kept = shorter / length;
            direction.iter_mut().zip(&*residual).for_each(|(to, r)| *to = r + kept * *to);
            length = shorter;
        }
    }
}

#[inline(always)]
fn product<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    dots(simd, [S::as_simd_f32s(a).0], S::as_simd_f32s(b).0)[0]
}
