//! What the queue, the producer and the store say becomes a problem of the caller's.

use queue::{PurgeError, QueueError};
use stillcast_enqueue::{EnqueueError, InvalidField, InvalidJob};

use super::{Code, FieldProblem, Problem};

impl From<&InvalidField> for FieldProblem {
    /// `options.voice` becomes `/options/voice`; the request itself is the empty pointer.
    fn from(fault: &InvalidField) -> Self {
        let pointer = match fault.field.as_str() {
            "request" => String::new(),
            path => path.split('.').fold(String::new(), |pointer, part| {
                // RFC 6901 escapes these two.
                pointer + "/" + &part.replace('~', "~0").replace('/', "~1")
            }),
        };
        Self { pointer, detail: fault.problem.to_string() }
    }
}

impl From<InvalidJob> for Problem {
    fn from(faults: InvalidJob) -> Self {
        let errors = faults.fields().iter().map(FieldProblem::from).collect();
        Self { errors, ..Self::new(Code::InvalidRequest, faults.to_string()) }
    }
}

impl From<EnqueueError> for Problem {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Invalid(faults) => faults.into(),
            EnqueueError::IdempotencyMismatch { .. } => {
                Self::new(Code::KeyMismatch, error.to_string())
            }
            EnqueueError::Full => Self::new(Code::QueueFull, error.to_string()),
            EnqueueError::TimedOut(_) => Self::new(Code::QueueAway, error.to_string()),
            other => {
                tracing::warn!("the queue: {other}");
                Self::new(Code::QueueAway, "the queue's Redis refused the call")
            }
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        tracing::warn!("the queue: {error}");
        let code = match error {
            QueueError::Protocol { .. } => Code::Internal,
            _ => Code::QueueAway,
        };
        Self::new(code, code.title())
    }
}

impl Problem {
    /// What the store says.
    pub(crate) fn of_store(code: &str, error: &dyn std::error::Error) -> Self {
        tracing::warn!(code, "the store: {error}");
        Self::new(Code::StoreAway, format!("the store answered {code}"))
    }
}

impl From<PurgeError> for Problem {
    fn from(error: PurgeError) -> Self {
        match error {
            PurgeError::Queue(error) => error.into(),
            PurgeError::Identifier(fault) => InvalidJob::from(fault).into(),
            PurgeError::OtherTenant { id } => Self::unknown_job(&id),
            other => {
                tracing::warn!("a purge: {other}");
                Self::new(Code::StoreAway, other.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_s_path_is_a_pointer() {
        for (path, pointer) in [
            ("request", ""),
            ("priority", "/priority"),
            ("options.voice", "/options/voice"),
            ("metadata.a/b~c", "/metadata/a~1b~0c"),
        ] {
            let fault = InvalidField::value(path, "x", "y");
            assert_eq!(FieldProblem::from(&fault).pointer, pointer);
        }
    }
}
