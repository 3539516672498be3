//! Training loops, checkpoints, run directories, reports and plots for recommender models.
