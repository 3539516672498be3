//! The simple recommenders every result is printed beside: means and popularity.
