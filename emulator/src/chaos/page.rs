//! What a gateway or a firewall says stands in a page for people, often a long one, whatever the client can read.

use crate::http1;

/// A page in HTML about a status, at least so many bytes long.
pub(super) fn html(status: u16, bytes: usize) -> Vec<u8> {
    const FILL: &[u8] = b"<!-- a friendly error page is a long one -->\n";

    let reason = http1::reason(status).unwrap_or("Error");
    let title = format!("{status} {reason}");
    let mut page = format!("<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n").into_bytes();
    let end = b"</body>\n</html>\n";
    let left = bytes.saturating_sub(page.len() + end.len());
    page.extend(FILL.iter().cycle().take(left.next_multiple_of(FILL.len())));
    page.extend_from_slice(end);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_as_long_as_asked_and_whole() {
        for bytes in [0, 100, 1000, 40 * 1024] {
            let page = String::from_utf8(html(503, bytes)).unwrap();
            assert!(page.len() >= bytes && page.len() < bytes.max(100) + 200, "{}", page.len());
            assert!(page.starts_with("<html>\n<head><title>503 Service Unavailable</title>"), "{page}");
            assert!(page.ends_with("</html>\n") && page.matches("<!--").count() == page.matches("-->").count());
        }
    }
}
