//! What happened that cannot be looked up again.
//!
//! A journal appends notes and adds them up; it draws no conclusions, and knows no "step 4". Losing
//! it costs time and nothing else.
//!
//! * [`file`](mod@file): a file of JSON lines.
//! * [`memory`]: for tests, and for callers who can afford to forget.

mod compact;
pub mod file;
mod line;
pub mod memory;
