//! The contender "rust": organization settings as a careful Rust developer writes
//! it, with lambda_runtime, the AWS SDK, jsonwebtoken and reqwest. The client is made
//! and the keys are fetched before the first event; the document is stored as a
//! native map.
//!
//! It leaves out: reading, patching and deleting; exact numbers and key order; ETags;
//! scopes; 503 while the keys cannot be had (500 here); structured logs.

mod auth;

use std::env;
use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::HeaderMap;
use aws_lambda_events::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::prelude::{BASE64_STANDARD, Engine};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Map, Value, json};

use auth::Verifier;

const ADMINISTRATOR: u64 = 0xfe;
const MAX_BODY: usize = 400_000 + r#"{"settings":}"#.len();

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::new().await?;
    run(service_fn(|event| app.serve(event))).await
}

struct App {
    verifier: Verifier,
    database: aws_sdk_dynamodb::Client,
    users_table: String,
    settings_table: String,
}

/// What ends a request without success.
enum Failure {
    /// A status and a message for the caller.
    Refused(u16, &'static str),
    /// Something for the log alone.
    Internal(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Internal(error.into())
    }
}

impl App {
    async fn new() -> Result<Self, Error> {
        let verifier = Verifier::new(
            env::var("JWKS_URL")?,
            env::var("JWT_ISSUER")?,
            env::var("JWT_AUDIENCE")?,
        );
        let config = aws_config::load_defaults(BehaviorVersion::latest());
        Ok(App {
            verifier: verifier.await?,
            database: aws_sdk_dynamodb::Client::new(&config.await),
            users_table: env::var("USERS_TABLE")?,
            settings_table: env::var("SETTINGS_TABLE")?,
        })
    }

    async fn serve(
        &self,
        event: LambdaEvent<ApiGatewayV2httpRequest>,
    ) -> Result<ApiGatewayV2httpResponse, Error> {
        let (status, success, message) = match self.update(event.payload).await {
            Ok(()) => (200, true, "Organization settings updated successfully"),
            Err(Failure::Refused(status, message)) => (status, false, message),
            Err(Failure::Internal(error)) => {
                eprintln!("{error:?}");
                (500, false, "Internal server error")
            }
        };
        // Not json!, which sorts the members.
        let body = format!(r#"{{"success":{success},"message":{}}}"#, json!(message));
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = status.into();
        response
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.body = Some(Body::Text(body));
        Ok(response)
    }

    async fn update(&self, request: ApiGatewayV2httpRequest) -> Result<(), Failure> {
        let Some(token) = bearer_token(&request.headers) else {
            return Err(Failure::Refused(401, "Authentication required"));
        };
        let Some(user) = self.verifier.user(token).await? else {
            return Err(Failure::Refused(401, "Invalid access token"));
        };
        let settings = parse_settings(request)?;
        let org = self.writable_organization(user).await?;
        let updated_at = DateTime::from(SystemTime::now()).fmt(DateTimeFormat::DateTime)?;
        self.database
            .put_item()
            .table_name(&self.settings_table)
            .item("orgId", AttributeValue::S(org))
            .item("settings", serde_dynamo::to_attribute_value(settings)?)
            .item("updatedAt", AttributeValue::S(updated_at))
            .send()
            .await?;
        Ok(())
    }

    async fn writable_organization(&self, user: String) -> Result<String, Failure> {
        let record = self
            .database
            .get_item()
            .table_name(&self.users_table)
            .key("userId", AttributeValue::S(user))
            .consistent_read(true)
            .send()
            .await?
            .item
            .unwrap_or_default();
        let Some(AttributeValue::S(org)) = record.get("orgId") else {
            return Err(Failure::Refused(
                404,
                "User not associated with any organization",
            ));
        };
        if let Some(AttributeValue::N(role)) = record.get("role")
            && role.parse::<u64>()? < ADMINISTRATOR
        {
            return Err(Failure::Refused(
                403,
                "Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings",
            ));
        }
        Ok(org.clone())
    }
}

fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn parse_settings(request: ApiGatewayV2httpRequest) -> Result<Map<String, Value>, Failure> {
    const MESSAGE: &str = "Failed to update organization settings";
    let invalid = || Failure::Refused(400, MESSAGE);
    let mut body = request.body.unwrap_or_default().into_bytes();
    if request.is_base64_encoded {
        body = BASE64_STANDARD.decode(body).map_err(|_| invalid())?;
    }
    if body.len() > MAX_BODY {
        return Err(Failure::Refused(413, MESSAGE));
    }
    // Not a struct with a field `settings`, which an array would also fill.
    let mut body: Map<String, Value> = serde_json::from_slice(&body).map_err(|_| invalid())?;
    match body.remove("settings") {
        Some(Value::Object(settings)) => Ok(settings),
        _ => Err(invalid()),
    }
}
