//! In which precision the products of layers are taken.

use std::cell::Cell;
use std::fmt;

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// The precision of the products of linear layers, forward and backward. Parameters, moments, sums, norms, losses and
/// whatever else there is stay f32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, of which 8 are the exponent's, as in f32: nothing overflows that would not there.
    Bf16,
    /// 16 bits, of which 5 are the exponent's: what is above 65,504 overflows, and what is below 6e-8 vanishes.
    F16,
}

impl fmt::Display for Precision {
    /// As configs spell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        })
    }
}

thread_local! {
    static OF_PRODUCTS: Cell<Precision> = const { Cell::new(Precision::F32) };
}

/// Puts the precision of before back, also where the work in between panics.
struct Restore(Precision);

impl Drop for Restore {
    fn drop(&mut self) {
        OF_PRODUCTS.set(self.0);
    }
}

impl Precision {
    /// What comes of `work`, during which linear layers of this thread take their products in this precision.
    ///
    /// ```
    /// use cresset_nn::Precision;
    ///
    /// let inside = Precision::Bf16.during(Precision::current);
    /// assert_eq!((inside, Precision::current()), (Precision::Bf16, Precision::F32));
    /// ```
    pub fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let _restore = Restore(OF_PRODUCTS.replace(self));
        work()
    }

    /// The precision of products on this thread now.
    pub fn current() -> Self {
        OF_PRODUCTS.get()
    }

    /// Whether a device can hold numbers of this precision and reckon with them.
    pub fn is_supported<B: Backend>(self, device: &B::Device) -> bool {
        self.half().is_none_or(|dtype| B::supports_dtype(device, dtype))
    }

    /// The type of its numbers, where they are not f32.
    fn half(self) -> Option<DType> {
        match self {
            Self::F32 => None,
            Self::Bf16 => Some(DType::BF16),
            Self::F16 => Some(DType::F16),
        }
    }
}

/// `x weight` in half precision, as f32; `None` where products are taken in f32.
pub(crate) fn half_product<B: Backend>(x: &Tensor<B, 2>, weight: &Tensor<B, 2>) -> Option<Tensor<B, 2>> {
    let dtype = Precision::current().half()?;
    Some(x.clone().cast(dtype).matmul(weight.clone().cast(dtype)).cast(DType::F32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_precision_of_before_comes_back_also_after_a_panic() {
        let inner = Precision::Bf16.during(|| Precision::F16.during(Precision::current));
        assert_eq!((inner, Precision::current()), (Precision::F16, Precision::F32));
        let panicked = std::panic::catch_unwind(|| Precision::F16.during(|| panic!("as it should")));
        assert!(panicked.is_err() && Precision::current() == Precision::F32);
    }
}
