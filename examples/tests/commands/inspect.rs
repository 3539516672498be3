//! `inspect`: what a config amounts to, without training.

use crate::desk::Desk;

#[test]
fn the_effective_config_the_data_and_the_parameters_are_shown_and_nothing_is_written() {
    let desk = Desk::new();
    let printed = desk.inspect(&["small.yaml", "--set", "training.batch_size=64"]).done();
    for part in
        ["batch_size: 64", "embedding_dim: 8", "monitor: rmse", "200 users, 100 items, 6000 ratings", "MiB"]
    {
        assert!(printed.contains(part), "no {part} in: {printed}");
    }
    // 200 users and 100 items, each with 8 numbers and a bias.
    for (part, n) in [("user_embedding", 1_600), ("item_bias", 100), ("all", 2_700)] {
        let line = printed.lines().find(|line| line.starts_with(part)).unwrap();
        assert!(line.split_whitespace().any(|word| word == n.to_string()), "{line}");
    }
    assert_eq!(desk.files(""), ["small.yaml"]);
}

#[test]
fn what_is_shown_is_a_config_that_trains_the_same() {
    let desk = Desk::with_run();
    let printed = desk.inspect(&["small.yaml"]).done();
    let (config, _) = printed.split_once("\n\n").unwrap();
    let read = |text: &str| yaml_serde::from_str::<yaml_serde::Value>(text).unwrap();
    assert_eq!(read(config), read(&desk.read("run/config.yaml")));
}

#[test]
fn the_devices_of_this_program_are_listed() {
    let printed = Desk::new().inspect(&["--devices"]).done();
    let cpu = printed.lines().find(|line| line.starts_with("cpu")).unwrap();
    assert!(cpu.contains("available"), "{printed}");
}
