//! `gesta token`: the secrets by which clients of a server show what they may do.
//!
//! A secret is printed once, when its token is made; the file keeps its hash alone.

use crate::context::Context;
use crate::failure::{Failure, OneLine, Status, remark};
use crate::output::Output;
use crate::verbs::server_settings::Sources;
use gesta_server::StoreName;
use gesta_server::access::{
    CreateTokenError, NewToken, RevokeTokenError, Role, Roles, Token, TokenEntry, TokenFile, TokenFileError,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::ffi::OsString;
use std::path::PathBuf;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Make a token and print its secret, which is shown this once
    Create(Create),
    /// Print what is known of every token; the secrets are not
    List(FileArguments),
    /// Take a token out: a server refuses it as soon as it reads the file again
    Revoke(Revoke),
}

/// What `token create` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// What it stands for: appender, reader, projector or operator; may be repeated
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    /// The store that it is good for, '*' for every one; may be repeated
    // The same name and type as the argument that every verb shares: here it is a name, and the environment does not fill it.
    #[arg(long, value_name = "NAME", required = true)]
    store: Vec<OsString>,
    /// What to call it [default: its roles and stores]
    #[arg(long)]
    name: Option<String>,
    /// When it ends: a time such as 2027-01-31T12:00:00Z, or in how many days [default: when it is revoked]
    #[arg(long, value_name = "TIME|DAYS", value_parser = parse_end)]
    expires: Option<End>,
    #[command(flatten)]
    file: FileArguments,
}

/// What `token revoke` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The name of the token
    name: String,
    #[command(flatten)]
    file: FileArguments,
}

/// Where the tokens stand.
#[derive(Debug, clap::Args)]
pub(crate) struct FileArguments {
    /// The file of tokens [default: `access.tokens` of the settings]
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
}

/// When a token ends.
#[derive(Clone, Copy, Debug)]
enum End {
    At(Timestamp),
    After(SignedDuration),
}

/// What is known of a token, in the order of its JSON form; the secret when it was just made.
#[derive(Serialize)]
struct Known<'a> {
    name: &'a str,
    roles: Vec<String>,
    stores: Vec<&'a str>,
    created: String,
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// A token that is no more.
#[derive(Serialize)]
struct Revoked<'a> {
    revoked: &'a str,
}

/// Days that a token may last: a hundred years.
const DAYS_MAX: i64 = 36_500;

/// Makes, lists or revokes.
pub(crate) fn run(verb: &Verb, context: &Context) -> Result<Status, Failure> {
    match verb {
        Verb::Create(arguments) => create(arguments, context)?,
        Verb::List(arguments) => list(arguments, context)?,
        Verb::Revoke(arguments) => revoke(arguments, context)?,
    }
    Ok(Status::Done)
}

fn create(arguments: &Create, context: &Context) -> Result<(), Failure> {
    let path = arguments.file.path()?;
    let now = Timestamp::now();
    let roles: Roles = arguments.roles.iter().copied().collect();
    let stores = store_names(&arguments.store)?;
    let expires = match arguments.expires {
        Some(End::At(time)) => Some(time),
        Some(End::After(duration)) => Some(now + duration),
        None => None,
    };
    let new = |name: String| NewToken { name, roles, stores: stores.clone(), expires };
    let file = TokenFile::new(&path);
    let (name, token) = match &arguments.name {
        Some(name) => (name.clone(), file.create(new(name.clone()), now)?),
        None => create_unnamed(&file, &default_name(roles, &stores), new, now)?,
    };
    let known = Known {
        name: &name,
        roles: words(roles),
        stores: stores.iter().map(String::as_str).collect(),
        created: now.to_string(),
        expires: expires.map(|time| time.to_string()),
        token: Some(token.expose()),
    };
    if let Err(failure) = hand_over(&known, token.expose(), context.is_json) {
        // A token that nobody has is of use to nobody.
        file.revoke(&name)?;
        return Err(match failure {
            Failure::OutputClosed => Failure::new(Status::Refused, "output", NOBODY_READS),
            told => told,
        });
    }
    let shown = path.display();
    remark(
        context.is_json,
        &format!(
            "made the token {name:?} in {shown}; a server that runs knows it after SIGHUP, and nobody can show it again"
        ),
    );
    Ok(())
}

const NOBODY_READS: &str = "standard output is closed, so nobody would have got the secret: no token was made";

/// Prints the secret, and under `--json` what goes with it.
fn hand_over(known: &Known<'_>, secret: &str, is_json: bool) -> Result<(), Failure> {
    let mut output = Output::lock();
    if is_json {
        output.json(known)?
    } else {
        output.text(secret)?
    }
    output.flush()
}

