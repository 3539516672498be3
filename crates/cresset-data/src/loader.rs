//! Batches made ahead of the step that uses them.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::Scope;

use crate::batches::Batches;

/// How many batches are made ahead, and by how many threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Threads that make batches; with 0 each batch is made when it is asked for. Default: 1.
    pub num_workers: usize,
    /// The most batches that are made or in the making and not yet taken, at least 1. Default: 4.
    pub prefetch: usize,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self { num_workers: 1, prefetch: 4 }
    }
}

/// The batches of an epoch, in the order of their steps, made ahead on threads of their own.
///
/// What comes out is the same whatever the number of threads, since a batch is a function of its step. Dropping the
/// loader stops its threads after the batch that each is at; they belong to a [`std::thread::scope`], which waits
/// for them. Where making a batch panics, taking that batch panics with the same message.
///
/// ```
/// use cresset_data::{Batches, Loader, LoaderConfig, RatingBatches, Ratings, TimeKind};
///
/// let ratings = Ratings {
///     user_id: vec![0; 10],
///     item_id: (0..10).collect(),
///     rating: vec![4.0; 10],
///     time: vec![0; 10],
///     time_kind: TimeKind::Timestamp,
///     parts: None,
/// };
/// let batches = RatingBatches::new(ratings, 4, 42);
/// let order = batches.order(0);
/// let config = LoaderConfig { num_workers: 2, ..LoaderConfig::default() };
/// let first_step = 1; // a resumed run starts anywhere
/// let sizes: Vec<usize> = std::thread::scope(|scope| {
///     Loader::start(scope, &batches, &order, first_step, config).map(|batch| batch.len()).collect()
/// });
/// assert_eq!(sizes, [4, 2]);
/// ```
#[derive(Debug)]
pub struct Loader<'a, S: Batches> {
    batches: &'a S,
    order: &'a S::Order,
    next_step: usize,
    n_steps: usize,
    /// `None` where batches are made when they are asked for.
    queue: Option<Arc<Queue<S::Batch>>>,
}

impl<'a, S: Batches> Loader<'a, S> {
    /// The batches from `first_step` on, whose making begins at once.
    ///
    /// # Panics
    ///
    /// If `prefetch` is 0 and `num_workers` is not.
    pub fn start<'env>(
        scope: &'a Scope<'a, 'env>,
        batches: &'a S,
        order: &'a S::Order,
        first_step: usize,
        config: LoaderConfig,
    ) -> Self {
        let n_steps = batches.n_steps();
        let n_threads = config.num_workers.min(n_steps.saturating_sub(first_step));
        let queue = (n_threads > 0).then(|| Arc::new(Queue::new(first_step, n_steps, config.prefetch)));
        for queue in queue.iter().flat_map(|queue| std::iter::repeat_n(queue, n_threads)) {
            let queue = Arc::clone(queue);
            scope.spawn(move || queue.fill(|step| batches.batch(order, step)));
        }
        Self { batches, order, next_step: first_step, n_steps, queue }
    }
}

impl<S: Batches> Iterator for Loader<'_, S> {
    type Item = S::Batch;

    fn next(&mut self) -> Option<S::Batch> {
        if self.next_step >= self.n_steps {
            return None;
        }
        let step = self.next_step;
        self.next_step += 1;
        Some(match &self.queue {
            Some(queue) => queue.take().unwrap_or_else(|cause| resume_unwind(cause)),
            None => self.batches.batch(self.order, step),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n_left = self.n_steps.saturating_sub(self.next_step);
        (n_left, Some(n_left))
    }
}

impl<S: Batches> ExactSizeIterator for Loader<'_, S> {}

impl<S: Batches> Drop for Loader<'_, S> {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.stop();
        }
    }
}

/// A batch, or the panic that came of making it.
type Made<B> = Result<B, Box<dyn Any + Send>>;

/// Batches made and in the making, the oldest first.
#[derive(Debug)]
struct Queue<B> {
    state: Mutex<State<B>>,
    /// There is room for another batch, or no more is wanted.
    has_room: Condvar,
    /// A batch is made.
    has_batch: Condvar,
}

#[derive(Debug)]
struct State<B> {
    /// The step that nobody makes yet.
    next_step: usize,
    /// One more than the last step; lowered to stop early.
    n_steps: usize,
    capacity: usize,
    /// A place for each step that is made or in the making and not yet taken.
    places: VecDeque<Option<Made<B>>>,
}

