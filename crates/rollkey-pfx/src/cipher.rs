//! The ciphers that a PFX file may name, with keys and initialization vectors ready made.
//!
//! AES comes from the one provider of the workspace; DES, RC2 and RC4 exist for old files only and
//! come from crates that do nothing else. Where keys come from is no concern of this room.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use rc4::{Rc4, StreamCipher};
use zeroize::Zeroizing;

/// A cipher, in CBC mode with the padding of PKCS#7, except RC4, which has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des,
    TwoKeyTripleDes,
    TripleDes,
    /// From 1 to 1024 effective bits, and keys of 1 to 128 bytes.
    Rc2 {
        effective_bits: u16,
    },
    Rc4,
}

impl Cipher {
    /// The length of the initialization vector, in bytes.
    pub(crate) fn iv_len(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::Des | Self::TwoKeyTripleDes | Self::TripleDes | Self::Rc2 { .. } => 8,
            Self::Rc4 => 0,
        }
    }

    /// The only length of key that it takes, in bytes; nothing if it takes several.
    pub(crate) fn key_len(self) -> Option<usize> {
        match self {
            Self::Aes128 | Self::TwoKeyTripleDes => Some(16),
            Self::Aes192 | Self::TripleDes => Some(24),
            Self::Aes256 => Some(32),
            Self::Des => Some(8),
            Self::Rc2 { .. } | Self::Rc4 => None,
        }
    }

    /// Decrypts and removes the padding; nothing if the padding, the key or the vector do not fit.
    pub(crate) fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128 => decrypt_aes(&AES_128, key, iv, data),
            Self::Aes192 => decrypt_aes(&AES_192, key, iv, data),
            Self::Aes256 => decrypt_aes(&AES_256, key, iv, data),
            Self::Des => decrypt_cbc(des::Des::new_from_slice(key).ok()?, iv, data),
            Self::TwoKeyTripleDes => {
                decrypt_cbc(des::TdesEde2::new_from_slice(key).ok()?, iv, data)
            }
            Self::TripleDes => decrypt_cbc(des::TdesEde3::new_from_slice(key).ok()?, iv, data),
            Self::Rc2 { effective_bits } => {
                // The crate panics outside these bounds.
                if !(1..=128).contains(&key.len()) || !(1..=1024).contains(&effective_bits) {
                    return None;
                }
                let rc2 = rc2::Rc2::new_with_eff_key_len(key, effective_bits.into());
                decrypt_cbc(rc2, iv, data)
            }
            Self::Rc4 => {
                let mut plain = Zeroizing::new(data.to_vec());
                Rc4::new_from_slice(key).ok()?.apply_keystream(&mut plain);
                Some(plain)
            }
        }
    }
}

fn decrypt_aes(
    algorithm: &'static Algorithm,
    key: &[u8],
    iv: &[u8],
    data: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let key = UnboundCipherKey::new(algorithm, key).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let iv = DecryptionContext::Iv128(FixedLength::from(<[u8; 16]>::try_from(iv).ok()?));
    let mut plain = Zeroizing::new(data.to_vec());
    let length = key.decrypt(&mut plain, iv).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

fn decrypt_cbc<C: BlockCipherDecrypt>(
    cipher: C,
    iv: &[u8],
    data: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mode = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    let mut plain = Zeroizing::new(data.to_vec());
    let length = mode.decrypt_padded::<Pkcs7>(&mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

/// Encrypts with AES-256-CBC. The result is as long as `data`, rounded up to the next whole block.
pub(crate) fn encrypt_aes_256(key: &[u8; 32], iv: [u8; 16], data: &[u8]) -> Vec<u8> {
    const VALID: &str = "key and vector are of the right length";
    let key = UnboundCipherKey::new(&AES_256, key).expect(VALID);
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).expect(VALID);
    let mut out = with_room_for_padding(data, iv.len());
    key.less_safe_encrypt(&mut *out, EncryptionContext::Iv128(FixedLength::from(iv))).expect(VALID);
    std::mem::take(&mut *out)
}

/// Encrypts with 3DES-CBC. The result is as long as `data`, rounded up to the next whole block.
pub(crate) fn encrypt_triple_des(key: &[u8; 24], iv: [u8; 8], data: &[u8]) -> Vec<u8> {
    let mode = cbc::Encryptor::inner_iv_init(des::TdesEde3::new(key.into()), &iv.into());
    let mut out = with_room_for_padding(data, iv.len());
    out.resize(data.len() + iv.len(), 0);
    let length = mode.encrypt_padded::<Pkcs7>(&mut out, data.len()).expect("there is room").len();
    out.truncate(length);
    std::mem::take(&mut *out)
}

/// A copy of `data` that can be padded without moving: a move would leave the plaintext behind.
fn with_room_for_padding(data: &[u8], block_len: usize) -> Zeroizing<Vec<u8>> {
    let mut copy = Zeroizing::new(Vec::with_capacity(data.len() + block_len));
    copy.extend_from_slice(data);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_comes_back() {
        for length in [0, 1, 7, 8, 15, 16, 17, 1000] {
            let data = vec![0x5a; length];
            let encrypted = encrypt_aes_256(&[1; 32], [2; 16], &data);
            assert_eq!(encrypted.len(), (length + 1).next_multiple_of(16));
            assert_eq!(*Cipher::Aes256.decrypt(&[1; 32], &[2; 16], &encrypted).unwrap(), data);
            let encrypted = encrypt_triple_des(&[1; 24], [2; 8], &data);
            assert_eq!(encrypted.len(), (length + 1).next_multiple_of(8));
            assert_eq!(*Cipher::TripleDes.decrypt(&[1; 24], &[2; 8], &encrypted).unwrap(), data);
        }
    }

    #[test]
    fn keys_and_vectors_of_odd_lengths_open_nothing_and_do_not_panic() {
        let ciphers = [
            Cipher::Aes128,
            Cipher::Aes192,
            Cipher::Aes256,
            Cipher::Des,
            Cipher::TwoKeyTripleDes,
            Cipher::TripleDes,
            Cipher::Rc2 { effective_bits: 40 },
            Cipher::Rc2 { effective_bits: 0 },
            Cipher::Rc2 { effective_bits: 1025 },
            Cipher::Rc4,
        ];
        for cipher in ciphers {
            for key_len in [0, 1, 5, 7, 8, 16, 24, 32, 129, 300] {
                for iv_len in [0, 7, 8, 16, 17] {
                    for data_len in [0, 1, 8, 16, 17] {
                        let (key, iv) = (vec![1; key_len], vec![2; iv_len]);
                        let _ = cipher.decrypt(&key, &iv, &vec![3; data_len]);
                    }
                }
            }
        }
    }
}
