//! The sentences: what was seen, and what to change.

use super::AlertKind;
use super::epochs::{NoProgress, Overfit, SlowEpoch};
use super::loss::Rise;
use super::memory::Growth;
use super::pace::Slow;
use super::routers::Collapse;
use crate::config::TrainingConfig;

pub(super) fn loss_rises(rise: &Rise, window: usize, config: &TrainingConfig) -> String {
    let Rise { from, to } = rise;
    let rate = config.learning_rate;
    let clip = match config.max_grad_norm {
        None => ", or hold gradients to a length with training.max_grad_norm",
        Some(_) => "",
    };
    format!(
        "the training loss rises, from {from:.4} at its lowest to {to:.4} (means over {window} steps); lower \
         training.learning_rate (now {rate}){clip}"
    )
}

pub(super) fn slow(slow: &Slow) -> (AlertKind, String) {
    match slow {
        Slow::Pause { seconds, median } => {
            let message = format!(
                "this step took {seconds:.0} s, where {median:.3} s is usual: the machine slept, or had no memory left; \
                 nothing is lost, but turn its sleep off for the length of a run"
            );
            (AlertKind::Pause, message)
        }
        Slow::Steps { n, seconds, median } => {
            let factor = seconds / median;
            let message = format!(
                "the last {n} steps took {seconds:.3} s each, {factor:.0} times the {median:.3} s that is usual; look for \
                 other programs, swapping and a throttled processor, and lower training.batch_size if memory is short"
            );
            (AlertKind::SlowSteps, message)
        }
    }
}

pub(super) fn slow_epoch(slow: &SlowEpoch) -> String {
    let SlowEpoch { speed, median } = slow;
    format!(
        "{speed:.0} examples a second passed in this epoch, where {median:.0} are usual; look for other programs, swapping \
         and a throttled processor, and lower training.batch_size if memory is short"
    )
}

pub(super) fn no_progress(nothing: &NoProgress, monitor: &str, rate: f64) -> String {
    let NoProgress { metric: [metric_then, metric_now], loss: [loss_then, loss_now], epochs: [first, last] } =
        nothing;
    let seen = format!(
        "valid {monitor} has not improved since epoch {first} ({metric_then:.4} there, {metric_now:.4} in epoch {last})"
    );
    if loss_now < loss_then {
        return format!(
            "{seen} although the training loss falls ({loss_then:.4} to {loss_now:.4}); lower training.learning_rate (now \
             {rate}) or regularise the model more, and check that validation rows are of the kind that is trained on"
        );
    }
    format!(
        "{seen}, and the training loss does not fall ({loss_then:.4} to {loss_now:.4}); try another \
         training.learning_rate (now {rate}), and check that ids and labels of the data belong together"
    )
}

pub(super) fn overfit(overfit: &Overfit, monitor: &str) -> String {
    let Overfit { best_epoch, metric: [metric_then, metric_now], loss: [loss_then, loss_now] } = overfit;
    format!(
        "overfitting: since epoch {best_epoch} the training loss fell from {loss_then:.4} to {loss_now:.4} and valid \
         {monitor} went from {metric_then:.4} to {metric_now:.4}; raise dropout, the model's penalties or \
         training.optimizer.weight_decay, or make the model smaller; the weights of epoch {best_epoch} are kept"
    )
}

/// Names that a sentence holds.
const MOST_NAMES: usize = 5;

pub(super) fn zero_gradients(names: &[String]) -> String {
    let named = names[..names.len().min(MOST_NAMES)].join(", ");
    let more = match names.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "the gradient of {named}{more} was zero whenever it was looked at, so nothing is learnt there; check that the \
         loss depends on it and its activations are not all cut off, or leave it out with the model's keys"
    )
}

pub(super) fn collapse(collapsed: &[Collapse]) -> String {
    let each = collapsed.iter().map(|Collapse { router, idle, n_experts, most }| {
        format!("{router} leaves {idle} of {n_experts} experts idle and gives {:.0}% to one", 100.0 * most)
    });
    format!(
        "router collapse: {}; raise the weight of the load-balance term of the loss, or the router's noise, or take fewer \
         experts",
        each.collect::<Vec<_>>().join(", ")
    )
}

pub(super) fn memory(growth: &Growth) -> String {
    let Growth { from, to } = growth;
    format!(
        "memory has grown from {from:.0} to {to:.0} MiB, epoch after epoch; stop with Ctrl-C before it is full, go on with \
         --resume, and lower data.prefetch or training.batch_size if it grows again"
    )
}
