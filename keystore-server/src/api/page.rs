// SPDX-License-Identifier: LGPL-2.0-or-later
//! The page on which a browser talks to an authenticator. Three files of the program, the same for everybody: what is asked
//! stands in the address's fragment, which no server gets, and the answer goes to the person's own machine.

use axum::{
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};

/// Only its own two files; in nobody's frame; telling nobody where it came from; kept by nobody, so that a fixed page is what
/// the next ceremony runs.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) const SCRIPT_PATH: &str = "/passkey.js";
pub(super) const STYLE_PATH: &str = "/passkey.css";

pub(super) async fn html() -> Response {
    file("text/html; charset=utf-8", include_str!("../../page/passkey.html"))
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../page/passkey.js"))
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../../page/passkey.css"))
}

fn file(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], HEADERS, content).into_response()
}

#[cfg(test)]
mod tests {
    use crate::registry::Purpose;

    #[test]
    fn the_page_has_words_for_each_purpose() {
        let script = include_str!("../../page/passkey.js");
        for purpose in Purpose::ALL {
            assert!(script.contains(&format!("\n  '{}': '", purpose.code())), "{}", purpose.code());
        }
    }
}
