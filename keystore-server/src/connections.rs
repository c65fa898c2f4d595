// SPDX-License-Identifier: LGPL-2.0-or-later
//! How many connections there may be, in all and from one address. What is beyond that is closed before a byte of it is read, so that a
//! crowd of half-open connections costs neither memory nor the descriptors that the database needs.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum_server::accept::Accept;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{
    limits::{LimitsConfig, network},
    proxies::TrustedProxies,
};

/// Database, log, providers.
const OTHER_FILES: u64 = 128;

/// Who is connected. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    most: usize,
    most_of_one: usize,
    proxies: TrustedProxies,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// Nobody keeps a connection by being slow, and none holds more than its share of memory.
pub fn bounded<A>(
    server: axum_server::Server<SocketAddr, A>,
    patience: Duration,
) -> axum_server::Server<SocketAddr, A> {
    let mut server = server.first_request_timeout(patience);
    let http = server.http_builder();
    // For HTTP/1 also how long a connection may be idle between two requests.
    http.http1().header_read_timeout(patience).max_headers(64).max_buf_size(64 << 10);
    http.http2()
        .max_concurrent_streams(64)
        .max_header_list_size(32 << 10)
        .keep_alive_interval(patience)
        .keep_alive_timeout(patience);
    server
}

/// A place that a connection holds until it is dropped.
pub struct Place {
    connections: Connections,
    from: IpAddr,
}

impl Connections {
    /// As configured. Behind a trusted proxy are many.
    pub fn new(config: &LimitsConfig, proxies: TrustedProxies) -> Self {
        let (most, most_of_one) = (config.connections.get(), config.connections_per_address.get());
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Self(Arc::new(Inner {
            most: count(most),
            most_of_one: count(most_of_one),
            proxies,
            open: Mutex::default(),
        }))
    }

    /// Proxies whose word about addresses is taken.
    pub fn proxies(&self) -> &TrustedProxies {
        &self.0.proxies
    }

    /// A place for one more, if there is one.
    pub fn enter(&self, from: IpAddr) -> Option<Place> {
        let is_proxy = self.0.proxies.trusts(from);
        let from = network(from);
        let mut open = self.lock();
        if open.all >= self.0.most {
            return None;
        }
        let of_one = open.of.entry(from).or_default();
        if *of_one >= self.0.most_of_one && !is_proxy {
            return None;
        }
        *of_one += 1;
        open.all += 1;
        Some(Place { connections: self.clone(), from })
    }

    /// Lets the process open as many files as it may. Says so when that is too few for so many connections.
    pub fn descriptors_finding(&self) -> Option<String> {
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let wanted = u64::try_from(self.0.most).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
        (most < wanted).then(|| {
            format!(
                "{most} files may be open and limits.connections asks for {wanted}; set LimitNOFILE={wanted}"
            )
        })
    }

    /// How many there are.
    pub fn open(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.all = open.all.saturating_sub(1);
        if let Some(count) = open.of.get_mut(&self.from) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.of.remove(&self.from);
            }
        }
    }
}

/// A connection that has its place.
pub struct Placed {
    stream: TcpStream,
    _place: Place,
}

impl<S> Accept<TcpStream, S> for Connections {
    type Stream = Placed;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Placed, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let placed = stream.peer_addr().and_then(|from: SocketAddr| {
            stream.set_nodelay(true)?;
            let place = self.enter(from.ip()).ok_or_else(|| io::Error::other("too many connections"))?;
            Ok((Placed { stream, _place: place }, service))
        });
        std::future::ready(placed)
    }
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_in_all_two_of_one(proxies: &[&str]) -> Connections {
        let three = 3.try_into().unwrap();
        let config = LimitsConfig {
            connections: three,
            connections_per_address: 2.try_into().unwrap(),
            ..LimitsConfig::default()
        };
        let proxies = proxies.iter().map(|&text| text.to_owned().try_into().unwrap()).collect();
        Connections::new(&config, TrustedProxies::new(proxies, Default::default()))
    }

    #[test]
    fn one_address_does_not_take_every_place() {
        let connections = three_in_all_two_of_one(&[]);
        let (mallory, alice) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let held = [connections.enter(mallory), connections.enter(mallory)];
        assert!(held.iter().all(Option::is_some) && connections.enter(mallory).is_none());
        let hers = connections.enter(alice).expect("there is a place left");
        assert!(connections.enter(IpAddr::from([192, 0, 2, 3])).is_none(), "there are three at most");
        drop((held, hers));
        assert_eq!(connections.open(), 0);
        assert!(connections.lock().of.is_empty());
    }

    #[test]
    fn a_trusted_proxy_stands_for_many() {
        let connections = three_in_all_two_of_one(&["192.0.2.1"]);
        let held: Vec<_> = (0..4).map(|_| connections.enter(IpAddr::from([192, 0, 2, 1]))).collect();
        assert_eq!(held.iter().filter(|place| place.is_some()).count(), 3);
    }
}
