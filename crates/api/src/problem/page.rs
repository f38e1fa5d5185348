//! The page behind a problem's `type`: what happened, and what to do.

use super::Code;

/// The page of a problem.
pub(crate) fn page(code: Code) -> String {
    let (word, title, cure) = (code.as_str(), code.title(), code.cure());
    let status = code.status();
    let again = match code.retry_after() {
        Some(seconds) => format!("May be tried again as it is, after {seconds} s."),
        None => "The same request would fail again.".to_owned(),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{word}</title>\n\
         <style>:root{{color-scheme:light dark}}body{{font:1.1rem/1.6 system-ui,sans-serif;\
         max-width:36rem;margin:3rem auto;padding:0 1rem}}code{{font-size:1rem}}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n<p><code>{word}</code>, {status}</p>\n\
         <p>{cure}</p>\n<p>{again}</p>\n</main>\n</body>\n</html>\n"
    )
}
