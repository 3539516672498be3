//! Rating and ranking metrics for recommender systems, exactly defined and safe under ties.
