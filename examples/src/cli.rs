//! What all binaries share: common options, logging, and how they end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Args;
use cresset::device::DeviceSpec;
use cresset::trainers::StopFlag;
use cresset::trainers::config::load;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

use crate::failure::Failure;
use crate::models::Config;

/// Options that every binary takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Device to run on; `inspect --devices` lists what there is
    #[arg(long, default_value = "cpu", global = true)]
    pub device: String,
    /// Folder that holds the data sets, each in a folder of its own
    #[arg(long, env = "CRESSET_DATA", default_value = "data", global = true)]
    pub data: PathBuf,
    /// Threads of the CPU, up to 1024; 0 takes all there are
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1024), global = true)]
    pub threads: u16,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Say only the result and what went wrong
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub quiet: bool,
}

/// The config of a command.
#[derive(Debug, Args)]
pub struct ConfigFile {
    /// The config file
    #[arg(value_name = "CONFIG")]
    pub path: PathBuf,
    /// Set a key of the config, such as training.epochs=3 or data.split=temporal; may be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
}

impl ConfigFile {
    /// The config, with the keys that are set in place of those of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a key or a value of it is none of the config's.
    pub fn load(&self) -> Result<Config, Failure> {
        Ok(load(&self.path, &self.sets)?)
    }
}

impl Common {
    /// The device, once the thread pool and the log are set up.
    ///
    /// # Errors
    ///
    /// If the device has no known name, or the pool cannot be built.
    pub fn set_up(&self, log: &LogFile) -> Result<DeviceSpec, Failure> {
        let screen = match (self.quiet, self.verbose) {
            (true, _) => Level::WARN,
            (_, true) => Level::DEBUG,
            _ => Level::INFO,
        };
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            // Who wants a quiet screen still wants to read in train.log what happened.
            .with_max_level(screen.max(Level::INFO))
            .with_writer(log.clone().and(std::io::stderr.with_max_level(screen)));
        // Already set where a test runs several commands in one process.
        let _ = subscriber.try_init();
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.into())
            .build_global()
            .map_err(Failure::input)?;
        self.device.parse().map_err(Failure::input)
    }

    /// Threads that will work.
    pub fn n_threads(&self) -> usize {
        rayon::current_num_threads()
    }
}

/// The `train.log` of the run and, while it trains, of a fold in it.
#[derive(Debug, Clone, Default)]
pub struct LogFile(Arc<Mutex<Vec<File>>>);

impl LogFile {
    /// From now on everything said goes to `file` too.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn open(&self, file: &Path) -> Result<(), Failure> {
        let opened = File::options()
            .create(true)
            .append(true)
            .open(file)
            .map_err(|cause| Failure::input(cresset::data::files::FileError::write(file, cause)))?;
        if let Ok(mut files) = self.0.lock() {
            files.push(opened);
        }
        Ok(())
    }

    /// Writes one line that is said elsewhere, such as how the command ended.
    pub fn note(&self, line: &str) {
        use std::io::Write;
        // The line is on the screen; a log that cannot be written must not hide it.
        let _ = writeln!(self.clone(), "{line}");
    }

    /// Nothing more goes to the file that was opened last.
    pub fn close(&self) {
        if let Ok(mut files) = self.0.lock() {
            files.pop();
        }
    }
}

impl std::io::Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Ok(mut files) = self.0.lock() {
            files.iter_mut().try_for_each(|file| file.write_all(bytes))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        // A file holds what it was given already.
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = LogFile;

    fn make_writer(&'a self) -> LogFile {
        self.clone()
    }
}

/// A flag that Ctrl-C raises; a second Ctrl-C ends the process at once.
///
/// # Errors
///
/// If the handler cannot be installed.
pub fn stop_on_interrupt() -> Result<StopFlag, Failure> {
    let stop = StopFlag::default();
    let raised = stop.clone();
    ctrlc::set_handler(move || {
        if raised.is_raised() {
            std::process::exit(1);
        }
        raised.raise();
    })
    .map_err(Failure::other)?;
    Ok(stop)
}

/// Ends a binary: 0 when done, 2 for bad arguments, config or data, 1 for anything else.
pub fn end(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
