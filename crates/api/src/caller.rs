//! Who asks: a name for the log, a tenant, and what their roles let them do.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use queue::{Actor, Interface};
use stillcast_enqueue::Identifier;

use crate::problem::{Code, Problem};

/// What a request may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// To bring jobs in.
    Enqueue,
    /// To see records and numbers; they hold no private text.
    Read,
    /// To read and hear what was made: private.
    Content,
    /// To end a job.
    Cancel,
    /// To send dead jobs round again, and to remove ended ones.
    Mend,
    /// To stop and start the whole queue.
    Control,
}

/// What a token stands for; one token may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// An application server.
    Enqueue,
    /// A dashboard.
    Read,
    /// Somebody on duty.
    Operate,
    /// Everything.
    Admin,
}

impl Role {
    pub(crate) const ALL: [Self; 4] = [Self::Enqueue, Self::Read, Self::Operate, Self::Admin];

    /// The word in `API_TOKENS`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// Whoever is on duty mends jobs without reading what is in them; whoever brings them in owns that.
    pub(crate) fn grants(self) -> &'static [Right] {
        use Right::{Cancel, Content, Control, Enqueue, Mend, Read};
        match self {
            Self::Enqueue => &[Enqueue, Read, Content, Cancel],
            Self::Read => &[Read],
            Self::Operate => &[Read, Cancel, Mend, Control],
            Self::Admin => &[Enqueue, Read, Content, Cancel, Mend, Control],
        }
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The token's name, for logs and limits.
    pub(crate) name: String,
    /// The only tenant whose jobs they see; `None` for all.
    pub(crate) tenant: Option<Identifier>,
    pub(crate) roles: Vec<Role>,
    /// What they have in their hands.
    pub(crate) interface: Interface,
}

impl Caller {
    /// Whoever sits at this machine, while there are no tokens.
    pub(crate) fn at_this_machine() -> Self {
        let (name, roles) = ("loopback".to_owned(), vec![Role::Admin]);
        Self { name, tenant: None, roles, interface: Interface::Api }
    }

    /// The same, who looks at the pages.
    pub(crate) fn at_a_page(self) -> Self {
        Self { interface: Interface::Page, ..self }
    }

    /// Refuses what none of their roles grants.
    pub(crate) fn may(&self, right: Right) -> Result<(), Problem> {
        let is_granted = self.roles.iter().any(|role| role.grants().contains(&right));
        // One tenant does not stop the queue of all.
        let is_theirs = right != Right::Control || self.tenant.is_none();
        if is_granted && is_theirs {
            return Ok(());
        }
        let able: Vec<&str> = Role::ALL
            .into_iter()
            .filter(|role| role.grants().contains(&right))
            .map(Role::as_str)
            .collect();
        let whose = if is_theirs { "" } else { ", for all tenants" };
        let roles = able.join("` or `");
        Err(Problem::new(Code::Forbidden, format!("this needs a token with `{roles}`{whose}")))
    }

    /// Who changes a queue, for its audit, and why.
    pub(crate) fn actor(&self, why: Option<&str>) -> Result<Actor, Problem> {
        let actor = Actor::new(self.interface, &self.name).because(why);
        actor.map_err(|fault| Problem::of_field("?why", fault.problem.to_string()))
    }

    /// Whether they may know of a job of this tenant.
    pub(crate) fn sees(&self, tenant: &str) -> bool {
        self.tenant.as_ref().is_none_or(|own| own.as_str() == tenant)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    /// A route that no middleware has guarded has no caller, and answers nobody.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Problem::new(Code::Unauthorized, "nobody was asked who this is"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(roles: &[Role], tenant: Option<&str>) -> Caller {
        let tenant = tenant.map(|name| Identifier::parse("tenant", name).unwrap());
        Caller { name: "test".to_owned(), tenant, roles: roles.to_vec(), interface: Interface::Api }
    }

    #[test]
    fn each_role_does_its_own_and_no_more() {
        use Right::{Cancel, Content, Control, Enqueue, Mend, Read};
        for (role, granted) in [
            (Role::Enqueue, vec![Enqueue, Read, Content, Cancel]),
            (Role::Read, vec![Read]),
            (Role::Operate, vec![Read, Cancel, Mend, Control]),
            (Role::Admin, vec![Enqueue, Read, Content, Cancel, Mend, Control]),
        ] {
            for right in [Enqueue, Read, Content, Cancel, Mend, Control] {
                let may = caller(&[role], None).may(right).is_ok();
                assert_eq!(may, granted.contains(&right), "{role:?} {right:?}");
            }
        }
    }

    #[test]
    fn a_tenant_sees_its_own_jobs_and_stops_nobody_else_s() {
        let acme = caller(&[Role::Admin], Some("acme"));
        assert!(acme.sees("acme") && !acme.sees("other"));
        assert!(acme.may(Right::Mend).is_ok());
        let refused = acme.may(Right::Control).unwrap_err();
        assert!(refused.detail.contains("for all tenants"), "{refused:?}");
    }
}
