//! TLS: an authority of the emulator's own and a leaf for its addresses.
//!
//! TLS clients judge these certificates by the wall clock, so they are dated by the wall clock,
//! whatever the emulator's clock shows. Both keys are new with each emulator; the authority's key
//! is forgotten as soon as the leaf is signed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::access_token::KeyError;
use crate::certificate;

const DAY: u64 = 24 * 60 * 60;

/// Makes an authority and a leaf for `localhost`, the loopback addresses and `address`; returns
/// the authority's certificate (PEM) and what a server needs.
#[expect(clippy::disallowed_methods, reason = "TLS clients go by the wall clock")]
pub(crate) fn make(address: IpAddr) -> Result<(String, ServerConfig), KeyError> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // A day back for clocks that are slow; a year ahead, for the longest of servers.
    let (from, to) =
        (wall.saturating_sub(Duration::from_secs(DAY)), wall + Duration::from_secs(365 * DAY));
    let params = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = epoch + from;
        params.not_after = epoch + to;
        params
    };

    let mut authority = params("rollkey emulator CA (for tests only)");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)?;

    let mut leaf = params("rollkey emulator");
    leaf.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(IpAddr::from([127, 0, 0, 1])),
        SanType::IpAddress(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])),
    ];
    if !address.is_loopback() && !address.is_unspecified() {
        leaf.subject_alt_names.push(SanType::IpAddress(address));
    }
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let leaf = leaf.signed_by(&leaf_key, &authority)?;

    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    // The provider by name: nothing here depends on one being installed for the process.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((certificate::pem_block("CERTIFICATE", authority.der()), config))
}
