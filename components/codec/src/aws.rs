//! Interface `aws-codec`.

use thingpost::aws;

use crate::bindings::exports::thingpost::iot::aws_codec::{
    AwsConfig, Error, Guest, HttpRequest, HttpResponse, Message, MessageProblem, Receipt, TopicProblem,
};
use crate::{Component, convert, http, message};

impl Guest for Component {
    fn encode_topic(topic: String) -> Result<String, TopicProblem> {
        aws::encode_topic(&topic).map_err(convert::topic_problem)
    }

    fn publish_request(config: AwsConfig, message: Message) -> Result<HttpRequest, MessageProblem> {
        let config = convert::aws_config(&config).map_err(message::configuration_problem)?;
        aws::publish_request(&config, &convert::message(message)).map(http::request).map_err(message::problem)
    }

    fn read_publish_response(config: AwsConfig, topic: String, response: HttpResponse) -> Result<Receipt, Error> {
        let outcome = aws::read_publish_response(&http::response(response));
        convert::outcome(outcome, |error| aws::explain(error, &config.endpoint, config.port, &topic))
    }
}
