//! An error of the client goes in; what it means for the job comes out.

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use pipeline::{FailureClass, ProviderError};

use super::PROVIDER;

/// The code of an object that is already there.
const EXISTS: &str = "object-exists";
/// The code of a verb that the store does not know.
pub(super) const UNSUPPORTED: &str = "store-unsupported";
const FAILED: &str = "store-failed";
const REFUSED: &str = "store-refused";

/// Why a put made nothing.
pub(super) enum Refused {
    /// The key exists.
    Exists,
    /// All else.
    Failed(ProviderError),
}

impl From<ProviderError> for Refused {
    fn from(error: ProviderError) -> Self {
        if error.code == EXISTS { Self::Exists } else { Self::Failed(error) }
    }
}

/// What a failed put means.
pub(super) fn of_put<E>(error: SdkError<E, HttpResponse>) -> Refused
where
    E: ProvideErrorMetadata + Error + 'static,
{
    of(error).into()
}

/// `None` for an object that is not there.
pub(super) fn unless_gone<T, E>(
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, ProviderError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status =
        |error: &SdkError<E, HttpResponse>| error.raw_response().map(|raw| raw.status().as_u16());
    match answer {
        Ok(answer) => Ok(Some(answer)),
        // An answer to HEAD has no body, and so no code.
        Err(error) if status(&error) == Some(404) && error.code() != Some("NoSuchBucket") => {
            Ok(None)
        }
        Err(error) => Err(of(error)),
    }
}

/// What a failed request means.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
pub(super) fn of<E>(error: SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match &error {
        SdkError::ServiceError(service) => {
            let (raw, said) = (service.raw(), service.err());
            let mut judged = of_code(said.code(), said.message(), Some(raw.status().as_u16()));
            if let FailureClass::Transient { retry_after } = &mut judged.failure {
                *retry_after = raw.headers().get("retry-after").and_then(seconds);
            }
            judged
        }
        SdkError::TimeoutError(_) => transient("no answer in time"),
        SdkError::ConstructionFailure(_) => refused(&format!("{}", innermost(&error))),
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            refused(&format!("{}", innermost(&error)))
        }
        // The machine's roles and profiles were asked for credentials, in vain.
        SdkError::DispatchFailure(_) if is_about_credentials(&error) => {
            refused("no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        _ => transient(&format!("the connection failed: {}", innermost(&error))),
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
pub(super) fn of_code(
    code: Option<&str>,
    message: Option<&str>,
    status: Option<u16>,
) -> ProviderError {
    let told = format!(
        "{} {}",
        code.map_or_else(|| format!("status {}", status.unwrap_or(0)), str::to_owned),
        message.unwrap_or_default()
    );
    let told = told.trim_end();
    match (code.unwrap_or_default(), status.unwrap_or(0)) {
        ("PreconditionFailed", _) | (_, 412) => {
            ProviderError::permanent(PROVIDER, EXISTS, "there is an object under the key already")
        }
        ("NotImplemented" | "MethodNotAllowed", _) | (_, 405 | 501) => {
            ProviderError::misconfigured(PROVIDER, UNSUPPORTED, told)
        }
        (
            "BadDigest"
            | "IncompleteBody"
            | "InternalError"
            | "NoSuchUpload"
            | "RequestTimeout"
            | "ServiceUnavailable"
            | "SlowDown"
            | "XAmzContentSHA256Mismatch",
            _,
        )
        | (_, 408 | 409 | 429 | 500..) => transient(told),
        _ => refused(told),
    }
}

/// The file or bytes at hand cannot be read.
pub(super) fn unreadable(why: &str) -> ProviderError {
    ProviderError::transient(PROVIDER, "file-unreadable", format!("the file cannot be read: {why}"))
}

/// The store answered without what an answer holds.
pub(super) fn nonsense() -> ProviderError {
    transient("its answer lacks what S3 answers; is this an S3?")
}

/// What we would ask for is no request.
pub(super) fn invalid(error: &dyn Error) -> ProviderError {
    ProviderError::permanent(PROVIDER, "request-invalid", error.to_string())
}

fn transient(what: &str) -> ProviderError {
    ProviderError::transient(PROVIDER, FAILED, format!("the store failed: {what}"))
}

fn refused(what: &str) -> ProviderError {
    let message = format!(
        "the store refused: {what}; check STORAGE_URL, S3_ENDPOINT, AWS_REGION, the credentials \
         and their right to get, put, list and delete"
    );
    ProviderError::misconfigured(PROVIDER, REFUSED, message)
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}

fn innermost<'error>(error: &'error (dyn Error + 'static)) -> &'error (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}

fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<aws_credential_types::provider::error::CredentialsError>() {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_class() {
        let class = |code: &str, status| of_code(Some(code), None, Some(status)).failure;
        let transient = FailureClass::Transient { retry_after: None };
        for (code, status, expected) in [
            ("AccessDenied", 403, FailureClass::Misconfigured),
            ("NoSuchBucket", 404, FailureClass::Misconfigured),
            ("InvalidAccessKeyId", 403, FailureClass::Misconfigured),
            ("SignatureDoesNotMatch", 403, FailureClass::Misconfigured),
            ("PermanentRedirect", 301, FailureClass::Misconfigured),
            ("SlowDown", 503, transient),
            ("InternalError", 200, transient),
            ("RequestTimeout", 400, transient),
            ("BadDigest", 400, transient),
            ("ConditionalRequestConflict", 409, transient),
        ] {
            assert_eq!(class(code, status), expected, "{code}");
        }
        assert_eq!(of_code(None, None, Some(502)).failure, transient);
    }
}
