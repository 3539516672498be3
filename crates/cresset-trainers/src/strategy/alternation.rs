//! Which of two modules learns next.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::config::AlternatingConfig;

/// Whose turn it is, and how the losses of both modules have gone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alternation {
    /// The module that learns, 0 or 1.
    pub module: usize,
    /// Exponentially smoothed losses of both; none before the first step.
    pub smoothed: Option<[f64; 2]>,
    /// Steps of this turn.
    pub consecutive: u64,
    /// Turns that have ended.
    pub switches: u64,
}

impl Alternation {
    /// Takes the losses of a step; true if the turn ends with it.
    ///
    /// It ends when the smoothed loss of the module that learns has changed by a smaller share than the threshold in
    /// this step, and the turn has lasted the least number of steps.
    pub fn observe(&mut self, config: &AlternatingConfig, losses: [f64; 2]) -> bool {
        self.consecutive += 1;
        let Some(before) = self.smoothed else {
            self.smoothed = Some(losses);
            return false;
        };
        let kept = config.smoothing;
        let after = [0, 1].map(|module| kept * before[module] + (1.0 - kept) * losses[module]);
        self.smoothed = Some(after);
        let (old, new) = (before[self.module], after[self.module]);
        let change = (new - old).abs() / old.abs().max(f64::MIN_POSITIVE);
        if self.consecutive < config.min_steps || change >= config.switch_threshold {
            return false;
        }
        (self.module, self.consecutive) = (1 - self.module, 0);
        self.switches += 1;
        true
    }
}

/// The alternation over time. When it holds as many rows as it may, every second one goes, so that it stays small over
/// millions of steps and is still even.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlternationSeries {
    /// One row for each so many steps.
    pub stride: u64,
    /// Steps seen.
    pub seen: u64,
    /// The rows, oldest first.
    pub rows: Vec<AlternationRow>,
}

/// One step of the series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlternationRow {
    /// The stage, from 0.
    pub stage: usize,
    /// Which step of the optimiser, from 1.
    pub step: u64,
    /// The module that learnt.
    pub module: usize,
    /// Smoothed losses after it.
    pub smoothed: [f64; 2],
    /// Turns of the stage that had ended, this step's included.
    pub switches: u64,
}

impl Default for AlternationSeries {
    fn default() -> Self {
        Self { stride: 1, seen: 0, rows: vec![] }
    }
}

/// Rows that a series holds at most.
const MOST_ROWS: usize = 2_048;

impl AlternationSeries {
    pub(crate) fn push(&mut self, row: AlternationRow) {
        if self.seen.is_multiple_of(self.stride) {
            self.rows.push(row);
        }
        self.seen += 1;
        if self.rows.len() < MOST_ROWS {
            return;
        }
        self.stride *= 2;
        let mut place = 0;
        self.rows.retain(|_| {
            place += 1;
            place % 2 == 1
        });
    }

    /// The text of `alternation.csv`: a header, then one row a step, groups and stages by name.
    pub fn to_csv(&self, config: &AlternatingConfig, stages: &[String]) -> String {
        let [first, second] = config.modules.as_slice() else { return String::new() };
        let mut text =
            format!("stage,step,learns,smoothed_{},smoothed_{},switches\n", first.loss, second.loss);
        for row in &self.rows {
            let stage = stages.get(row.stage).map_or("", String::as_str);
            let [a, b] = row.smoothed;
            let group = &config.modules[row.module].group;
            let _ = writeln!(text, "{stage},{},{group},{a},{b},{}", row.step, row.switches);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::ModuleConfig;
    use super::*;

    fn module(group: &str) -> ModuleConfig {
        ModuleConfig { group: group.to_owned(), loss: format!("{group}_loss") }
    }

    fn config() -> AlternatingConfig {
        let modules = vec![module("a"), module("b")];
        AlternatingConfig { modules, switch_threshold: 0.1, min_steps: 2, smoothing: 0.5 }
    }

    /// After each pair of losses: whether the turn ended, whose turn it is, and the smoothed losses.
    fn run(config: &AlternatingConfig, losses: &[[f64; 2]]) -> Vec<(bool, usize, [f64; 2])> {
        let mut state = Alternation::default();
        let mut step = |&losses: &[f64; 2]| {
            let ended = state.observe(config, losses);
            (ended, state.module, state.smoothed.unwrap())
        };
        losses.iter().map(&mut step).collect()
    }

    #[test]
    fn a_turn_ends_when_the_smoothed_loss_of_its_module_hardly_changes() {
        // Half of the old value, half of the new: 8, then (8 + 4) / 2 = 6, a change of a quarter; then (6 + 5) / 2 =
        // 5.5, a twelfth, which is below a tenth. The other's loss does not count, until it is its turn: 4 to 3.5 is
        // an eighth, 3.5 to 3.25 a fourteenth.
        let losses = [[8.0, 4.0], [4.0, 4.0], [5.0, 4.0], [5.0, 3.0], [5.0, 3.0], [9.0, 3.25]];
        let expected = [
            (false, 0, [8.0, 4.0]),
            (false, 0, [6.0, 4.0]),
            (true, 1, [5.5, 4.0]),
            (false, 1, [5.25, 3.5]),
            (true, 0, [5.125, 3.25]),
            (false, 0, [7.0625, 3.25]),
        ];
        assert_eq!(run(&config(), &losses), expected);
    }

    #[test]
    fn a_turn_lasts_its_least_number_of_steps_however_still_the_loss_is() {
        let config = AlternatingConfig { min_steps: 3, ..config() };
        let turns: Vec<usize> = run(&config, &[[1.0, 1.0]; 9]).iter().map(|(_, module, _)| *module).collect();
        assert_eq!(turns, [0, 0, 1, 1, 1, 0, 0, 0, 1]);
    }

    #[test]
    fn a_loss_of_zero_that_stays_zero_has_not_changed() {
        let ended: Vec<bool> = run(&config(), &[[0.0, 1.0]; 2]).iter().map(|(ended, _, _)| *ended).collect();
        assert_eq!(ended, [false, true]);
    }

    #[test]
    fn a_long_series_is_thinned_evenly_and_keeps_its_first_step() {
        let mut series = AlternationSeries::default();
        let row = |step| AlternationRow { stage: 0, step, module: 0, smoothed: [0.0; 2], switches: 0 };
        (1..=10_000).for_each(|step| series.push(row(step)));
        assert!(series.rows.len() < MOST_ROWS && series.rows.len() >= MOST_ROWS / 2);
        assert_eq!(series.rows[0].step, 1);
        let is_even = |pair: &[AlternationRow]| pair[1].step - pair[0].step == series.stride;
        assert!(series.rows.windows(2).all(is_even), "{}", series.stride);
    }

    #[test]
    fn a_row_of_the_file_names_stage_and_module() {
        let mut series = AlternationSeries::default();
        series.push(AlternationRow { stage: 1, step: 7, module: 1, smoothed: [0.5, 0.25], switches: 3 });
        let stages = ["alone".to_owned(), "both".to_owned()];
        assert_eq!(
            series.to_csv(&config(), &stages),
            "stage,step,learns,smoothed_a_loss,smoothed_b_loss,switches\nboth,7,b,0.5,0.25,3\n"
        );
    }
}
