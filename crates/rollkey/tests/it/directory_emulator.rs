//! Login and Graph together, against the emulator: a judge that knows nothing of our code.

use crate::http_script::{Impatient, impatient};
use rollkey::certificate;
use rollkey::cloud::Cloud;
use rollkey::directory::{By, Graph, Kind, Target};
use rollkey::http::{Http, HttpError, Obstacle, Settings, Trust};
use rollkey::keystore::signing::RsaKey;
use rollkey::ports::{
    AccessToken, CertificateDer, Directory, DirectoryError, DirectoryView, TokenEndpoint,
    TokenError, Verdict,
};
use rollkey::token_endpoint::Login;
use rollkey_core::{
    Algorithm, AppId, Assertion, KeyId, Listed, Listing, ObjectId, Proof, Span, TenantId,
    Thumbprint, Timestamp, TokenId, UnsignedAssertion, UnsignedProof,
};
use rollkey_emulator::{Application, Clock, Emulator, ObjectKind, Operation};
use std::error::Error;
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_800_000_000);
const NOT_BEFORE: i64 = 1_800_000_000 - 300;
const NOT_AFTER: i64 = 1_800_000_000 + 90 * 86_400;

/// A key with its certificate.
struct Key {
    private: RsaKey,
    certificate: CertificateDer,
}

impl Key {
    fn thumbprint(&self) -> Thumbprint {
        certificate::thumbprint(&self.certificate.0)
    }

    fn proof(&self, issuer: ObjectId) -> Proof {
        let unsigned = UnsignedProof::new(issuer, self.thumbprint(), Algorithm::Rs256, NOW);
        let signature = self.private.sign(Algorithm::Rs256, unsigned.signing_input());
        unsigned.seal(&signature.expect("a signature"))
    }

    fn assertion(&self, app: AppId, audience: &str, now: Timestamp) -> Assertion {
        let (by, jti) = (self.thumbprint(), TokenId::random([5; 16]));
        let unsigned = UnsignedAssertion::new(app, audience, by, Algorithm::Ps256, jti, now);
        let signature = self.private.sign(Algorithm::Ps256, unsigned.signing_input());
        unsigned.seal(&signature.expect("a signature"))
    }
}

/// An emulator with one application that has one key, and one key that it does not know yet.
struct House {
    entra: Emulator,
    app: Application,
    old: Key,
    new: Key,
    http: Http,
    timer: Arc<Impatient>,
}

impl House {
    async fn new() -> Self {
        Self::on(ObjectKind::Application).await
    }

    async fn on(kind: ObjectKind) -> Self {
        let clock = Clock::manual_at(NOW.0 as i64);
        let entra = Emulator::builder().seed(7).clock(clock).start().await.expect("an emulator");
        let made = entra.application("billing").with_generated_key_on(kind, NOT_BEFORE, NOT_AFTER);
        let app = made.create();
        let spare = entra.application("spare").with_generated_key(NOT_BEFORE, NOT_AFTER).create();
        let (old, new) = (key_of(&app), key_of(&spare));
        let only = Trust::certificates(entra.ca_pem().as_bytes()).expect("an authority");
        let (http, timer) = impatient(Settings { trust: Trust::Only(only), proxy: None });
        Self { entra, app, old, new, http, timer }
    }

    fn cloud(&self) -> Cloud {
        Cloud::custom(&self.entra.login_url(), &self.entra.graph_url()).expect("a cloud")
    }

    fn tenant(&self) -> TenantId {
        self.entra.tenant_id().parse().expect("a tenant")
    }

    fn app_id(&self) -> AppId {
        self.app.app_id().parse().expect("an app id")
    }

    fn object_id(&self) -> ObjectId {
        self.app.object_id().parse().expect("an object id")
    }

    fn login(&self) -> Login {
        Login::new(self.http.clone(), &self.cloud(), self.tenant(), self.app_id())
    }

    fn graph(&self, target: Target) -> Graph {
        Graph::new(self.http.clone(), &self.cloud(), target)
    }

    fn directory(&self) -> Graph {
        self.graph(Target::application(self.object_id()))
    }

