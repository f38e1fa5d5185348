//! The address of sentinels goes in; the primary that they name now comes out.
//!
//! `redis+sentinel://user:password@one:26379,two:26379/NAME/0?sentinel_password=…`: user, password and database
//! are those of the Redis that the sentinels watch as NAME.

use std::time::Duration;

use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisResult};

use crate::address::connection_info;

const SCHEME: &str = "redis+sentinel://";
const PORT: &str = "26379";
const PASSWORD: &str = "sentinel_password=";

/// The sentinels of one primary.
#[derive(Clone, Debug)]
pub(crate) struct Sentinels {
    clients: Vec<Client>,
    name: String,
}

/// Where a primary is: host and port.
pub(crate) type Place = (String, u16);

/// What `address` says of sentinels, and how to connect to whatever they name, at a place that is none yet;
/// `None` when it is no address of sentinels. Its errors hold nothing of it: it may hold a password.
pub(crate) fn parse(address: &str) -> Option<RedisResult<(Sentinels, Client)>> {
    address.strip_prefix(SCHEME).map(read)
}

fn read(rest: &str) -> RedisResult<(Sentinels, Client)> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, place) = match place.rsplit_once('@') {
        Some((user, place)) => (format!("{user}@"), place),
        None => (String::new(), place),
    };
    let mut parts = place.split('/');
    let (hosts, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let db = parts.next().unwrap_or_default();
    if hosts.is_empty() || name.is_empty() || parts.next().is_some() {
        return Err(invalid("is redis+sentinel://host:26379,host:26379/NAME/0"));
    }
    let password = match query.strip_prefix(PASSWORD) {
        Some(password) => format!(":{password}@"),
        None if query.is_empty() => String::new(),
        None => return Err(invalid("takes sentinel_password= and no other word behind its `?`")),
    };
    let open = |address: String| {
        let opened = connection_info(&address).and_then(Client::open);
        opened.map_err(|_| invalid("holds a user, a host, a port or a database that is none"))
    };
    let clients = hosts.split(',').map(|host| {
        let port = if host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']')) {
            String::new()
        } else {
            format!(":{PORT}")
        };
        open(format!("redis://{password}{host}{port}"))
    });
    let clients = clients.collect::<RedisResult<Vec<Client>>>()?;
    let primary = open(format!("redis://{user}localhost/{db}"))?;
    Ok((Sentinels { clients, name: name.to_owned() }, primary))
}

fn invalid(why: &'static str) -> RedisError {
    RedisError::from((ErrorKind::InvalidClientConfig, "the address of sentinels", why.to_owned()))
}

impl Sentinels {
    /// Where the primary is, by the first sentinel that connects and answers, each within its share of `limit`.
    pub(crate) async fn locate(&self, limit: Duration) -> RedisResult<Place> {
        let share = self.share(limit);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(share))
            .set_response_timeout(Some(share));
        let mut last = silent();
        for client in &self.clients {
            let asked = async {
                let opening = client.get_multiplexed_async_connection_with_config(&config);
                self.question().query_async(&mut opening.await?).await
            };
            match asked.await {
                Ok(place) => return known(place),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The same without a runtime.
    pub(crate) fn locate_blocking(&self, limit: Duration) -> RedisResult<Place> {
        let share = self.share(limit);
        let ask = |client: &Client| {
            let mut connection = client.get_connection_with_timeout(share)?;
            connection.set_read_timeout(Some(share))?;
            connection.set_write_timeout(Some(share))?;
            self.question().query(&mut connection)
        };
        let mut last = silent();
        for client in &self.clients {
            match ask(client) {
                Ok(place) => return known(place),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn share(&self, limit: Duration) -> Duration {
        limit / u32::try_from(self.clients.len()).unwrap_or(u32::MAX).max(1)
    }

    fn question(&self) -> Cmd {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name);
        question
    }
}

/// A sentinel that does not know the name will not learn it.
fn known(place: Option<Place>) -> RedisResult<Place> {
    place.ok_or_else(|| invalid("names a primary that its sentinels do not know"))
}

fn silent() -> RedisError {
    RedisError::from((ErrorKind::Io, "no sentinel has answered"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(sentinels: &Sentinels) -> Vec<String> {
        let place = |client: &Client| client.get_connection_info().addr().to_string();
        sentinels.clients.iter().map(place).collect()
    }

    #[test]
    fn an_address_names_sentinels_and_how_to_enter_what_they_name() {
        let address =
            "redis+sentinel://user:p%40ss@one:7000,two,[::1]:7001/evening/3?sentinel_password=w";
        let (sentinels, primary) = parse(address).unwrap().unwrap();
        assert_eq!(places(&sentinels), ["one:7000", "two:26379", "::1:7001"]);
        assert_eq!(sentinels.name, "evening");
        let asked = sentinels.clients[0].get_connection_info().redis_settings();
        assert_eq!((asked.username(), asked.password()), (None, Some("w")));
        let entered = primary.get_connection_info().redis_settings();
        assert_eq!((entered.username(), entered.password()), (Some("user"), Some("p@ss")));
        assert_eq!(entered.db(), 3);
        assert!(parse("redis://one").is_none());
    }

    #[test]
    fn what_is_no_such_address_is_refused_without_its_password() {
        for rest in [
            "",
            "one",
            "/evening",
            "u:canary@one:x/evening",
            "one/evening/x",
            "one/e/0/1",
            "one/e?canary=1",
        ] {
            let error = parse(&format!("{SCHEME}{rest}")).unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidClientConfig, "{rest}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }
}
