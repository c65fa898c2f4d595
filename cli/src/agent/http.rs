// SPDX-License-Identifier: LGPL-2.0-or-later
//! As much HTTP as the protocol needs: one small request and its answer on each connection.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

const MAX_HEAD: usize = 16 << 10;
/// RSA blocks of the largest keys have two kilobytes.
const MAX_BODY: usize = 16 << 10;
/// For one request. Who is slower holds up nobody but themselves.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was asked.
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) host: String,
    /// Was it sent by a web page?
    pub(super) is_from_page: bool,
    pub(super) content_type: String,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// What is answered. Bodies may be secret.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: Zeroizing::new(body.into()) }
    }
}

/// Reads one request; `None` when it is none.
pub(super) fn read(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let until = Instant::now() + PATIENCE;
    let mut bytes = Zeroizing::new(Vec::new());
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(&bytes) {
            Err(_) => return Ok(None),
            Ok(httparse::Status::Partial) if bytes.len() > MAX_HEAD => return Ok(None),
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(head)) => {
                let Some((mut request, length)) = request(&parsed) else { return Ok(None) };
                if length > MAX_BODY {
                    return Ok(None);
                }
                if let Some(body) = bytes.get(head..head + length) {
                    request.body = Zeroizing::new(body.to_vec());
                    return Ok(Some(request));
                }
            }
        }
        if !more(stream, &mut bytes, until)? {
            return Ok(None);
        }
    }
}

fn more(stream: &mut TcpStream, bytes: &mut Zeroizing<Vec<u8>>, until: Instant) -> io::Result<bool> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Ok(false);
    }
    stream.set_read_timeout(Some(left))?;
    let mut buffer = Zeroizing::new([0; 4096]);
    let count = stream.read(&mut buffer[..])?;
    bytes.extend_from_slice(&buffer[..count]);
    Ok(count > 0)
}

/// Without its body, and how long that is.
fn request(parsed: &httparse::Request<'_, '_>) -> Option<(Request, usize)> {
    let one = |name: &str| -> Option<Option<&str>> {
        let mut found = parsed.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        let value = found.next().map(|field| std::str::from_utf8(field.value).map(str::trim));
        // Two would be read differently by different people.
        if found.next().is_some() { None } else { value.transpose().ok() }
    };
    if one("transfer-encoding")?.is_some() {
        return None;
    }
    let length = one("content-length")?.map_or(Some(0), |length| length.parse().ok())?;
    let request = Request {
        method: parsed.method?.to_owned(),
        target: parsed.path?.to_owned(),
        host: one("host")?.unwrap_or_default().to_owned(),
        is_from_page: one("origin")?.is_some() || one("sec-fetch-site")?.is_some(),
        content_type: one("content-type")?.unwrap_or_default().to_ascii_lowercase(),
        body: Zeroizing::default(),
    };
    Some((request, length))
}

/// Writes the answer, which ends the connection.
pub(super) fn write(stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all((head + "\r\n").as_bytes())?;
    stream.write_all(&answer.body)
}
