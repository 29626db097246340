//! Disks that are full or have become read-only: small ones of our own, which it takes root to
//! mount.

use super::{create, files, not_run, open};
use crate::keystore_contract::{NOT_AFTER, NOT_BEFORE, NOW, assert_signs, brought, stage};
use rollkey::core::Generation;
use rollkey::ports::{Keystore as _, KeystoreError};
use std::fs;
use std::process::{Command, Stdio};

/// A small file system of its own, until it is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(options: &str) -> Option<Self> {
        let root = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(root.path()).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(root))
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        let status = Command::new("mount").args(["-o", &options]).arg(self.0.path()).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount("size=64k,mode=700") else {
        return not_run("a full disk: it takes root to mount one");
    };
    let folder = disk.0.path().join("billing");
    let keystore = create(&folder);
    let key = keystore.import(&brought(), NOW).await.unwrap();
    let before = keystore.held().await.unwrap();
    let filler = disk.0.path().join("filler");
    let full = fs::write(&filler, vec![0; 128 << 10]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    let refused = keystore.stage(NOT_BEFORE, NOT_AFTER, before.0, NOW).await;
    let Err(KeystoreError::Io { action: "write", source, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(source.to_string().contains("No space left"), "{source}");
    assert_eq!(keystore.held().await.unwrap(), before);
    assert_eq!(open(&folder).unwrap().held().await.unwrap(), before);
    assert_signs(&keystore, key.thumbprint).await;
    assert_eq!(files(&folder).len(), 3, "no half of a file is left");

    fs::remove_file(filler).unwrap();
    stage(&keystore).await;
}

#[tokio::test]
async fn a_disk_that_became_read_only_still_signs_and_says_why_it_does_no_more() {
    let Some(disk) = SmallDisk::mount("size=256k,mode=700") else {
        return not_run("a disk that became read-only: it takes root to mount one");
    };
    let folder = disk.0.path().join("billing");
    let keystore = create(&folder);
    let key = keystore.import(&brought(), NOW).await.unwrap();
    disk.remount("ro");
    assert_signs(&keystore, key.thumbprint).await;
    assert_signs(&open(&folder).unwrap(), key.thumbprint).await;
    let refused = keystore.stage(NOT_BEFORE, NOT_AFTER, Generation(1), NOW).await;
    let Err(KeystoreError::Io { source, .. }) = refused else { panic!("{refused:?}") };
    assert!(source.to_string().contains("Read-only file system"), "{source}");
    disk.remount("rw");
    stage(&keystore).await;
}