impl<B> Queue<B> {
    fn new(first_step: usize, n_steps: usize, capacity: usize) -> Self {
        assert!(capacity > 0, "there is room for one batch at least");
        let places = VecDeque::with_capacity(capacity.min(n_steps - first_step));
        let state = State { next_step: first_step, n_steps, capacity, places };
        Self { state: Mutex::new(state), has_room: Condvar::new(), has_batch: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().expect("nothing panics while it holds the queue")
    }

    /// What a thread does: makes one batch after another until none is wanted.
    fn fill(&self, make: impl Fn(usize) -> B) {
        while let Some(step) = self.claim() {
            // The queue is consistent whatever happens in `make`, and the panic goes on where the batch is taken.
            let made = catch_unwind(AssertUnwindSafe(|| make(step)));
            self.put(step, made);
        }
    }

    /// Waits for room and reserves a place for the next step.
    fn claim(&self) -> Option<usize> {
        let waits =
            |state: &mut State<B>| state.next_step < state.n_steps && state.places.len() >= state.capacity;
        let mut state = self.has_room.wait_while(self.lock(), waits).expect("as above");
        if state.next_step >= state.n_steps {
            return None;
        }
        state.places.push_back(None);
        state.next_step += 1;
        Some(state.next_step - 1)
    }

    fn put(&self, step: usize, made: Made<B>) {
        let mut state = self.lock();
        // Places are taken from the front, and never one that is still empty.
        let place = state.places.len() - (state.next_step - step);
        state.places[place] = Some(made);
        drop(state);
        if place == 0 {
            self.has_batch.notify_one();
        }
    }

    /// Waits for the oldest batch and takes it.
    fn take(&self) -> Made<B> {
        let mut state = self.lock();
        loop {
            if let Some(Some(_)) = state.places.front()
                && let Some(Some(made)) = state.places.pop_front()
            {
                // To wake a thread costs more than to make a small batch: it is woken for several.
                let is_half_empty = 2 * state.places.len() <= state.capacity;
                drop(state);
                if is_half_empty {
                    self.has_room.notify_all();
                }
                return made;
            }
            state = self.has_batch.wait(state).expect("as above");
        }
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.n_steps = state.next_step;
        drop(state);
        self.has_room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// Batches that are their own step, some slower than others, and are counted.
    #[derive(Default)]
    struct Steps {
        n_steps: usize,
        n_made: AtomicUsize,
        panics_at: Option<usize>,
    }

    impl Batches for Steps {
        type Batch = usize;
        type Order = usize;

        fn n_examples(&self) -> usize {
            self.n_steps
        }

        fn n_steps(&self) -> usize {
            self.n_steps
        }

        fn order(&self, _epoch: u64) -> usize {
            1000
        }

        fn batch(&self, order: &usize, step: usize) -> usize {
            assert_ne!(Some(step), self.panics_at, "step {step} is broken");
            thread::sleep(Duration::from_micros(step as u64 * 7 % 5 * 50));
            self.n_made.fetch_add(1, Ordering::SeqCst);
            order + step
        }
    }

    fn config(num_workers: usize, prefetch: usize) -> LoaderConfig {
        LoaderConfig { num_workers, prefetch }
    }

    #[test]
    fn no_more_than_prefetch_batches_are_ever_ahead() {
        let steps = Steps { n_steps: 60, ..Steps::default() };
        thread::scope(|scope| {
            let loader = Loader::start(scope, &steps, &1000, 0, config(4, 3));
            for (taken, _) in loader.enumerate() {
                thread::sleep(Duration::from_millis(1));
                let n_ahead = steps.n_made.load(Ordering::SeqCst) - (taken + 1);
                assert!(n_ahead <= 3, "{n_ahead} batches ahead after {taken}");
            }
        });
    }

    #[test]
    fn a_loader_dropped_early_makes_no_more_batches() {
        let steps = Steps { n_steps: 1_000_000, ..Steps::default() };
        thread::scope(|scope| {
            let mut loader = Loader::start(scope, &steps, &1000, 0, config(2, 4));
            assert_eq!(loader.next(), Some(1000));
        });
        assert!(steps.n_made.into_inner() <= 1 + 4);
    }

    #[test]
    fn the_panic_of_a_worker_comes_out_where_its_batch_is_taken() {
        for num_workers in [0, 1, 3] {
            let steps = Steps { n_steps: 100, panics_at: Some(5), ..Steps::default() };
            let mut taken = Vec::new();
            let run = AssertUnwindSafe(|| {
                thread::scope(|scope| {
                    let loader = Loader::start(scope, &steps, &0, 0, config(num_workers, 2));
                    loader.for_each(|step| taken.push(step));
                });
            });
            let cause = catch_unwind(run).unwrap_err();
            let message = cause.downcast_ref::<String>().unwrap();
            assert!(message.contains("step 5 is broken"), "{message}");
            assert_eq!(taken, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn a_run_that_was_at_its_end_has_nothing_to_load() {
        let steps = Steps { n_steps: 3, ..Steps::default() };
        thread::scope(|scope| {
            let mut loader = Loader::start(scope, &steps, &0, 3, LoaderConfig::default());
            assert_eq!((loader.len(), loader.next()), (0, None));
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn batches_come_in_order_whatever_the_threads(
            n_steps in 0usize..40, first_step in 0usize..40, num_workers in 0usize..5, prefetch in 1usize..6,
        ) {
            let steps = Steps { n_steps, ..Steps::default() };
            let taken: Vec<usize> = thread::scope(|scope| {
                Loader::start(scope, &steps, &1000, first_step, config(num_workers, prefetch)).collect()
            });
            prop_assert_eq!(taken, (first_step..n_steps).map(|step| 1000 + step).collect::<Vec<_>>());
        }
    }
}
