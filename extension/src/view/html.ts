// SPDX-License-Identifier: LGPL-2.0-or-later
// The one place where a sender's HTML becomes something that is shown. Two walls, each of which holds alone:
//
// 1. What is not on the list is not there: no element and no attribute that fetches, runs, sends or leads anywhere.
// 2. The rest is shown in a frame without scripts, forms, navigation and origin, under a policy that forbids every
//    request. Browsers warm up connections for `link`, and look up the names in `a href`, whatever a policy says; so the
//    first wall must not have a hole there, and look-ups are switched off in the frame as well.
import DOMPurify from 'dompurify';

const tags = (
  'a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn ' +
  'div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q rp rt ' +
  'ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr'
).split(' ');

const attributes = (
  'abbr align alt bgcolor border cellpadding cellspacing color colspan dir height lang nowrap reversed rowspan scope ' +
  'size span src start style title type valign width'
).split(' ');

/** Styles that change how text looks, and neither where it is nor whether. */
const styles = new Set([
  'background-color',
  'border',
  'border-bottom',
  'border-collapse',
  'border-color',
  'border-left',
  'border-right',
  'border-style',
  'border-top',
  'border-width',
  'color',
  'font-family',
  'font-style',
  'font-weight',
  'line-height',
  'list-style-type',
  'padding',
  'padding-bottom',
  'padding-left',
  'padding-right',
  'padding-top',
  'text-align',
  'text-decoration-line',
  'vertical-align',
  'white-space-collapse',
]);

/** A style that could name a place, compute or import something. */
const suspicious = /[\\()@:;{}]|url|image|expression|var|attr|env/i;

const picture = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$/;

const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-src 'none'";

/** A sender's HTML, cut down to what is on the list. `keepStyles` is for content that core found nothing hidden in. */
export function sanitised(dangerousHtml: string, keepStyles: boolean): string {
  const purify = DOMPurify(window);
  purify.addHook('uponSanitizeAttribute', (_, attribute) => {
    const { attrName, attrValue } = attribute;
    if (attrName === 'src') attribute.keepAttr = picture.test(attrValue);
    if (attrName === 'style') {
      attribute.attrValue = keepStyles ? harmlessStyle(attrValue) : '';
      attribute.keepAttr = attribute.attrValue !== '';
    }
  });
  return purify.sanitize(dangerousHtml, {
    ALLOWED_TAGS: tags,
    ALLOWED_ATTR: attributes,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOW_UNKNOWN_PROTOCOLS: false,
    ALLOW_SELF_CLOSE_IN_ATTR: false,
    KEEP_CONTENT: true,
  });
}

/** Declarations on the list, as the browser itself understood them. */
function harmlessStyle(text: string): string {
  // In a document without a window nothing is fetched for it.
  const element = document.implementation.createHTMLDocument('').createElement('p');
  element.setAttribute('style', text);
  const kept: string[] = [];
  for (const name of element.style) {
    const value = element.style.getPropertyValue(name);
    const colour = /^rgba?\([\d., ]+\)$/.test(value);
    if (styles.has(name) || /^border-(?:top|right|bottom|left)-(?:color|style|width)$/.test(name)) {
      if (colour || !suspicious.test(value)) kept.push(`${name}: ${value}`);
    }
  }
  return kept.join('; ');
}

/** The document for the frame: the policy stands before everything that it must hold for. */
export function frameDocument(dangerousHtml: string, keepStyles: boolean, title: string): string {
  return (
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<meta http-equiv="x-dns-prefetch-control" content="off"><meta charset="utf-8">` +
    `<title>${escaped(title)}</title>` +
    '<style>html{color-scheme:light;background:#fff;color:#111}body{margin:12px;font:15px/1.5 sans-serif;overflow-wrap:anywhere}img{max-width:100%}</style>' +
    sanitised(dangerousHtml, keepStyles)
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);
}
