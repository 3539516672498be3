//! Who may know whom: one table, checked against every manifest and printed in `docs/architecture.md`.

use std::fmt::Write;

use crate::workspace::{Dependency, Package};

/// A row of the table: one package and what it may know.
#[derive(Debug)]
pub(crate) struct Layer {
    /// The package.
    pub(crate) name: &'static str,
    /// Which packages of ours it may depend on, in any kind of dependency.
    pub(crate) knows: Knows,
    /// Whether it may depend on Burn.
    pub(crate) burn: bool,
    /// Whether it is a model crate, with the file names that all of them share.
    pub(crate) model: bool,
    /// What it must not know, for people.
    pub(crate) stranger_to: &'static str,
}

/// Which packages of ours a package may depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Knows {
    /// These and no others.
    Only(&'static [&'static str]),
    /// Any: a place where concrete things are put together.
    Everything,
}

/// The table. A package that is not here may not be in the workspace.
pub(crate) const LAYERS: &[Layer] = &[
    library("cresset-data", &[], false, "tensors, models, metrics"),
    library("cresset-metrics", &[], false, "where its numbers come from"),
    library("cresset-search", &[], false, "models, data"),
    library("cresset-baselines", &["cresset-data", "cresset-metrics"], false, "tensors, trained models"),
    library("cresset-nn", &["cresset-data"], true, "any model, any metric, the loop that trains it"),
    model("cresset-kg-mf"),
    model("cresset-two-tower"),
    model("cresset-sasrec-moe"),
    library("cresset-trainers", SHARED, true, "any concrete model, the baselines"),
    composer("cresset", true, "config files, the command line"),
    composer("cresset-examples", true, "how anything is computed"),
    composer("cresset-benches", true, "how anything is computed"),
    library("xtask", &[], false, "what the crates do"),
];

/// What a model or a trainer may stand on.
const SHARED: &[&str] = &["cresset-data", "cresset-metrics", "cresset-nn"];

/// Features of `burn` that select a backend.
const BACKEND_FEATURES: &[&str] = &[
    "candle", "cpu", "cuda", "flex", "metal", "ndarray", "rocm", "router", "tch", "vulkan", "webgpu", "wgpu",
];

/// Packages that may name the package of a backend: the kernels, and the facade that picks a device.
const BACKEND_PACKAGES_ALLOWED_IN: &[&str] = &["cresset", "cresset-nn"];

/// Packages of Burn that belong to no backend.
const BURN_WITHOUT_BACKEND: &[&str] = &["burn", "burn-core", "burn-store", "burn-tensor"];

const fn library(
    name: &'static str,
    knows: &'static [&'static str],
    burn: bool,
    stranger_to: &'static str,
) -> Layer {
    Layer { name, knows: Knows::Only(knows), burn, model: false, stranger_to }
}

const fn model(name: &'static str) -> Layer {
    let stranger_to = "any other model, trainers, baselines";
    Layer { name, knows: Knows::Only(SHARED), burn: true, model: true, stranger_to }
}

const fn composer(name: &'static str, burn: bool, stranger_to: &'static str) -> Layer {
    Layer { name, knows: Knows::Everything, burn, model: false, stranger_to }
}

/// A sentence for every dependency that the table does not allow.
pub(crate) fn violations(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(package_violations).collect()
}

fn package_violations(package: &Package) -> Vec<String> {
    let name = &package.name;
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        return vec![format!(
            "package `{name}` is not in the table of layers; add a row to xtask/src/check/layers.rs"
        )];
    };
    let dependencies = package.dependencies.iter().filter(|dependency| dependency.name != *name);
    dependencies.filter_map(|dependency| violation(layer, dependency)).collect()
}

fn violation(layer: &Layer, dependency: &Dependency) -> Option<String> {
    let (name, other) = (layer.name, &dependency.name);
    if is_ours(other) && !layer.may_know(other) {
        return Some(format!("{name} depends on {other}, expected {}", layer.knows.sentence()));
    }
    if is_burn(other) && !layer.burn {
        return Some(format!(
            "{name} depends on {other}, expected no Burn: move what needs it to a crate above"
        ));
    }
    backend_violation(name, dependency)
}

/// What is wrong when a library crate picks a backend. Tests and examples must pick one, so dev-dependencies may.
fn backend_violation(name: &str, dependency: &Dependency) -> Option<String> {
    let other = &dependency.name;
    if dependency.is_dev() {
        return None;
    }
    if let Some(feature) = dependency.features.iter().find(|f| BACKEND_FEATURES.contains(&f.as_str())) {
        let is_burn_itself = other == "burn";
        return is_burn_itself.then(|| {
            format!("{name} turns on burn/{feature}, expected a feature of {name} that forwards to it")
        });
    }
    let names_a_backend = is_burn(other) && !BURN_WITHOUT_BACKEND.contains(&other.as_str());
    let allowed = BACKEND_PACKAGES_ALLOWED_IN.contains(&name) && dependency.optional;
    (names_a_backend && !allowed).then(|| {
        format!(
            "{name} depends on the backend {other}, expected an optional dependency of cresset-nn or cresset"
        )
    })
}

fn is_ours(package: &str) -> bool {
    package == "cresset" || package.starts_with("cresset-")
}

