//! What people have: PFX and PEM files, read and judged before anything is sent.
