// SPDX-License-Identifier: LGPL-2.0-or-later
//! HTTP and nothing else: the same server library, requests and replies of the same size.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use axum::{Router, body::Bytes, routing::post};

use crate::processor;

/// About what a sealed unwrap has.
const BODY: usize = 1_500;
const CONNECTIONS: usize = 8;

/// The child's side.
pub(crate) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, Router::new().route("/v1/keys/unwrap", post(|body: Bytes| async { body })))
            .await?;
        Ok(())
    })
}

/// Processor time of the server for one request.
pub(crate) fn measure(time: Duration) -> Result<Duration> {
    let mut server = Command::new(std::env::current_exe()?).arg("--echo").stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().context("it is piped")?).read_line(&mut line)?;
    let url = format!("http://{}/v1/keys/unwrap", line.trim());
    let before = processor::of(&[server.id()]);
    let until = Instant::now() + time;
    let count: u32 = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| call(&url, until))).collect();
        callers.into_iter().map(|caller| caller.join().expect("it does not panic")).sum()
    });
    let used = processor::of(&[server.id()]) - before;
    server.kill()?;
    server.wait()?;
    anyhow::ensure!(count > 0, "nothing came back");
    Ok(used / count)
}

fn call(url: &str, until: Instant) -> u32 {
    let agent = ureq::Agent::new_with_defaults();
    let (body, proof) = (vec![b'x'; BODY], "x".repeat(600));
    let mut count = 0;
    while Instant::now() < until {
        let request = agent.post(url).header("DPoP", &proof).header("Authorization", &proof[..48]);
        let mut answer = request.send(&body[..]).expect("it answers");
        assert_eq!(answer.body_mut().read_to_vec().expect("it is whole").len(), BODY);
        count += 1;
    }
    count
}
