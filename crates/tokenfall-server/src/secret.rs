//! Secrets that clients show, and how they are compared.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use subtle::{Choice, ConstantTimeEq as _};

/// Text that must not appear in logs; `Debug` shows `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be compared or sent.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The secrets that open the server. None configured: everybody on this machine may come in.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
    /// Each `id:key`, sent as `Authorization: ApiKey base64(id:key)`.
    pub api_keys: Vec<Secret>,
}

/// Why a client is not let in; the texts are those of Elastic's server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No header, or one that is not `SCHEME VALUE`.
    #[error(
        "authentication failed: missing or improperly formatted Authorization header: expected 'Authorization: Bearer \
         secret_token' or 'Authorization: ApiKey base64(API key ID:API key)'"
    )]
    Missing,
    /// A scheme that is neither `Bearer` nor `ApiKey`.
    #[error(
        "authentication failed: unknown Authentication header {0}: expected 'Authorization: Bearer secret_token' or \
         'Authorization: ApiKey base64(API key ID:API key)'"
    )]
    UnknownScheme(String),
    /// The secret is wrong.
    #[error("authentication failed")]
    Wrong,
}

impl Secrets {
    /// True if clients must show a secret.
    pub fn required(&self) -> bool {
        self.token.is_some() || !self.api_keys.is_empty()
    }

    /// Checks the value of an `Authorization` header. Takes the same time whichever of the secrets is compared.
    pub fn check(&self, authorization: Option<&str>) -> Result<(), AuthError> {
        if !self.required() {
            return Ok(());
        }
        let (scheme, value) =
            authorization.and_then(|header| header.trim().split_once(' ')).ok_or(AuthError::Missing)?;
        let value = value.trim();
        let known = if scheme.eq_ignore_ascii_case("Bearer") {
            self.token.as_ref().map_or_else(|| Choice::from(0), |token| same(token, value.as_bytes()))
        } else if scheme.eq_ignore_ascii_case("ApiKey") {
            let key = BASE64_STANDARD.decode(value).map_err(|_| AuthError::Wrong)?;
            self.api_keys.iter().fold(Choice::from(0), |known, candidate| known | same(candidate, &key))
        } else {
            return Err(AuthError::UnknownScheme(scheme.to_owned()));
        };
        if bool::from(known) { Ok(()) } else { Err(AuthError::Wrong) }
    }
}

fn same(secret: &Secret, shown: &[u8]) -> Choice {
    secret.reveal().as_bytes().ct_eq(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrix() {
        let secrets = Secrets { token: Some(Secret::new("s3cret")), api_keys: vec![Secret::new("id:key")] };
        let check = |header: Option<&str>, expect: Result<(), AuthError>| {
            assert_eq!(secrets.check(header), expect, "{header:?}");
        };
        check(Some("Bearer s3cret"), Ok(()));
        check(Some("bearer  s3cret "), Ok(()));
        check(Some("ApiKey aWQ6a2V5"), Ok(()));
        check(None, Err(AuthError::Missing));
        check(Some(""), Err(AuthError::Missing));
        check(Some("s3cret"), Err(AuthError::Missing));
        check(Some("Bearer wrong"), Err(AuthError::Wrong));
        check(Some("Bearer s3cre"), Err(AuthError::Wrong));
        check(Some("Bearer id:key"), Err(AuthError::Wrong));
        check(Some("ApiKey s3cret"), Err(AuthError::Wrong));
        check(Some("ApiKey !"), Err(AuthError::Wrong));
        check(Some("Basic aWQ6a2V5"), Err(AuthError::UnknownScheme("Basic".into())));
    }

    #[test]
    fn without_secrets_everybody_may_come_in() {
        assert_eq!(Secrets::default().check(None), Ok(()));
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "***");
    }
}
