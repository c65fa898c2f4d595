// SPDX-License-Identifier: LGPL-2.0-or-later
//! Asking and handing in, against a real HTTPS server on this machine.

use std::time::SystemTime;

use plombe_core::{
    cert::{Certificate, Profile, Tsk},
    crypto_policy::CryptoPolicy,
    recipients::{Address, Source, WkdMethod, wkd},
};

use super::{
    names::NameError,
    search::{Came, Search},
    test_server::{Reply, Request, TestServer},
    tree::WkdTree,
    upload::{AddressStatus, Published, UploadError, publish},
    web::{WebClient, WebError},
};

const ADVANCED: &str = "openpgpkey.example.org";
const DIRECT: &str = "example.org";

fn bob() -> Certificate {
    let now = SystemTime::now();
    Tsk::generate(Profile::Rfc4880, &["Bob <bob@example.org>".to_owned()], None, now)
        .unwrap()
        .tsk
        .certificate()
}

fn address() -> Address {
    Address::parse("bob@example.org").unwrap()
}

fn ok(body: impl Into<Vec<u8>>) -> Reply {
    (200, String::new(), body.into())
}

/// What came from each source, in order, and how many certificates there are in the end.
fn wkd_with(web: &WebClient) -> (Vec<(Source, &'static str)>, usize) {
    let (address, policy) = (address(), CryptoPolicy::standard());
    let mut search = Search::new(web, &address, &policy, SystemTime::now());
    search.wkd();
    let steps = search.steps.iter().map(|step| (step.source.clone(), step.came.code())).collect();
    (steps, search.candidates.len())
}

fn advanced() -> Source {
    Source::Wkd(WkdMethod::Advanced)
}

fn direct() -> Source {
    Source::Wkd(WkdMethod::Direct)
}

#[test]
fn wkd_finds_a_certificate_by_the_advanced_method() {
    let bytes = bob().to_bytes();
    let server = TestServer::start(&[ADVANCED], move |_| ok(bytes.clone()));
    assert_eq!(wkd_with(&server.client(&[ADVANCED])), (vec![(advanced(), "certificates")], 1));
    let hash = wkd::hash(&address());
    let path = format!("GET /.well-known/openpgpkey/example.org/hu/{hash}?l=bob");
    assert_eq!(server.lines(), [path]);
    assert_eq!(server.requests.lock().unwrap()[0].host, ADVANCED);
}

#[test]
fn wkd_asks_the_domain_itself_only_when_there_is_no_subdomain() {
    let bytes = bob().to_bytes();
    let server = TestServer::start(&[ADVANCED, DIRECT], move |request: &Request| match &*request.host {
        DIRECT => ok(bytes.clone()),
        _ => (404, String::new(), Vec::new()),
    });
    let (steps, found) = wkd_with(&server.client(&[DIRECT]));
    assert_eq!((steps, found), (vec![(advanced(), "no-such-host"), (direct(), "certificates")], 1));
    let (steps, found) = wkd_with(&server.client(&[ADVANCED, DIRECT]));
    assert_eq!((steps, found), (vec![(advanced(), "nothing")], 0));
}

#[test]
fn answers_that_are_no_certificates_of_the_address_are_useless() {
    let now = SystemTime::now();
    let mallory = Tsk::generate(Profile::Rfc4880, &["mallory@example.org".to_owned()], None, now).unwrap();
    let mallory = mallory.tsk.certificate().to_bytes();
    for body in [mallory, b"<html>Not found, but 200</html>".to_vec(), Vec::new()] {
        let server = TestServer::start(&[ADVANCED], move |_| ok(body.clone()));
        assert_eq!(wkd_with(&server.client(&[ADVANCED])), (vec![(advanced(), "useless")], 0));
    }
}

#[test]
fn too_large_an_answer_is_not_read() {
    let server = TestServer::start(&[ADVANCED], |_| ok(vec![0x99; 300 << 10]));
    let answer = server.client(&[ADVANCED]).get(&format!("https://{ADVANCED}/x"), 256 << 10);
    assert!(matches!(answer, Err(WebError::TooLarge)), "{answer:?}");
}

#[test]
fn redirects_stay_on_the_host_and_end() {
    let server = TestServer::start(&[ADVANCED, DIRECT], |request: &Request| {
        let to = match request.line.strip_prefix("GET ").unwrap() {
            "/here" => return ok("found"),
            "/relative" => "/here".to_owned(),
            "/absolute" => format!("https://{ADVANCED}/here"),
            "/loop" => "/loop".to_owned(),
            "/elsewhere" => format!("https://{DIRECT}/here"),
            "/scheme" => format!("http://{ADVANCED}/here"),
            "/port" => format!("https://{ADVANCED}:8443/here"),
            "/slashes" => format!("//{DIRECT}/here"),
            "/backslash" => format!("/\\{DIRECT}/here"),
            "/user" => format!("https://{ADVANCED}@{DIRECT}/here"),
            "/metadata" => "http://169.254.169.254/latest/meta-data/".to_owned(),
            other => panic!("asked for {other}"),
        };
        (302, format!("Location: {to}\r\n"), Vec::new())
    });
    let web = server.client(&[ADVANCED, DIRECT]);
    let get = |path: &str| web.get(&format!("https://{ADVANCED}{path}"), 1000);
    for path in ["/here", "/relative", "/absolute"] {
        assert_eq!(get(path).unwrap().as_deref(), Some(&b"found"[..]), "{path}");
    }
    for path in ["/loop", "/elsewhere", "/scheme", "/port", "/slashes", "/backslash", "/user", "/metadata"] {
        let answer = get(path);
        assert!(matches!(answer, Err(WebError::Redirect)), "{path}: {answer:?}");
    }
    let hosts: Vec<String> = server.requests.lock().unwrap().iter().map(|r| r.host.clone()).collect();
    assert!(hosts.iter().all(|host| host == ADVANCED), "{hosts:?}");
}

#[test]
fn a_private_address_is_never_connected_to() {
    let bytes = bob().to_bytes();
    let server = TestServer::start(&[ADVANCED], move |_| ok(bytes.clone()));
    let web = server.client_allowing(&[ADVANCED], &[]);
    let answer = web.get(&format!("https://{ADVANCED}/x"), 1000);
    assert!(matches!(answer, Err(WebError::Name(NameError::Private(_)))), "{answer:?}");
    assert_eq!(wkd_with(&web), (vec![(advanced(), "failed")], 0));
    assert!(server.lines().is_empty());
}

#[test]
fn a_server_with_the_wrong_certificate_is_not_believed() {
    let bytes = bob().to_bytes();
    let server = TestServer::start(&["other.example"], move |_| ok(bytes.clone()));
    let (steps, found) = wkd_with(&server.client(&[ADVANCED]));
    assert_eq!((steps, found), (vec![(advanced(), "failed")], 0));
    assert!(server.lines().is_empty());
}

#[test]
fn errors_of_a_server_are_neither_yes_nor_no() {
    let server = TestServer::start(&[ADVANCED], |_| (503, String::new(), Vec::new()));
    let (address, policy) = (address(), CryptoPolicy::standard());
    let web = server.client(&[ADVANCED]);
    let mut search = Search::new(&web, &address, &policy, SystemTime::now());
    search.wkd();
    assert!(matches!(search.steps[0].came, Came::Failed(WebError::Status(503))));
    assert!(search.failed());
}

#[test]
fn key_servers_are_asked_in_their_own_language() {
    let armored = bob().to_armored();
    let server = TestServer::start(&["keys.example"], move |_| ok(armored.clone()));
    let web = server.client(&["keys.example"]);
    let (address, policy) = (address(), CryptoPolicy::standard());
    let mut search = Search::new(&web, &address, &policy, SystemTime::now());
    search.keyserver(&"vks://keys.example".parse().unwrap());
    search.keyserver(&"hkps://keys.example".parse().unwrap());
    let sources: Vec<String> = search.candidates.iter().map(|c| c.source.to_string()).collect();
    assert_eq!(sources, ["vks:keys.example", "hkp:keys.example"]);
    assert_eq!(
        server.lines(),
        [
            "GET /vks/v1/by-email/bob%40example.org",
            "GET /pks/lookup?op=get&options=mr&exact=on&search=bob%40example.org",
        ]
    );
}

#[test]
fn a_verifying_server_is_asked_to_send_its_mail() {
    let server = TestServer::start(&["keys.example"], |request: &Request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let status = match request.line.as_str() {
            "POST /vks/v1/upload" => {
                assert!(body["keytext"].as_str().unwrap().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK"));
                "unpublished"
            }
            "POST /vks/v1/request-verify" => {
                assert_eq!(body["token"], "t0ken");
                assert_eq!(body["addresses"], serde_json::json!(["bob@example.org"]));
                "pending"
            }
            other => panic!("{other}"),
        };
        ok(format!(r#"{{"key_fpr":"X","status":{{"bob@example.org":"{status}"}},"token":"t0ken"}}"#))
    });
    let web = server.client(&["keys.example"]);
    let published = publish(&web, &"vks://keys.example".parse().unwrap(), &bob()).unwrap();
    assert_eq!(
        published,
        Published::Addresses([("bob@example.org".to_owned(), AddressStatus::Pending)].into())
    );
}

#[test]
fn an_hkp_server_gets_a_form_and_may_refuse() {
    let server = TestServer::start(&["keys.example"], |request: &Request| {
        assert_eq!(request.line, "POST /pks/add");
        match request.body.starts_with(b"keytext=-----BEGIN%20PGP%20PUBLIC") {
            true => ok(""),
            false => (400, String::new(), Vec::new()),
        }
    });
    let hkp = "hkps://keys.example".parse().unwrap();
    assert_eq!(publish(&server.client(&["keys.example"]), &hkp, &bob()).unwrap(), Published::Taken);

    let server = TestServer::start(&["keys.example"], |_| (422, String::new(), b"no\nthanks".to_vec()));
    let refused = publish(&server.client(&["keys.example"]), &hkp, &bob());
    assert!(
        matches!(&refused, Err(UploadError::Refused(words)) if words == "status 422, no thanks"),
        "{refused:?}"
    );
}

#[test]
fn a_tree_on_disk_is_what_the_search_looks_for() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let (bob, address, policy) = (bob(), address(), CryptoPolicy::standard());
    let filtered = bob.filter_to_address(&address, &policy, SystemTime::now()).unwrap();
    WkdTree::new(&root).add(&address, &filtered).unwrap();
    assert!(root.join(".well-known/openpgpkey/policy").is_file());
    assert!(root.join(".well-known/openpgpkey/example.org/policy").is_file());

    let served = root.clone();
    let server = TestServer::start(&[ADVANCED, DIRECT], move |request: &Request| {
        let path = request.line.strip_prefix("GET /").unwrap().split('?').next().unwrap();
        std::fs::read(served.join(path)).map_or((404, String::new(), Vec::new()), ok)
    });
    assert_eq!(wkd_with(&server.client(&[ADVANCED])).1, 1);
    assert_eq!(wkd_with(&server.client(&[DIRECT])).1, 1);

    // A second certificate for the address joins the first; writing one again changes nothing.
    let file = root.join(wkd::advanced_path(&address));
    let before = std::fs::read(&file).unwrap();
    WkdTree::new(&root).add(&address, &filtered).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), before);
    WkdTree::new(&root).add(&address, &self::bob()).unwrap();
    assert_eq!(Certificate::parse_all(&std::fs::read(&file).unwrap()).unwrap().len(), 2);
}
