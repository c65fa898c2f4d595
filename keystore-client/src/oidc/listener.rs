// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where the browser comes back to: a port of this machine that answers once (RFC 8252 section 7.3).

use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use url::Url;

use crate::ClientError;

const MAX_REQUEST_BYTES: usize = 16 << 10;
/// For one connection: a browser has sent its request by then, and others must not hold the port.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);

/// A loopback port.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    path: &'static str,
}

/// What the browser brought: names and values, each name once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// What one connection was.
enum Visit {
    /// Not the redirect that is waited for.
    Other,
    /// A yes.
    Redirect(Query),
    /// A no.
    Refused(String),
}

impl Listener {
    /// Listens for a visit at `path`.
    pub(crate) fn open(path: &'static str) -> Result<Self, ClientError> {
        let open = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address, path })
        };
        open().map_err(no_port)
    }

    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits for the one redirect that carries `state`. Others are turned away: any program on this machine, and any
    /// web page, can knock here.
    pub(crate) fn wait(self, state: &str, patience: Duration) -> Result<Query, ClientError> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            match self.listener.accept() {
                Ok((stream, _)) => match visit(stream, self.path, state) {
                    Ok(Visit::Redirect(redirect)) => return Ok(redirect),
                    Ok(Visit::Refused(reason)) => {
                        return Err(ClientError::Browser(format!("it was refused there ({reason})")));
                    }
                    Ok(Visit::Other) | Err(_) => {}
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(POLL),
                Err(error) => return Err(no_port(error)),
            }
        }
        Err(ClientError::Browser("nobody came back in time".into()))
    }
}

fn visit(mut stream: TcpStream, path: &str, state: &str) -> io::Result<Visit> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(CONNECTION_TIMEOUT))?;
    let request = read_head(&mut stream)?;
    let visit = read_redirect(&request, path, state).unwrap_or(Visit::Other);
    let (status, text) = match visit {
        Visit::Other => ("404 Not Found", "This is not the page that you are looking for."),
        Visit::Redirect(_) => ("200 OK", "Done. You can close this window."),
        Visit::Refused(_) => ("200 OK", "It was refused. You can close this window."),
    };
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // The browser's thanks do not matter.
    _ = stream.write_all(response.as_bytes());
    Ok(visit)
}

/// The request up to the empty line.
fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + CONNECTION_TIMEOUT;
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > MAX_REQUEST_BYTES {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    Ok(head)
}

/// `None` unless it is the redirect with this state, each parameter once.
fn read_redirect(head: &[u8], path: &str, state: &str) -> Option<Visit> {
    let line = head.split(|b| *b == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let target = line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let url = Url::parse("http://127.0.0.1").ok()?.join(target).ok()?;
    if !target.starts_with(path) || url.path() != path {
        return None;
    }
    let mut query = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        if query.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    let query = Query(query);
    if query.one("state")? != state {
        return None;
    }
    if let Some(error) = query.one("error") {
        let plain = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64);
        return Some(Visit::Refused(plain.collect()));
    }
    Some(Visit::Redirect(query))
}

fn no_port(error: io::Error) -> ClientError {
    ClientError::Browser(format!("no port for the browser to come back to: {error}"))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
        thread,
        time::Duration,
    };

    use super::{Listener, Query};
    use crate::ClientError;

    fn knock(uri: &str, line: &str) -> String {
        let address = uri.trim_start_matches("http://").trim_end_matches("/callback");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{line}\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Knocks with each line in turn while the listener waits for state `s1`; returns the answers and what came of it.
    fn waits(lines: &'static [&'static str]) -> (Vec<String>, Result<Query, ClientError>) {
        let listener = Listener::open("/callback").unwrap();
        let uri = listener.redirect_uri();
        assert!(uri.starts_with("http://127.0.0.1:"), "{uri}");
        let browser = thread::spawn(move || lines.iter().map(|line| knock(&uri, line)).collect());
        let came = listener.wait("s1", Duration::from_secs(10));
        (browser.join().unwrap(), came)
    }

    #[test]
    fn the_redirect_with_the_right_state_is_taken() {
        let (answers, came) =
            waits(&["GET /callback?code=a%2Fb&state=s1&iss=https%3A%2F%2Fid.example HTTP/1.1"]);
        assert!(answers[0].starts_with("HTTP/1.1 200 OK"), "{}", answers[0]);
        let came = came.unwrap();
        assert_eq!((came.one("code"), came.one("iss")), (Some("a/b"), Some("https://id.example")));
    }

    #[test]
    fn others_who_knock_are_turned_away() {
        let (answers, came) = waits(&[
            "GET /favicon.ico HTTP/1.1",
            "GET /callback?code=evil&state=s2 HTTP/1.1",
            "GET /callback?code=evil HTTP/1.1",
            "GET /callback?code=evil&state=s1&state=s1 HTTP/1.1",
            "GET /callback?code=evil&code=other&state=s1 HTTP/1.1",
            "GET //evil.example/callback?code=evil&state=s1 HTTP/1.1",
            "POST /callback?code=evil&state=s1 HTTP/1.1",
            "GET /callback/x?code=evil&state=s1 HTTP/1.1",
            "nonsense",
            "GET /callback?code=right&state=s1 HTTP/1.1",
        ]);
        let (last, others) = answers.split_last().unwrap();
        assert!(others.iter().all(|answer| answer.starts_with("HTTP/1.1 404")), "{others:?}");
        assert!(last.starts_with("HTTP/1.1 200"));
        let came = came.unwrap();
        assert_eq!((came.one("code"), came.one("iss")), (Some("right"), None));
    }

    #[test]
    fn a_refusal_is_reported_without_its_decoration() {
        let (_, came) = waits(&["GET /callback?error=access_denied%1b[2J&state=s1 HTTP/1.1"]);
        let ClientError::Browser(reason) = came.unwrap_err() else { panic!("not the browser") };
        assert_eq!(reason, "it was refused there (access_denied2J)");
    }

    #[test]
    fn nobody_is_waited_for_for_ever() {
        let listener = Listener::open("/callback").unwrap();
        let came = listener.wait("s1", Duration::from_millis(120));
        assert!(matches!(came, Err(ClientError::Browser(_))));
    }
}
