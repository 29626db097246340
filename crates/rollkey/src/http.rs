//! One request, one answer.
