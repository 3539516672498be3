//! A hint to the processor.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

/// Numbers in a cache line.
const LINE: usize = 16;

/// Asks for the memory of a vector that will be read soon.
#[expect(unsafe_code, reason = "a hint to the processor: it reads nothing that the program sees")]
#[inline(always)]
pub(super) fn prefetch(vector: &[f32]) {
    // A row that does not start with a line ends in one more: that of its last element.
    for element in vector.iter().step_by(LINE).chain(vector.last()) {
        // SAFETY: a hint reads nothing that the program can see and cannot fault; the address is that of an
        // element.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(element).cast()) };
    }
}
