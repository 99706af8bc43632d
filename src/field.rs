//! Names and numbers beside the topic have rules of their own, and AWS answers a broken one with a 400 that does not name
//! it. They are checked before anything is sent, and the one that is wrong is named.

/// A part of a message or of an operation that has its own rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The name of a rule.
    RuleName,
    /// The content type.
    ContentType,
    /// The response topic.
    ResponseTopic,
    /// A user property.
    UserProperty,
    /// The name of a thing.
    ThingName,
    /// The name of a shadow.
    ShadowName,
    /// The id of an MQTT client.
    ClientId,
    /// The size of a page.
    PageSize,
    /// The timeout of a direct message.
    ConfirmationTimeout,
    /// A shadow document.
    ShadowDocument,
    /// The name of a property or an event.
    Identifier,
    /// The value of a property.
    PropertyValue,
    /// The output of an event.
    EventValue,
    /// A topic filter.
    TopicFilter,
}

impl Field {
    /// The rule that is broken, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::RuleName => "the name of a rule has 1 to 128 letters, digits and `_`",
            Self::ContentType => "the content type has a control character",
            Self::ResponseTopic => "the response topic is empty, or has a `+`, a `#` or a control character",
            Self::UserProperty => "a user property has a control character",
            Self::ThingName => "the name of a thing has 1 to 128 letters, digits, `:`, `_` and `-`",
            Self::ShadowName => "the name of a shadow has 1 to 64 letters, digits, `:`, `_`, `-` and `$`",
            Self::ClientId => {
                "the id of an MQTT client has 1 to 128 characters, no control characters, and does not begin with `$`"
            }
            Self::PageSize => "a page has 1 to 100 entries, or up to 200 retained messages",
            Self::ConfirmationTimeout => "a direct message can wait 1 to 15 seconds for its confirmation",
            Self::ShadowDocument => {
                "a shadow document is a JSON object with a `state`, in which `desired` and `reported` are objects; a \
                 `clientToken` in it has at most 64 bytes"
            }
            Self::Identifier => "the name of a property or an event has 1 to 50 letters, digits, `_` and `:`",
            Self::PropertyValue => "the value of a property is JSON; a text stands in quotes",
            Self::EventValue => "the output of an event is a JSON object",
            Self::TopicFilter => {
                "a topic filter is not empty, has `#` only as its last level, `+` and `#` only alone in their level, and no \
                 control characters"
            }
        }
    }
}
