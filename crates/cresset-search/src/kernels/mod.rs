//! Products of codes: one body for each kind of processor, all of the same whole numbers.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(target_arch = "x86_64")]
mod prefetch;
#[cfg(target_arch = "x86_64")]
mod vnni;

use crate::codes::{PANEL, QUAD};

/// The codes of a panel's items in four columns, as they lie in memory.
pub(crate) type PanelQuad = [u8; PANEL * QUAD];

/// What a processor does to the codes of a panel of items.
pub(crate) trait Kernel: Copy + Send + Sync {
    /// The codes of a panel in four columns.
    type Codes: Copy;
    /// A sum for each item of a panel.
    type Sums: Copy;

    /// Runs `job` with the processor's instructions.
    fn vectorize<R>(self, job: impl FnOnce() -> R) -> R;

    /// Reads codes.
    fn codes(self, quad: &PanelQuad) -> Self::Codes;

    /// Where the sums of a query begin whose codes add up to `code_sum`.
    fn start(self, code_sum: i32) -> Self::Sums;

    /// Adds each item's products with the codes of a query in the same four columns.
    fn add_products(self, sums: Self::Sums, items: Self::Codes, query: [i8; QUAD]) -> Self::Sums;

    /// A bit for each item whose sum, times its scale, is not below `floor`; a NaN is below nothing.
    fn reaching(self, sums: Self::Sums, scales: &[f32; PANEL], floor: f32) -> u16;

    /// Asks for the memory of a vector that will be read soon.
    fn prefetch(self, vector: &[f32]);

    /// The sums one by one.
    fn to_array(self, sums: Self::Sums) -> [i32; PANEL];
}

/// What is done with whichever kernel the processor has.
pub(crate) trait WithKernel {
    /// What comes back.
    type Output;

    /// Does it, `PANELS` panels with `GROUP` queries at a time, as many as the registers hold.
    fn run<K: Kernel, const PANELS: usize, const GROUP: usize>(self, kernel: K) -> Self::Output;
}

/// A kernel that this processor can run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AnyKernel {
    /// AVX-512 with its instructions for neural networks.
    #[cfg(target_arch = "x86_64")]
    Vnni(vnni::Vnni),
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    /// Whatever the compiler makes of plain loops.
    Portable,
}

impl AnyKernel {
    /// All that this processor can run, the fastest first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let special = [vnni::Vnni::try_new().map(Self::Vnni), avx2::Avx2::try_new().map(Self::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let special = [None::<Self>; 0];
        special.into_iter().flatten().chain([Self::Portable])
    }

    /// The fastest that this processor can run.
    pub(crate) fn best() -> Self {
        Self::available().next().unwrap_or(Self::Portable)
    }

    /// How many queries one pass over a tile serves, of `n_queries`.
    pub(crate) fn group(self, n_queries: usize) -> usize {
        self.dispatch(n_queries, GroupSize)
    }

    /// Runs `job` with the kernel and the sizes that suit `n_queries`.
    pub(crate) fn dispatch<J: WithKernel>(self, n_queries: usize, job: J) -> J::Output {
        match (self, n_queries > 1) {
            #[cfg(target_arch = "x86_64")]
            (Self::Vnni(kernel), true) => job.run::<_, 4, 6>(kernel),
            #[cfg(target_arch = "x86_64")]
            (Self::Vnni(kernel), false) => job.run::<_, 4, 1>(kernel),
            #[cfg(target_arch = "x86_64")]
            (Self::Avx2(kernel), true) => job.run::<_, 1, 4>(kernel),
            #[cfg(target_arch = "x86_64")]
            (Self::Avx2(kernel), false) => job.run::<_, 2, 1>(kernel),
            (Self::Portable, true) => job.run::<_, 1, 2>(portable::Portable),
            (Self::Portable, false) => job.run::<_, 1, 1>(portable::Portable),
        }
    }
}

/// Asks for the size of the groups.
struct GroupSize;

impl WithKernel for GroupSize {
    type Output = usize;

    fn run<K: Kernel, const PANELS: usize, const GROUP: usize>(self, _: K) -> usize {
        GROUP
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::OFFSET;

    /// Multiplies `n_quads` quads and compares with sums one by one.
    struct Compare {
        n_quads: usize,
        /// Makes bytes of items, without 0, and codes of the query.
        code: fn(usize) -> i8,
    }

    impl WithKernel for Compare {
        type Output = ();

        fn run<K: Kernel, const PANELS: usize, const GROUP: usize>(self, kernel: K) {
            let items: Vec<[i8; PANEL * QUAD]> = (0..self.n_quads)
                .map(|quad| std::array::from_fn(|byte| (self.code)(quad * 64 + byte)))
                .collect();
            let query: Vec<[i8; QUAD]> = (0..self.n_quads)
                .map(|quad| std::array::from_fn(|column| (self.code)(quad * 7 + column + 3)))
                .collect();
            let code_sum = query.iter().flatten().map(|&code| i32::from(code)).sum();
            let mut expected = [0; PANEL];
            for (items, query) in items.iter().zip(&query) {
                for (sum, codes) in expected.iter_mut().zip(items.as_chunks::<QUAD>().0) {
                    *sum += codes.iter().zip(query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>();
                }
            }
            let scales = std::array::from_fn(|lane| [1.0, 0.0, 0.5, f32::MAX][lane % 4]);
            for floor in [f32::NEG_INFINITY, -1e3, 0.0, 1e3, f32::MAX, f32::INFINITY, f32::NAN] {
                let (sums, reaching) = kernel.vectorize(|| {
                    let mut sums = kernel.start(code_sum);
                    for (items, &query) in items.iter().zip(&query) {
                        let bytes = items.map(|code| (i16::from(code) + i16::from(OFFSET)) as u8);
                        sums = kernel.add_products(sums, kernel.codes(&bytes), query);
                    }
                    (kernel.to_array(sums), kernel.reaching(sums, &scales, floor))
                });
                assert_eq!(sums, expected, "{} quads", self.n_quads);
                for lane in 0..PANEL {
                    let is_below = expected[lane] as f32 * scales[lane] < floor;
                    assert_eq!(reaching >> lane & 1 == 1, !is_below, "{} not below {floor}", expected[lane]);
                }
            }
        }
    }

    #[track_caller]
    fn check(n_quads: usize, code: fn(usize) -> i8) {
        for kernel in AnyKernel::available() {
            for n_queries in [1, 2] {
                kernel.dispatch(n_queries, Compare { n_quads, code });
            }
        }
    }

    #[test]
    fn every_kernel_adds_up_the_same_whole_numbers_at_all_lengths() {
        for n_quads in 0..70 {
            check(n_quads, |place| ((place * 2_654_435_761) >> 7) as u8 as i8 | 1);
        }
    }

    #[test]
    fn every_kernel_adds_up_the_largest_codes_at_the_greatest_width() {
        for n_quads in [1, 32, crate::codes::MAX_DIM / QUAD] {
            check(n_quads, |_| 127);
            check(n_quads, |_| -127);
            check(n_quads, |place| if place % 2 == 0 { 127 } else { -127 });
        }
    }

    #[test]
    fn the_plain_loops_are_always_there() {
        assert!(AnyKernel::available().any(|kernel| matches!(kernel, AnyKernel::Portable)));
        assert_eq!(AnyKernel::Portable.group(1), 1);
        assert_eq!(AnyKernel::Portable.group(9), 2);
    }
}
