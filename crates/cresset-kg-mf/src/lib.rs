//! Knowledge-graph matrix factorisation for ratings, on Burn.
