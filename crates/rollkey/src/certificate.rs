//! Certificates: made around a key that we may not hold, and read.
