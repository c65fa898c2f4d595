// SPDX-License-Identifier: LGPL-2.0-or-later
//! Tags, text and comments of HTML, after the tokenizer of the HTML standard as far as text needs it.

/// A piece of HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text between tags, character references still in it.
    Text(&'a str),
    /// Content of an element in which tags have no meaning.
    Raw { name: &'static str, text: &'a str },
    /// `<name …>`
    Start(Tag<'a>),
    /// `</name>`, lower case.
    End(String),
    /// `<!-- … -->`, and everything else that browsers treat so.
    Comment(&'a str),
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Lower case.
    pub(super) name: String,
    /// Names in lower case, values with character references still in them.
    pub(super) attributes: Vec<(String, &'a str)>,
}

impl<'a> Tag<'a> {
    /// Of several attributes with one name the first counts.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
    }
}

/// Elements whose content is raw; `plaintext` never ends.
const RAW: &[&str] = &[
    "script",
    "style",
    "title",
    "textarea",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
];

/// Yields the tokens of a text. Anything that is not a tag is text: nothing gets lost.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    raw: Option<&'static str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html, raw: None }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn raw_text(&mut self, name: &'static str) -> Token<'a> {
        let end = if name == "plaintext" { self.rest.len() } else { raw_end(self.rest, name) };
        Token::Raw { name, text: self.take(end) }
    }

    fn comment(&mut self) -> Token<'a> {
        let (start, end) = if self.rest.starts_with("<!-->") || self.rest.starts_with("<!--->") {
            let end = self.rest.find('>').unwrap_or(0) + 1;
            (end, end)
        } else if self.rest.starts_with("<!--") {
            let ends =
                ["-->", "--!>"].iter().filter_map(|mark| Some((self.rest[4..].find(mark)? + 4, mark.len())));
            match ends.min() {
                Some((at, mark)) => {
                    return Token::Comment(self.take(at + mark).get(4..at).unwrap_or_default());
                }
                None => (4, self.rest.len()),
            }
        } else {
            (2.min(self.rest.len()), self.rest.find('>').map_or(self.rest.len(), |at| at + 1))
        };
        Token::Comment(self.take(end).get(start..).unwrap_or_default())
    }

    fn tag(&mut self) -> Option<Token<'a>> {
        let closing = self.rest.starts_with("</");
        let after = &self.rest[1 + usize::from(closing)..];
        if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let name_length =
            after.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(after.len());
        let name = after[..name_length].to_ascii_lowercase();
        let mut scanner = Attributes { rest: &after[name_length..] };
        let attributes: Vec<_> = scanner.by_ref().collect();
        let length = self.rest.len() - scanner.rest.len();
        self.take(length);
        if closing {
            return Some(Token::End(name));
        }
        self.raw = RAW.iter().find(|&&raw| raw == name).copied();
        Some(Token::Start(Tag { name, attributes }))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            return Some(self.raw_text(name));
        }
        if self.rest.is_empty() {
            return None;
        }
        if self.rest.starts_with("<!") || self.rest.starts_with("<?") {
            return Some(self.comment());
        }
        if self.rest.starts_with('<')
            && let Some(token) = self.tag()
        {
            return Some(token);
        }
        // "</" before anything else than a letter is a comment too.
        if self.rest.starts_with("</") && self.rest.len() > 2 {
            return Some(self.comment());
        }
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        let end = self.rest[first..].find('<').map_or(self.rest.len(), |at| at + first);
        Some(Token::Text(self.take(end)))
    }
}

fn raw_end(text: &str, name: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find("</") {
        let start = from + at;
        let after = &text.as_bytes()[start + 2..];
        let named = after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        let ends =
            after.get(name.len()).is_none_or(|&byte| byte.is_ascii_whitespace() || b"/>".contains(&byte));
        if named && ends {
            return start;
        }
        from = start + 2;
    }
    text.len()
}

/// The attributes of a tag; afterwards `rest` begins behind the `>`.
struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (String, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(rest) = self.rest.strip_prefix('>') {
            self.rest = rest;
            return None;
        }
        if self.rest.is_empty() {
            return None;
        }
        // A leading "=" belongs to the name.
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        let ends_name = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=');
        let length = self.rest[first..].find(ends_name).map_or(self.rest.len(), |at| at + first);
        let (name, rest) = self.rest.split_at(length);
        let after_space = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let Some(value) = after_space.strip_prefix('=') else {
            self.rest = rest;
            return Some((name.to_ascii_lowercase(), ""));
        };
        let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let quote = value.chars().next().filter(|&c| c == '"' || c == '\'');
        let (value, rest) = match quote {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value
                .split_at(value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len())),
        };
        self.rest = rest;
        Some((name.to_ascii_lowercase(), value))
    }
}
