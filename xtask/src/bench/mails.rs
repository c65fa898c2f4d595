// SPDX-License-Identifier: LGPL-2.0-or-later
//! Many small mails: one call of Plombe beside as many calls of gpg.

use std::{fmt::Write as _, fs, path::Path, process::Command, time::Instant};

use anyhow::{Result, ensure};

use super::{
    measure::{self, Measurement, Run},
    programs::{Job, OLD, Program},
    report::Row,
};

/// Bytes of one mail.
const SIZE: usize = 10_000;

pub(super) fn measure(
    scratch: &Path,
    plombe: &Path,
    programs: &[Program],
    count: usize,
    rounds: usize,
) -> Result<Vec<Row>> {
    let maildir = scratch.join("Maildir");
    let call = |verb: &str| {
        let mut command = Command::new(plombe);
        command.env("PLOMBE_HOME", scratch.join("plombe")).args(["mail", verb, "--in-place"]).arg(&maildir);
        measure::run(command)
    };
    let (mut seal, mut open) = (Measurement::default(), Measurement::default());
    for _ in 0..rounds {
        fill(&maildir, count)?;
        measure::settle()?;
        seal.add(call("seal")?);
        let sealed =
            fs::read_dir(maildir.join("cur"))?.next().map(|entry| fs::read(entry?.path())).transpose()?;
        ensure!(
            sealed.is_some_and(|mail| mail.windows(19).any(|w| w == b"multipart/encrypted")),
            "nothing was sealed"
        );
        measure::settle()?;
        open.add(call("open")?);
        fs::remove_dir_all(&maildir)?;
    }

    let mut sealing = vec![("plombe, one call".to_owned(), seal)];
    let mut opening = vec![("plombe, one call".to_owned(), open)];
    if let Some(gpg) = programs.iter().find(|program| matches!(program, Program::Gpg { .. })) {
        let (plain, sealed, opened) =
            (scratch.join("mail"), scratch.join("mail.gpg"), scratch.join("mail.out"));
        fs::write(&plain, mail(0))?;
        sealing.push((
            format!("gpg, {count} calls"),
            repeat(gpg, Job::Seal { signed: true }, &plain, &sealed, count)?,
        ));
        opening.push((format!("gpg, {count} calls"), repeat(gpg, Job::Open, &sealed, &opened, count)?));
    }
    Ok(vec![
        Row { what: format!("{count} mails of 10 KB, signed, seal"), results: sealing },
        Row { what: format!("{count} mails of 10 KB, signed, open"), results: opening },
    ])
}

fn fill(maildir: &Path, count: usize) -> Result<()> {
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(folder))?;
    }
    for number in 0..count {
        fs::write(maildir.join(format!("cur/{number}.bench:2,S")), mail(number))?;
    }
    Ok(())
}

/// The sum of `count` calls, and the largest peak.
fn repeat(program: &Program, job: Job, input: &Path, output: &Path, count: usize) -> Result<Measurement> {
    let begun = Instant::now();
    let mut peak_kib = 0;
    for _ in 0..count {
        if let Some(command) = program.command(job, input, output) {
            peak_kib = measure::run(command)?.peak_kib.max(peak_kib);
        }
    }
    let mut measurement = Measurement::default();
    measurement.add(Run { time: begun.elapsed(), peak_kib });
    Ok(measurement)
}

fn mail(number: usize) -> String {
    let mut mail = format!(
        "From: {OLD}\nTo: {OLD}\nSubject: Number {number}\nDate: Sat, 21 Nov 2026 22:10:00 +0000\n\
         Message-ID: <{number}@bench.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"
    );
    let mut state = number as u64;
    while mail.len() < SIZE {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let _ = writeln!(mail, "{state:016x} as plain as a line of a letter can be");
    }
    mail
}
