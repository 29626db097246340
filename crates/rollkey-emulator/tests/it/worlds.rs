//! The emulator as a server: what it writes, and what it leaves alone.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::client::trusting;
use rollkey_emulator::StartError;
use rollkey_emulator::serve::{ServeError, ServeOptions, serve};
use rollkey_emulator::world::{MARKER, World, WorldError};

fn options(dir: &Path) -> ServeOptions {
    ServeOptions {
        dir: Some(dir.to_owned()),
        seed: Some(7),
        applications: vec!["billing".to_owned(), "mail".to_owned()],
        ..ServeOptions::default()
    }
}

/// The same with one application: keys take their time.
fn small(dir: &Path) -> ServeOptions {
    ServeOptions { applications: vec!["billing".to_owned()], ..options(dir) }
}

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_world_has_everything_that_another_process_needs() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("world");
    let serving = serve(options(&dir)).await.unwrap();
    assert_eq!(
        files(&dir),
        [
            "billing.pem",
            "billing.pfx",
            "billing.pfx-password",
            "ca.pem",
            MARKER,
            "mail.pem",
            "mail.pfx",
            "mail.pfx-password",
            "world.json",
        ]
    );

    let world: Value = serde_json::from_slice(&fs::read(dir.join("world.json")).unwrap()).unwrap();
    let names = |value: &Value| {
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&world), ["applications", "ca", "graph", "login", "seed", "tenant_id"]);
    let billing = &world["applications"][0];
    assert_eq!(
        names(billing),
        ["app_id", "name", "object_id", "pem", "pfx", "pfx_password_file", "service_principal_id"]
    );
    let emulator = serving.emulator();
    let app = &serving.applications()[0];
    assert_eq!(world["login"], emulator.login_url());
    assert_eq!(world["graph"], emulator.graph_url());
    assert_eq!(world["tenant_id"], emulator.tenant_id());
    assert_eq!(world["seed"], 7);
    assert_eq!(billing["name"], "billing");
    assert_eq!(billing["app_id"], app.app_id());
    assert_eq!(billing["object_id"], app.object_id());
    assert_eq!(billing["service_principal_id"], app.service_principal_id());

    // Every path leads, from anywhere, to what it says.
    let read = |value: &Value| {
        let path = Path::new(value.as_str().unwrap());
        assert!(path.is_absolute());
        fs::read_to_string(path).unwrap()
    };
    assert_eq!(read(&world["ca"]), emulator.ca_pem());
    let blocks = pem::parse_many(read(&billing["pem"])).unwrap();
    let tags: Vec<_> = blocks.iter().map(pem::Pem::tag).collect();
    assert_eq!(tags, ["CERTIFICATE", "PRIVATE KEY"]);
    assert!(app.accepts(blocks[0].contents()));
    let password = read(&billing["pfx_password_file"]);
    assert_eq!(password.len(), 32);
    let pfx = fs::read(billing["pfx"].as_str().unwrap()).unwrap();
    let policy = p12_keystore::Pkcs12ImportPolicy::Strict;
    let store = p12_keystore::KeyStore::from_pkcs12(&pfx, &password, policy).unwrap();
    let (_, chain) = store.private_key_chain().unwrap();
    assert_eq!(chain.certs()[0].as_der(), blocks[0].contents());
    assert_eq!(chain.key().as_der(), blocks[1].contents());
    assert!(p12_keystore::KeyStore::from_pkcs12(&pfx, "", policy).is_err());

    let client = trusting(&read(&world["ca"]));
    let address = format!("{}/common/discovery/instance", world["login"].as_str().unwrap());
    assert!(client.get(address).send().await.unwrap().status().is_success());
}