/// Makes a token under a name that is free: the wanted one, or that with a number.
fn create_unnamed(
    file: &TokenFile,
    wanted: &str,
    new: impl Fn(String) -> NewToken,
    now: Timestamp,
) -> Result<(String, Token), CreateTokenError> {
    let mut number = 1_u64;
    loop {
        let name = if number == 1 { wanted.to_owned() } else { format!("{wanted}-{number}") };
        match file.create(new(name.clone()), now) {
            Err(CreateTokenError::NameTaken { .. }) => number += 1,
            made => return Ok((name, made?)),
        }
    }
}

fn list(arguments: &FileArguments, context: &Context) -> Result<(), Failure> {
    let entries = TokenFile::new(arguments.path()?).list()?;
    let mut output = Output::lock();
    for TokenEntry { name, roles, stores, created, expires, .. } in &entries {
        let (created, expires) = (created.to_string(), expires.map(|time| time.to_string()));
        let known =
            Known { name, roles: words(*roles), stores: stores.names().collect(), created, expires, token: None };
        if context.is_json {
            output.json(&known)?;
        } else {
            output.text(&known.line())?;
        }
    }
    output.flush()
}

fn revoke(arguments: &Revoke, context: &Context) -> Result<(), Failure> {
    let name = &arguments.name;
    TokenFile::new(arguments.file.path()?).revoke(name)?;
    if context.is_json {
        let mut output = Output::lock();
        output.json(&Revoked { revoked: name })?;
        output.flush()?;
    }
    remark(context.is_json, &format!("revoked the token {name:?}; a server that runs refuses it after SIGHUP"));
    Ok(())
}

impl FileArguments {
    /// The file that was named, or that of the settings.
    fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.tokens {
            return Ok(path.clone());
        }
        let settings = self.sources.load(Vec::new())?.into_settings();
        settings.access.tokens.ok_or_else(|| {
            Failure::usage(
                "no file of tokens: say which with --tokens FILE, or as access.tokens in the settings (--config FILE)",
            )
        })
    }
}

impl Known<'_> {
    fn line(&self) -> String {
        let (roles, stores) = (self.roles.join(","), self.stores.join(","));
        let expires = self.expires.as_deref().map_or_else(|| "until revoked".to_owned(), |end| format!("until {end}"));
        format!("{}  {roles}  {}  since {}  {expires}", OneLine(self.name), OneLine(&stores), self.created)
    }
}

/// The names of stores; what no store can be called would make a token that is good for nothing.
fn store_names(given: &[OsString]) -> Result<Vec<String>, Failure> {
    let name = |name: &OsString| {
        let name = name.to_string_lossy().into_owned();
        match name.parse::<StoreName>() {
            Err(error) if name != "*" => Err(Failure::usage(format!("--store: {error}, or '*' for every store"))),
            _ => Ok(name),
        }
    };
    let names = given.iter().map(name).collect::<Result<Vec<_>, _>>()?;
    if names.len() > 1 && names.iter().any(|name| name == "*") {
        return Err(Failure::usage("--store: '*' is every store already: give it alone"));
    }
    Ok(names)
}

/// Such as `appender-orders`, or `reader` where it is good for every store.
fn default_name(roles: Roles, stores: &[String]) -> String {
    let named = stores.iter().filter(|store| *store != "*").cloned();
    words(roles).into_iter().chain(named).collect::<Vec<_>>().join("-")
}

fn words(roles: Roles) -> Vec<String> {
    roles.iter().map(|role| role.to_string()).collect()
}

fn parse_end(text: &str) -> Result<End, String> {
    if let Ok(time) = text.parse() {
        return Ok(End::At(time));
    }
    match text.parse::<i64>() {
        Ok(days) if (1..=DAYS_MAX).contains(&days) => Ok(End::After(SignedDuration::from_hours(24 * days))),
        _ => Err(format!("give a time such as 2027-01-31T12:00:00Z, or a number of days from 1 to {DAYS_MAX}")),
    }
}

impl From<TokenFileError> for Failure {
    fn from(error: TokenFileError) -> Self {
        Self::new(Status::Unreachable, "tokens", error.to_string())
    }
}

impl From<CreateTokenError> for Failure {
    fn from(error: CreateTokenError) -> Self {
        match error {
            CreateTokenError::File(error) => error.into(),
            CreateTokenError::Unfit { .. } => Self::usage(error.to_string()),
            CreateTokenError::NameTaken { .. } => Self::new(Status::Refused, "token_exists", error.to_string()),
            _ => Self::new(Status::Refused, "tokens", error.to_string()),
        }
    }
}

impl From<RevokeTokenError> for Failure {
    fn from(error: RevokeTokenError) -> Self {
        match error {
            RevokeTokenError::File(error) => error.into(),
            RevokeTokenError::NotFound { .. } => Self::new(Status::Refused, "unknown_token", error.to_string()),
            RevokeTokenError::Write { .. } => Self::new(Status::Refused, "tokens", error.to_string()),
        }
    }
}
