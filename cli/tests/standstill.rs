//! A container is paused, a laptop sleeps, a debugger holds: when the process goes on, its deadlines are past, and what it
//! waited for came long ago.

use std::thread;
use std::time::Duration;

use crate::clouds::Clouds;

#[test]
fn an_answer_that_came_while_the_process_stood_still_came_in_time() {
    let clouds = Clouds::start();
    clouds.aws.chaos("late-answer=2s".parse::<thingpost_emulator::Chaos>().unwrap());
    let process = clouds.start_command(clouds.command(clouds.publish_aws().with("--timeout", "20")));
    clouds.wait_for_aws(1);
    process.signal("STOP");
    // Longer than the timeout, by more than a busy machine explains, and than the answer takes.
    thread::sleep(Duration::from_secs(23));
    process.signal("CONT");
    let output = clouds.checked(process.end());
    assert_eq!(output.code, Some(0), "{output:?}");
}
