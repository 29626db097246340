//! The clouds: where login and Graph are.
