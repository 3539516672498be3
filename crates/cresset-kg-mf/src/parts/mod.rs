//! What the model can do beside plain factorisation, part by part; each switches off by leaving its section out.

pub(crate) mod genome;
pub(crate) mod graph;
pub(crate) mod time;
