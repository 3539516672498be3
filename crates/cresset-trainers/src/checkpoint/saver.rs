//! Checkpoints and best weights, written by a thread while training goes on.
//!
//! The loop waits only while tensors are copied; checksums and the disk are the thread's affair. At most one save is under
//! way, and its memory, the model and its moments once more, serves all of them.
//!
//! Kills fall anywhere, so the order matters. A checkpoint that ends the best epoch so far is written before the best
//! weights, which it holds too: where the kill falls between the two, a resume takes them from there. No later checkpoint
//! is written before the best weights are.

use std::mem;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use cresset_nn::weights::Snapshot;

use super::CheckpointError;
use super::content::MODEL;
use crate::run_dir::RunDir;

pub(crate) const CHECKPOINT: &str = "checkpoints/last/checkpoint.safetensors";
pub(crate) const BEST_WEIGHTS: &str = "best_model/weights.safetensors";

/// Writes the state of a run, again and again.
pub(crate) struct Saver {
    files: Files,
    memory: Memory,
    /// The best weights, while they could not be written.
    unsaved_best: Option<Snapshot>,
}

#[derive(Clone)]
struct Files {
    checkpoint: PathBuf,
    best: PathBuf,
}

/// Where the memory for snapshots is.
#[derive(Default)]
enum Memory {
    #[default]
    None,
    Here(Snapshot),
    /// A thread is making it.
    Promised(JoinHandle<Snapshot>),
    Lent(JoinHandle<Written>),
}

/// One save.
struct Job {
    files: Files,
    snapshot: Snapshot,
    note: String,
    is_best: bool,
    unsaved_best: Option<Snapshot>,
}

/// What comes back of it.
struct Written {
    snapshot: Snapshot,
    unsaved_best: Option<Snapshot>,
    result: Result<(), CheckpointError>,
}

impl Saver {
    pub(crate) fn new(run: &RunDir) -> Self {
        let files = Files { checkpoint: run.file(CHECKPOINT), best: run.file(BEST_WEIGHTS) };
        Self { files, memory: Memory::None, unsaved_best: None }
    }

    /// Whether nobody has asked for memory yet.
    pub(crate) fn is_unprepared(&self) -> bool {
        matches!(self.memory, Memory::None)
    }

    /// Lets a thread make room for so many values, so that the first save waits no longer than those after it.
    pub(crate) fn prepare(&mut self, n_values: usize) {
        self.memory = Memory::Promised(thread::spawn(move || Snapshot::with_room_for(n_values)));
    }

    /// Whether no save is under way. The first may still wait for its memory: left out, a short run had none at all.
    pub(crate) fn is_free(&self) -> bool {
        match &self.memory {
            Memory::None | Memory::Here(_) | Memory::Promised(_) => true,
            Memory::Lent(thread) => thread.is_finished(),
        }
    }

    /// Copies what `fill` pushes and has it written, with the best weights where these are the best.
    ///
    /// Waits for the save before it. What cannot be written is told as a warning, and tried again by the next save.
    pub(crate) fn save(&mut self, note: String, is_best: bool, fill: impl FnOnce(&mut Snapshot)) {
        let (mut snapshot, _) = self.settle();
        snapshot.clear();
        fill(&mut snapshot);
        // Best weights of now make older ones void.
        let unsaved_best = self.unsaved_best.take().filter(|_| !is_best);
        let job = Job { files: self.files.clone(), snapshot, note, is_best, unsaved_best };
        self.memory = Memory::Lent(thread::spawn(move || job.run()));
    }

    /// Waits until the last save has ended, and tells how.
    pub(crate) fn wait(&mut self) -> Result<(), CheckpointError> {
        let (snapshot, result) = self.settle();
        self.memory = Memory::Here(snapshot);
        result
    }

    /// Waits for the last save and gives the memory back; the best weights are written now, or an error.
    pub(crate) fn finish(mut self) -> Result<(), CheckpointError> {
        drop(self.settle());
        match self.unsaved_best.take() {
            Some(best) => {
                let file = &self.files.best;
                best.save_part("", file).map_err(CheckpointError::of(file))
            }
            None => Ok(()),
        }
    }

    fn settle(&mut self) -> (Snapshot, Result<(), CheckpointError>) {
        match mem::take(&mut self.memory) {
            Memory::None => (Snapshot::default(), Ok(())),
            Memory::Here(snapshot) => (snapshot, Ok(())),
            Memory::Promised(thread) => (thread.join().unwrap_or_else(|panic| resume_unwind(panic)), Ok(())),
            Memory::Lent(thread) => {
                let written = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
                self.unsaved_best = written.unsaved_best;
                (written.snapshot, written.result)
            }
        }
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        // A run that ends with an error still has its last save written whole.
        if let Memory::Lent(thread) = mem::take(&mut self.memory) {
            let _ = thread.join();
        }
    }
}

impl Job {
    fn run(mut self) -> Written {
        let result = self.write();
        if let Err(error) = &result {
            let mb = self.snapshot.n_values() as f64 * 4e-6;
            tracing::warn!(
                "{error}; training goes on, and the next checkpoint tries again: it takes {mb:.0} MB beside the last"
            );
        }
        Written { snapshot: self.snapshot, unsaved_best: self.unsaved_best, result }
    }

    fn write(&mut self) -> Result<(), CheckpointError> {
        let best = &self.files.best;
        if let Some(unsaved) = &self.unsaved_best {
            unsaved.save_part("", best).map_err(CheckpointError::of(best))?;
            self.unsaved_best = None;
        }
        let file = &self.files.checkpoint;
        let saved = self.snapshot.save_with_note(&self.note, file).map_err(CheckpointError::of(file));
        if self.is_best {
            // Also where there was no room for the checkpoint: the weights alone may find some.
            let written = self.snapshot.save_part(MODEL, best).map_err(CheckpointError::of(best));
            self.unsaved_best = written.is_err().then(|| self.snapshot.part(MODEL));
            written?;
        }
        saved
    }
}
