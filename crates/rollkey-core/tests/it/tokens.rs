//! The proof of possession and the client assertion, byte for byte. What is expected was encoded
//! by hand from the documentation, not by this crate.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollkey_core::assertion::ASSERTION_LIFETIME;
use rollkey_core::proof::PROOF_AUDIENCE;
use rollkey_core::{
    Algorithm, AppId, ObjectId, PROOF_LIFETIME, Sha1Thumbprint, Sha256Thumbprint, Span, Thumbprint,
    Timestamp, TokenId, UnsignedAssertion, UnsignedProof,
};

const NOW: Timestamp = Timestamp(1_800_000_000);
const OBJECT: &str = "01234567-89ab-cdef-0123-456789abcdef";
const APP: &str = "fedcba98-7654-3210-fedc-ba9876543210";
const ENDPOINT: &str = "https://login.microsoftonline.com/t/oauth2/v2.0/token";

fn signer() -> Thumbprint {
    Thumbprint {
        sha1: Sha1Thumbprint(std::array::from_fn(|n| n as u8)),
        sha256: Sha256Thumbprint(std::array::from_fn(|n| 0xe0 + n as u8)),
    }
}

fn proof(algorithm: Algorithm) -> UnsignedProof {
    UnsignedProof::new(OBJECT.parse::<ObjectId>().expect("a GUID"), signer(), algorithm, NOW)
}

fn assertion(algorithm: Algorithm, endpoint: &str) -> UnsignedAssertion {
    let app: AppId = APP.parse().expect("a GUID");
    UnsignedAssertion::new(app, endpoint, signer(), algorithm, TokenId::random([0; 16]), NOW)
}

/// Header and claims of a token, decoded.
fn parts(signing_input: &[u8]) -> [String; 2] {
    let text = str::from_utf8(signing_input).expect("ASCII");
    let parts: Vec<_> = text.split('.').collect();
    let [header, claims] = parts.as_slice() else { panic!("two parts, not {parts:?}") };
    [header, claims].map(|part| {
        assert!(!part.contains('='), "padded: {part}");
        String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("UTF-8")
    })
}

#[test]
fn a_proof_is_these_bytes() {
    let expected = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsIng1dCI6IkFBRUNBd1FGQmdjSUNRb0xEQTBPRHhBUkVoTSJ9\
        .eyJhdWQiOiIwMDAwMDAwMi0wMDAwLTAwMDAtYzAwMC0wMDAwMDAwMDAwMDAiLCJpc3MiOiIwMTIzNDU2Ny04OWFi\
        LWNkZWYtMDEyMy00NTY3ODlhYmNkZWYiLCJuYmYiOjE4MDAwMDAwMDAsImV4cCI6MTgwMDAwMDYwMH0";
    let proof = proof(Algorithm::Rs256);
    assert_eq!(str::from_utf8(proof.signing_input()), Ok(expected));
    assert_eq!(proof.algorithm(), Algorithm::Rs256);
}

#[test]
fn an_assertion_is_these_bytes() {
    let expected = "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCIsIng1dCNTMjU2IjoiNE9IaTQtVGw1dWZvNmVycjdPM3U3X0R4\
        OHZQMDlmYjMtUG42LV96OV92OCJ9.eyJhdWQiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vdC9v\
        YXV0aDIvdjIuMC90b2tlbiIsImlzcyI6ImZlZGNiYTk4LTc2NTQtMzIxMC1mZWRjLWJhOTg3NjU0MzIxMCIsInN1\
        YiI6ImZlZGNiYTk4LTc2NTQtMzIxMC1mZWRjLWJhOTg3NjU0MzIxMCIsImp0aSI6IjAwMDAwMDAwLTAwMDAtNDAw\
        MC04MDAwLTAwMDAwMDAwMDAwMCIsIm5iZiI6MTgwMDAwMDAwMCwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAw\
        MDA2MDB9";
    let assertion = assertion(Algorithm::Ps256, ENDPOINT);
    assert_eq!(str::from_utf8(assertion.signing_input()), Ok(expected));
    assert_eq!(assertion.algorithm(), Algorithm::Ps256);
}

