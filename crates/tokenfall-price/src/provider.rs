//! Providers by the names that agents give them, and the names of models as providers write them.

/// The provider's names in OpenTelemetry's and other conventions (lower case), and the ids of the price list whose rows are its,
/// in the order in which they are looked at. A platform that serves models of others comes before the makers of those models.
const ALIASES: &[(&[&str], &[&str])] = &[
    (&["openai", "api.openai.com"], &["openai"]),
    (
        &[
            "azure",
            "az.ai.openai",
            "az.ai.inference",
            "azure.ai.openai",
            "azure.ai.inference",
            "azure_openai",
            "azure-openai",
        ],
        &["azure", "openai", "anthropic", "deepseek", "x-ai", "moonshotai"],
    ),
    (&["anthropic", "claude", "api.anthropic.com"], &["anthropic"]),
    (&["aws.bedrock", "aws_bedrock", "bedrock", "aws", "amazon", "amazon-bedrock"], &["aws"]),
    (
        &[
            "gcp.gemini",
            "gcp.gen_ai",
            "gcp.vertex_ai",
            "vertex_ai",
            "vertexai",
            "google",
            "gemini",
            "google-genai",
            "gcp",
        ],
        &["google", "anthropic"],
    ),
    (&["mistral_ai", "mistralai", "mistral", "api.mistral.ai"], &["mistral"]),
    (&["x_ai", "xai", "x-ai", "api.x.ai"], &["x-ai"]),
    (&["together_ai", "together-ai", "togetherai", "together"], &["together"]),
    (&["fireworks", "fireworks_ai", "fireworks-ai"], &["fireworks"]),
    (&["moonshot_ai", "moonshotai", "moonshot"], &["moonshotai"]),
    (&["deepseek", "api.deepseek.com"], &["deepseek"]),
    (&["groq", "api.groq.com"], &["groq"]),
    (&["cohere", "api.cohere.com"], &["cohere"]),
    (&["perplexity", "api.perplexity.ai"], &["perplexity"]),
    (&["openrouter", "openrouter.ai"], &["openrouter"]),
    (&["voyageai", "voyage_ai", "voyage"], &["voyageai"]),
    (&["zhipuai", "zhipu_ai"], &["zhipuai", "zai"]),
    (&["zai", "z.ai", "z_ai"], &["zai", "zhipuai"]),
    (&["github_copilot", "github-copilot"], &["github-copilot"]),
];

/// Beginnings of names that only one maker gives to its models.
const MAKERS: &[(&str, &str)] = &[
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "google"),
    ("mistral-", "mistral"),
    ("codestral-", "mistral"),
    ("ministral-", "mistral"),
    ("command-", "cohere"),
    ("deepseek-", "deepseek"),
    ("grok-", "x-ai"),
    ("voyage-", "voyageai"),
];

/// Ids of the price list to look at. A provider that is not in the table stands for itself: the list may have it under this name,
/// and if not, the call has no price. Without a provider, the maker of the model, if the name says who that is.
pub(crate) fn ids(provider: Option<&str>, model: &str) -> Vec<String> {
    match provider {
        Some(name) => {
            let name = name.to_lowercase();
            let known = ALIASES.iter().find(|(names, _)| names.contains(&name.as_str()));
            known.map_or_else(|| vec![name], |(_, ids)| ids.iter().map(|id| (*id).to_owned()).collect())
        }
        None => MAKERS
            .iter()
            .find(|(prefix, _)| model.starts_with(prefix))
            .map(|(_, id)| vec![(*id).to_owned()])
            .unwrap_or_default(),
    }
}

/// Names under which a model may stand in the list, the most exact first, in lower case: as it is; without the path that some
/// providers put before it (`models/…`, an ARN, `openai/…` of a proxy); without Bedrock's region; with the point that Azure
/// leaves out. A fine-tuned model (`ft:…`) stays as it is: it costs more than the model that it was made from.
pub(crate) fn model_names(model: &str) -> Vec<String> {
    let model = model.trim().to_lowercase();
    let mut names = vec![model.clone()];
    let mut push = |name: &str| {
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    let last = model.rsplit('/').next().unwrap_or(&model);
    let is_path = model.starts_with("models/")
        || model.starts_with("arn:aws:bedrock:")
        || model.contains("/models/")
        || model.split_once('/').is_some_and(|(first, _)| ALIASES.iter().any(|(names, _)| names.contains(&first)));
    let bare = if is_path { last } else { model.as_str() };
    push(bare);
    for region in ["us.", "eu.", "apac.", "au.", "jp.", "us-gov."] {
        if let Some(rest) = bare.strip_prefix(region) {
            push(rest);
        }
    }
    if let Some(rest) = bare.strip_prefix("gpt-35") {
        push(&format!("gpt-3.5{rest}"));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models() {
        for (model, expected) in [
            ("GPT-4o", vec!["gpt-4o"]),
            ("models/gemini-2.0-flash", vec!["models/gemini-2.0-flash", "gemini-2.0-flash"]),
            ("openai/gpt-4o", vec!["openai/gpt-4o", "gpt-4o"]),
            ("meta-llama/llama-3", vec!["meta-llama/llama-3"]),
            ("gpt-35-turbo-0301", vec!["gpt-35-turbo-0301", "gpt-3.5-turbo-0301"]),
            ("us.anthropic.claude-x", vec!["us.anthropic.claude-x", "anthropic.claude-x"]),
            ("ft:gpt-4o:acme::1", vec!["ft:gpt-4o:acme::1"]),
        ] {
            assert_eq!(model_names(model), expected, "{model}");
        }
    }

    #[test]
    fn names_of_providers() {
        assert_eq!(ids(Some("azure.ai.openai"), "x")[..2], ["azure", "openai"]);
        assert_eq!(ids(Some("X_AI"), "grok-4"), ["x-ai"]);
        assert_eq!(ids(Some("ollama"), "gpt-oss"), ["ollama"]);
        assert_eq!(ids(None, "claude-3-haiku"), ["anthropic"]);
        assert!(ids(None, "my-model").is_empty());
    }
}
