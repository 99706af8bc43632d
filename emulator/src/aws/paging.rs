//! A list comes in pages, and a page names the next one by a token that means nothing to its reader. Clients that put
//! it into a query as it stands work until a token has a plus in it; every token here does.

use super::answer::Refusal;
use super::query::{parameter, raw_parameter};
use crate::http1::Request;
use crate::{base64, percent};

/// In base64 `+//+`, every character of which has to be escaped in a query.
const MARK: [u8; 3] = [0xfb, 0xff, 0xfe];

/// The part of a list that a request asks for.
pub(super) struct Page {
    size: usize,
    /// The key of the last item of the page before.
    after: Option<String>,
}

impl Page {
    /// From the parameter that says how many items are wanted, with the number of those who do not say so and the
    /// greatest one that is taken, and from `nextToken`.
    pub(super) fn asked(request: &Request, size_name: &str, default: usize, most: usize) -> Result<Self, Refusal> {
        let size = match parameter(request, size_name) {
            None => default,
            Some(text) => match text.parse() {
                Ok(size) if (1..=most).contains(&size) => size,
                _ => return Err(Refusal::invalid(format!("Invalid {size_name} value: {text}"))),
            },
        };
        let after = match raw_parameter(request, "nextToken") {
            None | Some("") => None,
            // A plus that is not escaped is a blank to AWS.
            Some(token) => {
                let key = percent::decode(&token.replace('+', " ")).and_then(|token| key(&token));
                Some(key.ok_or_else(|| Refusal::invalid("Invalid nextToken"))?)
            }
        };
        Ok(Self { size, after })
    }

    /// Cuts the page out of items in the order of their keys. The token is there when items are left.
    pub(super) fn cut<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> &str,
    ) -> (Vec<T>, Option<String>) {
        let is_before = |item: &T| self.after.as_deref().is_some_and(|after| key(item) <= after);
        let mut items = items.into_iter().skip_while(is_before);
        let page: Vec<T> = items.by_ref().take(self.size).collect();
        let last = page.last().map(&key);
        let token = items.next().and(last).map(token);
        (page, token)
    }
}

fn token(key: &str) -> String {
    base64::encode(&[&MARK, key.as_bytes()].concat())
}

fn key(token: &str) -> Option<String> {
    let bytes = base64::decode(token)?;
    String::from_utf8(bytes.strip_prefix(&MARK)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(size: usize, after: Option<&str>) -> (Vec<&'static str>, Option<String>) {
        let page = Page { size, after: after.map(str::to_owned) };
        page.cut(["a", "b", "c", "d"], |item| item)
    }

    #[test]
    fn pages_follow_one_another_and_the_last_one_has_no_token() {
        assert_eq!(page(3, None), (vec!["a", "b", "c"], Some(token("c"))));
        assert_eq!(page(3, Some("c")), (vec!["d"], None));
        assert_eq!(page(4, None), (vec!["a", "b", "c", "d"], None));
        // The item that the token was made of may be gone by now.
        assert_eq!(page(1, Some("bb")), (vec!["c"], Some(token("c"))));
        assert_eq!(page(1, Some("d")), (vec![], None));
    }

    #[test]
    fn a_token_must_be_escaped_to_be_good_in_a_query() {
        assert!(token("a").starts_with("+//+"));
        assert_eq!(key(&token("é")).as_deref(), Some("é"));
        assert_eq!(key(&token("a").replace('+', " ")), None);
        assert_eq!(key("YQ=="), None);
    }
}
