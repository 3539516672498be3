//! What the binaries share.
