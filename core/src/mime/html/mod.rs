// SPDX-License-Identifier: LGPL-2.0-or-later
//! Plain text out of a stranger's HTML.
//!
//! Not a browser: nothing is laid out, fetched or run. What a browser would hide, or show under conditions only, is
//! left out and reported, so that the text shown here is a part of what every reader of the same bytes sees.

mod entities;
mod style;
mod tokens;

use style::{Sheet, hides};
use tokens::{Tag, Token, Tokens};

use super::view::{Dropped, SafeText, displayable};

/// Elements whose content is never text for people.
const SILENT: &[&str] = &["head", "title", "template", "select", "datalist", "canvas", "svg", "math"];
/// Elements that run, submit or embed something.
const ACTIVE: &[&str] = &[
    "script", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button",
    "textarea", "portal", "noscript", "noembed", "noframes", "audio", "video",
];
const VOID: &[&str] = &[
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen",
    "link", "meta", "param", "source", "track", "wbr",
];
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "html",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
    "xmp",
];
/// Deeper nesting than this is read flat: it costs nothing, and hides nothing.
const MOST_OPEN: usize = 512;

/// The text that every reader of `html` sees.
pub(super) fn to_text(html: &str) -> SafeText {
    let mut writer = Writer::default();
    let sheet = Sheet::collect(html, &mut writer.dropped);
    let mut open: Vec<Open> = Vec::new();
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) if !is_silent(&open) => {
                let preformatted = open.iter().any(|element| element.name == "pre");
                writer.text(&entities::decode(text), preformatted);
            }
            Token::Text(text) => writer.note_silenced(text, &open),
            Token::Raw { name, text } => writer.raw(name, text, is_silent(&open)),
            Token::Start(tag) => start(&tag, &mut open, &sheet, &mut writer),
            Token::End(name) => end(&name, &mut open, &mut writer),
            Token::Comment(comment) => writer.dropped.conditional |= is_conditional_comment(comment),
        }
    }
    writer.finish()
}

/// An element that was begun and not yet ended.
struct Open {
    name: String,
    /// Nothing inside is shown.
    silent: bool,
    /// Because of a style.
    hidden: bool,
    link: Option<String>,
}

fn is_silent(open: &[Open]) -> bool {
    open.last().is_some_and(|element| element.silent)
}

fn start(tag: &Tag<'_>, open: &mut Vec<Open>, sheet: &Sheet, writer: &mut Writer) {
    let name = tag.name.as_str();
    let is_block = BLOCKS.contains(&name);
    if is_block && let Some(at) = open.iter().rposition(|element| element.name == "p") {
        // A block ends an open paragraph. Without this, text after a hidden paragraph would count as hidden.
        if open[at..]
            .iter()
            .all(|element| !matches!(element.name.as_str(), "td" | "th" | "button" | "object"))
        {
            open.truncate(at);
        }
    }
    if matches!(name, "li" | "dd" | "dt" | "tr" | "td" | "th" | "option")
        && open.last().is_some_and(|element| element.name == name)
    {
        open.pop();
    }
    note_dropped(tag, &mut writer.dropped);
    let hidden = tag.attribute("hidden").is_some()
        || tag.attribute("style").is_some_and(|style| hides(&entities::decode(style)))
        || sheet.hides(tag);
    let silent =
        is_silent(open) || hidden || SILENT.contains(&name) || ACTIVE.contains(&name) && name != "form";
    if !silent {
        writer.begin(tag, is_block);
    }
    if VOID.contains(&name) || open.len() >= MOST_OPEN {
        return;
    }
    // The body is where reading starts, whatever stood open before it.
    if name == "body" {
        open.retain(|element| !SILENT.contains(&element.name.as_str()));
    }
    let link = tag.attribute("href").filter(|_| name == "a" && !silent).map(entities::decode);
    open.push(Open { name: name.to_owned(), silent: silent && (hidden || name != "body"), hidden, link });
}

fn end(name: &str, open: &mut Vec<Open>, writer: &mut Writer) {
    let silent = is_silent(open);
    if let Some(at) = open.iter().rposition(|element| element.name == name) {
        if let Some(link) = open[at].link.take() {
            writer.link(&link);
        }
        open.truncate(at);
    }
    if !silent && BLOCKS.contains(&name) {
        writer.block(name == "p");
    }
}

fn note_dropped(tag: &Tag<'_>, dropped: &mut Dropped) {
    let name = tag.name.as_str();
    let handler = tag.attributes.iter().any(|(name, _)| name.starts_with("on"));
    dropped.active |= ACTIVE.contains(&name)
        || handler
        || (name == "meta" && tag.attribute("http-equiv").is_some_and(is_refresh));
    let fetches = ["src", "srcset", "background", "data", "poster", "code", "archive"];
    let remote = |url: &str| !matches!(scheme(url).as_str(), "cid" | "data" | "");
    let fetched = tag.attributes.iter().any(|(name, url)| fetches.contains(&name.as_str()) && remote(url));
    let styled = tag.attribute("style").is_some_and(|style| style.to_ascii_lowercase().contains("url("));
    dropped.remote |= fetched || styled;
    if name == "link"
        && tag.attribute("rel").is_some_and(|rel| rel.to_ascii_lowercase().contains("stylesheet"))
    {
        // Whoever serves the style sheet decides at reading time what is shown.
        dropped.remote = true;
        dropped.conditional = true;
    }
    if name == "base" {
        dropped.remote = true;
    }
}

