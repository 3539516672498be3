//! A folder to work in, and the programs that are started there.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A config that trains in a fraction of a second, and well enough to have something to tell apart.
const SMALL: &str = "
data: {source: synthetic, synthetic: {n_users: 200, n_items: 100, n_ratings: 6000}}
model: {kind: kg-mf, embedding_dim: 8}
training: {epochs: 4, batch_size: 256, learning_rate: 0.01}
";

/// A temporary folder that is the working folder of every program started from it.
#[derive(Debug)]
pub(crate) struct Desk(TempDir);

impl Desk {
    /// A folder that holds `small.yaml` and nothing else.
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("small.yaml", SMALL);
        desk
    }

    /// A folder in which `small.yaml` has been trained into `run`.
    pub(crate) fn with_run() -> Self {
        let desk = Self::new();
        desk.train(&["small.yaml", "--output", "run"]).done();
        desk
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) {
        let file = self.path(below);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    pub(crate) fn bytes(&self, below: &str) -> Vec<u8> {
        fs::read(self.path(below)).unwrap()
    }

    pub(crate) fn has(&self, below: &str) -> bool {
        self.path(below).exists()
    }

    /// Every file below a folder, with `/` between names, in order.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let mut files = Vec::new();
        self.collect_files(below, "", &mut files);
        files.sort();
        files
    }

    fn collect_files(&self, root: &str, below: &str, files: &mut Vec<String>) {
        for entry in fs::read_dir(self.path(root).join(below)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.collect_files(root, &format!("{name}/"), files);
            } else {
                files.push(name);
            }
        }
    }

    pub(crate) fn tune(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_tune"), args)
    }

    pub(crate) fn train(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_train"), args)
    }

    pub(crate) fn evaluate(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_evaluate"), args)
    }

    pub(crate) fn recommend(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_recommend"), args)
    }

    pub(crate) fn predict(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_predict"), args)
    }

    pub(crate) fn explain(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_explain"), args)
    }

    pub(crate) fn inspect(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_inspect"), args)
    }

    pub(crate) fn report(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_report"), args)
    }

    pub(crate) fn prepare(&self, args: &[&str]) -> Ended {
        self.end_of(env!("CARGO_BIN_EXE_prepare"), args)
    }

    /// `train`, not yet started.
    pub(crate) fn train_command(&self, args: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_train"), args)
    }

    fn end_of(&self, program: &str, args: &[&str]) -> Ended {
        Ended::from(self.command(program, args).output().unwrap())
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.0.path()).env_remove("CRESSET_DATA").stdin(Stdio::null());
        command
    }
}

/// What a program left: its exit code and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The program did its work; what it printed comes back.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// The program refused with exit code 2, in one sentence that has all of `parts`, and did nothing else.
    #[track_caller]
    pub(crate) fn refused(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.out, "", "nothing but the error is printed");
        assert_eq!(self.said().len(), 1, "one sentence on one line: {}", self.err);
        self.says(parts);
    }

    /// The lines on standard error, but for alerts that the machine has slowed down: whoever runs the tests may well
    /// be busy with other things.
    pub(crate) fn said(&self) -> Vec<&str> {
        let is_of_pace =
            |line: &&str| line.starts_with("alert, ") && line.contains("look for other programs, swapping");
        self.err.lines().filter(|line| !is_of_pace(line)).collect()
    }

    /// The last line is an error that has all of `parts`.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) {
        let sentence = self.err.lines().last().unwrap_or_default();
        assert!(sentence.starts_with("error: "), "{self:?}");
        for part in parts {
            assert!(sentence.contains(part), "`{part}` is not in: {sentence}");
        }
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}
