// SPDX-License-Identifier: LGPL-2.0-or-later
// Ways in which a mail may try to reach somebody. `U` becomes an address that belongs to the trick alone.

/** Parts in one mail: each is shown by itself. */
const perMail = 50;

const markup = `
<img src="U">
<img srcset="U 1x">
<img src="data:," srcset="U 2x, U 1x">
<img lowsrc="U" dynsrc="U" src="U">
<img src=x onerror="this.onerror=null;this.src='U'">
<image src="U">
<picture><source srcset="U"><img></picture>
<picture><source media="(min-width:1px)" srcset="U"><img src="data:,"></picture>
<input type="image" src="U">
<video src="U" autoplay></video>
<video poster="U"></video>
<video><source src="U"></video>
<audio src="U" autoplay></audio>
<audio><source src="U"></audio>
<video src="data:,"><track default kind="captions" src="U"></video>
<embed src="U">
<object data="U"></object>
<object type="text/html" data="U"></object>
<object><param name="src" value="U"><embed src="U"></object>
<applet code="U" archive="U"></applet>
<iframe src="U"></iframe>
<iframe srcdoc="<img src='U'>"></iframe>
<iframe srcdoc="&lt;script&gt;parent.location='U'&lt;/script&gt;"></iframe>
<iframe src="data:text/html,<img src='U'>"></iframe>
<iframe src="javascript:fetch('U')"></iframe>
<frameset><frame src="U"></frameset>
<fencedframe src="U"></fencedframe>
<portal src="U"></portal>
<script src="U"></script>
<script type="module" src="U"></script>
<script>fetch('U')</script>
<script>new Image().src='U'</script>
<script>navigator.sendBeacon('U')</script>
<script>new WebSocket('U'.replace('http','ws'))</script>
<script>new EventSource('U')</script>
<script>location='U'</script>
<script>open('U')</script>
<script>var x=new XMLHttpRequest;x.open('GET','U');x.send()</script>
<script>import('U')</script>
<script type="importmap">{"imports":{"a":"U"}}</script><script type="module">import 'a'</script>
<script type="speculationrules">{"prefetch":[{"urls":["U"]}]}</script>
<script type="speculationrules">{"prerender":[{"urls":["U"]}]}</script>
<body onload="fetch('U')">
<body background="U">
<svg onload="fetch('U')"></svg>
<details open ontoggle="fetch('U')">x</details>
<input autofocus onfocus="fetch('U')">
<marquee onstart="fetch('U')">x</marquee>
<style onload="fetch('U')"></style>
<video src=x onerror="fetch('U')"></video>
<math href="U"><mi>x</mi></math>
<math><annotation-xml encoding="text/html"><img src="U"></annotation-xml></math>
<math><mtext><table><mglyph><style><!--</style><img src="U">-->
<svg><image href="U" width="9" height="9"/></svg>
<svg><image xlink:href="U" width="9" height="9"/></svg>
<svg><feImage href="U"/></svg>
<svg width="9" height="9"><filter id="f"><feImage href="U"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>
<svg><use href="U#a"/></svg>
<svg><use xlink:href="U#a"/></svg>
<svg><script href="U"></script></svg>
<svg><script>fetch('U')</script></svg>
<svg><style>@import "U";</style></svg>
<svg><style>rect{fill:url(U#a)}</style><rect width="9" height="9"/></svg>
<svg><rect width="9" height="9" fill="url(U#a)"/></svg>
<svg><rect width="9" height="9" mask="url(U#a)"/></svg>
<svg><rect width="9" height="9" clip-path="url(U#a)"/></svg>
<svg><path d="M0 0h9" marker-start="url(U#a)" stroke="red"/></svg>
<svg><image><set attributeName="href" to="U" begin="0s"/></image></svg>
<svg width="9" height="9"><image width="9" height="9"><animate attributeName="href" values="U" begin="0s"/></image></svg>
<svg><a href="U"><text y="9">x</text></a></svg>
<svg><foreignObject width="9" height="9"><img xmlns="http://www.w3.org/1999/xhtml" src="U"></foreignObject></svg>
<svg><foreignObject><iframe src="U"></iframe></foreignObject></svg>
<svg><linearGradient id="g" href="U#a"/><rect width="9" height="9" fill="url(#g)"/></svg>
<svg><textPath href="U#a">x</textPath></svg>
<svg><mpath href="U#a"/></svg>
<svg><font-face-uri href="U"/></svg>
<svg><cursor href="U"/></svg>
<svg><tref href="U"/></svg>
<svg><discard href="U"/></svg>
<svg><handler type="text/javascript">fetch('U')</handler></svg>
<svg><video src="U"></video></svg>
<svg></p><style><a id="</style><img src=U>">
<svg><title><style><img src="U"></style></title></svg>
<link rel="stylesheet" href="U">
<link rel="alternate stylesheet" href="U" title="x">
<link rel="icon" href="U">
<link rel="apple-touch-icon" href="U">
<link rel="manifest" href="U">
<link rel="prefetch" href="U">
<link rel="prerender" href="U">
<link rel="preload" as="image" href="U">
<link rel="preload" as="font" crossorigin href="U">
<link rel="preload" as="image" imagesrcset="U 1x">
<link rel="modulepreload" href="U">
<link rel="preconnect" href="U">
<link rel="dns-prefetch" href="U">
<link rel="dns-prefetch preconnect" href="U">
<link rel="import" href="U">
<link rel="pingback" href="U">
<link rel="next" href="U">
<link rel="compression-dictionary" href="U">
<link rel="expect" href="U">
<svg><link xmlns="http://www.w3.org/1999/xhtml" rel="preconnect" href="U"/></svg>
<meta http-equiv="refresh" content="0;url=U">
<meta http-equiv="refresh" content="0, U">
<meta http-equiv="Link" content="<U>; rel=preload; as=image">
<meta http-equiv="Content-Security-Policy-Report-Only" content="default-src 'none'; report-uri U"><img src=a>
<meta http-equiv="Content-Security-Policy" content="img-src 'none'; report-uri U"><img src=a>
<meta http-equiv="Set-Cookie" content="a=b"><meta name="msapplication-config" content="U">
<meta property="og:image" content="U"><meta name="twitter:image" content="U">
<meta http-equiv="x-dns-prefetch-control" content="on"><a href="U">x</a>
<base href="U"><img src="a">
<base href="U"><link rel="stylesheet" href="a">
<base href="U" target="_top"><form><input autofocus></form>
<form action="U"><input name="a" autofocus><script>document.forms[0].submit()</script></form>
<form action="U"><button formaction="U">x</button></form>
<form id="q" action="U"></form><input form="q" type="submit" autofocus>
<isindex action="U">
<a href="U" ping="U">x</a>
<a href="U" target="_top">x</a>
<area href="U" shape="default">
<map name="m"><area shape="rect" coords="0,0,99,99" href="U"></map><img usemap="#m" src="data:,">
<img src="data:," longdesc="U">
<blockquote cite="U">x</blockquote>
<q cite="U">x</q>
<ins cite="U">x</ins>
<del cite="U">x</del>
<html manifest="U">
<head profile="U"></head>
<table background="U"><tr><td>x</td></tr></table>
<table><tr><td background="U">x</td></tr></table>
<table><tr><th background="U">x</th></tr></table>
<bgsound src="U">
<layer src="U"></layer>
<ilayer src="U"></ilayer>
<xml src="U"></xml>
<command icon="U">
<menuitem icon="U">
<button type="submit" formaction="U" autofocus>x</button>
<template shadowrootmode="open"><img src="U"></template>
<div><template shadowrootmode="open"><link rel="stylesheet" href="U"></template></div>
<div><template shadowrootmode="closed"><style>:host{background:url(U)}</style></template></div>
<div><template shadowrootmode="open"><link rel="dns-prefetch" href="U"></template></div>
<noscript><img src="U"></noscript>
<noscript><p title="</noscript><img src='U'>">
<noframes><img src="U"></noframes>
<noembed><img src="U"></noembed>
<xmp><img src="U"></xmp>
<xmp></xmp><img src="U">
<plaintext><img src="U">
<textarea></textarea><img src="U">
<title></title><img src="U">
<select><option><img src="U"></option></select>
<select></select><img src="U">
<!--[if gte mso 9]><img src="U"><![endif]-->
<!--[if !mso]><!--><img src="U"><!--<![endif]-->
<!--><img src="U">-->
<!--> --!><img src="U">
<![CDATA[<img src="U">]]>
<?xml-stylesheet href="U" type="text/css"?><p>x</p>
<?import namespace="a" implementation="U">
<!DOCTYPE html PUBLIC "-//a" "U"><p>x</p>
<!ENTITY a SYSTEM "U">
<IMG SRC="U">
<img/src="U">
<img	src
=
U>
<img src='U' / >
<img src=U>
<<img src="U">
<img """><img src="U">
<img src=" &#10;U">
<img src="&#104;ttp:U">
<img src="//V">
<img src="\\\\V">
<img src="http:/\\V">
<img src="https:V">
<img src="h&Tab;ttp://V">
<img src="view-source:U">
<img src="blob:U">
<img src="feed:U">
<img src="jar:U!/a">
<img src="filesystem:U">
<img src="ftp://V">
<img src="ws://V">
<a href="U" style="position:fixed;inset:0" autofocus>x</a>
<img loading="eager" fetchpriority="high" src="U">
<img crossorigin="use-credentials" src="U">
<img referrerpolicy="unsafe-url" src="U">
<img attributionsrc="U" src="data:,">
<a attributionsrc="U" href="a">x</a>
<script attributionsrc="U"></script>
<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cimage href='U'/%3E%3C/svg%3E">
<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cstyle%3E@import 'U';%3C/style%3E%3C/svg%3E">
<object data="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cimage href='U'/%3E%3C/svg%3E"></object>
<embed src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cscript%3Efetch('U')%3C/script%3E%3C/svg%3E">
<dialog open><img src="U"></dialog>
<div popover><img src="U"></div>
<x-evil is="img" src="U"></x-evil>
<img is="x-evil" src="U">
<div itemscope itemtype="U"><meta itemprop="url" content="U"></div>
<p datasrc="U" datafld="a">x</p>
<p style="behavior:url(U)">x</p>
<p style="-moz-binding:url(U)">x</p>
`;

