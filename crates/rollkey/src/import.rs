//! What people have: PFX and PEM files, read and judged before anything is sent.

pub(crate) mod pem;

use crate::certificate::CertificateInfo;
use crate::ports::CertificateDer;
use crate::secret::SecretBytes;

/// A key and its certificates, found fit for use.
#[derive(Debug)]
pub struct Imported {
    certificates: Vec<CertificateDer>,
    private_key: SecretBytes,
    info: CertificateInfo,
}

impl Imported {
    /// The certificate of the key, followed by those of its issuers if they were there.
    pub fn certificates(&self) -> &[CertificateDer] {
        &self.certificates
    }

    /// The private key: RSA, PKCS#8, DER.
    pub fn private_key(&self) -> &SecretBytes {
        &self.private_key
    }

    /// What the certificate of the key says.
    pub fn info(&self) -> &CertificateInfo {
        &self.info
    }
}
