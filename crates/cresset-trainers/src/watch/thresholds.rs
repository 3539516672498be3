//! From where on something is worth telling.

/// Bounds of the alerts. The defaults stay silent on every run of the shipped configs.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Steps over which the training loss is averaged before it is compared. Default: 50.
    pub loss_window: usize,
    /// Share of its lowest average by which the loss must have risen. Default: 0.1.
    pub loss_rise: f64,
    /// Standard errors of the two averages by which it must have risen. Default: 5.
    pub loss_errors: f64,
    /// Averages in a row that must be that high. Default: 2.
    pub loss_windows: usize,
    /// Epochs in which the monitored metric must have improved once on the first. Default: 3.
    pub first_epochs: usize,
    /// Epochs in a row in which the training loss falls and the monitored metric does not improve. Default: 3.
    pub overfit_epochs: usize,
    /// Share of its best value by which the monitored metric must have worsened in them. Default: 0.01.
    pub overfit_loss: f64,
    /// How many times longer than their median steps must take. Default: 5.
    pub slow_factor: f64,
    /// Steps in a row that must be that slow. Default: 5.
    pub slow_steps: usize,
    /// Seconds that they must have taken together, and by which an epoch must be longer. Default: 5.
    pub slow_seconds: f64,
    /// First steps of a session that are not looked at: caches are cold. Default: 10.
    pub warmup_steps: usize,
    /// How many times slower than its median an epoch's examples must pass. Default: 3.
    pub slow_epoch_factor: f64,
    /// Seconds of one step that count as a pause, where they are also a hundred medians. Default: 60.
    pub pause_seconds: f64,
    /// Times in a row that a gradient was looked at and was zero; four times an epoch it is. Default: 4.
    pub zero_gradients: usize,
    /// Share of an even division of the batch below which an expert is idle. Default: 0.05.
    pub idle_share: f64,
    /// Share of a router's experts that must be idle. Default: 0.5.
    pub idle_experts: f64,
    /// Share by which resident memory must have grown since the first two epochs of the session. Default: 0.3.
    pub memory_growth: f64,
    /// MiB by which it must have grown. Default: 200.
    pub memory_mb: f64,
    /// Epochs in a row in which it must have grown. Default: 3.
    pub memory_epochs: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            loss_window: 50,
            loss_rise: 0.1,
            loss_errors: 5.0,
            loss_windows: 2,
            first_epochs: 3,
            overfit_epochs: 3,
            overfit_loss: 0.01,
            slow_factor: 5.0,
            slow_steps: 5,
            slow_seconds: 5.0,
            warmup_steps: 10,
            slow_epoch_factor: 3.0,
            pause_seconds: 60.0,
            zero_gradients: 4,
            idle_share: 0.05,
            idle_experts: 0.5,
            memory_growth: 0.3,
            memory_mb: 200.0,
            memory_epochs: 3,
        }
    }
}