    async fn ask(&self, key: &Key) -> Result<Verdict, TokenError> {
        let login = self.login();
        let assertion = key.assertion(self.app_id(), login.address(), NOW);
        let answer = login.token(&assertion, &self.cloud().graph_scope()).await?;
        assert_eq!(answer.service_time, Some(NOW), "the clock of the service");
        Ok(answer.value)
    }

    async fn bearer(&self) -> AccessToken {
        match self.ask(&self.old).await.expect("a verdict") {
            Verdict::Accepted(token) => token,
            Verdict::Refused(refusal) => panic!("{refusal}"),
        }
    }

    async fn add(&self, bearer: &AccessToken) -> Result<KeyId, DirectoryError> {
        let proof = self.old.proof(self.object_id());
        let directory = self.directory();
        let added = directory.add_key(bearer, &self.new.certificate, "rollkey", &proof).await;
        added.map(|dated| dated.value)
    }

    /// How often a request of this kind arrived.
    fn arrived(&self, operation: Operation) -> usize {
        self.entra.log().iter().filter(|exchange| exchange.operation == operation).count()
    }

    /// How often the new key is registered, in truth.
    fn registered(&self) -> usize {
        let new = self.new.thumbprint().sha1.to_string();
        self.app.keys().iter().filter(|key| key.thumbprint == new).count()
    }
}

fn key_of(app: &Application) -> Key {
    let made = app.generated_keys().remove(0);
    Key {
        private: RsaKey::from_pkcs8(made.private_key_pkcs8()).expect("a key"),
        certificate: CertificateDer(made.certificate_der().to_vec()),
    }
}

async fn keys(directory: &Graph, bearer: &AccessToken) -> Vec<Listed> {
    match directory.list(bearer).await.expect("a view").value {
        DirectoryView::Listing(Listing::Read(keys)) => keys,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_is_registered_seen_used_and_removed() {
    let house = House::new().await;
    let (bearer, directory) = (house.bearer().await, house.directory());
    assert_eq!(bearer.expires_at, NOW + Span(3599));
    assert!(matches!(house.ask(&house.new).await, Ok(Verdict::Refused(_))), "not known yet");

    let key_id = house.add(&bearer).await.expect("a key");
    let listed = keys(&directory, &bearer).await;
    assert_eq!(listed.len(), 2);
    let found = listed.iter().find(|listed| listed.is(house.new.thumbprint()));
    assert_eq!(found.map(|listed| listed.key_id), Some(key_id));
    assert!(matches!(house.ask(&house.new).await, Ok(Verdict::Accepted(_))));

    let described = directory.describe(&bearer).await.expect("an object").value;
    assert_eq!((described.id, described.app_id), (house.object_id(), house.app_id()));
    let ours = described.keys.iter().find(|key| key.key_id == key_id).expect("our key");
    assert_eq!(ours.display_name.as_deref(), Some("rollkey"));
    assert_eq!(ours.end, Some(Timestamp(NOT_AFTER as u64)));
    assert_eq!(ours.certificate.as_ref(), Some(&house.new.certificate));

    let old_id = listed.iter().find(|key| key.key_id != key_id).expect("the old key").key_id;
    let proof = house.new.proof(house.object_id());
    directory.remove_key(&bearer, old_id, &proof).await.expect("removed");
    directory.remove_key(&bearer, old_id, &proof).await.expect("nothing to remove is removed");
    assert_eq!(keys(&directory, &bearer).await.len(), 1);
    assert!(house.app.lockouts().is_empty());
}

#[tokio::test]
async fn a_service_principal_is_found_by_its_app_id() {
    let house = House::on(ObjectKind::ServicePrincipal).await;
    let bearer = house.bearer().await;
    let by = By::AppId(house.app_id());
    let directory = house.graph(Target { kind: Kind::ServicePrincipal, by });
    let issuer = directory.object_id(&bearer).await.expect("an id");
    assert_eq!(issuer.to_string(), house.app.service_principal_id());
    let (certificate, proof) = (&house.new.certificate, house.old.proof(issuer));
    directory.add_key(&bearer, certificate, "", &proof).await.expect("a key");
    assert_eq!(keys(&directory, &bearer).await.len(), 2);
    assert_eq!(house.app.keys_on(ObjectKind::ServicePrincipal).len(), 2);
}

#[tokio::test]
async fn a_registration_whose_answer_is_lost_is_not_repeated() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    house.entra.next(Operation::AddKey).loses_its_answer();
    let error = house.add(&bearer).await.expect_err("no answer");
    assert!(error.may_have_happened(), "{error:?}");
    assert_eq!((house.arrived(Operation::AddKey), house.registered()), (1, 1));

    let house = House::new().await;
    let bearer = house.bearer().await;
    house.entra.next(Operation::AddKey).crashes_before_effect();
    let error = house.add(&bearer).await.expect_err("no answer");
    assert!(error.may_have_happened(), "it cannot be told from the other: {error:?}");
    assert_eq!((house.arrived(Operation::AddKey), house.registered()), (1, 0));
    assert!(house.timer.pauses().is_empty());
}

#[tokio::test]
async fn a_removal_whose_answer_is_lost_is_not_repeated() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let key_id = house.add(&bearer).await.expect("a key");
    house.entra.next(Operation::RemoveKey).loses_its_answer();
    let proof = house.old.proof(house.object_id());
    let error = house.directory().remove_key(&bearer, key_id, &proof).await.expect_err("lost");
    assert!(error.may_have_happened(), "{error:?}");
    assert_eq!((house.arrived(Operation::RemoveKey), house.registered()), (1, 0));
}