fn is_refresh(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("refresh")
}

/// Lower-case scheme of a URL; `//host/path` counts as remote, a fragment or empty value as none.
fn scheme(url: &str) -> String {
    let url: String =
        entities::decode(url).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    match url.split_once(':') {
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) => {
            scheme.to_ascii_lowercase()
        }
        _ if url.is_empty() || url.starts_with('#') => String::new(),
        _ => "relative".to_owned(),
    }
}

/// `<!--[if mso]> text <![endif]-->`: text for one program only.
fn is_conditional_comment(comment: &str) -> bool {
    let Some(rest) = comment.trim_start().strip_prefix("[if") else { return false };
    let Some((_, inside)) = rest.split_once(']') else { return false };
    let inside = inside.strip_prefix('>').unwrap_or(inside);
    let inside = inside.split("<![endif]").next().unwrap_or_default();
    let mut in_data = false;
    Tokens::new(inside).any(|token| match token {
        Token::Start(tag) if tag.name == "xml" => {
            in_data = true;
            false
        }
        Token::End(name) if name == "xml" => {
            in_data = false;
            false
        }
        Token::Text(text) => !in_data && !text.trim().is_empty(),
        _ => false,
    })
}

/// Collects text, folding white space the way a reader would see it.
#[derive(Default)]
struct Writer {
    text: String,
    dropped: Dropped,
    space_due: bool,
    /// Text since the last link began, to compare with where the link leads.
    since_link: usize,
}

impl Writer {
    fn text(&mut self, text: &str, preformatted: bool) {
        let text = displayable(text);
        if preformatted {
            self.text.push_str(&text);
            return;
        }
        for word in text.split_inclusive(|c: char| c.is_ascii_whitespace()) {
            let bare = word.trim_end_matches(|c: char| c.is_ascii_whitespace());
            if !bare.is_empty() {
                if self.space_due && !self.text.is_empty() && !self.text.ends_with(['\n', '\t', ' ']) {
                    self.text.push(' ');
                }
                self.text.push_str(bare);
                self.space_due = false;
            }
            self.space_due |= bare.len() != word.len();
        }
    }

    fn raw(&mut self, name: &str, text: &str, silent: bool) {
        match name {
            // Shown as it stands, tags and all: that is what a browser does with it.
            "plaintext" | "xmp" if !silent => self.text(text, true),
            "script" | "iframe" | "noscript" | "noembed" | "noframes" | "textarea" => {
                self.dropped.active = true
            }
            _ => {}
        }
    }

    fn note_silenced(&mut self, text: &str, open: &[Open]) {
        self.dropped.hidden |= !text.trim().is_empty() && open.iter().any(|element| element.hidden);
    }

    fn begin(&mut self, tag: &Tag<'_>, is_block: bool) {
        match tag.name.as_str() {
            "br" => self.new_line(),
            "hr" => {
                self.block(false);
                self.text.push_str("---");
                self.block(false);
            }
            "li" => {
                self.block(false);
                self.text.push_str("* ");
            }
            "td" | "th" if !self.text.is_empty() && !self.text.ends_with('\n') => self.text.push('\t'),
            "a" => self.since_link = self.text.len(),
            "img" => {
                let alt =
                    tag.attribute("alt").map(|alt| displayable(&entities::decode(alt)).replace('\n', " "));
                if let Some(alt) = alt.filter(|alt| !alt.trim().is_empty()) {
                    self.text(&format!("[{}]", alt.trim()), false);
                }
            }
            "p" => self.block(true),
            _ if is_block => self.block(false),
            _ => {}
        }
    }

    /// Where a link leads is part of what a reader must see.
    fn link(&mut self, target: &str) {
        let target: String = displayable(target).split_whitespace().collect();
        let known = ["http", "https", "mailto", "ftp", "tel"].contains(&scheme(&target).as_str());
        let shown = self.text.get(self.since_link..).unwrap_or_default().trim();
        if known && !shown.is_empty() && shown.trim_end_matches('/') != target.trim_end_matches('/') {
            let address = target.strip_prefix("mailto:").unwrap_or(&target);
            if shown != address {
                self.text.push_str(&format!(" <{target}>"));
            }
        }
        self.since_link = self.text.len();
    }

    fn new_line(&mut self) {
        let end = self.text.trim_end_matches([' ', '\t']).len();
        self.text.truncate(end);
        self.text.push('\n');
        self.space_due = false;
    }

    fn block(&mut self, paragraph: bool) {
        self.space_due = false;
        if self.text.is_empty() {
            return;
        }
        if !self.text.ends_with('\n') {
            self.new_line();
        }
        if paragraph && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn finish(self) -> SafeText {
        let text = self.text.trim_matches('\n');
        let text = if text.is_empty() { String::new() } else { format!("{text}\n") };
        SafeText { text, dropped: self.dropped }
    }
}

#[cfg(test)]
mod tests;
