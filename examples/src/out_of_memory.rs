//! A run that ends for want of memory says which key to lower.
//!
//! A device that cannot allocate panics on whichever thread asked it, with a text of its driver; a panic hook turns that text
//! into a sentence and exit code 1. Where the *CPU's* allocator fails, Rust aborts before any safe code runs; so what a run
//! needs is estimated, and asked for, before it begins ([`Memory::check`](crate::calibrate::Memory::check)).

use std::any::Any;
use std::panic::{PanicHookInfo, set_hook, take_hook};

use crate::cli::LogFile;

/// What drivers and allocators say, in lower case.
const SIGNS: [&str; 8] = [
    "out of memory",
    "out_of_memory",
    "outofmemory",
    "not enough memory",
    "memory allocation of",
    "capacity overflow",
    "buffertoobig",
    "buffer too big",
];

/// From now on a panic for want of memory ends the process with one sentence, which goes to `log` too.
pub fn name_the_key(log: LogFile) {
    let usual = take_hook();
    set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let Some(sentence) = text(info.payload()).and_then(sentence) else { return usual(info) };
        eprintln!("error: {sentence}");
        log.note(&format!("error: {sentence}"));
        std::process::exit(1);
    }));
}

fn text(payload: &dyn Any) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// What to do about a panic of that text, where it was for want of memory.
fn sentence(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    if !SIGNS.iter().any(|sign| lower.contains(sign)) {
        return None;
    }
    let said = text.lines().next().unwrap_or_default();
    Some(format!(
        "out of memory ({said}): lower training.batch_size, which training.accumulate can make up for, or the widths of \
         the model such as model.embedding_dim, and start again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drivers_say_of_memory_becomes_a_sentence_that_names_the_key() {
        for said in [
            "CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\"",
            "wgpu error: Out of Memory",
            "memory allocation of 17179869184 bytes failed",
            "called `Result::unwrap()` on an `Err` value: BufferTooBig(17179869184)",
            "Torch(\"CUDA out of memory. Tried to allocate 20.00 GiB\nmore\")",
        ] {
            let sentence = sentence(said).unwrap();
            assert!(sentence.contains("lower training.batch_size"), "{sentence}");
            assert!(
                sentence.contains(said.lines().next().unwrap()) && !sentence.contains('\n'),
                "{sentence}"
            );
        }
    }

    #[test]
    fn other_panics_are_left_alone() {
        assert_eq!(sentence("one log_q per item"), None);
        assert_eq!(text(&"a word" as &dyn Any), Some("a word"));
        assert_eq!(text(&7_u32 as &dyn Any), None);
    }
}
