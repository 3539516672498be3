//! A run against the first one: what was changed, and what came of it.

use cresset::metrics::statistics::{ComparedMetric, PairedTest};

use super::{Run, markdown};
use crate::failure::Failure;

/// What was changed against the first run, and what came of it: user by user, and by how often items were rated.
///
/// # Errors
///
/// If what users add to the metrics of a run cannot be averaged.
pub(super) fn comparison(first: &Run, run: &Run) -> Result<String, Failure> {
    let (name, changed) = (&run.name, run.changes_from(first));
    if let Some(different) = run.differs_from(first) {
        return Ok(format!(
            "## {name} against {}\n\nChanged: {changed}.\n\nNot compared: the two differ in their {different}, so their \
             numbers are not of the same thing.\n",
            first.name
        ));
    }
    let over = if run.is_in_folds() { ", over all folds" } else { "" };
    let (by_user, by_item_ratings) = (by_user(first, run)?, by_item_ratings(first, run));
    Ok(format!("## {name} against {}{over}\n\nChanged: {changed}.\n{by_user}{by_item_ratings}", first.name))
}

/// The metrics that users add to, tested; a run in folds by the sums of each user over the folds.
fn by_user(first: &Run, run: &Run) -> Result<String, Failure> {
    let comparison = run.per_user.against(&first.per_user, &PairedTest::default())?;
    let mut text = String::new();
    if !comparison.metrics.is_empty() {
        let header = ["metric", "first", "this", "difference", "95% interval", "p", "p corrected", "users"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        rows.extend(comparison.metrics.iter().map(metric_row));
        text += &format!("\n{}", markdown(&rows));
    }
    for left_out in &comparison.left_out {
        text += &format!("\n{left_out}.\n");
    }
    if !first.left_out.is_empty() {
        text += &format!(
            "\nNot compared user by user: {}; a user has a value in every fold, and these do not add up to one. Name \
             single folds for that.\n",
            first.left_out.join(", ")
        );
    }
    if !comparison.metrics.is_empty() {
        text += "\nPaired by user: bootstrap interval of the difference, sign-flip test, Holm's correction over the \
                 metrics.\n";
        if run.is_in_folds() {
            text += "Each user's sums over all folds are compared, so the values are those of all test ratings together, \
                     not means over folds.\n";
        }
    }
    Ok(text)
}

fn metric_row(metric: &ComparedMetric) -> Vec<String> {
    let difference = &metric.difference;
    vec![
        metric.key.clone(),
        format!("{:.4}", metric.baseline),
        format!("{:.4}", metric.candidate),
        format!("{:+.4}", difference.estimate),
        format!("{:+.4} to {:+.4}", difference.low, difference.high),
        format!("{:.4}", metric.p_value),
        format!("{:.4}", metric.p_holm),
        metric.n_users.to_string(),
    ]
}

/// Where the one is better than the other: at items that were rated often, or seldom. Nothing where a run predicts no
/// ratings, or was trained before this was kept.
fn by_item_ratings(first: &Run, run: &Run) -> String {
    let header = ["training ratings", "ratings", "rmse of first", "rmse of this", "difference"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for before in &first.summary.by_item_ratings {
        let own = run.summary.by_item_ratings.iter().find(|own| own.is_range_of(before));
        let Some(own) = own else { continue };
        rows.push(vec![
            before.to_string(),
            before.n_ratings.to_string(),
            format!("{:.4}", before.rmse),
            format!("{:.4}", own.rmse),
            format!("{:+.4}", own.rmse - before.rmse),
        ]);
    }
    if rows.len() == 1 {
        return String::new();
    }
    format!("\nTest ratings by training ratings of the item:\n\n{}", markdown(&rows))
}
