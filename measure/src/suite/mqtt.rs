//! MQTT, all over one connection that is there before anything is measured: what the sandbox costs, and what the others
//! cost against it. All of them have the same broker, which shares a core with its front; where that is what everybody
//! waits for they come out alike, so what each of them leaves of its own core is measured too.

use thingpost::Qos;
use thingpost_host::runtime::MqttPre;

use super::publishing::{BATCH, THROUGHPUT};
use super::{Bench, Bound, Case, PAYLOAD, Section};
use crate::Failure;
use crate::client::Client;
use crate::mqtt::MqttDevice;
use crate::peer::Peer;
use crate::rounds::Contender;
use crate::work::{Load, Work};

/// How messages are published.
struct Flow {
    title: &'static str,
    qos: Qos,
    messages_per_call: usize,
    /// Of the component against the core.
    native: Bound,
    /// Of rumqttc and of paho-mqtt against the component.
    others: [Bound; 2],
}

/// The aims are those of HTTPS: three quarters of native throughput, one message at most 1.4 times, and twice as fast as
/// Python with many messages at once. One at a time, everybody waits for the broker: no slower than the others will do.
const FLOWS: [Flow; 3] = [
    Flow {
        title: "at least once, 20 in flight",
        qos: Qos::AtLeastOnce,
        messages_per_call: BATCH,
        native: THROUGHPUT,
        others: [Bound::AtLeast(1.0), Bound::AtLeast(2.0)],
    },
    Flow {
        title: "at most once",
        qos: Qos::AtMostOnce,
        messages_per_call: BATCH,
        native: THROUGHPUT,
        others: [Bound::AtLeast(1.0), Bound::AtLeast(2.0)],
    },
    Flow {
        title: "at least once, one in flight",
        qos: Qos::AtLeastOnce,
        messages_per_call: 1,
        native: Bound::AtMost(1.4),
        others: [Bound::AtLeast(1.0), Bound::AtLeast(1.0)],
    },
];

pub(super) async fn section(bench: &Bench) -> Result<Section, Failure> {
    let mut section = Section::new("MQTT 3.1.1: 200 bytes, AWS with a client certificate, one connection");
    let device = match bench.cloud.mqtt_device() {
        Ok(device) => device,
        Err(problem) => {
            section.missing.push(format!("anything of it ({problem})"));
            return Ok(section);
        }
    };
    let component = bench.runtime.load_mqtt(thingpost_artifacts::MQTT.bytes)?;
    for flow in &FLOWS {
        let measuring = Measuring { bench, component: &component, device: &device, flow };
        section.cases.extend(measuring.against_native().await?);
        section.cases.extend(measuring.against_rumqttc().await?);
        match measuring.against_paho().await {
            Ok(case) => section.cases.push(case),
            Err(problem) => section.missing.push(format!("{}: {PAHO} ({problem})", flow.title)),
        }
    }
    Ok(section)
}

const PAHO: &str = "paho-mqtt (Python)";

struct Measuring<'a> {
    bench: &'a Bench,
    component: &'a MqttPre,
    device: &'a MqttDevice,
    flow: &'a Flow,
}

impl Measuring<'_> {
    async fn against_native(&self) -> Result<Vec<Case>, Failure> {
        let native = Client::mqtt_native(self.device, self.flow.qos).await?;
        let contenders = vec![Contender::new("native", self.load(native)), self.component().await?];
        self.bench.case_and_processor(self.flow.title, Some(self.flow.native), contenders).await
    }

    async fn against_rumqttc(&self) -> Result<Vec<Case>, Failure> {
        let rumqttc = Client::rumqttc(self.device, self.flow.qos).await?;
        let contenders = vec![self.component().await?, Contender::new("rumqttc", self.load(rumqttc))];
        self.bench.case_and_processor(self.flow.title, Some(self.flow.others[0]), contenders).await
    }

    async fn against_paho(&self) -> Result<Case, Failure> {
        let (greeting, folder) = (self.bench.cloud.greeting(), &self.bench.folder);
        let paho = Peer::paho(greeting, folder, self.flow.messages_per_call, self.flow.qos)?;
        let contenders = vec![self.component().await?, Contender::new(PAHO, Work::Peer(paho))];
        self.bench.case_with_a_process(self.flow.title, Some(self.flow.others[1]), contenders).await
    }

    async fn component(&self) -> Result<Contender, Failure> {
        let component = Client::mqtt_component(self.component, self.device, self.flow.qos).await?;
        Ok(Contender::new("component", self.load(component)))
    }

    fn load(&self, client: Client) -> Load {
        Load::batches(client, self.flow.messages_per_call, PAYLOAD)
    }
}