fn is_burn(package: &str) -> bool {
    let is_part_of = |prefix: &str| {
        package.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    ["burn", "cubecl", "tch"].into_iter().any(is_part_of)
}

impl Layer {
    fn may_know(&self, package: &str) -> bool {
        match self.knows {
            Knows::Only(these) => these.contains(&package),
            Knows::Everything => true,
        }
    }
}

impl Knows {
    fn sentence(self) -> String {
        match self {
            Self::Only([]) => "no crate of ours".to_owned(),
            Self::Only(these) => format!("only {}", these.join(", ")),
            Self::Everything => "anything".to_owned(),
        }
    }
}

/// The table as it stands in `docs/architecture.md`.
pub(crate) fn markdown_table() -> String {
    let mut table =
        "| package | may know of ours | Burn | must not know |\n| --- | --- | --- | --- |\n".to_owned();
    for layer in LAYERS {
        let knows = match layer.knows {
            Knows::Only([]) => "nothing".to_owned(),
            Knows::Only(these) => these.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            Knows::Everything => "everything".to_owned(),
        };
        let burn = if layer.burn { "yes" } else { "no" };
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| `{}` | {knows} | {burn} | {} |", layer.name, layer.stranger_to);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str) -> Dependency {
        Dependency { name: name.into(), kind: None, features: Vec::new(), optional: false }
    }

    #[track_caller]
    fn check(package: &str, dependency: Dependency, expected: &[&str]) {
        let package = Package { name: package.into(), dependencies: vec![dependency], publish: None };
        assert_eq!(violations(&[package]), expected);
    }

    #[test]
    fn data_knows_no_burn_and_nothing_of_ours() {
        let no_burn =
            "cresset-data depends on burn-core, expected no Burn: move what needs it to a crate above";
        check("cresset-data", dependency("burn-core"), &[no_burn]);
        check(
            "cresset-data",
            dependency("cresset-nn"),
            &["cresset-data depends on cresset-nn, expected no crate of ours"],
        );
        check("cresset-data", dependency("csv"), &[]);
        check("cresset-data", dependency("burner"), &[]);
    }

    #[test]
    fn metrics_know_nothing_of_ours_even_in_their_tests() {
        let in_tests = Dependency { kind: Some("dev".into()), ..dependency("cresset-data") };
        check(
            "cresset-metrics",
            in_tests,
            &["cresset-metrics depends on cresset-data, expected no crate of ours"],
        );
    }

    #[test]
    fn baselines_know_no_burn() {
        let no_burn =
            "cresset-baselines depends on burn, expected no Burn: move what needs it to a crate above";
        check("cresset-baselines", dependency("burn"), &[no_burn]);
        check("cresset-baselines", dependency("cresset-metrics"), &[]);
    }

    #[test]
    fn shared_parts_know_no_metric() {
        let expected = "cresset-nn depends on cresset-metrics, expected only cresset-data";
        check("cresset-nn", dependency("cresset-metrics"), &[expected]);
    }

    #[test]
    fn a_model_knows_no_other_model_and_no_trainer() {
        let allowed = "expected only cresset-data, cresset-metrics, cresset-nn";
        for other in ["cresset-two-tower", "cresset-trainers", "cresset-baselines", "cresset"] {
            check(
                "cresset-kg-mf",
                dependency(other),
                &[&format!("cresset-kg-mf depends on {other}, {allowed}")],
            );
        }
        check("cresset-kg-mf", dependency("cresset-nn"), &[]);
    }

    #[test]
    fn trainers_know_no_model_and_no_baseline() {
        let allowed = "expected only cresset-data, cresset-metrics, cresset-nn";
        for other in ["cresset-kg-mf", "cresset-baselines"] {
            let expected = format!("cresset-trainers depends on {other}, {allowed}");
            check("cresset-trainers", dependency(other), &[&expected]);
        }
    }

    #[test]
    fn the_facade_and_the_binaries_know_everything() {
        check("cresset", dependency("cresset-kg-mf"), &[]);
        check("cresset-examples", dependency("cresset"), &[]);
        check("cresset-benches", dependency("cresset-baselines"), &[]);
    }

    #[test]
    fn a_package_outside_the_table_is_refused() {
        let expected =
            "package `cresset-new` is not in the table of layers; add a row to xtask/src/check/layers.rs";
        check("cresset-new", dependency("csv"), &[expected]);
    }

    #[test]
    fn no_manifest_turns_a_backend_on_outside_its_tests() {
        let flex = Dependency { features: vec!["autodiff".into(), "flex".into()], ..dependency("burn") };
        let expected =
            "cresset-trainers turns on burn/flex, expected a feature of cresset-trainers that forwards to it";
        check("cresset-trainers", flex, &[expected]);
        let in_tests =
            Dependency { kind: Some("dev".into()), features: vec!["flex".into()], ..dependency("burn") };
        check("cresset-trainers", in_tests, &[]);
    }

    #[test]
    fn the_package_of_a_backend_is_optional_and_only_where_kernels_are() {
        let expected = |name| {
            format!(
                "{name} depends on the backend burn-flex, expected an optional dependency of cresset-nn or cresset"
            )
        };
        check("cresset-nn", Dependency { optional: true, ..dependency("burn-flex") }, &[]);
        check("cresset-nn", dependency("burn-flex"), &[&expected("cresset-nn")]);
        let in_a_model = Dependency { optional: true, ..dependency("burn-flex") };
        check("cresset-kg-mf", in_a_model, &[&expected("cresset-kg-mf")]);
    }

    #[test]
    fn the_printed_table_has_a_row_for_each_layer() {
        let table = markdown_table();
        assert_eq!(table.lines().count(), 2 + LAYERS.len());
        assert!(table.contains("| `cresset-nn` | `cresset-data` | yes |"), "{table}");
    }
}
