// SPDX-License-Identifier: LGPL-2.0-or-later

use proptest::prelude::*;

use super::*;

fn text(html: &str) -> String {
    to_text(html).text
}

#[test]
fn structure_becomes_lines() {
    let html = "<html><head><title>x</title></head><body><h1>Hi  Bob!</h1><p>One\n two</p><p>Three<br>four</p>\
                <ul><li>a<li>b</ul><table><tr><td>c<td>d</tr></table><pre>x\n  y</pre>&uuml;</body></html>";
    assert_eq!(text(html), "Hi Bob!\n\nOne two\n\nThree\nfour\n\n* a\n* b\nc\td\nx\n  y\nü\n");
}

#[test]
fn links_show_where_they_lead() {
    assert_eq!(
        text(r#"<a href="https://evil.example/">your bank</a>"#),
        "your bank <https://evil.example/>\n"
    );
    assert_eq!(text(r#"<a href="https://a.example/">https://a.example/</a>"#), "https://a.example/\n");
    assert_eq!(text(r#"<a href="javascript:alert(1)">x</a>"#), "x\n");
}

#[test]
fn nothing_active_or_remote_comes_through() {
    let view = to_text(
        "<script>alert(1)</script>a<img src='http://x/y.png' alt=picture><iframe src=cid:z>b</iframe>\
         <svg><text>c</text></svg><body onload=x()>d",
    );
    assert_eq!(view.text, "a[picture]\nd\n");
    assert!(view.dropped.active && view.dropped.remote && !view.dropped.hidden);
    assert!(!to_text("<img src='cid:logo'>").dropped.remote);
}

#[test]
fn hidden_text_is_dropped_and_reported() {
    for html in [
        "<div style='display:none'>secret</div>seen",
        "<div style='DISPLAY : NONE !important'>secret</div>seen",
        "<div hidden>secret</div>seen",
        "<span style=\"font-size:0px\">secret</span>seen",
        "<span style=\"opacity:0\">secret</span>seen",
        "<div style='max-height:0;overflow:hidden'>secret</div>seen",
        "<div style='position:absolute;left:-9999px'>secret</div>seen",
        "<style>.x{display:none}</style><div class='a x'>secret<b>secret</b></div>seen",
        "<style>p#y , i {visibility:hidden}</style><p id=y>secret<div>seen</div>",
        "<div style='/**/display:/**/none'>secret</div>seen",
    ] {
        let view = to_text(html);
        assert_eq!(view.text.trim(), "seen", "{html}");
        assert!(view.dropped.hidden, "{html}");
    }
}

#[test]
fn conditional_content_is_reported() {
    for html in [
        "<style>@media (min-width:1px) {.m {color:red;}}</style>x",
        "<style>@supports (color:red) {.m {color:red;}}</style>x",
        "<style>@-moz-document regexp(\".*\") {.m {color: red;}</style>x",
        "<style media='(max-width: 100px)'>a{}</style>x",
        "<link rel=stylesheet href=http://x/s.css>x",
        "<style>p::before{content:'No'}</style>x",
        "<style>div > p {display:none}</style>x",
        "<!--[if mso]>other text<![endif]-->x",
    ] {
        assert!(to_text(html).dropped.conditional, "{html}");
    }
    for html in [
        "<style>.red {color: red;}</style><div class=red>x</div>",
        "<div style='color: red'>x</div>",
        "<!--[if gte mso 9]><xml><w:View>Normal</w:View></xml><![endif]-->x",
        "<!-- a comment -->x",
    ] {
        assert!(!to_text(html).dropped.conditional, "{html}");
    }
}

#[test]
fn text_after_plaintext_is_text() {
    assert_eq!(text("a<plaintext>b</body><script>"), "ab</body><script>\n");
}

#[test]
fn deep_nesting_costs_neither_stack_nor_text() {
    let html = "<div>".repeat(100_000) + "end";
    assert_eq!(text(&html), "end\n");
}

proptest! {
    #[test]
    fn any_text_is_survived(html in "\\PC{0,200}|(<[a-z/! ]{0,6}[\"'>= ]?|[a-z]|&#?[a-z0-9]{0,3};?|-->){0,60}") {
        let view = to_text(&html);
        prop_assert!(!view.text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
    }
}
