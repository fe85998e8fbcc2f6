//! Which database is meant: what may be said of it in a message.

use postgres::Config;
use postgres::config::Host;
use std::fmt;

/// A database and where it is. It knows no password, so it can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    hosts: Vec<String>,
    database: Option<String>,
    schema: Option<String>,
}

impl Place {
    pub(crate) fn new(config: &Config, schema: Option<&str>) -> Self {
        let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
        let names = config.get_hosts().iter().map(|host| match host {
            // In a URL, an `@` in the password ends it: the rest of it would be shown as a part of the host.
            Host::Tcp(name) => name.rsplit('@').next().unwrap_or_default().to_owned(),
            Host::Unix(directory) => directory.display().to_string(),
        });
        let hosts: Vec<String> = if config.get_hosts().is_empty() { addresses.collect() } else { names.collect() };
        let ports = config.get_ports();
        let with_port = |(ordinal, host): (usize, String)| match ports.get(ordinal).or(ports.first()) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Self {
            hosts: hosts.into_iter().enumerate().map(with_port).collect(),
            database: config.get_dbname().or(config.get_user()).map(str::to_owned),
            schema: schema.map(str::to_owned),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(name) => write!(formatter, "database {name}")?,
            None => write!(formatter, "the default database")?,
        }
        if let Some(schema) = &self.schema {
            write!(formatter, ", schema {schema},")?;
        }
        write!(formatter, " at {}", if self.hosts.is_empty() { "no host".to_owned() } else { self.hosts.join(",") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(config: &str) -> String {
        Place::new(&config.parse().unwrap(), None).to_string()
    }

    #[test]
    fn a_place_names_database_and_hosts_and_never_the_password() {
        assert_eq!(said("host=a,b port=5433 dbname=orders password=secret"), "database orders at a:5433,b:5433");
        assert_eq!(said("host=/run/postgresql user=ann"), "database ann at /run/postgresql");
        assert_eq!(said("postgres://ann:sec@ret@db.example:6000/orders"), "database orders at db.example:6000");
        assert_eq!(said("hostaddr=10.0.0.7"), "the default database at 10.0.0.7");
        let in_schema = Place::new(&"host=a dbname=orders".parse().unwrap(), Some("v2"));
        assert_eq!(in_schema.to_string(), "database orders, schema v2, at a");
    }
}