/** Properties of CSS that name something to fetch. */
const properties = `
background: url(U)
background-image: url(U)
background: url("U")
background: URL( 'U' )
background: \\75rl(U)
background: u/**/rl(U), url(U)
background: image-set("U" 1x)
background: image-set(url(U) 1x)
background: -webkit-image-set(url(U) 1x)
background: cross-fade(url(U), url(U), 50%)
background: -webkit-cross-fade(url(U), url(U), 50%)
background: image("U")
background: src("U")
background: linear-gradient(red, red), url(U)
--x: url(U); background: var(--x)
background: var(--none, url(U))
background: url(//V)
background: url(U) !important
list-style: url(U)
list-style-image: url(U); display: list-item
border-image: url(U) 1
border-image-source: url(U); border: 1px solid
mask: url(U)
mask-image: url(U)
-webkit-mask: url(U)
-webkit-mask-box-image: url(U)
cursor: url(U), auto
content: url(U)
filter: url(U#a)
backdrop-filter: url(U#a)
clip-path: url(U#a)
shape-outside: url(U); float: left
offset-path: url(U#a)
`;

/** Style sheets. */
const sheets = `
@import "U";
@import url(U);
@import url(U) layer(a) screen;
@\\69mport "U";
@charset "utf-8"; @import 'U';
@font-face{font-family:a;src:url(U)} *{font-family:a}
@font-face{font-family:a;src:local(b),url(U) format("woff2")} *{font-family:a}
@namespace a url(U); a|p{color:red}
@document url(U){p{color:red}}
@media screen{p{background:url(U)}}
@supports (display:block){p{background:url(U)}}
@layer a{p{background:url(U)}}
@container (min-width:0){p{background:url(U)}}
@scope (body){p{background:url(U)}}
@starting-style{p{background:url(U)}}
@keyframes k{from{background:url(U)}to{background:url(U)}} p{animation:k 9s}
@counter-style c{system:cyclic;symbols:url(U)} p{display:list-item;list-style:c}
@property --p{syntax:"<image>";inherits:false;initial-value:url(U)} p{background:var(--p)}
@page{background:url(U)}
@view-transition{navigation:auto} p{background:url(U)}
p::before{content:url(U)}
p::after{content:"";background:url(U);display:block;height:9px}
p::first-line{background:url(U)}
p::selection{background:url(U)}
p::marker{content:url(U)} p{display:list-item}
p[title^="a"]{background:url(U)}
p:has(*),p{background:url(U)}
html{background:url(U)}
:root{--a:url(U)} p{background:var(--a)}
p{&{background:url(U)}}
</style><img src="U"><style>
`;

