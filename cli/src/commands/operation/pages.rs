//! A list comes in parts of AWS's choosing. A user who asks for a list wants all of it, or the first so many entries.

use std::fmt;

use thingpost_host::runtime::types::Page;

/// A server that gives the same part again and again. It would be asked for ever, and each time be paid for.
#[derive(Debug)]
pub(super) struct RepeatedPageToken;

impl fmt::Display for RepeatedPageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list has no end: the server says that it goes on where it has just begun")
    }
}

/// Which part comes next.
pub(super) struct Pagination {
    /// The most that AWS gives at once.
    largest: u32,
    /// How many entries are still wanted.
    left: Option<u32>,
    token: Option<String>,
    is_over: bool,
}

impl Pagination {
    pub(super) fn new(limit: Option<u32>, largest: u32) -> Self {
        Self { largest, left: limit, token: None, is_over: false }
    }

    /// What to ask for. None: there is nothing more to be had, or wanted.
    pub(super) fn next(&self) -> Option<Page> {
        let size = self.left.map(|left| left.min(self.largest));
        (!self.is_over && size != Some(0)).then(|| Page { size, token: self.token.clone() })
    }

    /// Takes from a part what is wanted of it, and notes where the next one begins.
    pub(super) fn take<T>(&mut self, mut entries: Vec<T>, next: Option<String>) -> Result<Vec<T>, RepeatedPageToken> {
        if let Some(left) = &mut self.left {
            entries.truncate(*left as usize);
            *left -= entries.len() as u32;
        }
        if next.is_some() && next == self.token {
            return Err(RepeatedPageToken);
        }
        self.is_over = next.is_none();
        self.token = next;
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: Option<u32>, token: Option<&str>) -> Option<Page> {
        Some(Page { size, token: token.map(str::to_owned) })
    }

    #[test]
    fn without_a_limit_a_list_goes_on_to_its_end() {
        let mut pages = Pagination::new(None, 100);
        assert_eq!(pages.next(), page(None, None));
        assert_eq!(pages.take(vec![1, 2], Some("a".to_owned())).unwrap(), [1, 2]);
        assert_eq!(pages.next(), page(None, Some("a")));
        pages.take(vec![3], None).unwrap();
        assert_eq!(pages.next(), None);
    }

    #[test]
    fn with_a_limit_no_more_is_asked_for_and_none_more_given() {
        let mut pages = Pagination::new(Some(150), 100);
        assert_eq!(pages.next(), page(Some(100), None));
        assert_eq!(pages.take(vec![0; 100], Some("a".to_owned())).unwrap().len(), 100);
        assert_eq!(pages.next(), page(Some(50), Some("a")));
        assert_eq!(pages.take(vec![0; 70], Some("b".to_owned())).unwrap().len(), 50);
        assert_eq!(pages.next(), None);
    }

    #[test]
    fn a_server_that_turns_in_circles_is_left() {
        let mut pages = Pagination::new(None, 100);
        pages.take(vec![1], Some("a".to_owned())).unwrap();
        assert!(pages.take(vec![1], Some("a".to_owned())).is_err());
    }
}
