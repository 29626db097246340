//! The list of crash points is the code's own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_crash_point_in_the_code_is_listed_once() {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let listed: BTreeSet<String> = rollkey::crash::POINTS.iter().map(ToString::to_string).collect();
    let unique: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(unique.len(), found.len(), "a name is used twice: {found:?}");
    assert_eq!(listed, unique);
    assert_eq!(listed.len(), rollkey::crash::POINTS.len(), "a name is listed twice");
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the sources are readable") {
        let path = entry.expect("the sources are readable").path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source is text");
        // Split, so that this pattern does not find itself.
        for part in text.split(concat!("fail_point", "!(\"")).skip(1) {
            found.extend(part.split('"').next().map(str::to_owned));
        }
    }
}
