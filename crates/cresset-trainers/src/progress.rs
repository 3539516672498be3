//! The bar of a running epoch; silent where standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over the steps of one epoch, with loss, rate and time left.
#[derive(Debug)]
pub(crate) struct EpochBar(ProgressBar);

const TEMPLATE: &str = "{prefix} [{bar:30}] {pos}/{len} steps  {msg}  {eta} left";

impl EpochBar {
    pub(crate) fn new([epoch, epochs]: [u64; 2], [first_step, n_steps]: [usize; 2], is_shown: bool) -> Self {
        // Standard error hides it by itself where it is no terminal.
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(n_steps as u64), target);
        let bar = bar.with_prefix(format!("epoch {epoch}/{epochs}"));
        bar.set_style(
            ProgressStyle::with_template(TEMPLATE).expect("a constant template").progress_chars("=> "),
        );
        bar.enable_steady_tick(Duration::from_millis(200));
        bar.set_position(first_step as u64);
        Self(bar)
    }

    pub(crate) fn advance(&mut self, loss: f64, examples_per_second: f64) {
        self.0.inc(1);
        // Formatting costs more than a small step; the eye cannot follow every one.
        if !self.0.is_hidden() && self.0.position().is_multiple_of(16) {
            self.0.set_message(format!("loss {loss:.4}  {examples_per_second:.0} examples/s"));
        }
    }
}

impl Drop for EpochBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