#[tokio::test]
async fn a_change_waits_when_it_is_asked_to() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    house.entra.next(Operation::AddKey).is_throttled(10);
    house.entra.next(Operation::AddKey).collides();
    house.add(&bearer).await.expect("a key");
    assert_eq!((house.arrived(Operation::AddKey), house.registered()), (3, 1));
    let seconds = house.timer.seconds();
    assert!(seconds[0] == 10 && (2..=4).contains(&seconds[1]), "{seconds:?}");

    let house = House::new().await;
    let bearer = house.bearer().await;
    house.entra.next(Operation::AddKey).is_throttled(300);
    let error = house.add(&bearer).await.expect_err("too long to wait");
    assert!(
        matches!(error, DirectoryError::Throttled { retry_after: Some(Span(300)), .. }),
        "{error:?}"
    );
    assert_eq!((house.arrived(Operation::AddKey), house.registered()), (1, 0));
}

#[tokio::test]
async fn questions_are_repeated_when_their_answer_is_lost() {
    let house = House::new().await;
    house.entra.next(Operation::Token).loses_its_answer();
    house.entra.next(Operation::Token).answers(503, "ServiceUnavailable");
    let bearer = house.bearer().await;
    assert_eq!(house.arrived(Operation::Token), 3);
    house.entra.next(Operation::Read).times(3).loses_its_answer();
    assert_eq!(keys(&house.directory(), &bearer).await.len(), 1);
    assert_eq!(house.arrived(Operation::Read), 4);
    house.entra.next(Operation::Read).times(4).loses_its_answer();
    let error = house.directory().list(&bearer).await.expect_err("no answer");
    assert!(matches!(error, DirectoryError::Unreachable(_)) && !error.may_have_happened());
}

#[tokio::test]
async fn a_bad_proof_and_a_bad_token_are_told_apart() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let (directory, certificate) = (house.directory(), &house.new.certificate);

    let unknown_key = house.new.proof(house.object_id());
    let wrong_issuer = house.old.proof(house.app.service_principal_id().parse().expect("an id"));
    for (story, proof) in [("unknown key", unknown_key), ("wrong issuer", wrong_issuer)] {
        let error = directory.add_key(&bearer, certificate, "", &proof).await.expect_err(story);
        assert!(matches!(error, DirectoryError::ProofRefused(_)), "{story}: {error:?}");
        let refusal = error.refusal().expect("a refusal");
        assert_eq!(refusal.code, "Authentication_MissingOrMalformed");
        let logged = house.entra.log().pop().expect("an exchange");
        assert_eq!(refusal.request_id, Some(logged.request_id), "{story}");
        assert_eq!(refusal.client_request_id, logged.client_request_id, "{story}");
        assert_eq!(refusal.service_time, Some(NOW), "{story}");
    }

    house.entra.clock().advance(std::time::Duration::from_secs(3 * 3600));
    let error = directory.list(&bearer).await.expect_err("an expired token");
    assert!(matches!(error, DirectoryError::TokenRefused(_)), "{error:?}");
    assert_eq!(house.registered(), 0);
}

