//! What nobody may look at before training has ended.

use std::fmt;

/// A part of the data that opens in exchange for the end of a training: the test part, which no choice may rest on.
///
/// Only [`Trainer::fit`](crate::Trainer::fit) and [`Finished::fitting`] make a [`Finished`], one for each training that has ended and is not only paused, and opening takes it. So what is
/// held out can be measured after the last epoch, and neither a validation nor anything else that runs during training
/// can be handed it by mistake.
///
/// ```compile_fail,E0616
/// use cresset_trainers::HeldOut;
///
/// let test = HeldOut::new(vec![4.0, 3.5]);
/// let ratings = test.0; // private: there is no way in but `open`
/// ```
///
/// ```compile_fail,E0423
/// use cresset_trainers::{Finished, HeldOut};
///
/// let test = HeldOut::new(vec![4.0, 3.5]);
/// test.open(Finished(())); // private: the trainer alone can say that training has ended
/// ```
///
/// ```compile_fail,E0382
/// use cresset_trainers::{HeldOut, Trained};
///
/// fn twice<M>(trained: Trained<M>, first_fold: HeldOut<u8>, second_fold: HeldOut<u8>) {
///     let finished = trained.finished.expect("trained to its end");
///     first_fold.open(finished);
///     second_fold.open(finished); // moved: the end of one training opens one part
/// }
/// ```
///
/// The last of them compiles when the second line is left out:
///
/// ```
/// use cresset_trainers::{HeldOut, Trained};
///
/// fn once<M>(trained: Trained<M>, first_fold: HeldOut<u8>) -> Option<u8> {
///     trained.finished.map(|finished| first_fold.open(finished))
/// }
/// ```
pub struct HeldOut<T>(T);

/// That a training has ended.
#[derive(Debug)]
pub struct Finished(());

impl<T> HeldOut<T> {
    /// `content`, out of reach until training has ended.
    pub fn new(content: T) -> Self {
        Self(content)
    }

    /// The content, once training has ended.
    pub fn open(self, finished: Finished) -> T {
        finished.spend();
        self.0
    }
}

/// Says that there is something, and not what: a log is no way in either.
impl<T> fmt::Debug for HeldOut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldOut(..)")
    }
}

impl Finished {
    /// What `fit` makes of a model that is fitted at once, without epochs, and that it has ended.
    ///
    /// # Errors
    ///
    /// Those of `fit`.
    pub fn fitting<M, E>(fit: impl FnOnce() -> Result<M, E>) -> Result<(M, Self), E> {
        fit().map(|model| (model, Self(())))
    }

    pub(crate) fn training() -> Self {
        Self(())
    }

    /// Nothing but its end.
    fn spend(self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_out_comes_out_unchanged_when_training_has_ended_and_is_not_printed_before() {
        let test = HeldOut::new(vec![4.0, 3.5]);
        assert_eq!(format!("{test:?}"), "HeldOut(..)");
        assert_eq!(test.open(Finished::training()), [4.0, 3.5]);
    }
}
