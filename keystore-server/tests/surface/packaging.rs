// SPDX-License-Identifier: LGPL-2.0-or-later
//! The unit and the container file say nothing that the program does not know.

use std::{fs, path::Path, process::Command};

use plombe_tests::peers;

use crate::server::PROGRAM;

fn packaging(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name)).unwrap()
}

fn help(command: &str) -> String {
    let output = Command::new(PROGRAM).args([command, "--help"]).output().unwrap();
    assert!(output.status.success(), "there is no command {command}");
    String::from_utf8(output.stdout).unwrap()
}

/// Values of a setting of the unit, in order.
fn settings<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).collect()
}

/// Values of an instruction of the container file.
fn instructions<'a>(file: &'a str, name: &str) -> Vec<&'a str> {
    file.lines().filter_map(|line| Some(line.strip_prefix(name)?.trim())).collect()
}

/// `serve --config FILE`, as both of them start it; gives the file.
fn config_of(words: &[String]) -> String {
    let [program, command, flag, file] = words else { panic!("{words:?}") };
    assert!(program.ends_with("/plombe-keystore"));
    assert!(help(command).contains(&format!("{flag} <FILE>")), "{command} has no {flag}");
    file.clone()
}

#[test]
fn unit_and_container_file_start_the_program_as_it_is() {
    let unit = packaging("plombe-keystore.service");
    let words = settings(&unit, "ExecStart")[0].split(' ').map(str::to_owned).collect::<Vec<_>>();
    let config = config_of(&words);
    let state = format!("/var/lib/{}", settings(&unit, "StateDirectory")[0]);
    assert_eq!(config, format!("{state}/config.toml"), "the configuration is in the state directory");

    let container = packaging("Containerfile");
    let json = |name: &str| serde_json::from_str::<Vec<String>>(instructions(&container, name)[0]).unwrap();
    let words = [json("ENTRYPOINT"), json("CMD")].concat();
    assert_eq!(config_of(&words), config, "both keep it in the same place");
    assert_eq!(instructions(&container, "VOLUME"), [state.as_str()]);
    assert!(instructions(&container, "COPY").iter().any(|copy| copy.ends_with(&words[0])));
    // What `init` writes when nothing is said is what is exposed.
    let port = instructions(&container, "EXPOSE")[0];
    assert!(help("init").contains(&format!("127.0.0.1:{port}")), "init listens elsewhere");
    // What doctor says about the machine is what the unit sets.
    for (name, value) in [("LimitMEMLOCK", "infinity"), ("LimitCORE", "0"), ("NoNewPrivileges", "yes")] {
        assert_eq!(settings(&unit, name), [value]);
    }
}

#[test]
fn systemd_understands_the_unit_and_finds_it_closed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return peers::skip("systemd-analyze");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plombe-keystore.service");
    // The program itself is not installed here.
    fs::write(&file, packaging("plombe-keystore.service").replace("/usr/bin/plombe-keystore", PROGRAM))
        .unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&file).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success() && !said.contains("plombe-keystore.service:"), "{said}");
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "more exposed than 2.0 of 10:\n{said}");
}
