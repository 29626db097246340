//! Carrying out one step. A step leaves nothing to choose; what is chosen here is only the order
//! of effects and notes: what cannot be looked up again is noted first.

use super::{Pass, ReconcileError, Rotation};
use crate::ports::{AccessToken, Delivery, DirectoryError, SinkError, Verdict};
use rollkey_core::{
    Credential, Evidence, Generation, KeyId, Note, Proof, Registration, SinkId, Step, Thumbprint,
    Timestamp, UnsignedProof, diagnose,
};

/// A write to the directory that was answered with an error.
struct Call {
    key: Thumbprint,
    prove_with: Thumbprint,
    removing: Option<KeyId>,
    /// As noted: a worker that overtook us may have sent another since.
    sent_at: Timestamp,
}

impl Rotation {
    pub(super) async fn act(&self, step: Step, pass: &mut Pass) -> Result<(), ReconcileError> {
        let now = self.parts.clock.now();
        let keystore = &self.parts.keystore;
        fail::fail_point!("rotation::act::before");
        match step {
            Step::Stage { not_before, not_after, after } => {
                let held = keystore.stage(not_before, not_after, after, now).await?;
                fail::fail_point!("rotation::stage::staged");
                self.note(Note::Staged(held.thumbprint)).await?;
            }
            Step::Register { key, prove_with } => self.register(key, prove_with, pass).await?,
            Step::Probe { key, audience } => {
                let scope = &self.parts.scopes[usize::from(audience.0)];
                let verdict = self.ask(key, scope).await?;
                fail::fail_point!("rotation::probe::answered");
                match verdict {
                    Verdict::Accepted(token) => {
                        if *scope == self.parts.directory_scope {
                            self.session().keep_token(key, token);
                        }
                        self.note(Note::Accepted(key, audience)).await?;
                    }
                    Verdict::Refused(refusal) => {
                        self.note(Note::Refused(key, audience)).await?;
                        pass.probe_refused = Some(refusal);
                    }
                }
            }
            Step::Promote { key, after } => keystore.promote(key, after, now).await?,
            Step::Deliver { key, to, of } => {
                pass.failed_delivery = self.deliver(key, to, of).await?.err();
            }
            Step::Remove { key, key_id, prove_with } => {
                self.remove(key, key_id, prove_with, pass).await?;
            }
            Step::Discard { key, after } => {
                keystore.discard(key, after).await?;
                fail::fail_point!("rotation::discard::discarded");
                self.note(Note::Discarded(key)).await?;
            }
        }
        fail::fail_point!("rotation::act::after");
        Ok(())
    }

    async fn note(&self, note: Note) -> Result<(), ReconcileError> {
        Ok(self.parts.journal.note(note, self.parts.clock.now()).await?)
    }

    async fn register(
        &self,
        key: Thumbprint,
        prove_with: Thumbprint,
        pass: &Pass,
    ) -> Result<(), ReconcileError> {
        let certificates = self.parts.keystore.certificates(key).await?;
        let certificate = certificates.first().ok_or_else(|| no_certificate(key))?;
        let bearer = self.bearer()?;
        let proof = self.prove(&bearer, prove_with).await?;
        // Before, not after: if we die in between, the doubt must already be on record.
        let sent_at = self.parts.clock.now();
        self.parts.journal.note(Note::Sent(key), sent_at).await?;
        fail::fail_point!("rotation::register::noted");
        self.session().forget_listing();
        let directory = &self.parts.directory;
        let answer = directory.add_key(&bearer, certificate, &self.parts.name, &proof).await;
        fail::fail_point!("rotation::register::sent");
        match answer {
            Ok(key_id) => {
                self.note(Note::Registered(key, key_id.value)).await?;
                fail::fail_point!("rotation::register::registered");
                Ok(())
            }
            Err(error) => {
                let call = Call { key, prove_with, removing: None, sent_at };
                self.explain(error, call, pass).await
            }
        }
    }

