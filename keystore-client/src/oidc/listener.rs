// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where the browser comes back to: a port of this machine that answers once (RFC 8252 section 7.3).

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use url::Url;

use crate::ClientError;

const PATH: &str = "/callback";
const MAX_REQUEST_BYTES: usize = 16 << 10;
/// For one connection: a browser has sent its request by then, and others must not hold the port.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);

/// A loopback port.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

/// What the redirect brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) code: String,
    pub(crate) iss: Option<String>,
}

/// What one connection was.
enum Visit {
    /// Not the redirect that is waited for.
    Other,
    /// The provider's yes.
    Redirect(Redirect),
    /// The provider's no.
    Refused(String),
}

impl Listener {
    pub(crate) fn open() -> Result<Self, ClientError> {
        let open = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        };
        open().map_err(no_port)
    }

    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits for the one redirect that carries `state`. Others are turned away: any program on this machine, and any
    /// web page, can knock here.
    pub(crate) fn wait(self, state: &str, patience: Duration) -> Result<Redirect, ClientError> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            match self.listener.accept() {
                Ok((stream, _)) => match visit(stream, state) {
                    Ok(Visit::Redirect(redirect)) => return Ok(redirect),
                    Ok(Visit::Refused(reason)) => {
                        return Err(ClientError::Browser(format!(
                            "the identity provider refused ({reason})"
                        )));
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

fn visit(mut stream: TcpStream, state: &str) -> io::Result<Visit> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(CONNECTION_TIMEOUT))?;
    let request = read_head(&mut stream)?;
    let visit = read_redirect(&request, state).unwrap_or(Visit::Other);
    let (status, text) = match visit {
        Visit::Other => ("404 Not Found", "This is not the page that you are looking for."),
        Visit::Redirect(_) => ("200 OK", "Logged in. You can close this window."),
        Visit::Refused(_) => ("200 OK", "The log-in was refused. You can close this window."),
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
fn read_redirect(head: &[u8], state: &str) -> Option<Visit> {
    let line = head.split(|b| *b == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let target = line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let url = Url::parse("http://127.0.0.1").ok()?.join(target).ok()?;
    if !target.starts_with(PATH) || url.path() != PATH {
        return None;
    }
    let one = |name: &str| {
        let mut values =
            url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let value = values.next();
        values.next().is_none().then_some(value)
    };
    if one("state")?? != state {
        return None;
    }
    if let Some(error) = one("error")? {
        let plain = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64);
        return Some(Visit::Refused(plain.collect()));
    }
    Some(Visit::Redirect(Redirect { code: one("code")??, iss: one("iss")? }))
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

    use super::{Listener, Redirect};
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
    fn waits(lines: &'static [&'static str]) -> (Vec<String>, Result<Redirect, ClientError>) {
        let listener = Listener::open().unwrap();
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
        let iss = Some("https://id.example".into());
        assert_eq!(came.unwrap(), Redirect { code: "a/b".into(), iss });
    }

    #[test]
    fn others_who_knock_are_turned_away() {
        let (answers, came) = waits(&[
            "GET /favicon.ico HTTP/1.1",
            "GET /callback?code=evil&state=s2 HTTP/1.1",
            "GET /callback?code=evil HTTP/1.1",
            "GET /callback?code=evil&state=s1&state=s1 HTTP/1.1",
            "GET /callback?code=evil&code=other&state=s1 HTTP/1.1",
            "GET /callback?state=s1 HTTP/1.1",
            "GET //evil.example/callback?code=evil&state=s1 HTTP/1.1",
            "POST /callback?code=evil&state=s1 HTTP/1.1",
            "GET /callback/x?code=evil&state=s1 HTTP/1.1",
            "nonsense",
            "GET /callback?code=right&state=s1 HTTP/1.1",
        ]);
        let (last, others) = answers.split_last().unwrap();
        assert!(others.iter().all(|answer| answer.starts_with("HTTP/1.1 404")), "{others:?}");
        assert!(last.starts_with("HTTP/1.1 200"));
        assert_eq!(came.unwrap(), Redirect { code: "right".into(), iss: None });
    }

    #[test]
    fn a_refusal_is_reported_without_its_decoration() {
        let (_, came) = waits(&["GET /callback?error=access_denied%1b[2J&state=s1 HTTP/1.1"]);
        let ClientError::Browser(reason) = came.unwrap_err() else { panic!("not the browser") };
        assert_eq!(reason, "the identity provider refused (access_denied2J)");
    }

    #[test]
    fn nobody_is_waited_for_for_ever() {
        let listener = Listener::open().unwrap();
        let came = listener.wait("s1", Duration::from_millis(120));
        assert!(matches!(came, Err(ClientError::Browser(_))));
    }
}
