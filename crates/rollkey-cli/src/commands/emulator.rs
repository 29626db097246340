//! `rollkey emulator`: the test server, for other processes.

use crate::args::EmulatorArgs;
use crate::error::CommandError;
use crate::output::Output;
use crate::report::EmulatorReport;
use rollkey_core::Span;
use rollkey_emulator::Lags;
use rollkey_emulator::serve::{ServeOptions, serve};
use std::process::ExitCode;

pub(crate) async fn run(args: &EmulatorArgs, output: &Output) -> Result<ExitCode, CommandError> {
    let options = ServeOptions {
        dir: Some(args.dir.clone()),
        listen: args.listen,
        beyond_loopback: args.listen_beyond_loopback,
        seed: args.seed,
        applications: args.applications.clone(),
        key_lifetime: i64::from(args.expires_in) * 86_400,
        lags: args.lag.map_or_else(Lags::realistic, lags),
        ..ServeOptions::default()
    };
    let server = serve(options).await.map_err(|error| {
        CommandError::failed("the emulator did not start")
            .cause(error)
            .hint("name a folder of its own with --dir, and a free loopback address with --listen")
    })?;
    output.line(server.banner().trim_end());
    output.line("stop it with Ctrl-C");
    output.json(&EmulatorReport {
        event: "emulator",
        login: server.emulator().login_url(),
        graph: server.emulator().graph_url(),
        tenant_id: server.emulator().tenant_id().to_owned(),
        seed: server.emulator().seed(),
        world: args.dir.join("world.json").display().to_string(),
    });
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| CommandError::failed("could not wait for Ctrl-C").cause(error))?;
    Ok(ExitCode::SUCCESS)
}

/// The same lag for everything; none if it is zero.
fn lags(lag: Span) -> Lags {
    Lags {
        read: lag.0,
        token: lag.0,
        proof: lag.0,
        removal: lag.0,
        flapping: lag.0 != 0,
        ..Lags::none()
    }
}
