//! GUIDs: what is read, what is refused, what is shown. That an object ID cannot stand where an
//! application ID belongs is shown in the documentation of the module, by code that must not
//! compile.

use rollkey_core::{AppId, KeyId, ObjectId, ParseIdError, TenantId, TokenId};

const TEXT: &str = "01234567-89ab-cdef-fedc-ba9876543210";
const BYTES: [u8; 16] = [
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
];

#[test]
fn every_kind_is_read_and_shown_in_the_order_of_its_bytes() {
    macro_rules! check {
        ($($id:ident)*) => { $(
            let id: $id = TEXT.parse().expect("a GUID");
            assert_eq!(id, $id::from_bytes(BYTES));
            assert_eq!(id.as_bytes(), &BYTES);
            assert_eq!(id.to_string(), TEXT);
            assert_eq!(format!("{id:?}"), format!("{}({TEXT})", stringify!($id)));
        )* };
    }
    check!(ObjectId AppId KeyId TenantId TokenId);
}

#[test]
fn upper_case_is_read_and_lower_case_is_shown() {
    let id: ObjectId = TEXT.to_uppercase().parse().expect("a GUID");
    assert_eq!(id.to_string(), TEXT);
}

#[test]
fn what_is_no_guid_is_refused_and_says_where() {
    let check = |text: &str, expected: ParseIdError, says: &str| {
        let refused = text.parse::<AppId>().expect_err(text);
        assert_eq!(refused, expected, "{text}");
        assert!(refused.to_string().starts_with(says), "{refused}");
    };
    check("", ParseIdError::Length(0), "not a GUID: it has 0 characters, not 36");
    check(&TEXT[1..], ParseIdError::Length(35), "not a GUID: it has 35 characters");
    check(&format!("{TEXT}0"), ParseIdError::Length(37), "not a GUID: it has 37 characters");
    check(&format!("{{{TEXT}}}"), ParseIdError::Length(38), "not a GUID: it has 38 characters");
    check(&TEXT.replace('-', ""), ParseIdError::Length(32), "not a GUID: it has 32 characters");
    for (at, wrong) in [(0, 'g'), (7, '-'), (8, '0'), (13, '_'), (18, '1'), (23, 'a'), (35, ' ')] {
        let text: String =
            TEXT.chars().enumerate().map(|(n, c)| if n == at { wrong } else { c }).collect();
        let says = format!("not a GUID: character {} is out of place", at + 1);
        check(&text, ParseIdError::Character(at), &says);
    }
    // Characters are counted, not bytes.
    let accented = TEXT.replace('0', "é");
    check(&accented, ParseIdError::Character(0), "not a GUID: character 1");
}

#[test]
fn a_token_id_is_a_guid_of_version_4() {
    let check = |bytes, expected: &str| assert_eq!(TokenId::random(bytes).to_string(), expected);
    check([0x00; 16], "00000000-0000-4000-8000-000000000000");
    check([0xff; 16], "ffffffff-ffff-4fff-bfff-ffffffffffff");
    check(BYTES, "01234567-89ab-4def-bedc-ba9876543210");
}
