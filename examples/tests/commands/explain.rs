//! `explain`: what it refuses.

use crate::desk::Desk;

#[test]
fn a_user_or_an_item_that_the_model_does_not_know_is_named_with_where_to_look() {
    let desk = Desk::with_run();
    desk.explain(&["run", "--user", "999", "--item", "1"]).refused(&["user 999", "uid2idx.json"]);
    desk.explain(&["run", "--user", "1", "--item", "999"]).refused(&["item 999", "iid2idx.json"]);
    desk.explain(&["nowhere", "--user", "1"]).refused(&["nowhere", "config.yaml is missing", "`train`"]);
}

#[test]
fn a_run_without_a_graph_is_refused_with_what_to_train() {
    let desk = Desk::with_run();
    let refused = desk.explain(&["run", "--user", "1", "--item", "1"]);
    refused.refused(&["run holds kg-mf", "no graph to explain by", "data.graph.sources and model.graph"]);
    assert!(!desk.has("run/explanation"));
}
