use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What the library makes of the same bytes.
fn oracle(bytes: &[u8], path: &[&str]) -> Option<Value> {
    let mut value: Value = serde_json::from_slice(bytes).ok().filter(Value::is_object)?;
    for name in path {
        value = value.get_mut(name)?.take();
    }
    Some(value)
}

fn check(bytes: &[u8], path: &[&str]) {
    let expected = oracle(bytes, path);
    let document = Object::read(bytes);
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!(document.text(path), expected.as_ref().and_then(Value::as_str).map(str::to_owned), "{shown}");
    assert_eq!(document.integer(path), expected.as_ref().and_then(Value::as_u64), "{shown}");
}

#[test]
fn reads_what_serde_json_reads_and_refuses_what_it_refuses() {
    for document in [
        r#"{"a":1}"#,
        r#" { "a" : "x" , "b" : [ 1 , {} , [] , null , true , false ] } "#,
        r#"{"a":18446744073709551615}"#,
        r#"{"a":18446744073709551616}"#,
        r#"{"a":-9223372036854775808}"#,
        r#"{"a":1.0}"#,
        r#"{"a":1e3}"#,
        r#"{"a":-1}"#,
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":+1}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a" 1}"#,
        r#"{,}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":tru}"#,
        r#"{"a":1}x"#,
        r#"{"a":1"#,
        r#"{"a":"\u00e9\ud83d\ude00\n\/\"\\"}"#,
        r#"{"a":"\ud83d"}"#,
        r#"{"a":"\ud83dx"}"#,
        r#"{"a":"\ude00"}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        "{\"a\":\"\n\"}",
        r#"{"a":1,"a":"last"}"#,
        r#"{"\u0061":7}"#,
        "[]",
        "null",
        "",
        "{}",
    ] {
        check(document.as_bytes(), &["a"]);
    }
    check(br#"{"info":{"messageId":1207967842654323713}}"#, &["info", "messageId"]);
    check(br#"{"info":7}"#, &["info", "messageId"]);
    check(b"{\"a\":\"\xff\"}", &["a"]);
}

#[test]
fn a_document_that_nests_too_deep_is_refused_without_exhausting_the_stack() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(Object::read(deep.as_bytes()).text(&["a"]), None);
}

#[test]
fn reads_arrays_truths_and_pairs() {
    let document = Object::read(br#"{"a":[1,{"b":"x"},"y" , []],"t":true,"f": false,"o":{},"p":[]}"#);
    let elements = document.elements(&["a"]).unwrap();
    assert_eq!(elements.len(), 4);
    assert_eq!(elements[1].object().text(&["b"]).as_deref(), Some("x"));
    assert_eq!(elements[1].object().first_text(), Some(("b".into(), "x".into())));
    assert_eq!(elements[2].text().as_deref(), Some("y"));
    assert_eq!((elements[0].text(), elements[0].object().first_text()), (None, None));
    assert_eq!(document.elements(&["p"]).map(|elements| elements.len()), Some(0));
    assert!(document.elements(&["t"]).is_none());
    assert_eq!((document.boolean(&["t"]), document.boolean(&["f"])), (Some(true), Some(false)));
    assert_eq!((document.boolean(&["a"]), document.boolean(&["none"])), (None, None));
    assert!(document.has_object_or_null(&["o"]) && !document.has_object_or_null(&["a"]));
    assert_eq!(Element::read_array(br#" [ "a", 2 ] "#).unwrap().len(), 2);
    for (text, is_one) in [("1.50", true), ("\"a\"", true), ("{}", true), ("1 2", false), ("", false), ("nul", false)] {
        assert_eq!(is_value(text), is_one, "{text}");
    }
    assert!(Element::read_array(b"[1,]").is_none() && Element::read_array(b"{}").is_none());
}

#[test]
fn white_space_between_the_parts_of_a_value_is_not_counted() {
    let bytes = br#"{ "a" : { "b c\" d" : [1, 2 , "\\" , " " ] } , "n": null}"#;
    let compact = oracle(bytes, &["a"]).unwrap().to_string().len();
    let document = Object::read(bytes);
    assert_eq!(document.bytes_without_space(&["a"]), Some(compact));
    assert_eq!((document.bytes_without_space(&["n"]), document.bytes_without_space(&["x"])), (Some(4), None));
    assert!(document.has(&["n"]) && document.has(&["a", "b c\" d"]) && !document.has(&["x"]));
}

#[test]
fn writes_objects() {
    let mut object = ObjectWriter::new();
    object.text("a\"b", "c\n");
    object.integer("d", u64::MAX);
    let read: Value = serde_json::from_str(&object.finish()).unwrap();
    assert_eq!(read, serde_json::json!({"a\"b": "c\n", "d": u64::MAX}));
}

proptest! {
    #[test]
    fn any_bytes_read_as_serde_json_reads_them(bytes in any::<Vec<u8>>()) {
        check(&bytes, &["a"]);
    }

    #[test]
    fn anything_like_a_document_reads_as_serde_json_reads_it(
        document in r#"\{"a": ?("([ a-z"]|\\(["\\/bfnrt]|u[0-9a-fA-F]{4})){0,6}"|-?[0-9]{1,21}(\.[0-9])?([eE][-+]?[0-9])?|[\[{"]{1,3})(,"b":\[\])?\}"#
    ) {
        check(document.as_bytes(), &["a"]);
    }

    #[test]
    fn what_is_written_reads_back(text in any::<String>()) {
        let mut json = String::new();
        push_text(&mut json, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
