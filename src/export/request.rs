//! One request as a text that others can send again: a command for curl, the head as it stands, the URL.
//!
//! Comes in: an exchange, its body where one was read. Goes out: texts. Never: a byte that a shell would take for its own.

use core::fmt::Write as _;

use super::json::{lossy, url};
use crate::model::{Detail, Exchange, HttpMessage};
use crate::store::{host_and_path, request_line};

/// Bytes of a body that go into a command.
const MOST_BODY: usize = 64 << 10;

/// The request of an exchange.
fn request(exchange: &Exchange) -> Option<&HttpMessage> {
    match &exchange.detail {
        Detail::Http(http) => http.request.as_ref(),
        Detail::Tls(_) | Detail::Dns(_) => None,
    }
}

/// The URL that an exchange asked for; `None` where it is no HTTP, or asked for none.
pub fn url_of(exchange: &Exchange) -> Option<String> {
    let message = request(exchange)?;
    let (method, target) = request_line(message);
    let (host, path) = host_and_path(message, target);
    let server = exchange.server.to_string();
    let host = if host.is_empty() { server.as_str().into() } else { lossy(host) };
    url(exchange.scheme(message), (method, target), &host, &lossy(path))
}

/// The request as it was sent, or for HTTP/2 and HTTP/3 as HTTP/1.1 would write it, with its body where there is one.
pub fn raw_request(exchange: &Exchange, body: Option<&[u8]>) -> Option<Vec<u8>> {
    let message = request(exchange)?;
    let mut out = message.start_line().into_owned();
    out.extend_from_slice(b"\r\n");
    if message.is_decoded()
        && let Some(host) = message.field(":authority")
    {
        out.extend([b"Host: ", host, b"\r\n"].concat());
    }
    for (name, value) in message.each_field().filter(|(name, _)| !name.starts_with(b":")) {
        out.extend([name, b": ", value, b"\r\n"].concat());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body.unwrap_or_default());
    Some(out)
}

/// The request as a command for curl, for a POSIX shell. Fields that curl writes itself are left out; a body over 64 KiB too,
/// and that is said in a comment.
pub fn curl_command(exchange: &Exchange, body: Option<&[u8]>) -> Option<String> {
    let message = request(exchange)?;
    let url = url_of(exchange)?;
    let (method, _) = request_line(message);
    let body = body.filter(|body| !body.is_empty());
    let mut out = String::new();
    let sent = body.filter(|body| body.len() <= MOST_BODY);
    let text = sent.and_then(|body| str::from_utf8(body).ok()).filter(|text| !text.contains('\0'));
    if let (Some(bytes), None) = (sent, text) {
        out.push_str("printf ");
        out.push_str(&quoted(&printed(bytes)));
        out.push_str(" | ");
    }
    // Without globbing: brackets in a URL are what they are.
    out.push_str("curl --globoff ");
    out.push_str(&quoted(&url));
    let implied: &[u8] = if sent.is_some() { b"POST" } else { b"GET" };
    if method == b"HEAD" {
        out.push_str(" --head");
    } else if method != implied {
        out.push_str(" --request ");
        out.push_str(&quoted(&lossy(method)));
    }
    let host = message.host().map(<[u8]>::to_vec);
    for (name, value) in message.each_field() {
        let own = ["content-length", "transfer-encoding", "connection"];
        let is_own = own.iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()));
        let is_host = name.eq_ignore_ascii_case(b"host") && host.as_deref() == Some(value);
        // What is no token could be an option of curl's own: `@` reads a file.
        let is_name =
            !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b));
        if is_own || is_host || !is_name {
            continue;
        }
        let value = one_line(&lossy(value));
        // curl leaves out a field with nothing behind its colon; a semicolon sends it empty.
        let line = if value.is_empty() { format!("{};", lossy(name)) } else { format!("{}: {value}", lossy(name)) };
        out.push_str(" \\\n  --header ");
        out.push_str(&quoted(&line));
    }
    match (sent, text) {
        (Some(_), Some(text)) => {
            out.push_str(" \\\n  --data-raw ");
            out.push_str(&quoted(text));
        }
        (Some(_), None) => out.push_str(" \\\n  --data-binary @-"),
        (None, _) => {}
    }
    if let (Some(body), None) = (body, sent) {
        let _never = write!(out, "\n# its body of {} bytes is left out", body.len());
    }
    Some(out)
}

/// A word for a POSIX shell: between single quotes nothing means anything but the quote itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "'\\''"))
}

/// Bytes as the format of printf writes them.
fn printed(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(4));
    for byte in bytes {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(*byte));
        } else {
            let _never = write!(out, "\\{byte:03o}");
        }
    }
    out
}

/// A field's value is one line.
fn one_line(value: &str) -> String {
    value.replace(['\r', '\n', '\0'], " ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{printed, quoted};

    /// What `sh` makes of a command.
    fn shell(command: &str) -> Vec<u8> {
        Command::new("sh").args(["-c", command]).output().expect("a shell").stdout
    }

    #[test]
    fn a_shell_gives_back_what_was_quoted() {
        for text in ["plain", "it's", "$(rm -rf /)", "`id`", "a\"b\\n\n c", "''", "!x", "é*?[a]", "-n", "%s\\061"] {
            let got = shell(&format!("printf '%s' {}", quoted(text)));
            assert_eq!(String::from_utf8_lossy(&got), text);
        }
    }

    #[test]
    fn printf_gives_back_every_byte() {
        let all: Vec<u8> = (0..=255).chain(*b"%s%%\\n-12").collect();
        assert_eq!(shell(&format!("printf {}", quoted(&printed(&all)))), all);
        assert_eq!(shell(&format!("printf {}", quoted(&printed(b"-v")))), b"-v");
    }
}
