//! A session from elsewhere: its own traffic would be captured too, and each row shown would make more of it.

use core::net::IpAddr;
use std::env;

/// The capture filter that leaves out the traffic of the SSH session this program runs in; `None` outside of one.
pub fn remote_session_filter() -> Option<String> {
    filter(&env::var("SSH_CONNECTION").ok()?)
}

/// From the client's address and port and the server's (sshd(8), `SSH_CONNECTION`).
fn filter(connection: &str) -> Option<String> {
    let mut words = connection.split_ascii_whitespace();
    let client: IpAddr = words.next()?.parse().ok()?;
    let port: u16 = words.next()?.parse().ok()?;
    Some(format!("not (tcp port {port} and host {client})"))
}

#[cfg(test)]
mod tests {
    use super::filter;
    use crate::capture::check_filter;
    use crate::model::LinkType;

    #[test]
    fn the_session_is_left_out() {
        let words = filter("192.0.2.7 50522 198.51.100.9 22").unwrap();
        assert_eq!(words, "not (tcp port 50522 and host 192.0.2.7)");
        assert_eq!(check_filter(&words, LinkType::ETHERNET), Ok(()));
        let words = filter("2001:db8::1 50522 2001:db8::2 22").unwrap();
        assert_eq!(check_filter(&words, LinkType::ETHERNET), Ok(()));
        assert_eq!(filter("nonsense"), None);
        assert_eq!(filter(""), None);
    }
}
