// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which styles hide text, and which make it depend on the reader's program.

use super::{
    super::view::Dropped,
    entities,
    tokens::{Tag, Token, Tokens},
};

/// Each is compared with every element.
const MOST_SELECTORS: usize = 200;

/// The rules of a document's style sheets that hide something, as far as their selectors are simple.
#[derive(Default)]
pub(super) struct Sheet {
    selectors: Vec<Selector>,
}

/// `name.class#id`, each part optional.
#[derive(Debug, PartialEq, Eq)]
struct Selector {
    name: Option<String>,
    classes: Vec<String>,
    id: Option<String>,
}

impl Sheet {
    /// Reads every `<style>` of a document.
    pub(super) fn collect(html: &str, dropped: &mut Dropped) -> Self {
        let mut sheet = Self::default();
        for token in Tokens::new(html) {
            match token {
                Token::Raw { name: "style", text } => sheet.read(text, dropped),
                Token::Start(tag) => {
                    let media = (tag.name == "style").then(|| tag.attribute("media")).flatten();
                    let everywhere = |media: &str| {
                        matches!(media.trim().to_ascii_lowercase().as_str(), "" | "all" | "screen")
                    };
                    dropped.conditional |= media.is_some_and(|media| !everywhere(media));
                }
                _ => {}
            }
        }
        sheet
    }

    /// Does a rule hide this element?
    pub(super) fn hides(&self, tag: &Tag<'_>) -> bool {
        let words = |name: &str| tag.attribute(name).map(entities::decode).unwrap_or_default();
        let (classes, id) = (words("class"), words("id"));
        self.selectors.iter().any(|selector| {
            selector.name.as_ref().is_none_or(|name| *name == tag.name)
                && selector.id.as_ref().is_none_or(|wanted| *wanted == id)
                && selector
                    .classes
                    .iter()
                    .all(|wanted| classes.split_ascii_whitespace().any(|class| class == wanted))
        })
    }

    fn read(&mut self, css: &str, dropped: &mut Dropped) {
        let css = without_comments(css);
        let lower = css.to_ascii_lowercase();
        // What depends on window, program or engine. `content` writes text of its own; a font can draw any glyph.
        let conditions = [
            "@media",
            "@supports",
            "@document",
            "@-moz-document",
            "@import",
            "@container",
            "@layer",
            "@scope",
            "@font-face",
        ];
        dropped.conditional |=
            conditions.iter().any(|rule| lower.contains(rule)) || declares(&lower, "content");
        dropped.remote |= lower.contains("url(") || lower.contains("@import");
        for rule in css.split('}') {
            let Some((selectors, declarations)) = rule.rsplit_once('{') else { continue };
            let selectors = selectors.rsplit(['{', ';']).next().unwrap_or_default();
            if !hides(declarations) {
                continue;
            }
            for selector in selectors.split(',') {
                match Selector::parse(selector.trim()).filter(|_| self.selectors.len() < MOST_SELECTORS) {
                    Some(selector) => self.selectors.push(selector),
                    // Hidden somewhere, and only a real style engine knows where (or cares for so many).
                    None => dropped.conditional = true,
                }
            }
        }
    }
}

impl Selector {
    fn parse(text: &str) -> Option<Self> {
        let mut selector = Self { name: None, classes: Vec::new(), id: None };
        let word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let mut rest = text;
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
        } else {
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            selector.name = Some(rest[..length].to_ascii_lowercase()).filter(|name| !name.is_empty());
            rest = &rest[length..];
        }
        while let Some(kind) = rest.chars().next() {
            let body = &rest[kind.len_utf8()..];
            let length = body.find(|c| !word(c)).unwrap_or(body.len());
            let name = body[..length].to_owned();
            match kind {
                '.' if !name.is_empty() => selector.classes.push(name),
                '#' if !name.is_empty() => selector.id = Some(name),
                _ => return None,
            }
            rest = &body[length..];
        }
        (!text.is_empty()).then_some(selector)
    }
}

/// Do these declarations make text invisible?
pub(super) fn hides(declarations: &str) -> bool {
    let declarations = without_comments(declarations).to_ascii_lowercase();
    let mut clipped = false;
    let mut without_size = false;
    for declaration in declarations.split(';') {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        let value = value.replace("!important", "");
        let value = value.trim();
        let is_zero = || number(value).is_some_and(|number| number == 0.0);
        let hidden = match property.trim() {
            "display" => value == "none",
            "visibility" => matches!(value, "hidden" | "collapse"),
            "opacity" => number(value).is_some_and(|number| number < 0.1),
            "font-size" => {
                number(value).is_some_and(|number| number < 2.0) && !value.ends_with("em") || is_zero()
            }
            "color" | "-webkit-text-fill-color" => value == "transparent" || is_transparent_colour(value),
            "mso-hide" => value == "all",
            "text-indent" | "left" | "top" | "right" | "margin-left" | "margin-top" => {
                number(value).is_some_and(|number| number.abs() >= 500.0)
            }
            "clip" | "clip-path" => {
                value.contains("rect(0") || value.contains("inset(50%") || value.contains("inset(100%")
            }
            "transform" => value.replace(' ', "").contains("scale(0"),
            "overflow" | "overflow-x" | "overflow-y" => {
                clipped = value == "hidden" || value == "clip";
                false
            }
            "height" | "width" | "max-height" | "max-width" | "line-height" => {
                without_size |= is_zero();
                false
            }
            _ => false,
        };
        if hidden {
            return true;
        }
    }
    clipped && without_size
}

fn is_transparent_colour(value: &str) -> bool {
    let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    (value.starts_with("rgba(") || value.starts_with("hsla("))
        && (value.ends_with(",0)") || value.ends_with("/0)"))
}

/// The number that a value begins with.
fn number(value: &str) -> Option<f64> {
    let length = value
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+'))
        .unwrap_or(value.len());
    value[..length].parse().ok()
}

fn declares(css: &str, property: &str) -> bool {
    css.match_indices(property).any(|(at, _)| {
        let before = css[..at].trim_end().chars().next_back();
        let after = css[at + property.len()..].trim_start();
        matches!(before, Some('{' | ';')) && after.starts_with(':')
    })
}

fn without_comments(css: &str) -> String {
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    // A backslash spells letters by number: `d\69splay`. Nobody needs that in mail; without it nothing matches.
    (kept + rest).replace("<!--", "").replace("-->", "")
}
