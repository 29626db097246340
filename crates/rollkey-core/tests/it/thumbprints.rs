//! Thumbprints: the three forms in which they come, the four in which they go.

use rollkey_core::{Sha1Thumbprint, Sha256Thumbprint, Thumbprint};

const HEX: &str = "000102030405060708090A0B0C0D0E0F10111213";
const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhM=";

fn bytes<const N: usize>(from: u8) -> [u8; N] {
    std::array::from_fn(|n| from + n as u8)
}

#[test]
fn hexadecimal_and_base64_are_read() {
    let expected = Ok(Sha1Thumbprint(bytes(0)));
    assert_eq!(Sha1Thumbprint::parse(HEX), expected);
    assert_eq!(Sha1Thumbprint::parse(&HEX.to_lowercase()), expected);
    assert_eq!(Sha1Thumbprint::parse(BASE64), expected);
    let colons: Vec<_> = HEX.as_bytes().chunks(2).map(|c| str::from_utf8(c).unwrap()).collect();
    assert_eq!(Sha1Thumbprint::parse(&colons.join(":")), expected);
    assert_eq!(Sha1Thumbprint::parse(&colons.join(" ")), expected);
}

#[test]
fn digits_in_base64_are_not_taken_for_hexadecimal() {
    // Forty digits are hexadecimal; twenty-eight characters are base64, whatever they look like.
    let text = "ABCDEFabcdef0123456789ABCDE=";
    let thumbprint = Sha1Thumbprint::parse(text).expect("base64");
    assert_eq!(thumbprint.0[..3], [0x00, 0x10, 0x83]);
}

#[test]
fn what_is_no_thumbprint_is_refused() {
    let longer = format!("{HEX}0");
    let wide = format!("{}é", &HEX[..38]);
    for text in [
        "",
        "billing",
        &HEX[..39],
        &longer,
        &HEX.replace('A', "G"),
        // 40 bytes and no hexadecimal digits.
        &wide,
        // 19 and 21 bytes.
        "AAECAwQFBgcICQoLDA0ODxAREg==",
        "AAECAwQFBgcICQoLDA0ODxAREhMU",
        // Without its padding, and in the alphabet of URLs.
        BASE64.trim_end_matches('='),
        "_-ECAwQFBgcICQoLDA0ODxAREhM=",
    ] {
        let refused = Sha1Thumbprint::parse(text).expect_err(text);
        assert_eq!(refused.to_string(), "not a SHA-1 thumbprint: expected 40 hexadecimal digits");
    }
}

#[test]
fn a_thumbprint_is_shown_as_the_portals_show_it() {
    let thumbprint =
        Thumbprint { sha1: Sha1Thumbprint(bytes(0)), sha256: Sha256Thumbprint(bytes(0xe0)) };
    assert_eq!(thumbprint.to_string(), HEX);
    assert_eq!(thumbprint.sha1.to_string(), HEX);
    assert_eq!(format!("{:?}", thumbprint.sha1), HEX);
    assert_eq!(thumbprint.sha1.short(), "00010203");
    assert_eq!(format!("{thumbprint:?}"), "00010203");
    let sha256 = "E0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF";
    assert_eq!(thumbprint.sha256.to_string(), sha256);
    assert_eq!(format!("{:?}", thumbprint.sha256), sha256);
}

#[test]
fn tokens_get_the_alphabet_of_urls_and_no_padding() {
    assert_eq!(Sha1Thumbprint(bytes(0)).x5t(), "AAECAwQFBgcICQoLDA0ODxAREhM");
    assert_eq!(
        Sha256Thumbprint(bytes(0xe0)).x5t_s256(),
        "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8"
    );
}