    async fn remove(
        &self,
        key: Thumbprint,
        key_id: KeyId,
        prove_with: Thumbprint,
        pass: &Pass,
    ) -> Result<(), ReconcileError> {
        let bearer = self.bearer()?;
        let proof = self.prove(&bearer, prove_with).await?;
        let sent_at = self.parts.clock.now();
        self.parts.journal.note(Note::Sent(key), sent_at).await?;
        fail::fail_point!("rotation::remove::noted");
        self.session().forget_listing();
        let answer = self.parts.directory.remove_key(&bearer, key_id, &proof).await;
        fail::fail_point!("rotation::remove::sent");
        match answer {
            Ok(_) => Ok(()),
            Err(error) => {
                let call = Call { key, prove_with, removing: Some(key_id), sent_at };
                self.explain(error, call, pass).await
            }
        }
    }

    /// Whoever decided on a call to the directory has read it a moment ago, with this token.
    fn bearer(&self) -> Result<AccessToken, ReconcileError> {
        let service_now = self.service_now();
        let token = self.session().token(service_now);
        token.ok_or_else(|| ReconcileError::NoToken("the last one has expired".into()))
    }

    async fn prove(&self, bearer: &AccessToken, with: Thumbprint) -> Result<Proof, ReconcileError> {
        let object = self.parts.directory.object_id(bearer).await?;
        let algorithm = self.parts.proof_algorithm;
        let proof = UnsignedProof::new(object, with, algorithm, self.service_now());
        let signature = self.parts.keystore.sign(with, algorithm, proof.signing_input()).await?;
        Ok(proof.seal(&signature))
    }

    /// Outer error: the pass came to nothing. Inner: the delivery did, and the pass goes on.
    async fn deliver(
        &self,
        key: Thumbprint,
        to: SinkId,
        of: Generation,
    ) -> Result<Result<(), SinkError>, ReconcileError> {
        let sink = &self.parts.sinks[usize::from(to.0)];
        let delivery = Delivery {
            certificates: self.parts.keystore.certificates(key).await?,
            private_key: self.parts.keystore.export(key).await?,
            thumbprint: key,
            generation: of,
            application: self.parts.name.clone(),
        };
        let delivered = sink.deliver(&delivery, self.parts.clock.now()).await;
        fail::fail_point!("rotation::deliver::delivered");
        match &delivered {
            Ok(()) => self.note(Note::DeliveryDone(to)).await?,
            Err(error) => {
                tracing::warn!(sink = sink.name(), %error, "delivery failed");
                self.note(Note::DeliveryFailed(to)).await?;
            }
        }
        Ok(delivered)
    }

    /// Says why a write was refused; and if that is certain to have changed nothing, takes back
    /// the doubt that was noted before it was sent.
    async fn explain(
        &self,
        error: DirectoryError,
        call: Call,
        pass: &Pass,
    ) -> Result<(), ReconcileError> {
        let Call { key, prove_with, removing, sent_at } = call;
        if !error.may_have_happened() {
            self.parts.journal.note(Note::NotTaken(key), sent_at).await?;
        }
        let refusal = match error {
            DirectoryError::ProofRefused(refusal) => refusal,
            DirectoryError::TokenRefused(_) => {
                self.session().forget_token();
                return Err(error.into());
            }
            _ => return Err(error.into()),
        };
        let Ok(bearer) = self.bearer() else {
            return Err(DirectoryError::ProofRefused(refusal).into());
        };
        let object = self.parts.directory.object_id(&bearer).await?;
        let signer = pass.look.seen.credentials().find(|c| c.held.thumbprint == prove_with);
        let key_id = |c: &Credential| match c.registration {
            Registration::Present(id) => Some(id),
            _ => None,
        };
        let now = self.parts.clock.now();
        let evidence = Evidence {
            object,
            app: Some(self.parts.app),
            algorithm: self.parts.proof_algorithm,
            clocks: self.session().clocks,
            signer_not_after: signer.map_or(now, |c| c.held.not_after),
            signer_registration: signer.map_or(Registration::Unknown, |c| c.registration),
            signer_sent_at: signer.and_then(|c| c.facts.sent_at),
            signer_signs_in: signer.map(|c| c.facts.accepted_by_any()),
            removing: removing.map(|id| (id, signer.and_then(key_id))),
            propagation: self.parts.policy.terms().propagation,
        };
        Err(ReconcileError::ProofRefused { refusal, suspicions: diagnose(&evidence, now) })
    }
}

fn no_certificate(key: Thumbprint) -> ReconcileError {
    crate::ports::KeystoreError::NoSuchKey(key).into()
}
