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
    match answer {
        Ok(answer) => Ok(Some(answer)),
        // An answer to HEAD has no body, and so no code.
        Err(error) if status(&error) == Some(404) && error.code() != Some("NoSuchBucket") => {
            Ok(None)
        }
        Err(error) => Err(of(error)),
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
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
            let region = raw.headers().get("x-amz-bucket-region");
            let mut judged = of_code(said.code(), Some(raw.status().as_u16()), region);
            if let FailureClass::Transient { retry_after } = &mut judged.failure {
                *retry_after = raw.headers().get("retry-after").and_then(seconds);
            }
            judged
        }
        SdkError::TimeoutError(_) => transient("no answer in time"),
        SdkError::ResponseError(_) => nonsense(),
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

/// What a HEAD answers; its refusal has no body, and so no code.
pub(super) fn of_head<T, E>(
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, ProviderError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = answer.as_ref().err().and_then(status);
    unless_gone(answer).map_err(|error| match status {
        Some(403) => misconfigured(
            "status 403 to HEAD",
            "behind each put the object is looked for: the credentials need `s3:GetObject` for it, \
             and `s3:ListBucket` to be told what is not there",
        ),
        _ => error,
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>. The store's own sentence is
/// not repeated; its code is, where it is one word.
pub(super) fn of_code(
    code: Option<&str>,
    status: Option<u16>,
    region: Option<&str>,
) -> ProviderError {
    let status = status.unwrap_or(0);
    let code = code.filter(|code| is_word(code));
    let told = code.map_or_else(|| format!("status {status}"), str::to_owned);
    match (code.unwrap_or_default(), status) {
        ("PreconditionFailed", _) | (_, 412) => {
            ProviderError::permanent(PROVIDER, EXISTS, "there is an object under the key already")
        }
        ("NotImplemented" | "MethodNotAllowed", _) | (_, 405 | 501) => {
            let message = format!("the store does not know what it is asked for: {told}");
            ProviderError::misconfigured(PROVIDER, UNSUPPORTED, message)
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
        | (_, 408 | 409 | 429 | 500..) => transient(&told),
        (_, 200..=299) => nonsense(),
        (code, status) => misconfigured(&told, &remedy(code, status, region)),
    }
}

/// Which setting mends a refusal.
fn remedy(code: &str, status: u16, region: Option<&str>) -> String {
    match (code, status) {
        ("RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture", _) => {
            "this machine's clock and the store's differ; set them, by NTP".to_owned()
        }
        (
            "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException"
            | "PermanentRedirect"
            | "TemporaryRedirect",
            _,
        )
        | (_, 300..=399) => match region.filter(|region| is_word(region)) {
            Some(region) => format!(
                "the bucket is in the region {region}; set AWS_REGION to it, and S3_ENDPOINT to its address if one is set"
            ),
            None => {
                "the bucket is elsewhere; set AWS_REGION to its region, and S3_ENDPOINT to its \
                     address if one is set"
                    .to_owned()
            }
        },
        ("NoSuchBucket", _) => "make the bucket, or correct STORAGE_URL".to_owned(),
        (
            "InvalidAccessKeyId"
            | "NotSignedUp"
            | "SignatureDoesNotMatch"
            | "InvalidToken"
            | "ExpiredToken",
            _,
        ) => "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to valid ones"
            .to_owned(),
        _ => "check STORAGE_URL, S3_ENDPOINT, AWS_REGION, the credentials and their right to get, \
              put, list and delete"
            .to_owned(),
    }
}

/// A code or a region: short, of letters and digits, so that it is nobody's sentence.
fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// A download broke in the middle.
pub(super) fn broken() -> ProviderError {
    transient("the download broke")
}

/// The file or bytes at hand cannot be read.
pub(super) fn unreadable(why: &str) -> ProviderError {
    ProviderError::transient(PROVIDER, "file-unreadable", format!("the file cannot be read: {why}"))
}

/// The store answered without what an answer holds.
pub(super) fn nonsense() -> ProviderError {
    transient("its answer is not one of S3; are STORAGE_URL and S3_ENDPOINT right?")
        .again(FailureClass::Misconfigured)
}

/// What we would ask for is no request.
pub(super) fn invalid(error: &dyn Error) -> ProviderError {
    ProviderError::permanent(PROVIDER, "request-invalid", error.to_string())
}

fn transient(what: &str) -> ProviderError {
    ProviderError::transient(PROVIDER, FAILED, format!("the store failed: {what}"))
}

fn refused(what: &str) -> ProviderError {
    misconfigured(what, &remedy("", 0, None))
}

fn misconfigured(what: &str, remedy: &str) -> ProviderError {
    let message = format!("the store refused: {what}; {remedy}");
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
        let class = |code: &str, status| of_code(Some(code), Some(status), None).failure;
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
        assert_eq!(of_code(None, Some(502), None).failure, transient);
    }
}
