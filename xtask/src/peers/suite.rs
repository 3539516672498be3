//! What is measured: groups of cases, and the programs that measure them.

use std::path::Path;

use clap::ValueEnum;

/// Programs that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Suite {
    /// Training steps of the shared layers: PyTorch.
    Nn,
    /// Training steps and answers of kg-mf: PyTorch.
    KgMf,
    /// A file of ratings made ready for training: pandas and Polars.
    Data,
    /// Ranking metrics: ranx and PyTorch.
    Metrics,
    /// Exact search of a catalogue: PyTorch and faiss.
    Search,
    /// Iterations of implicit ALS: implicit.
    Baselines,
}

/// Cases that one program of each side measures.
#[derive(Debug)]
pub(super) struct Group {
    /// Its name on both sides.
    pub(super) name: &'static str,
    /// Who is measured beside ours.
    pub(super) peer: Peer,
    /// How much is measured.
    pub(super) amount: Amount,
}

/// The program on the other side, a file in `benches/peers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// A program of this group alone.
    Own(&'static str),
    /// A program of several groups, which is told the name of one.
    Shared(&'static str),
    /// Nobody: ours is measured alone.
    Nobody,
}

/// How much of a group is measured by one run of a program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Amount {
    /// Many steps of each case, in one process.
    Steps {
        /// Measured steps.
        steps: usize,
        /// Steps before them.
        warmup: usize,
    },
    /// One case on a file that our program makes beforehand, and one process for each peer.
    File {
        /// What the peer's program is asked for.
        peers: &'static [&'static str],
    },
}

const fn steps(name: &'static str, program: &'static str, steps: usize, warmup: usize) -> Group {
    Group { name, peer: Peer::Own(program), amount: Amount::Steps { steps, warmup } }
}

const fn frames(name: &'static str) -> Group {
    let amount = Amount::File { peers: &["polars", "pandas"] };
    Group { name, peer: Peer::Shared("frames.py"), amount }
}

const fn search(name: &'static str, steps: usize, warmup: usize) -> Group {
    Group { name, peer: Peer::Shared("search.py"), amount: Amount::Steps { steps, warmup } }
}

const fn metrics(name: &'static str, peer: Peer, steps: usize, warmup: usize) -> Group {
    Group { name, peer, amount: Amount::Steps { steps, warmup } }
}

/// In the order of the table.
const NN_GROUPS: &[Group] = &[
    steps("two_tower_step", "two_tower_step.py", 20, 3),
    steps("catalogue_softmax", "catalogue_softmax.py", 10, 2),
    steps("sasrec_step", "sasrec_step.py", 10, 2),
    steps("tables", "tables_step.py", 50, 5),
    steps("attention", "attention.py", 50, 5),
];

/// In the order of the table.
const KG_MF_GROUPS: &[Group] = &[
    steps("kg_mf_step", "kg_mf_step.py", 20, 3),
    Group { name: "kg_mf_latency", peer: Peer::Nobody, amount: Amount::Steps { steps: 100, warmup: 10 } },
];

/// In the order of the table.
const DATA_GROUPS: &[Group] = &[frames("ratings_1m"), frames("ratings_5m"), frames("ratings_20m")];

/// In the order of the table.
const METRICS_GROUPS: &[Group] = &[
    metrics("given_lists", Peer::Shared("metrics.py"), 20, 3),
    metrics("score_blocks", Peer::Shared("metrics.py"), 20, 3),
    metrics("full_catalogue", Peer::Nobody, 1, 0),
    metrics("intervals", Peer::Nobody, 3, 1),
];

/// In the order of the table.
const SEARCH_GROUPS: &[Group] = &[search("one_query", 100, 10), search("many_queries", 5, 1)];

/// In the order of the table.
const BASELINES_GROUPS: &[Group] = &[Group {
    name: "implicit_als",
    peer: Peer::Shared("implicit_als.py"),
    amount: Amount::File { peers: &["implicit"] },
}];

impl Suite {
    /// Its name on the command line and in the document.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nn => "nn",
            Self::KgMf => "kg-mf",
            Self::Data => "data",
            Self::Metrics => "metrics",
            Self::Search => "search",
            Self::Baselines => "baselines",
        }
    }

    /// What Cargo is told to build and run for our side.
    pub(super) fn our_program(self) -> &'static [&'static str] {
        match self {
            Self::Nn | Self::KgMf => &["--release", "-p", "cresset-benches", "--bin", "step_times"],
            Self::Data => &["--release", "-p", "cresset-data", "--example", "ratings_to_parquet"],
            Self::Metrics => &["--release", "-p", "cresset-metrics", "--example", "metric_times"],
            Self::Search => &["--release", "-p", "cresset-search", "--example", "search_times"],
            Self::Baselines => &["--release", "-p", "cresset-baselines", "--example", "als_iterations"],
        }
    }

    /// The Python packages beside which ours is measured.
    pub(super) fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Nn | Self::KgMf => &["torch"],
            Self::Data => &["pandas", "polars"],
            Self::Metrics => &["ranx", "numba", "torch"],
            Self::Search => &["torch", "faiss-cpu"],
            Self::Baselines => &["implicit"],
        }
    }

    fn groups(self) -> &'static [Group] {
        match self {
            Self::Nn => NN_GROUPS,
            Self::KgMf => KG_MF_GROUPS,
            Self::Data => DATA_GROUPS,
            Self::Metrics => METRICS_GROUPS,
            Self::Search => SEARCH_GROUPS,
            Self::Baselines => BASELINES_GROUPS,
        }
    }

    /// The groups named in `only`, or all when it is empty.
    pub(super) fn chosen_groups(self, only: &[String]) -> Vec<&'static Group> {
        let is_chosen = |group: &&Group| only.is_empty() || only.iter().any(|name| name == group.name);
        self.groups().iter().filter(is_chosen).collect()
    }
}

/// The names of all groups of all suites.
pub(super) fn all_group_names() -> Vec<&'static str> {
    Suite::value_variants().iter().flat_map(|suite| suite.groups()).map(|group| group.name).collect()
}

impl Peer {
    /// The program's file; none where there is nobody.
    pub(super) fn program(self) -> Option<&'static str> {
        match self {
            Self::Own(program) | Self::Shared(program) => Some(program),
            Self::Nobody => None,
        }
    }
}

impl Group {
    /// What both sides are told of the amount; `folder` holds the files of [`Amount::File`].
    pub(super) fn arguments(&self, folder: &Path) -> Vec<String> {
        match self.amount {
            Amount::Steps { steps, warmup } => {
                vec!["--steps".into(), steps.to_string(), "--warmup".into(), warmup.to_string()]
            }
            Amount::File { .. } => vec!["--folder".into(), folder.display().to_string()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn all_groups_run_in_order_unless_told_otherwise() {
        let names = |only: &[String]| {
            Suite::Nn.chosen_groups(only).iter().map(|group| group.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), NN_GROUPS.iter().map(|group| group.name).collect::<Vec<_>>());
        assert_eq!(names(&["attention".into(), "tables".into()]), ["tables", "attention"]);
    }

    #[test]
    fn every_group_with_a_peer_has_its_program() {
        let workspace = Workspace::load().unwrap();
        for group in Suite::value_variants().iter().flat_map(|suite| suite.groups()) {
            let Some(program) = group.peer.program() else { continue };
            let path = workspace.root.join("benches/peers").join(program);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(&format!("\"{}\"", group.name)), "{} has another group", path.display());
        }
    }
}
