//! Verifies access tokens against a JSON Web Key Set.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use lambda_runtime::Error;
use serde::Deserialize;
use tokio::sync::Mutex;

const TIMEOUT: Duration = Duration::from_secs(5);
const LEEWAY_SECONDS: u64 = 30;

/// How long the keys are kept before an unknown one may have them fetched again.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// Keys by their ids, each with what it asks of a token.
type Keys = HashMap<String, (DecodingKey, Validation)>;

pub struct Verifier {
    client: reqwest::Client,
    url: String,
    issuer: String,
    audience: String,
    keys: Mutex<(Keys, Instant)>, // and when they were fetched
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Verifier {
    /// Fetches the keys from `url`.
    pub async fn new(url: String, issuer: String, audience: String) -> Result<Self, Error> {
        let mut verifier = Verifier {
            client: reqwest::Client::builder().timeout(TIMEOUT).build()?,
            url,
            issuer,
            audience,
            keys: Mutex::new((Keys::new(), Instant::now())),
        };
        *verifier.keys.get_mut() = (verifier.fetch().await?, Instant::now());
        Ok(verifier)
    }

    /// Returns whom the token is of, or nothing if it is not acceptable. An error
    /// means that the keys could not be had.
    pub async fn user(&self, token: &str) -> Result<Option<String>, Error> {
        let Ok(header) = decode_header(token) else {
            return Ok(None);
        };
        let Some(id) = header.kid else {
            return Ok(None);
        };
        let mut keys = self.keys.lock().await;
        if !keys.0.contains_key(&id) && keys.1.elapsed() > COOL_DOWN {
            *keys = (self.fetch().await?, Instant::now());
        }
        let Some((key, validation)) = keys.0.get(&id) else {
            return Ok(None);
        };
        let user = decode::<Claims>(token, key, validation)
            .ok()
            .map(|token| token.claims.sub);
        Ok(user.filter(|user| !user.is_empty()))
    }

    async fn fetch(&self) -> Result<Keys, Error> {
        let set: JwkSet = self
            .client
            .get(&self.url)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        Ok(set.keys.iter().filter_map(|key| self.usable(key)).collect())
    }

    /// Binds a key to its one algorithm: a token cannot choose.
    fn usable(&self, jwk: &Jwk) -> Option<(String, (DecodingKey, Validation))> {
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                Algorithm::ES256
            }
            _ => return None,
        };
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        Some((
            jwk.common.key_id.clone()?,
            (DecodingKey::from_jwk(jwk).ok()?, validation),
        ))
    }
}
