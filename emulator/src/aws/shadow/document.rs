//! Every leaf of a shadow knows when it was written, and goes with its time stamp: an update that leaves a leaf alone
//! must leave its stamp alone too, and one that replaces an object by a number must not leave the object's stamps
//! behind. So state and metadata are changed together, in one walk.

use serde_json::{Map, Value, json};

use super::update::{Part, Update};

/// The state of a shadow.
#[derive(Clone, Default)]
pub(super) struct Document {
    desired: Section,
    reported: Section,
}

/// One half of it. Empty is the same as absent.
#[derive(Clone, Default)]
struct Section {
    state: Map<String, Value>,
    /// Of the same shape, with `{"timestamp": …}` in place of each leaf.
    metadata: Map<String, Value>,
}

impl Document {
    pub(super) fn merge(&mut self, update: &Update, now: u64) {
        self.desired.change(&update.desired, now);
        self.reported.change(&update.reported, now);
    }

    /// What counts for the limit: the state without the metadata.
    pub(super) fn size(&self) -> usize {
        self.state(None).to_string().len()
    }

    /// The answer to a caller that reads the shadow.
    pub(super) fn show(&self, version: u64, now: u64) -> String {
        let delta = difference(&self.desired.state, &self.reported.state);
        let state = self.state(Some(&delta));
        let metadata = sections([("desired", &self.desired.metadata), ("reported", &self.reported.metadata)]);
        format!(r#"{{"state":{state},"metadata":{metadata},"version":{version},"timestamp":{now}}}"#)
    }

    fn state(&self, delta: Option<&Map<String, Value>>) -> Value {
        let known = [("desired", &self.desired.state), ("reported", &self.reported.state)];
        sections(known.into_iter().chain(delta.map(|delta| ("delta", delta))))
    }
}

/// An object with those of the sections that have something in them.
fn sections<'a>(sections: impl IntoIterator<Item = (&'a str, &'a Map<String, Value>)>) -> Value {
    let filled = sections.into_iter().filter(|(_, section)| !section.is_empty());
    filled.map(|(name, section)| (name.to_owned(), Value::from(section.clone()))).collect::<Map<_, _>>().into()
}

impl Section {
    fn change(&mut self, part: &Part, now: u64) {
        match part {
            Part::Nothing => {}
            Part::Removal => *self = Self::default(),
            Part::Changes(changes) => merge(&mut self.state, &mut self.metadata, changes, now),
        }
    }
}

fn merge(state: &mut Map<String, Value>, metadata: &mut Map<String, Value>, changes: &Map<String, Value>, now: u64) {
    for (key, change) in changes {
        match change {
            Value::Null => {
                state.remove(key);
                metadata.remove(key);
            }
            Value::Object(changes) => {
                if !state.get(key).is_some_and(Value::is_object) {
                    state.insert(key.clone(), json!({}));
                    metadata.insert(key.clone(), json!({}));
                }
                let inner = state
                    .get_mut(key)
                    .and_then(Value::as_object_mut)
                    .zip(metadata.get_mut(key).and_then(Value::as_object_mut));
                let (state, metadata) = inner.expect("state and metadata have the same shape");
                merge(state, metadata, changes, now);
            }
            leaf => {
                state.insert(key.clone(), leaf.clone());
                metadata.insert(key.clone(), stamps(leaf, now));
            }
        }
    }
}

/// A time stamp in place of each leaf, and nothing in place of what is taken away.
pub(super) fn stamps(value: &Value, now: u64) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(key, value)| (key.clone(), stamps(value, now))).collect::<Map<_, _>>().into()
        }
        Value::Array(elements) => elements.iter().map(|element| stamps(element, now)).collect(),
        _ => json!({ "timestamp": now }),
    }
}

/// What is desired and not reported so. An array is one value: if it differs at all, all of it is in the difference.
fn difference(desired: &Map<String, Value>, reported: &Map<String, Value>) -> Map<String, Value> {
    let mut delta = Map::new();
    for (key, desired) in desired {
        match (desired, reported.get(key)) {
            (desired, Some(reported)) if desired == reported => {}
            (Value::Object(desired), Some(Value::Object(reported))) => {
                let inner = difference(desired, reported);
                if !inner.is_empty() {
                    delta.insert(key.clone(), inner.into());
                }
            }
            (desired, _) => {
                delta.insert(key.clone(), desired.clone());
            }
        }
    }
    delta
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(updates: &[Value]) -> Value {
        let mut document = Document::default();
        for (time, update) in (1..).zip(updates) {
            let body = json!({ "state": update }).to_string();
            document.merge(&Update::parse(body.as_bytes()).unwrap(), time);
        }
        serde_json::from_str(&document.show(7, 9)).unwrap()
    }

    #[test]
    fn a_leaf_that_an_update_leaves_alone_keeps_its_time_stamp() {
        let shown = shown(&[json!({"desired": {"a": {"x": 1, "y": 2}, "b": 3}}), json!({"desired": {"a": {"y": 4}}})]);
        let expected = json!({
            "state": {"desired": {"a": {"x": 1, "y": 4}, "b": 3}, "delta": {"a": {"x": 1, "y": 4}, "b": 3}},
            "metadata": {"desired": {
                "a": {"x": {"timestamp": 1}, "y": {"timestamp": 2}}, "b": {"timestamp": 1},
            }},
            "version": 7,
            "timestamp": 9,
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn objects_and_leaves_take_each_others_place() {
        let shown = shown(&[
            json!({"reported": {"a": {"x": 1}, "b": 1}}),
            json!({"reported": {"a": 2, "b": {"y": [1, {"z": 2}], "gone": null}}}),
        ]);
        assert_eq!(shown["state"], json!({"reported": {"a": 2, "b": {"y": [1, {"z": 2}]}}}));
        let second = json!({"timestamp": 2});
        assert_eq!(shown["metadata"], json!({"reported": {"a": second, "b": {"y": [second, {"z": second}]}}}));
    }

    #[test]
    fn what_is_taken_away_takes_its_time_stamp_along() {
        let shown = shown(&[
            json!({"desired": {"a": {"x": 1, "y": 1}, "b": 1}, "reported": {"c": 1}}),
            json!({"desired": {"a": {"x": null}, "b": null}, "reported": null}),
        ]);
        assert_eq!(shown["metadata"], json!({"desired": {"a": {"y": {"timestamp": 1}}}}));
    }

    #[test]
    fn the_difference_has_the_way_to_what_differs_and_arrays_as_a_whole() {
        let shown = shown(&[json!({
            "desired": {"lights": {"r": 255, "g": 255}, "colours": ["red", "blue"], "less": {"a": 1}, "new": 1},
            "reported": {"lights": {"r": 255, "g": 0}, "colours": ["red"], "less": {"a": 1, "b": 1}, "only": 1},
        })]);
        let expected = json!({"lights": {"g": 255}, "colours": ["red", "blue"], "new": 1});
        assert_eq!(shown["state"]["delta"], expected);
    }
}
