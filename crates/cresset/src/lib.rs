//! Recommender models on the Burn framework, on every device: the front door of the Cresset workspace.
