//! The driver: observe, decide, act.
