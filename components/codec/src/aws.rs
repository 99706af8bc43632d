//! Interface `aws-codec`.

use alloc::string::String;

use thingpost::aws;

use crate::bindings::exports::thingpost::iot::aws_codec::{
    AwsConfig, Error, Guest, HttpRequest, HttpResponse, Message, MessageProblem, Receipt, TopicProblem,
};
use crate::{Component, config, http, message, outcome, problem};

impl Guest for Component {
    fn encode_topic(topic: String) -> Result<String, TopicProblem> {
        aws::encode_topic(&topic).map_err(outcome::topic_problem)
    }

    fn publish_request(config: AwsConfig, message: Message) -> Result<HttpRequest, MessageProblem> {
        let config = config::aws_config(&config).map_err(problem::configuration_problem)?;
        aws::publish_request(&config, &message::message(message)).map(http::request).map_err(problem::problem)
    }

    fn read_publish_response(topic: String, response: HttpResponse) -> Result<Receipt, Error> {
        let outcome = aws::read_publish_response(&http::response(response));
        outcome::outcome(outcome, |error| aws::explain(error, &topic))
    }
}
