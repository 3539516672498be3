//! Any statistic of users as columns of one number for each user.

use std::borrow::Cow;

use super::user_statistic::check_lengths;
use super::{StatisticsError, UserStatistic};

/// The columns of one statistic, checked: what every user adds above the line, and below it.
#[derive(Debug, Clone)]
pub(super) struct Columns<'a> {
    /// How the sums of the columns become the statistic.
    pub(super) kind: Kind,
    /// A value, a value times its weight, or a numerator of each user.
    pub(super) numerators: Cow<'a, [f64]>,
    /// A weight or a denominator of each user; none for a plain mean.
    pub(super) denominators: Option<Cow<'a, [f64]>>,
}

/// How sums over users become a statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mean,
    WeightedMean,
    Ratio,
    RootRatio,
}

impl Kind {
    /// What it is called in an error.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::WeightedMean => "weighted mean",
            Self::Ratio => "ratio of sums",
            Self::RootRatio => "root of a ratio of sums",
        }
    }

    /// What a user counts by.
    pub(super) fn weight_name(self) -> &'static str {
        if self == Self::WeightedMean { "weight" } else { "denominator" }
    }

    /// The statistic of the sums above and below the line.
    pub(super) fn of_sums(self, numerator: f64, denominator: f64) -> f64 {
        let ratio = numerator / denominator;
        if self == Self::RootRatio { ratio.sqrt() } else { ratio }
    }
}

impl<'a> Columns<'a> {
    /// The columns of a statistic.
    ///
    /// # Errors
    ///
    /// If there is no user, the statistic's slices differ in length, or a number cannot be averaged.
    pub(super) fn of(statistic: &UserStatistic<'a>) -> Result<Self, StatisticsError> {
        let (kind, values, weights): (Kind, &'a [f64], Option<&'a [f64]>) = match *statistic {
            UserStatistic::Mean(values) => (Kind::Mean, values, None),
            UserStatistic::WeightedMean { values, weights } => (Kind::WeightedMean, values, Some(weights)),
            UserStatistic::Ratio(sums) => (Kind::Ratio, &sums.numerators, Some(&sums.denominators)),
            UserStatistic::RootRatio(sums) => (Kind::RootRatio, &sums.numerators, Some(&sums.denominators)),
        };
        check(kind, values, weights)?;
        let numerators = match weights {
            Some(weights) if kind == Kind::WeightedMean => {
                values.iter().zip(weights).map(|(value, weight)| value * weight).collect()
            }
            _ => Cow::Borrowed(values),
        };
        Ok(Self { kind, numerators, denominators: weights.map(Cow::Borrowed) })
    }

    /// Number of users, at least 1.
    pub(super) fn n_users(&self) -> usize {
        self.numerators.len()
    }

    /// The statistic of all users.
    pub(super) fn estimate(&self) -> f64 {
        let denominator = match &self.denominators {
            Some(denominators) => denominators.iter().sum(),
            None => self.n_users() as f64,
        };
        self.kind.of_sums(self.numerators.iter().sum(), denominator)
    }

    /// The same users in another order: the first is the one that was at `order[0]`.
    pub(super) fn in_order(&self, order: &[usize]) -> Columns<'static> {
        let ordered = |column: &[f64]| order.iter().map(|&at| column[at]).collect();
        Columns {
            kind: self.kind,
            numerators: ordered(&self.numerators),
            denominators: self.denominators.as_deref().map(ordered),
        }
    }
}

fn check(kind: Kind, values: &[f64], weights: Option<&[f64]>) -> Result<(), StatisticsError> {
    if values.is_empty() {
        return Err(StatisticsError::NoUsers);
    }
    if u32::try_from(values.len()).is_err() {
        return Err(StatisticsError::TooManyUsers { n_users: values.len() });
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let what = if weights.is_some() && kind != Kind::WeightedMean { "numerator" } else { "value" };
        return Err(StatisticsError::NotFinite { what, index, value: values[index] });
    }
    let Some(weights) = weights else { return Ok(()) };
    let what = kind.weight_name();
    check_lengths("weights or denominators", weights.len(), "values", values.len())?;
    match weights.iter().position(|weight| !(weight.is_finite() && *weight > 0.0)) {
        Some(index) => Err(StatisticsError::NotPositive { what, index, value: weights[index] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::UserSums;
    use super::*;

    #[test]
    fn each_statistic_of_two_users_is_that_worked_out_by_hand() {
        let errors = UserSums { users: vec![0, 1], numerators: vec![3.0, 5.0], denominators: vec![1.0, 3.0] };
        let weighted = UserStatistic::WeightedMean { values: &[0.5, 1.0], weights: &[3.0, 1.0] };
        let estimate = |statistic| Columns::of(&statistic).unwrap().estimate();
        assert_eq!(estimate(UserStatistic::Mean(&[0.5, 1.0])), 0.75);
        assert_eq!(estimate(weighted), 2.5 / 4.0);
        assert_eq!(estimate(UserStatistic::Ratio(&errors)), 2.0);
        assert_eq!(estimate(UserStatistic::RootRatio(&errors)), 2.0_f64.sqrt());
    }

    #[test]
    fn a_statistic_of_nobody_is_an_error() {
        let nobody = UserSums::default();
        for statistic in [UserStatistic::Mean(&[]), UserStatistic::Ratio(&nobody)] {
            assert_eq!(Columns::of(&statistic).unwrap_err(), StatisticsError::NoUsers);
        }
    }

    #[test]
    fn values_and_weights_that_cannot_be_averaged_are_errors_with_their_position() {
        let sentence = |statistic: UserStatistic<'_>| Columns::of(&statistic).unwrap_err().to_string();
        let nan = sentence(UserStatistic::Mean(&[0.5, f64::NAN]));
        assert_eq!(nan, "value 1 is NaN, expected a finite number");
        let zero = sentence(UserStatistic::WeightedMean { values: &[0.5, 0.5], weights: &[1.0, 0.0] });
        assert!(zero.starts_with("weight 1 is 0, expected a number above 0"), "{zero}");
        let short = sentence(UserStatistic::WeightedMean { values: &[0.5, 0.5], weights: &[1.0] });
        assert!(short.contains("1 weights or denominators but 2 values"), "{short}");
    }
}
