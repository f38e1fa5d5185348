//! A stage goes in; what it asks of a model comes out, in the words of OpenTelemetry's conventions.

use stillcast_enqueue::StageName;
use telemetry::GenAiCall;

/// What a model is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) operation: &'static str,
    pub(crate) output_type: &'static str,
}

/// The conventions have no word for speech and pictures: they are contents that are generated.
pub(crate) fn asked_of(stage: StageName) -> Option<Asked> {
    let (operation, output_type) = match stage {
        StageName::Transcript => ("chat", "text"),
        StageName::Tts => ("generate_content", "speech"),
        StageName::Image => ("generate_content", "image"),
        StageName::Collection | StageName::Encode | StageName::Upload => return None,
    };
    Some(Asked { operation, output_type })
}

impl Asked {
    /// The labels of such a call.
    pub(crate) fn call(self, provider: &'static str, model: &str) -> GenAiCall {
        GenAiCall {
            gen_ai_operation_name: self.operation.into(),
            gen_ai_output_type: self.output_type.into(),
            gen_ai_provider_name: provider.into(),
            gen_ai_request_model: model.to_owned(),
        }
    }
}
