//! A folder of versions and a link to the current one.
