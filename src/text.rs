//! Searching a text with the library's string patterns brings its two-way searcher into a component, 9 KB of it. The
//! texts here are short answers, and a window that slides over them is enough.

use alloc::string::String;

/// Where a text has another one in it.
fn find(text: &str, wanted: &str) -> Option<usize> {
    match wanted.len() {
        0 => None,
        length => text.as_bytes().windows(length).position(|window| window == wanted.as_bytes()),
    }
}

/// Whether a text has another one in it.
#[cfg(any(feature = "aliyun", feature = "aws", test))]
pub(crate) fn contains(text: &str, wanted: &str) -> bool {
    find(text, wanted).is_some()
}

/// The text without a secret that it quotes.
pub(crate) fn without(mut text: &str, secret: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = find(text, secret) {
        kept.push_str(text.get(..at).unwrap_or_default());
        kept.push_str("(hidden)");
        text = text.get(at + secret.len()..).unwrap_or_default();
    }
    kept.push_str(text);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        assert_eq!(without("key, a key and keykey", "key"), "(hidden), a (hidden) and (hidden)(hidden)");
        assert_eq!(without("nothing", "key"), "nothing");
        assert_eq!(without("nothing", ""), "nothing");
    }

    proptest! {
        #[test]
        fn finds_what_the_library_finds(text in "[ab€]{0,12}", wanted in "[ab€]{1,3}") {
            prop_assert_eq!(contains(&text, &wanted), text.contains(&wanted));
            prop_assert_eq!(without(&text, &wanted), text.replace(&wanted, "(hidden)"));
        }
    }
}