#[cfg(unix)]
#[tokio::test]
async fn secrets_are_the_owner_s_only() {
    use std::os::unix::fs::PermissionsExt;
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path().join("some/where/world");
    let _serving = serve(options(&dir)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for name in files(&dir) {
        if name.starts_with("billing") || name.starts_with("mail") {
            assert_eq!(mode(&dir.join(&name)), 0o600, "{name}");
        }
    }
}

#[tokio::test]
async fn a_new_world_replaces_an_old_one() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let before = fs::read(serve(small(dir)).await.unwrap().world().unwrap().ca.clone()).unwrap();
    fs::write(dir.join("notes.txt"), "mine").unwrap();
    let serving = serve(small(dir)).await.unwrap();
    assert_ne!(fs::read(dir.join("ca.pem")).unwrap(), before);
    assert_eq!(fs::read_to_string(dir.join("notes.txt")).unwrap(), "mine");
    assert_eq!(files(dir).len(), 7);
    assert_eq!(fs::read_to_string(dir.join("ca.pem")).unwrap(), serving.emulator().ca_pem());
}

#[tokio::test]
async fn a_foreign_file_is_left_alone_and_nothing_is_written() {
    for name in ["billing.pfx", "world.json", MARKER] {
        let temporary = tempfile::tempdir().unwrap();
        let dir = temporary.path();
        fs::write(dir.join(name), "mine").unwrap();
        let error = serve(small(dir)).await.unwrap_err();
        let ServeError::World(WorldError::ForeignFile(path)) = error else {
            panic!("{name}: {error}");
        };
        assert_eq!(path, dir.join(name));
        assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), "mine");
        assert_eq!(files(dir), [name]);
    }
}

#[tokio::test]
async fn a_file_that_was_changed_is_foreign() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    drop(serve(small(dir)).await.unwrap());
    fs::write(dir.join("billing.pem"), "now it is mine").unwrap();
    let before = fs::read(dir.join("ca.pem")).unwrap();
    let error = serve(small(dir)).await.unwrap_err();
    assert!(matches!(error, ServeError::World(WorldError::ForeignFile(_))), "{error}");
    assert_eq!(fs::read_to_string(dir.join("billing.pem")).unwrap(), "now it is mine");
    assert_eq!(fs::read(dir.join("ca.pem")).unwrap(), before);

    #[cfg(unix)]
    {
        fs::remove_file(dir.join("billing.pem")).unwrap();
        std::os::unix::fs::symlink(dir.join("elsewhere"), dir.join("billing.pem")).unwrap();
        let error = serve(small(dir)).await.unwrap_err();
        assert!(matches!(error, ServeError::World(WorldError::ForeignFile(_))), "{error}");
        assert!(!dir.join("elsewhere").exists());
    }
}

#[tokio::test]
async fn names_that_cannot_be_file_names_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let emulator = rollkey_emulator::Emulator::start().await.unwrap();
    for name in ["", "../x", "a/b", ".hidden", "-rf", "a b", "ca", "World", "emulator", "é"] {
        let app = emulator.application(name).create();
        let error = World::write(&emulator, &[app], temporary.path()).unwrap_err();
        assert!(matches!(error, WorldError::Name(_)), "{name}: {error}");
        assert!(files(temporary.path()).is_empty());
    }
    let keyless = emulator.application("keyless").create();
    let error = World::write(&emulator, &[keyless], temporary.path()).unwrap_err();
    assert!(matches!(error, WorldError::NoPrivateKey(_)), "{error}");

    let applications = vec!["mail".to_owned(), "Mail".to_owned()];
    let options = ServeOptions { applications, ..options(temporary.path()) };
    let error = serve(options).await.unwrap_err();
    assert!(matches!(error, ServeError::World(WorldError::SameName(_))), "{error}");
    assert!(files(temporary.path()).is_empty());
}

#[tokio::test]
async fn others_are_kept_out_unless_told_twice() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let error = serve(ServeOptions { listen, ..ServeOptions::default() }).await.unwrap_err();
    assert!(matches!(error, ServeError::Start(StartError::BeyondLoopback(_))), "{error}");
    let told_twice = ServeOptions { listen, beyond_loopback: true, ..ServeOptions::default() };
    serve(told_twice).await.unwrap();
}

#[tokio::test]
async fn the_banner_says_that_this_is_a_test() {
    let serving =
        serve(ServeOptions { seed: Some(4711), ..ServeOptions::default() }).await.unwrap();
    let banner = serving.banner();
    for part in ["TEST server", "4711", "demo", serving.applications()[0].app_id()] {
        assert!(banner.contains(part), "{part}\n{banner}");
    }
    assert!(serving.world().is_none());
}