#[tokio::test]
async fn what_is_not_there_or_not_ours_is_told_apart() {
    let house = House::new().await;
    let bearer = house.bearer().await;
    let nobody = ObjectId::from_bytes([9; 16]);
    let missing = house.graph(Target::application(nobody));
    let (certificate, proof) = (&house.new.certificate, house.old.proof(nobody));
    let error = missing.add_key(&bearer, certificate, "", &proof).await.expect_err("nobody");
    assert_eq!(
        error.to_string(),
        format!("the directory knows no application with object id {nobody}")
    );

    let other = house.entra.application("payroll").create();
    let other = other.object_id().parse().expect("an id");
    let foreign = house.graph(Target::application(other));
    let view = foreign.list(&bearer).await.expect("a view").value;
    assert!(matches!(view, DirectoryView::Forbidden(_)), "{view:?}");
    let proof = house.old.proof(other);
    let error = foreign.add_key(&bearer, certificate, "", &proof).await.expect_err("not ours");
    assert!(matches!(error, DirectoryError::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn login_says_whether_it_is_the_key() {
    let house = House::new().await;
    let scope = house.cloud().graph_scope();
    let Ok(Verdict::Refused(refusal)) = house.ask(&house.new).await else { panic!("refused") };
    assert_eq!((refusal.status, refusal.code.as_str()), (401, "AADSTS700027"));
    assert!(!refusal.message.contains("Trace ID"), "{refusal}");
    assert_eq!(refusal.request_id, house.entra.log().pop().map(|logged| logged.request_id));

    let login = house.login();
    let late = house.old.assertion(house.app_id(), login.address(), Timestamp(NOW.0 - 7200));
    let error = login.token(&late, &scope).await.expect_err("too late");
    assert!(matches!(error, TokenError::WrongTime(_)), "{error:?}");

    let nowhere = TenantId::from_bytes([9; 16]);
    let nobody = AppId::from_bytes([9; 16]);
    for (story, tenant, app, scope, code) in [
        ("no such tenant", nowhere, house.app_id(), scope.as_str(), "AADSTS90002"),
        ("no such application", house.tenant(), nobody, scope.as_str(), "AADSTS700016"),
        ("not a scope", house.tenant(), house.app_id(), "User.Read", "AADSTS1002012"),
    ] {
        let login = Login::new(house.http.clone(), &house.cloud(), tenant, app);
        let assertion = house.old.assertion(app, login.address(), NOW);
        let error = login.token(&assertion, scope).await.expect_err(story);
        let TokenError::Refused(refusal) = error else { panic!("{story}: {error:?}") };
        assert_eq!(refusal.code, code, "{story}");
    }
}

#[tokio::test]
async fn without_the_authority_of_the_emulator_nothing_is_sent() {
    let house = House::new().await;
    let elsewhere = House::new().await;
    let only = Trust::certificates(elsewhere.entra.ca_pem().as_bytes()).expect("an authority");
    let (http, timer) = impatient(Settings { trust: Trust::Only(only), proxy: None });
    let login = Login::new(http, &house.cloud(), house.tenant(), house.app_id());
    let assertion = house.old.assertion(house.app_id(), login.address(), NOW);
    let error = login.token(&assertion, "scope").await.expect_err("not trusted");
    let cause = error.source().expect("a cause").downcast_ref::<HttpError>().expect("of http");
    assert_eq!(cause.obstacle(), Some(Obstacle::Untrusted));
    let host = house.entra.login_url().replace("https://", "");
    assert_eq!(
        format!("{error}: {cause}"),
        format!(
            "could not reach the token endpoint: could not connect to {host}: \
             its certificate is not issued by an authority that we trust"
        )
    );
    assert!(timer.pauses().is_empty(), "a certificate does not mend itself");
    assert!(house.entra.log().is_empty());
}