const lines = text => text.split('\n').filter(line => line.trim() !== '');

/** Every trick as a function of its own address. */
export const tricks = [
  // Markup that spans lines is one trick.
  ...markup.trim().split(/\n(?=<)/),
  ...lines(properties).map(style => `<p title="a" style='${style.replaceAll("'", '"')}'>x</p>`),
  ...lines(properties).map(style => `<style>p{${style}}</style><p title="a">x</p>`),
  ...lines(sheets).map(sheet => `<style>${sheet}</style><p title="a">x</p>`),
].map(html => address => html.replaceAll('U', address).replaceAll('V', address.replace(/^https?:\/\//, '')));

const base64 = text => Buffer.from(text).toString('base64');

/** Mails whose structure is the trick. Each is a header and a body. */
export const mails = [
  a => `Content-Type: message/external-body; access-type=URL; URL="${a}"\r\n\r\nContent-Type: image/png\r\n\r\n`,
  a => `Content-Type: message/external-body; access-type=anon-ftp; site="${host(a)}"; name="a"\r\n\r\nContent-Type: a/b\r\n\r\n`,
  a => `Content-Type: text/html\r\nContent-Location: ${a}\r\n\r\n<img src="a">`,
  a => `Content-Type: text/html\r\nContent-Base: "${a}"\r\n\r\n<img src="a">`,
  a => `Content-Type: multipart/related; boundary=b; type="text/html"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<img src="cid:a">\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <a>\r\nContent-Location: ${a}\r\n\r\n\r\n--b--\r\n`,
  a => `Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n${a}\r\n--b\r\nContent-Type: text/html\r\n\r\n<img src="${a}">\r\n--b--\r\n`,
  a => `Content-Type: text/html; charset=utf-7\r\n\r\n+ADw-img src=+ACI-${a}+ACI-+AD4-`,
  a => `Content-Type: text/html; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(`<img src="${a}">`, 'utf16le').toString('base64')}`,
  a => `Content-Type: text/html; charset=iso-2022-jp\r\n\r\n\x1b(B<img src="${a}">`,
  a => `Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(`<img src="${a}">`)}`,
  a => `Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<img src=3D"${a}">`,
  a => `Content-Type: application/xhtml+xml\r\n\r\n<html xmlns="http://www.w3.org/1999/xhtml"><img src="${a}"/></html>`,
  a => `Content-Type: image/svg+xml\r\nContent-Disposition: inline\r\n\r\n<svg xmlns="http://www.w3.org/2000/svg"><image href="${a}"/></svg>`,
  a => `Content-Type: text/xml\r\n\r\n<?xml-stylesheet href="${a}"?><a/>`,
  a => `Content-Type: text/css\r\nContent-Disposition: inline\r\n\r\n@import "${a}";`,
  a => `Content-Type: text/enriched\r\n\r\n<x-img><param>${a}</param></x-img>`,
  a => `Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nATTACH:${a}\r\nEND:VCALENDAR\r\n`,
  a => `Content-Type: text/vcard\r\n\r\nBEGIN:VCARD\r\nPHOTO:${a}\r\nEND:VCARD\r\n`,
  a => `Content-Type: message/rfc822\r\n\r\nContent-Type: text/html\r\n\r\n<img src="${a}">`,
  a => `Content-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: inline; filename="${a}"\r\n\r\n%PDF-1.4 /URI (${a})`,
  a => `Disposition-Notification-To: <a@${host(a)}>\r\nReturn-Receipt-To: <a@${host(a)}>\r\nContent-Type: text/plain\r\n\r\nx`,
  a => `List-Unsubscribe: <${a}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nContent-Type: text/plain\r\n\r\nx`,
  a => `BIMI-Location: v=BIMI1; l=${a}\r\nBIMI-Indicator: ${a}\r\nX-Image-URL: ${a}\r\nContent-Type: text/plain\r\n\r\nx`,
  a => `OpenPGP: url=${a}; preference=signencrypt\r\nArchived-At: <${a}>\r\nContent-Type: text/plain\r\n\r\nx`,
  a => `Content-Type: text/html; name="${a}"; profile="${a}"\r\nLink: <${a}>; rel=preload; as=image\r\nRefresh: 0; url=${a}\r\n\r\nx`,
  a => `Content-Type: text/plain\r\n\r\n<img src="${a}"> ${a} <script>fetch('${a}')</script>`,
  a => `Content-Type: text/html\r\nSubject: <img src="${a}">\r\nTo: "<img src='${a}'>" <a@example.test>\r\n\r\nx`,
].map(mail => address => `From: "<img src='${address}'>" <mallory@example.test>\r\nMIME-Version: 1.0\r\n${mail(address)}`);

/** Mails with many parts, each of which the reader shows by itself, and mails whose structure is the trick. */
export function hostileMails(address) {
  const all = mails.map((mail, index) => mail(address(tricks.length + index)));
  for (let first = 0; first < tricks.length; first += perMail) {
    const parts = tricks.slice(first, first + perMail).map((trick, index) => {
      const html = Buffer.from(trick(address(first + index))).toString('base64');
      return `--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${html}\r\n`;
    });
    all.push(`From: mallory@example.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join('')}--b--\r\n`);
  }
  return all;
}

function host(address) {
  return new URL(address).hostname;
}

// `node tricks.mjs ORIGIN`: for tests in other languages.
if (process.argv[1] === import.meta.filename) {
  const [origin] = process.argv.slice(2);
  const served = who => number => `${origin}/${who}/${number}`;
  const named = who => number => `http://t${number}.${who}.trick.test/a`;
  const both = make => [...make(served), ...make(named)];
  const control = address => tricks.map((trick, index) => trick(address('control')(index)));
  process.stdout.write(JSON.stringify({ mails: both(address => hostileMails(address('reader'))), control: both(control) }));
}
