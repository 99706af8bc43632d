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

/// The field `a` of an object.
fn wanted(bytes: &[u8]) -> Option<Json<'_>> {
    let mut value = Json::default();
    read(bytes, &mut [("a", Slot::Value(&mut value))]).then_some(value)
}

/// The field `a` of an object as a text, an integer, an integer or digits, and a truth.
fn typed(bytes: &[u8]) -> (Option<String>, Option<u64>, Option<u64>, Option<bool>) {
    let (mut text, mut integer, mut digits, mut boolean) = (None, None, None, None);
    read(bytes, &mut [("a", Slot::Text(&mut text))]);
    read(bytes, &mut [("a", Slot::Integer(&mut integer))]);
    read(bytes, &mut [("a", Slot::Digits(&mut digits))]);
    read(bytes, &mut [("a", Slot::Boolean(&mut boolean))]);
    (text, integer, digits, boolean)
}

fn check(bytes: &[u8]) {
    let expected = oracle(bytes, &["a"]);
    let (text, integer, _, boolean) = typed(bytes);
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!(text, expected.as_ref().and_then(Value::as_str).map(str::to_owned), "{shown}");
    assert_eq!(integer, expected.as_ref().and_then(Value::as_u64), "{shown}");
    assert_eq!(boolean, expected.as_ref().and_then(Value::as_bool), "{shown}");
    assert_eq!(wanted(bytes).is_some_and(Json::is_null), expected.as_ref().is_some_and(Value::is_null), "{shown}");
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
        check(document.as_bytes());
    }
    check(b"{\"a\":\"\xff\"}");
    check(b"\xef\xbb\xbf{\"a\":1}");
}

#[test]
fn one_field_of_another_type_costs_no_other_field() {
    for other in ["1e400", "-7", "null", "[[]]", r#""\ud83d""#, "{\"a\":2}"] {
        let document = format!(r#"{{"b":{other},"a":1207967842654323713}}"#);
        assert_eq!(typed(document.as_bytes()).1, Some(1_207_967_842_654_323_713), "{document}");
        let document = format!(r#"{{"a":{other}}}"#);
        assert_eq!(typed(document.as_bytes()), (None, None, None, None), "{document}");
    }
}

#[test]
fn the_last_of_two_fields_counts_though_it_be_of_another_type() {
    assert_eq!(typed(br#"{"a":1,"b":[],"a":2}"#).1, Some(2));
    assert_eq!(typed(br#"{"a":1,"a":null}"#).1, None);
}

#[test]
fn an_array_is_no_object_and_an_object_no_array() {
    assert!(!read(b"[1]", &mut []) && read(b"{}", &mut []));
    assert!(elements(b"{\"a\":1}").is_none() && elements(b"[1,]").is_none());
    for (document, expected) in [
        ("{}", true),
        (" {\"a\":1e400}\n", true),
        ("[]", false),
        ("{", false),
        ("{}{}", false),
        ("1", false),
        ("", false),
    ] {
        assert_eq!(is_object(document.as_bytes()), expected, "{document}");
    }
    assert!(!is_object(b"{\"\xff\":1}"));
}

#[test]
fn a_document_that_nests_too_deep_is_refused_without_exhausting_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
        let deep = format!("{{\"a\":{}}}", nested(100_000));
        assert_eq!(typed(deep.as_bytes()), (None, None, None, None));
        assert!(is_object(deep.as_bytes()));
        assert!(is_value(&nested(127)) && !is_value(&nested(128)) && !is_value(&nested(100_000)));
    }
}

#[test]
fn reads_what_is_inside_of_arrays_and_objects() {
    let inside = wanted(br#"{"a":[1,{"n":7,"b":"x"},"y" , []]}"#).unwrap().elements().unwrap();
    assert_eq!(inside.len(), 4);
    assert_eq!(inside[1].first_text(), Some(("b".into(), "x".into())));
    assert_eq!(inside[2].text().as_deref(), Some("y"));
    assert!(inside[0].text().is_none() && inside[0].first_text().is_none() && !inside[0].read(&mut []));
    assert_eq!(inside[3].elements().map(|elements| elements.len()), Some(0));
    assert!(inside[0].elements().is_none());
    assert_eq!(elements(br#" [ "a", 2 ] "#).unwrap().len(), 2);
    let nothing = Json::default();
    assert!(!nothing.is_there() && !nothing.is_null() && !nothing.read(&mut []) && nothing.text().is_none());
}

#[test]
fn a_number_is_read_as_a_text_where_that_is_wanted() {
    for (value, expected) in
        [("7", Some(7)), ("\"7\"", Some(7)), ("\"\\u0037\"", Some(7)), ("\"\"", None), ("7.0", None), ("null", None)]
    {
        let document = format!("{{\"a\":{value}}}");
        assert_eq!(typed(document.as_bytes()).2, expected, "{value}");
    }
}

#[test]
fn a_value_is_one_that_every_reader_takes() {
    for (text, is_one) in [
        ("1.50", true),
        ("1E400", true),
        ("\"a\"", true),
        (" {} ", true),
        ("1 2", false),
        ("", false),
        ("nul", false),
        ("[\"\\ud83d\"]", false),
        ("{\"\\ud83d\":1}", false),
        ("{\"a\":[\"\\ud83d\\ude00\",1e400]}", true),
    ] {
        assert_eq!(is_value(text), is_one, "{text}");
    }
}

#[test]
fn white_space_between_the_parts_of_a_value_is_not_counted() {
    let bytes = br#"{ "a" : { "b c\" d" : [1, 2 , "\\" , " " ] } , "n": null}"#;
    let compact = oracle(bytes, &["a"]).unwrap().to_string().len();
    let value = wanted(bytes).unwrap();
    assert_eq!(value.bytes_without_space(), compact);
    assert!(value.is_object() && !value.is_null());
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
        check(&bytes);
    }

    #[test]
    fn anything_like_a_document_reads_as_serde_json_reads_it(
        document in r#"\{"a": ?("([ a-z"]|\\(["\\/bfnrt]|u[0-9a-fA-F]{4})){0,6}"|-?[0-9]{1,21}(\.[0-9])?([eE][-+]?[0-9])?|[\[{"]{1,3})(,"b":\[\])?\}"#
    ) {
        check(document.as_bytes());
    }

    #[test]
    fn what_is_written_reads_back(text in any::<String>()) {
        let mut json = String::new();
        push_text(&mut json, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