#[test]
fn the_algorithm_decides_which_thumbprint_names_the_signer() {
    let rs256 = r#"{"alg":"RS256","typ":"JWT","x5t":"AAECAwQFBgcICQoLDA0ODxAREhM"}"#;
    let ps256 =
        r#"{"alg":"PS256","typ":"JWT","x5t#S256":"4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8"}"#;
    let (rs, ps) = (Algorithm::Rs256, Algorithm::Ps256);
    assert_eq!(parts(proof(rs).signing_input())[0], rs256);
    assert_eq!(parts(proof(ps).signing_input())[0], ps256);
    assert_eq!(parts(assertion(rs, ENDPOINT).signing_input())[0], rs256);
    assert_eq!(parts(assertion(ps, ENDPOINT).signing_input())[0], ps256);
    assert_eq!((proof(ps).algorithm(), assertion(rs, ENDPOINT).algorithm()), (ps, rs));
    assert_eq!((rs.to_string(), ps.to_string()), ("RS256".into(), "PS256".into()));
}

#[test]
fn a_proof_is_for_a_retired_service_and_good_for_ten_minutes() {
    assert_eq!(PROOF_AUDIENCE, "00000002-0000-0000-c000-000000000000");
    assert_eq!(PROOF_LIFETIME, Span::minutes(10));
    assert_eq!(ASSERTION_LIFETIME, Span::minutes(10));
    let sealed = proof(Algorithm::Rs256).seal(b"signature");
    assert_eq!(sealed.expires_at(), NOW + Span::minutes(10));
    let [_, claims] = parts(proof(Algorithm::Rs256).signing_input());
    let expected = format!(
        r#"{{"aud":"{PROOF_AUDIENCE}","iss":"{OBJECT}","nbf":1800000000,"exp":1800000600}}"#
    );
    assert_eq!(claims, expected);
}

#[test]
fn the_signature_is_added_without_padding() {
    // 0xfb 0xff: `+/8=` in the common alphabet.
    let signature = [0xfb, 0xff];
    let unsigned = str::from_utf8(proof(Algorithm::Rs256).signing_input()).unwrap().to_owned();
    assert_eq!(proof(Algorithm::Rs256).seal(&signature).token(), format!("{unsigned}.-_8"));
    let unsigned = assertion(Algorithm::Ps256, ENDPOINT);
    let unsigned = str::from_utf8(unsigned.signing_input()).unwrap().to_owned();
    let sealed = assertion(Algorithm::Ps256, ENDPOINT).seal(&signature);
    assert_eq!(sealed.token(), format!("{unsigned}.-_8"));
}

#[test]
fn whatever_the_address_it_stays_one_string() {
    let aud = |endpoint: &str| {
        let [_, claims] = parts(assertion(Algorithm::Ps256, endpoint).signing_input());
        let rest = claims.strip_prefix(r#"{"aud":"#).expect("aud comes first").to_owned();
        rest.split_once(r#","iss":"#).expect("then iss").0.to_owned()
    };
    assert_eq!(aud(ENDPOINT), format!(r#""{ENDPOINT}""#));
    assert_eq!(aud(r#"a"b\c"#), r#""a\"b\\c""#);
    assert_eq!(aud("tab\tline\nnull\0"), r#""tab\u0009line\u000anull\u0000""#);
    assert_eq!(aud("\u{1f} \u{7f}é"), "\"\\u001f \u{7f}é\"");
}

#[test]
fn tokens_do_not_show_themselves() {
    let proof = proof(Algorithm::Rs256).seal(b"signature");
    let shown = format!("{proof:?}");
    assert_eq!(shown, "Proof { expires_at: Timestamp(1800000600), .. }");
    let shown = format!("{:?}", assertion(Algorithm::Rs256, ENDPOINT).seal(b"signature"));
    assert_eq!(shown, "Assertion { .. }");
}
