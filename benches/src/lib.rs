//! What is measured: training steps and their parts, generic over the backend, at the shapes that the peers in
//! `peers/` measure too.
//!
//! A [`Group`] has [`Case`]s; a case, started on a device, is a closure that does its work once and waits for the
//! device. `cargo bench -p cresset-benches` runs them under Criterion on every backend that is compiled in, and
//! `step_times` prints their times for `cargo xtask peers nn` and `kg-mf`. Ids, labels and the distinct rows of each batch are
//! drawn before the clock starts, as a loader has them ready, unless a case says that reading is included.

mod attention;
mod catalogue_softmax;
mod inputs;
mod kg_mf_latency;
mod kg_mf_parts;
mod kg_mf_step;
mod sasrec_step;
mod tables;
mod train;
mod two_tower_step;

use std::fmt;

use burn::tensor::Device;
use cresset::nn::AutodiffRecommender;

/// Cases that belong together.
#[derive(Debug)]
pub struct Group<B: AutodiffRecommender> {
    /// As the peers call it.
    pub name: &'static str,
    /// In the order in which they run.
    pub cases: Vec<Case<B>>,
}

/// One thing to measure.
pub struct Case<B: AutodiffRecommender> {
    /// As the peers call it.
    pub name: String,
    /// What one run works through: pairs, ratings, positions.
    pub examples: u64,
    /// Megabytes that the work gives back; stated where memory is measured, too.
    pub outputs_mb: Option<f64>,
    /// Makes the inputs on a device, and from them the work, which ends when the device is done.
    pub start: Start<B>,
}

/// Makes work on a device.
pub type Start<B> = Box<dyn Fn(&Device<B>) -> Work>;

/// Does the work once.
pub type Work = Box<dyn FnMut()>;

impl<B: AutodiffRecommender> fmt::Debug for Case<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("examples", &self.examples)
            .finish_non_exhaustive()
    }
}

impl<B: AutodiffRecommender> Case<B> {
    fn new(name: impl Into<String>, examples: usize, start: impl Fn(&B::Device) -> Work + 'static) -> Self {
        Self { name: name.into(), examples: examples as u64, outputs_mb: None, start: Box::new(start) }
    }
}

/// Everything that is measured.
pub fn groups<B: AutodiffRecommender>() -> Vec<Group<B>> {
    vec![
        Group { name: "tables", cases: tables::cases() },
        Group { name: "catalogue_softmax", cases: catalogue_softmax::cases() },
        Group { name: "attention", cases: attention::cases() },
        Group { name: "two_tower_step", cases: two_tower_step::cases() },
        Group { name: "kg_mf_step", cases: kg_mf_step::cases() },
        Group { name: "kg_mf_latency", cases: kg_mf_latency::cases() },
        Group { name: "sasrec_step", cases: sasrec_step::cases() },
    ]
}
