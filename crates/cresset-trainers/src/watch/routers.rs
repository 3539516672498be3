//! Routers that leave most of their experts idle.

use std::collections::BTreeMap;

use cresset_nn::ExpertShares;

use super::Thresholds;

/// The shares of each router's experts, added up over the looks of an epoch.
#[derive(Debug, Default)]
pub(super) struct Routers(BTreeMap<String, Vec<f64>>);

/// A router and how few of its experts work.
#[derive(Debug, PartialEq)]
pub(super) struct Collapse {
    pub(super) router: String,
    pub(super) idle: usize,
    pub(super) n_experts: usize,
    /// The share of the busiest expert.
    pub(super) most: f64,
}

impl Routers {
    /// Takes what the routers did with one batch.
    pub(super) fn observe(&mut self, routers: &[ExpertShares]) {
        for ExpertShares { router, shares } in routers {
            let sums = self.0.entry(router.clone()).or_insert_with(|| vec![0.0; shares.len()]);
            sums.iter_mut().zip(shares).for_each(|(sum, &share)| *sum += f64::from(share));
        }
    }

    /// The routers that have collapsed in the epoch that ends; sums begin anew.
    pub(super) fn take(&mut self, bounds: &Thresholds) -> Vec<Collapse> {
        let routers = std::mem::take(&mut self.0).into_iter();
        routers.filter_map(|(router, sums)| Collapse::of(router, &sums, bounds)).collect()
    }
}

impl Collapse {
    fn of(router: String, sums: &[f64], bounds: &Thresholds) -> Option<Self> {
        let (n_experts, total) = (sums.len(), sums.iter().sum::<f64>());
        if n_experts < 2 || total <= 0.0 {
            return None;
        }
        let even = total / n_experts as f64;
        let idle = sums.iter().filter(|&&sum| sum < bounds.idle_share * even).count();
        let most = sums.iter().copied().fold(0.0, f64::max) / total;
        let is_collapsed = idle as f64 >= bounds.idle_experts * n_experts as f64;
        is_collapsed.then_some(Self { router, idle, n_experts, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collapsed(shares: &[f32]) -> Option<usize> {
        let mut routers = Routers::default();
        for _ in 0..4 {
            routers.observe(&[ExpertShares { router: "user".to_owned(), shares: shares.to_vec() }]);
        }
        routers.take(&Thresholds::default()).first().map(|collapse| collapse.idle)
    }

    #[test]
    fn a_router_that_sends_all_to_half_of_its_experts_has_collapsed() {
        assert_eq!(collapsed(&[1.0, 0.0, 0.0, 0.0]), Some(3));
        // Two experts a token.
        assert_eq!(collapsed(&[0.5, 0.5, 0.0, 0.0]), Some(2));
        assert_eq!(collapsed(&[0.99, 0.01]), Some(1));
    }

    #[test]
    fn an_uneven_router_has_not() {
        assert_eq!(collapsed(&[0.25; 4]), None);
        assert_eq!(collapsed(&[0.7, 0.1, 0.1, 0.1]), None);
        assert_eq!(collapsed(&[0.6, 0.2, 0.2, 0.0]), None);
        assert_eq!(collapsed(&[1.0]), None);
        assert_eq!(collapsed(&[0.0; 4]), None);
    }
}
