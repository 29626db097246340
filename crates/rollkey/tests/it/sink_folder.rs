//! The sink of a folder of versions.

use crate::sink_bench::{
    AMPLE, FULL_DISK, T0, T1, T2, alone, delivery, key_in, leftovers, shell, thumbprint,
    told_folder, tree,
};
use rollkey::ports::{CertificateDer, Delivery, Sink, SinkError};
use rollkey::secret::SecretBytes;
use rollkey::sink::SinkConfigError;
use rollkey::sink::folder::{
    Account, FolderAccess, FolderSettings, FolderSink, Layout, PfxProfile, PfxSettings,
};
use rollkey::sink::notify::Notify;
use rollkey_core::{Delivered, Generation};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

fn pem() -> Layout {
    Layout { combined_pem: true, separate_pem: true, pfx: None }
}

fn settings(folder: &Path, layout: Layout) -> FolderSettings {
    FolderSettings {
        name: "app".to_owned(),
        folder: folder.join("tls"),
        layout,
        access: FolderAccess::default(),
        notify: None,
    }
}

fn sink(folder: &TempDir) -> FolderSink {
    FolderSink::new(settings(folder.path(), pem())).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

/// Names in the folder `versions`.
fn versions(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path().join("tls/versions")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn version(n: u8, generation: u64) -> String {
    format!("{}-g{generation}", thumbprint(n))
}

fn current(folder: &TempDir) -> PathBuf {
    fs::read_link(folder.path().join("tls/current")).unwrap()
}

#[tokio::test]
async fn files_are_named_and_filled_as_promised() {
    let folder = TempDir::new().unwrap();
    sink(&folder).deliver(&delivery(1, 4), T0).await.unwrap();
    assert_eq!(current(&folder), Path::new("versions").join(version(1, 4)));
    let read =
        |name: &str| fs::read_to_string(folder.path().join("tls/current").join(name)).unwrap();
    assert_eq!(key_in(read("bundle.pem").as_bytes()), 1);
    assert_eq!(read("tls.crt") + &read("tls.key"), read("bundle.pem"));
    assert_eq!(read("tls.crt").matches("BEGIN CERTIFICATE").count(), 2);
    assert!(!read("bundle.pem").contains('\r'));

    let json: serde_json::Value = serde_json::from_str(&read("meta.json")).unwrap();
    let expected = serde_json::json!({
        "format": "rollkey-delivery",
        "version": 1,
        "sha1": thumbprint(1).sha1.to_string(),
        "sha256": thumbprint(1).sha256.to_string(),
        "generation": 4,
        "delivered_at": "2026-11-23T15:00:00Z",
        "notified": true,
        "notified_at": "2026-11-23T15:00:00Z",
        "files": ["bundle.pem", "tls.crt", "tls.key"],
    });
    assert_eq!(json, expected);
}

#[tokio::test]
async fn nobody_else_may_read_a_key() {
    let folder = TempDir::new().unwrap();
    sink(&folder).deliver(&delivery(1, 4), T0).await.unwrap();
    let tls = folder.path().join("tls");
    let version = tls.join(current(&folder));
    for (path, expected) in [
        (tls.clone(), 0o700),
        (tls.join("versions"), 0o700),
        (tls.join(".rollkey-lock"), 0o600),
        (version.clone(), 0o700),
        (version.join("bundle.pem"), 0o600),
        (version.join("tls.key"), 0o600),
        (version.join("tls.crt"), 0o644),
        (version.join("meta.json"), 0o644),
    ] {
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
}

#[tokio::test]
async fn a_group_may_read_and_no_more() {
    let folder = TempDir::new().unwrap();
    let ours = folder.path().metadata().unwrap().gid();
    let access = FolderAccess { group: Some(Account::Id(ours)), ..FolderAccess::default() };
    let settings = FolderSettings { access, ..settings(folder.path(), pem()) };
    FolderSink::new(settings).unwrap().deliver(&delivery(1, 4), T0).await.unwrap();
    let tls = folder.path().join("tls");
    let version = tls.join(current(&folder));
    for (path, expected) in [
        (tls.clone(), 0o750),
        (tls.join("versions"), 0o750),
        (version.clone(), 0o750),
        (version.join("bundle.pem"), 0o640),
        (version.join("tls.key"), 0o640),
        (version.join("tls.crt"), 0o644),
    ] {
        assert_eq!(mode(&path), expected, "{}", path.display());
        assert_eq!(path.metadata().unwrap().gid(), ours);
    }
}

#[tokio::test]
async fn owner_and_group_are_given_where_we_may() {
    let folder = TempDir::new().unwrap();
    let id = 54_321;
    let access = FolderAccess {
        owner: Some("54321".parse().unwrap()),
        group: Some(Account::Id(id)),
        ..FolderAccess::default()
    };
    let settings = FolderSettings { access, ..settings(folder.path(), pem()) };
    let delivered = FolderSink::new(settings).unwrap().deliver(&delivery(1, 4), T0).await;
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        assert!(matches!(delivered, Err(SinkError::Io { .. })), "only root gives files away");
        return;
    }
    delivered.unwrap();
    let tls = folder.path().join("tls");
    let version = tls.join(current(&folder));
    let names = ["bundle.pem", "tls.key", "tls.crt", "meta.json"].map(|name| version.join(name));
    for path in names.into_iter().chain([tls, version]) {
        let found = path.metadata().unwrap();
        assert_eq!((found.uid(), found.gid()), (id, id), "{}", path.display());
    }
}

#[tokio::test]
async fn at_any_time_a_reader_finds_one_whole_version_that_is_closed_to_others() {
    let folder = TempDir::new().unwrap();
    let sink = sink(&folder);
    sink.deliver(&delivery(1, 1), T0).await.unwrap();
    let (tls, done) = (folder.path().join("tls"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0_u64;
            while !done.load(Ordering::Relaxed) {
                // Whoever opens one file needs nothing more than the link.
                key_in(&fs::read(tls.join("current/bundle.pem")).expect("the file"));
                // Whoever opens several resolves the link first.
                let version = tls.join(fs::read_link(tls.join("current")).expect("the link"));
                let files = ["bundle.pem", "tls.crt", "tls.key"].map(|n| fs::read(version.join(n)));
                if let [Ok(bundle), Ok(certificate), Ok(key)] = files {
                    assert_eq!([certificate, key].concat(), bundle);
                    seen += 1;
                }
                for (path, _) in tree(&tls) {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    let is_secret = ["bundle.pem", "tls.key"].contains(&&*name);
                    let found = path.symlink_metadata();
                    if let Some(found) = found.ok().filter(|found| is_secret || found.is_dir()) {
                        assert_eq!(found.mode() & 0o077, 0, "{}", path.display());
                    }
                }
            }
            seen
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let writer = scope.spawn(move || {
            for generation in 2..60 {
                let n = u8::try_from(generation).unwrap();
                runtime.block_on(sink.deliver(&delivery(n, generation), T0)).unwrap();
            }
        });
        let written = writer.join();
        done.store(true, Ordering::Relaxed);
        written.unwrap();
        assert!(0 < reader.join().unwrap());
    });
}

#[tokio::test]
async fn the_version_before_stays_until_the_next_delivery() {
    let folder = TempDir::new().unwrap();
    let sink = sink(&folder);
    sink.deliver(&delivery(1, 1), T0).await.unwrap();
    sink.deliver(&delivery(2, 2), T0).await.unwrap();
    assert_eq!(versions(&folder), [version(1, 1), version(2, 2)]);
    sink.deliver(&delivery(3, 3), T0).await.unwrap();
    assert_eq!(versions(&folder), [version(2, 2), version(3, 3)]);
}

#[tokio::test]
async fn nothing_is_removed_before_consumers_were_told() {
    let folder = TempDir::new().unwrap();
    let with = |notify| {
        let notify = Some(Notify::new(shell(folder.path(), notify, AMPLE)));
        FolderSink::new(FolderSettings { notify, ..settings(folder.path(), pem()) }).unwrap()
    };
    sink(&folder).deliver(&delivery(1, 1), T0).await.unwrap();
    with("exit 1").deliver(&delivery(2, 2), T0).await.unwrap_err();
    with("exit 1").deliver(&delivery(3, 3), T0).await.unwrap_err();
    assert_eq!(versions(&folder), [version(1, 1), version(2, 2), version(3, 3)]);
    with("exit 0").deliver(&delivery(3, 3), T1).await.unwrap();
    assert_eq!(versions(&folder), [version(2, 2), version(3, 3)]);
}

#[tokio::test]
async fn a_notification_that_fails_leaves_the_link_switched_and_the_delivery_undone() {
    let folder = TempDir::new().unwrap();
    sink(&folder).deliver(&delivery(1, 1), T0).await.unwrap();
    let script = "echo \"$ROLLKEY_GENERATION\" > told; echo not now >&2; exit 1";
    let notify = Some(Notify::new(shell(folder.path(), script, AMPLE)));
    let failing =
        FolderSink::new(FolderSettings { notify, ..settings(folder.path(), pem()) }).unwrap();
    let error = failing.deliver(&delivery(2, 2), T1).await.unwrap_err();
    assert_eq!(error.to_string(), "sink `app`: the notify command exited with 1: not now");
    assert_eq!(fs::read_to_string(folder.path().join("told")).unwrap(), "2\n");
    assert_eq!(current(&folder), Path::new("versions").join(version(2, 2)));
    assert_eq!(failing.delivered().await.unwrap(), None);
    // The next delivery only tells: the version is the same.
    sink(&folder).deliver(&delivery(2, 2), T2).await.unwrap();
    assert_eq!(versions(&folder), [version(1, 1), version(2, 2)]);
    let delivered = Delivered { key: thumbprint(2), since: T2 };
    assert_eq!(sink(&folder).delivered().await.unwrap(), Some(delivered));
}

#[tokio::test]
async fn a_version_can_be_put_back_by_hand() {
    let folder = TempDir::new().unwrap();
    let sink = sink(&folder);
    sink.deliver(&delivery(1, 1), T0).await.unwrap();
    sink.deliver(&delivery(2, 2), T1).await.unwrap();
    let link = folder.path().join("tls/current");
    fs::remove_file(&link).unwrap();
    symlink(Path::new("versions").join(version(1, 1)), &link).unwrap();
    let delivered = Delivered { key: thumbprint(1), since: T0 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
    // And forward again: a whole new version, the one that was put back stays.
    sink.deliver(&delivery(2, 2), T2).await.unwrap();
    assert_eq!(versions(&folder), [version(1, 1), version(2, 2) + "-2"]);
    assert_eq!(key_in(&fs::read(link.join("bundle.pem")).unwrap()), 2);
}

#[tokio::test]
async fn another_layout_is_another_delivery() {
    let folder = TempDir::new().unwrap();
    sink(&folder).deliver(&delivery(1, 1), T0).await.unwrap();
    let layout = Layout { separate_pem: false, ..pem() };
    let other = FolderSink::new(settings(folder.path(), layout)).unwrap();
    assert_eq!(other.delivered().await.unwrap(), None);
    other.deliver(&delivery(1, 1), T1).await.unwrap();
    let delivered = Delivered { key: thumbprint(1), since: T1 };
    assert_eq!(other.delivered().await.unwrap(), Some(delivered));
    assert!(!folder.path().join("tls/current/tls.key").exists());
}

#[tokio::test]
async fn what_somebody_removed_is_delivered_again() {
    let folder = TempDir::new().unwrap();
    let sink = sink(&folder);
    let bundle = folder.path().join("tls/current/bundle.pem");
    sink.deliver(&delivery(1, 1), T0).await.unwrap();
    fs::remove_file(&bundle).unwrap();
    assert_eq!(sink.delivered().await.unwrap(), None);
    sink.deliver(&delivery(1, 1), T1).await.unwrap();
    assert_eq!(key_in(&fs::read(&bundle).unwrap()), 1);

    fs::remove_dir_all(folder.path().join("tls/versions")).unwrap();
    assert_eq!(sink.delivered().await.unwrap(), None);
    // The link still tells which generation it led to.
    let error = sink.deliver(&delivery(2, 0), T1).await.unwrap_err();
    assert!(matches!(error, SinkError::Newer { holds: Generation(1), .. }), "{error}");
    sink.deliver(&delivery(2, 2), T1).await.unwrap();
    assert_eq!(key_in(&fs::read(&bundle).unwrap()), 2);
}

#[tokio::test]
async fn what_is_not_ours_is_reported_and_left_alone() {
    type Put = fn(&Path);
    let somebody: &[(&str, Put)] = &[
        ("a file for the folder", |tls| fs::write(tls, "theirs").unwrap()),
        ("an open folder", |tls| {
            fs::create_dir(tls).unwrap();
            fs::set_permissions(tls, Permissions::from_mode(0o755)).unwrap();
        }),
        ("a folder for `current`", |tls| make(&tls.join("current"))),
        ("a file for `current`", |tls| {
            make(tls);
            fs::write(tls.join("current"), "theirs").unwrap();
        }),
        ("a link to elsewhere", |tls| {
            make(&tls.join("elsewhere"));
            symlink("elsewhere", tls.join("current")).unwrap();
        }),
        ("a link that leads out", |tls| {
            make(tls);
            symlink(format!("versions/../../{}", version(1, 1)), tls.join("current")).unwrap();
        }),
        ("a file for `versions`", |tls| {
            make(tls);
            fs::write(tls.join("versions"), "theirs").unwrap();
        }),
        ("a link for `versions`", |tls| {
            make(&tls.join("elsewhere"));
            symlink("elsewhere", tls.join("versions")).unwrap();
        }),
        ("a version of somebody else's", |tls| with_meta(tls, "{}")),
        ("a version of a later rollkey", |tls| {
            with_meta(tls, r#"{"format":"rollkey-delivery","version":2,"new":true}"#);
        }),
        ("a damaged version", |tls| with_meta(tls, r#"{"format":"rollkey-delivery","version":1}"#)),
    ];
    for (what, put) in somebody {
        let folder = TempDir::new().unwrap();
        put(&folder.path().join("tls"));
        let before = tree(folder.path());
        let sink = sink(&folder);
        let told = sink.delivered().await.unwrap_err();
        let refused = sink.deliver(&delivery(1, 1), T0).await.unwrap_err();
        for error in [told, refused] {
            assert!(matches!(error, SinkError::Foreign { .. }), "{what}: {error}");
        }
        assert_eq!(tree(folder.path()), before, "{what}");
    }
}

fn make(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let tls = folder.ancestors().find(|path| path.ends_with("tls")).unwrap();
    fs::set_permissions(tls, Permissions::from_mode(0o700)).unwrap();
}

fn with_meta(tls: &Path, meta: &str) {
    let target = Path::new("versions").join(version(1, 1));
    make(&tls.join(&target));
    fs::write(tls.join(&target).join("meta.json"), meta).unwrap();
    symlink(target, tls.join("current")).unwrap();
}

#[tokio::test]
async fn what_crashes_left_is_swept_up_and_what_others_left_is_not() {
    let folder = TempDir::new().unwrap();
    let sink = sink(&folder);
    sink.deliver(&delivery(1, 1), T0).await.unwrap();
    let tls = folder.path().join("tls");
    fs::create_dir(tls.join("versions/.rollkey-tmp-0")).unwrap();
    fs::write(tls.join("versions/.rollkey-tmp-0/tls.key"), "half").unwrap();
    symlink("versions/.rollkey-tmp-0", tls.join(".rollkey-tmp-1")).unwrap();
    fs::create_dir(tls.join("versions").join(version(9, 1))).unwrap();
    fs::create_dir(tls.join("versions/theirs")).unwrap();
    sink.deliver(&delivery(2, 2), T0).await.unwrap();
    assert_eq!(leftovers(&tls), Vec::<PathBuf>::new());
    assert_eq!(versions(&folder), [version(1, 1), version(2, 2), "theirs".to_owned()]);
}

#[test]
fn with_a_full_disk_consumers_keep_what_they_have() {
    let folder = TempDir::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sink(&folder).deliver(&delivery(1, 1), T0)).unwrap();
    let before = tree(folder.path());
    let output = alone("sink_folder::on_a_full_disk", folder.path(), FULL_DISK, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(tree(folder.path()), before);
}

/// Run by the test above, alone.
#[tokio::test]
async fn on_a_full_disk() {
    let Some(folder) = told_folder() else { return };
    let sink = FolderSink::new(settings(&folder, pem())).unwrap();
    let error = sink.deliver(&delivery(2, 2), T1).await.unwrap_err();
    assert!(matches!(error, SinkError::Io { action: "write", .. }), "{error}");
    let delivered = Delivered { key: thumbprint(1), since: T0 };
    assert_eq!(sink.delivered().await.unwrap(), Some(delivered));
}

/// A key and a certificate that a PFX may be made of.
fn real_delivery() -> Delivery {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(["app".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    Delivery {
        certificates: vec![CertificateDer(certificate.der().to_vec())],
        private_key: Some(SecretBytes::new(key.serialize_der())),
        ..delivery(1, 1)
    }
}

fn with_pfx(folder: &TempDir, profile: PfxProfile, password: &[u8], mode: u32) -> FolderSink {
    let password_file = folder.path().join("password");
    fs::write(&password_file, password).unwrap();
    fs::set_permissions(&password_file, Permissions::from_mode(mode)).unwrap();
    let pfx = Some(PfxSettings { password_file, profile });
    FolderSink::new(settings(folder.path(), Layout { pfx, ..Layout::default() })).unwrap()
}

#[tokio::test]
async fn a_pfx_opens_with_the_first_line_of_the_password_file() {
    for profile in [PfxProfile::Modern, PfxProfile::Legacy3Des] {
        for password in ["correct horse\n", "correct horse\r\nsecond line\n", "correct horse"] {
            let folder = TempDir::new().unwrap();
            let delivery = real_delivery();
            let sink = with_pfx(&folder, profile, password.as_bytes(), 0o600);
            sink.deliver(&delivery, T0).await.unwrap();
            let path = folder.path().join("tls/current/app.pfx");
            assert_eq!(mode(&path), 0o600);
            let contents = rollkey_pfx::read(&fs::read(&path).unwrap(), "correct horse").unwrap();
            let identity = &contents.identities()[0];
            let key = delivery.private_key.as_ref().unwrap().expose();
            assert_eq!(identity.key.pkcs8.as_der(), key);
            assert_eq!(identity.certificate.unwrap().der, delivery.certificates[0].0);
            assert_eq!(identity.key.friendly_name.as_deref(), Some("billing"));
        }
    }
}

#[tokio::test]
async fn a_pfx_is_not_made_of_a_password_that_others_know_or_that_is_none() {
    let cases: [(&[u8], u32, &str); 4] = [
        (b"secret\n", 0o640, "is open to others (mode 0640, expected 0600 or less)"),
        (b"", 0o600, "its first line, the PFX password, is empty"),
        (b"\nsecret", 0o600, "its first line, the PFX password, is empty"),
        (b"\xff\xfe", 0o600, "the PFX password in it is not UTF-8"),
    ];
    for (password, mode, expected) in cases {
        let folder = TempDir::new().unwrap();
        let sink = with_pfx(&folder, PfxProfile::Modern, password, mode);
        match sink.deliver(&real_delivery(), T0).await.unwrap_err() {
            SinkError::Foreign { problem, .. } => assert_eq!(problem, expected),
            other => panic!("{other}"),
        }
        assert!(!folder.path().join("tls").exists(), "nothing was begun");
    }
}

#[tokio::test]
async fn a_key_that_does_not_fit_its_certificate_becomes_no_pfx() {
    let folder = TempDir::new().unwrap();
    let sink = with_pfx(&folder, PfxProfile::Modern, b"secret", 0o600);
    let mixed = Delivery { certificates: real_delivery().certificates, ..real_delivery() };
    let error = sink.deliver(&mixed, T0).await.unwrap_err();
    assert!(matches!(error, SinkError::Io { action: "make", .. }), "{error}");
    assert!(!folder.path().join("tls").exists());
}

#[test]
fn what_would_open_keys_to_everybody_is_refused_when_it_is_configured() {
    let build = |access: FolderAccess| {
        FolderSink::new(FolderSettings { access, ..settings(Path::new("."), pem()) })
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let usual = FolderAccess::default;
    let folder = |mode| FolderAccess { folder_mode: Some(mode), ..usual() };
    let key = |mode| FolderAccess { key_mode: Some(mode), ..usual() };
    let certificate = |mode| FolderAccess { certificate_mode: Some(mode), ..usual() };
    let refused = |text: &str| Err(format!("sink `app`: {text}"));

    assert_eq!(build(folder(0o755)), refused("mode 0755 opens the folder to everybody"));
    assert_eq!(build(folder(0o701)), refused("mode 0701 opens the folder to everybody"));
    assert_eq!(build(key(0o644)), refused("mode 0644 opens private keys to everybody"));
    assert_eq!(build(certificate(0o646)), refused("mode 0646 opens certificates to everybody"));
    assert_eq!(
        build(key(640)),
        refused("1200 is not a mode: expected four octal digits like 0640")
    );
    for access in [usual(), folder(0o750), key(0o440), certificate(0o600)] {
        assert_eq!(build(access), Ok(()));
    }
    let nobody = Some(Account::Name("no-such-group".to_owned()));
    let unknown = FolderAccess { group: nobody, ..usual() };
    assert_eq!(build(unknown), refused("there is no group `no-such-group` on this machine"));
    let root = FolderAccess { owner: Some("root".parse().unwrap()), ..usual() };
    assert_eq!(build(root), Ok(()));
}

#[test]
fn a_sink_without_name_or_files_is_refused_when_it_is_configured() {
    let nameless = FolderSettings { name: String::new(), ..settings(Path::new("."), pem()) };
    assert!(matches!(FolderSink::new(nameless), Err(SinkConfigError::NoName)));
    let empty = settings(Path::new("."), Layout::default());
    assert!(matches!(FolderSink::new(empty), Err(SinkConfigError::NoFiles { .. })));
}
