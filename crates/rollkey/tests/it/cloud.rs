//! The clouds: every address that a request may go to.

use rollkey::cloud::{BaseUrlError, Cloud, CloudError};
use rollkey_core::TenantId;

const TENANT: TenantId = TenantId::from_bytes([0x11; 16]);

#[test]
fn each_cloud_has_its_own_login_graph_and_scope() {
    let table = [
        (
            Cloud::Global,
            "global",
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
        ),
        (
            Cloud::UsGovL4,
            "us-gov-l4",
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
        ),
        (
            Cloud::UsGovL5,
            "us-gov-l5",
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
        ),
        (
            Cloud::China,
            "china",
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
        ),
    ];
    assert_eq!(table.len(), Cloud::NAMED.len());
    for (cloud, name, login, graph) in table {
        assert_eq!(cloud.to_string(), name);
        assert_eq!(name.parse(), Ok(cloud.clone()), "{name} is read back");
        assert_eq!(cloud.login(), login, "{name}");
        assert_eq!(cloud.graph(), graph, "{name}");
        assert_eq!(cloud.graph_scope(), format!("{graph}/.default"), "{name}");
        assert_eq!(
            cloud.token_endpoint(TENANT),
            format!("{login}/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token"),
            "{name}"
        );
    }
}

#[test]
fn a_custom_cloud_has_two_hosts_and_nothing_else() {
    let cloud = Cloud::custom("https://localhost:8443/", "https://graph.example").expect("a cloud");
    assert_eq!(cloud.login(), "https://localhost:8443");
    assert_eq!(cloud.graph_scope(), "https://graph.example/.default");

    for (url, problem, shown) in [
        ("http://localhost:8443", BaseUrlError::NotHttps, "http://localhost"),
        ("https://host/path", BaseUrlError::Path, "https://host"),
        ("https://host//", BaseUrlError::Path, "https://host"),
        ("https://host/?x=secret", BaseUrlError::Query, "https://host"),
        ("https://host/#x", BaseUrlError::Query, "https://host"),
        ("https://me:secret@host", BaseUrlError::UserInfo, "https://host"),
        ("me:secret@host:x", BaseUrlError::NotHttps, "me://"),
        ("secret@host?x=secret", BaseUrlError::NotAUrl, "host"),
        ("https://", BaseUrlError::NotAUrl, "https://"),
        ("", BaseUrlError::NotAUrl, ""),
    ] {
        let expected = CloudError::Address { which: "graph", url: shown.to_owned(), problem };
        assert_eq!(Cloud::custom("https://login.example", url), Err(expected), "{url}");
    }
}

#[test]
fn an_unknown_cloud_is_told_the_names_that_exist() {
    let error = "germany".parse::<Cloud>().expect_err("no such cloud").to_string();
    for cloud in Cloud::NAMED {
        assert!(error.contains(cloud.name()), "{error}");
    }
}
