//! The tutorial's commands, as they are typed, up to the first rotation.

use crate::scene::{Scene, root};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The test server of the tutorial, gone with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn the_tutorial_can_be_typed_up_to_the_first_rotation() {
    let text = std::fs::read_to_string(root().join("docs/tutorial.md")).expect("the tutorial");
    let mut typed: Vec<&str> = Vec::new();
    for block in text.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("```").expect("a block ends");
        typed.extend(block.lines());
        if block.lines().any(|line| line.starts_with("rollkey rotate")) {
            break;
        }
    }
    // Its folder is the scene's; the scene's own world is not used.
    let scene = Scene::new();
    std::fs::remove_file(scene.path("rollkey.toml")).expect("the scene's configuration");
    std::fs::remove_file(scene.path("billing.pfx")).expect("the scene's file");
    let mut server = None;
    let mut script = String::from("set -e\n");
    for line in typed {
        if line.starts_with("cargo install") || line.starts_with("mkdir rollkey-tutorial") {
            continue;
        }
        if let Some(command) =
            line.strip_prefix("rollkey emulator").and_then(|l| l.strip_suffix('&'))
        {
            let mut shell = scene.program("/bin/sh");
            shell.args(["-c", &format!("exec rollkey emulator{command}")]).stdout(Stdio::null());
            server = Some(Server(shell.env_remove("ROLLKEY_TEST_CLOCK").spawn().expect("a shell")));
            continue;
        }
        script.push_str(line);
        script.push('\n');
    }
    let _server = server.expect("the tutorial starts a server");
    let began = Instant::now();
    while !scene.path("world/world.json").exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "the server did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    if scene.shell("python3 -c pass").code != Some(0) {
        println!("not run: the tutorial reads JSON with python3, which is not here");
        return;
    }
    // The server's clock is this machine's.
    let ran = scene.shell(&format!("unset ROLLKEY_TEST_CLOCK\n{script}"));
    let ran = ran.succeeded();
    assert!(ran.out.contains("took ") && ran.out.contains("\nregister "), "{ran:#?}");
    assert!(ran.out.contains("nothing to do before"), "{ran:#?}");
}
