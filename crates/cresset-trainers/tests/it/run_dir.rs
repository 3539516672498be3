//! The folder of a run.

use std::fs;

use cresset_trainers::{RunDir, RunDirError};
use tempfile::tempdir;

#[test]
fn a_new_folder_has_its_subfolders() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(&folder.path().join("a/b"), false).unwrap();
    for below in ["plots", "best_model", "checkpoints/last"] {
        assert!(run.file(below).is_dir(), "{below}");
    }
}

#[test]
fn a_folder_that_holds_a_run_is_taken_unless_it_is_resumed() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    drop(run);
    // Made, but nothing was begun in it.
    let run = RunDir::create(folder.path(), false).unwrap();
    run.write_yaml("config.yaml", &7).unwrap();
    drop(run);
    let error = RunDir::create(folder.path(), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} holds a run already; continue it with --resume or choose another folder with --output",
            folder.path().display()
        )
    );
    RunDir::create(folder.path(), true).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let path = file.join("run");
    let error = RunDir::create(&path, false).unwrap_err();
    assert!(matches!(error, RunDirError::Create { .. }));
    let message = error.to_string();
    assert!(message.starts_with(&format!("cannot create {} (", path.display())), "{message}");
    assert!(message.ends_with("choose a folder that can be written to with --output"), "{message}");
}

#[test]
fn a_folder_without_a_trained_model_is_no_run() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let check = |missing: &str| {
        let message = RunDir::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains(&format!("holds no trained run ({missing} is missing)")), "{message}");
    };
    check("config.yaml");
    run.write_yaml("config.yaml", &7).unwrap();
    check("best_model/weights.safetensors");
    fs::write(run.file("best_model/weights.safetensors"), "").unwrap();
    assert_eq!(RunDir::open(folder.path()).unwrap().path(), folder.path());
}

#[test]
fn the_free_name_is_the_first_number_that_is_not_taken() {
    let outputs = tempdir().unwrap();
    let free = || RunDir::free_name(outputs.path(), "ml").strip_prefix(outputs.path()).unwrap().to_owned();
    assert_eq!(free().to_str(), Some("ml"));
    fs::create_dir(outputs.path().join("ml")).unwrap();
    assert_eq!(free().to_str(), Some("ml-2"));
    fs::create_dir(outputs.path().join("ml-2")).unwrap();
    fs::write(outputs.path().join("ml-3"), "a file takes a name too").unwrap();
    assert_eq!(free().to_str(), Some("ml-4"));
}

#[test]
fn a_file_that_is_missing_or_holds_something_else_is_named() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let message = run.read_yaml::<u32>("results.yaml").unwrap_err().to_string();
    assert!(message.contains("cannot read") && message.contains("results.yaml"), "{message}");
    fs::write(run.file("results.yaml"), "model: [").unwrap();
    let message = run.read_yaml::<u32>("results.yaml").unwrap_err().to_string();
    assert!(message.contains("results.yaml cannot be understood ("), "{message}");
    assert!(message.ends_with("; restore it or train again"), "{message}");
}

#[test]
fn a_resumed_run_is_freed_of_what_a_kill_left_half_written_and_of_nothing_else() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let leftover = run.file("best_model/.weights.safetensors.17-3.tmp");
    let notes = run.file(".notes.tmp");
    for file in [&leftover, &notes] {
        fs::write(file, b"half").unwrap();
    }
    let config = run.file("config.yaml");
    drop(run);
    RunDir::create(folder.path(), true).unwrap();
    assert!(leftover.exists(), "a folder without a run is somebody else's");
    fs::write(config, b"").unwrap();
    RunDir::create(folder.path(), true).unwrap();
    assert!(!leftover.exists() && notes.exists());
}

#[test]
fn the_folder_of_folds_has_no_subfolders_of_its_own() {
    let folder = tempdir().unwrap();
    RunDir::create_for_folds(&folder.path().join("run"), false).unwrap();
    let names = fs::read_dir(folder.path().join("run")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), [".lock"]);
}

#[test]
fn a_folder_belongs_to_one_holder_until_its_last_clone_is_dropped() {
    let folder = tempdir().unwrap();
    let check_in_use = |resume: bool| {
        let error = RunDir::create(folder.path(), resume).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{} is in use by process {}; wait until that ends, or choose another folder with --output",
                folder.path().display(),
                std::process::id()
            )
        );
    };
    let run = RunDir::create(folder.path(), false).unwrap();
    check_in_use(false);
    run.write_yaml("config.yaml", &7).unwrap();
    check_in_use(false);
    check_in_use(true);
    let clone = run.clone();
    drop(run);
    check_in_use(true);
    drop(clone);
    RunDir::create(folder.path(), true).unwrap();
}

#[test]
fn a_lock_file_without_a_holder_is_nobodys() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join(".lock"), "4711").unwrap();
    RunDir::create(folder.path(), false).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join(".lock")).unwrap(), std::process::id().to_string());
}
