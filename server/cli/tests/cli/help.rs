//! Help, version and completions: results like any other, on standard output.

use crate::support::{Place, bare_command, finish};

const VERBS: [&str; 25] = [
    "import",
    "import-git",
    "export",
    "append",
    "read",
    "tail",
    "streams",
    "categories",
    "types",
    "tags",
    "stats",
    "verify",
    "backup",
    "restore",
    "repair",
    "index",
    "snapshots",
    "projections",
    "serve",
    "token",
    "config",
    "top",
    "bench",
    "demo",
    "completions",
];

#[test]
fn help_and_version_go_to_standard_output() {
    let run = finish(&mut bare_command(&["--version"])).ok();
    assert_eq!(run.stdout, format!("gesta {}\n", env!("CARGO_PKG_VERSION")));
    for argument in ["--help", "-h", "help"] {
        let help = finish(&mut bare_command(&[argument])).ok().stdout;
        assert!(help.contains("Usage: gesta") && help.contains("Exit status:"), "{help}");
        for verb in VERBS {
            assert!(help.contains(&format!("\n  {verb} ")), "{argument} does not name {verb}: {help}");
        }
    }
    for verb in VERBS {
        let help = finish(&mut bare_command(&[verb, "--help"])).ok().stdout;
        assert!(help.contains(&format!("Usage: gesta {verb}")), "{help}");
    }
}

#[test]
fn every_shell_gets_a_script_that_knows_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let script = finish(&mut bare_command(&["completions", shell])).ok().stdout;
        for verb in VERBS {
            assert!(script.contains(verb), "{shell} does not know {verb}");
        }
    }
    let run = finish(&mut bare_command(&["completions", "cmd"]));
    assert!(run.failure(2).contains("bash, elvish, fish, powershell, zsh"), "{run:?}");
}

#[test]
fn the_script_for_bash_is_understood_by_bash() {
    let place = Place::new();
    let file = place.file("gesta.bash", finish(&mut bare_command(&["completions", "bash"])).ok().stdout);
    let script =
        format!("source {file}; COMP_WORDS=(gesta ver); COMP_CWORD=1; _gesta gesta ver gesta; echo ${{COMPREPLY[*]}}");
    let Ok(output) = std::process::Command::new("bash").args(["-c", &script]).output() else {
        println!("skipped: there is no bash");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "verify\n", "{output:?}");
}

#[test]
fn a_mistake_names_what_was_meant() {
    for (arguments, expected) in [
        (&[][..], "no verb given: try 'gesta --help'"),
        (&["reed"], "'read'"),
        (&["index"], "no verb given: try 'gesta index --help'"),
        (&["index", "verfy"], "'verify'"),
        (&["streams", "--perfix", "x"], "'--prefix'"),
        (&["types", "order"], "try 'gesta types --help'"),
        (&["read", "--stor", "x"], "'--store'"),
        (&["read", "--store"], "a value is required for '--store <STORE>'"),
        (&["import", "--on-error", "ignore"], "stop, skip"),
    ] {
        let run = finish(&mut bare_command(arguments));
        assert!(run.failure(2).contains(expected), "{run:?}");
        assert_eq!(run.stdout, "");
        let (code, message) = finish(&mut bare_command(&[arguments, &["--json"]].concat())).error(2);
        assert!(code == "usage" && (arguments.len() == 2 || message.contains(expected)), "{message}");
    }
}
