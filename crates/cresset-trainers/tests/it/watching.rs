//! What a run tells of itself: alerts of a model that is broken, none of one that is not.

use std::path::Path;

use burn::backend::Flex;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use cresset_nn::{AutodiffRecommender, EmbeddingTable, ExpertShares, ForwardPass, StepKey, TrainModel};
use cresset_trainers::watch::{Alert, AlertKind, Alerts};
use cresset_trainers::{TrainError, Trained};
use tempfile::tempdir;

use crate::support::{Cpu, Run, Tiny, TinyBatch, bytes, metric};

/// A model with a parameter that its loss does not read, and a router that sends everything to one expert.
#[derive(Module, Debug)]
struct Broken<B: Backend> {
    tiny: Tiny<B>,
    unread: Param<Tensor<B, 1>>,
}

impl<B: AutodiffRecommender> TrainModel<B> for Broken<B> {
    type Batch = TinyBatch;

    fn forward_loss(&self, batch: &TinyBatch, key: StepKey) -> ForwardPass<B> {
        self.tiny.forward_loss(batch, key)
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        self.tiny.tables_mut()
    }

    fn expert_shares(&self, _batch: &TinyBatch, _key: StepKey) -> Vec<ExpertShares> {
        vec![ExpertShares { router: "user.router".to_owned(), shares: vec![1.0, 0.0, 0.0] }]
    }
}

fn fit_broken(run: &Run, folder: &Path) -> Result<Trained<Broken<Flex>>, TrainError> {
    let unread = Param::from_tensor(Tensor::zeros([3], &Default::default()));
    let model = Broken::<Cpu> { tiny: Tiny::new(run.n_items, run.config.seed), unread };
    let mut epoch = 0;
    run.fit_model(model, folder, &mut |_| {
        epoch += 1;
        Ok(metric("rmse", f64::from(epoch)))
    })
}

fn alerts(folder: &Path) -> Alerts {
    Alerts::from_csv(&String::from_utf8(bytes(folder, "alerts.csv")).unwrap(), u64::MAX - 1, 0)
}

#[test]
fn a_parameter_that_is_not_read_a_router_that_collapsed_and_a_metric_that_worsens_are_told() {
    let folder = tempdir().unwrap();
    fit_broken(&Run::default(), folder.path()).unwrap();
    let alerts = alerts(folder.path()).0;
    let of = |kind| alerts.iter().filter(|alert| alert.kind == kind).collect::<Vec<_>>();
    let zeros = of(AlertKind::ZeroGradient);
    assert_eq!((zeros[0].epoch, zeros[0].step), (1, None));
    assert!(zeros[0].message.starts_with("the gradient of unread was zero"), "{}", zeros[0].message);
    let collapsed = of(AlertKind::RouterCollapse);
    assert!(
        collapsed[0].message.contains("user.router leaves 2 of 3 experts idle"),
        "{}",
        collapsed[0].message
    );
    assert_eq!(collapsed.len(), 4, "once an epoch");
    assert_eq!(of(AlertKind::NoProgress)[0].epoch, 3);
}

#[test]
fn a_healthy_run_tells_nothing_and_a_broken_one_neither_where_nobody_wants_to_know() {
    let folder = tempdir().unwrap();
    Run::default().fit_and_validate(folder.path()).unwrap();
    assert!(!folder.path().join("alerts.csv").exists());
    let silent = tempdir().unwrap();
    let mut run = Run::default();
    run.config.alerts = false;
    fit_broken(&run, silent.path()).unwrap();
    assert!(!silent.path().join("alerts.csv").exists());
}

#[test]
fn a_resumed_run_keeps_what_was_told_before_it_stopped() {
    let (whole, parts) = (tempdir().unwrap(), tempdir().unwrap());
    fit_broken(&Run::default(), whole.path()).unwrap();
    let stopped = Run { stop_at: Some((2, 1)), ..Run::default() };
    fit_broken(&stopped, parts.path()).unwrap_err();
    let before = alerts(parts.path()).0;
    assert!(before.iter().all(|alert| alert.epoch <= 2) && !before.is_empty());
    fit_broken(&Run::default(), parts.path()).unwrap();
    let after = alerts(parts.path()).0;
    assert_eq!(after[..before.len()], before);
    let kinds = |alerts: &[Alert], kind| alerts.iter().filter(|a| a.kind == kind).count();
    let uninterrupted = alerts(whole.path()).0;
    assert_eq!(kinds(&after, AlertKind::RouterCollapse), kinds(&uninterrupted, AlertKind::RouterCollapse));
}
