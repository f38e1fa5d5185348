//! The description of the API in `OpenAPI` 3.1, as far as the routes do not say it.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stillcast",
        description = "Turns a conversation, or any text, into a short guided meditation: bring jobs \
                       in, follow them, fetch what was made, look after the queue.",
        license(name = "MIT", identifier = "MIT")
    ),
    servers((url = "/")),
    tags(
        (name = "jobs", description = "One job, or many"),
        (name = "queue", description = "The queue as a whole, and who works on it"),
        (name = "server", description = "The server itself")
    ),
    modifiers(&Token)
)]
pub(crate) struct Description;

struct Token;

impl Modify for Token {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let mut bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        bearer = bearer.description(Some(
            "One of API_TOKENS. Without any, only the server's own machine is answered.",
        ));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
    }
}
