//! `rollkey token`: single tokens by hand. The token alone on standard output.

use crate::args::{ProofArgs, TokenCommand};
use crate::clock::clock;
use crate::commands::import;
use crate::error::CommandError;
use crate::output::Output;
use rollkey_core::{Algorithm, UnsignedProof};
use std::process::ExitCode;

pub(crate) fn run(command: &TokenCommand, output: &Output) -> Result<ExitCode, CommandError> {
    match command {
        TokenCommand::Proof(args) => proof(args, output),
    }
}

fn proof(args: &ProofArgs, output: &Output) -> Result<ExitCode, CommandError> {
    let now = clock().now();
    let material = import::read(&args.file, args.key.as_deref(), &args.password, now)?;
    let proof =
        UnsignedProof::new(args.object_id, material.info().thumbprint, Algorithm::Rs256, now);
    let signed = material.key().sign(proof.algorithm(), proof.signing_input());
    let signature = signed.map_err(|error| CommandError::failed("could not sign").cause(error))?;
    output.raw(proof.seal(&signature).token());
    Ok(ExitCode::SUCCESS)
}
