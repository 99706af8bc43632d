//! A run that lasts for months outlives its certificate, its key and its token. Their owners put others in the place of the files,
//! and expect that to be all; or they say so by a SIGHUP, as they do to every service.
//!
//! The device is made anew by what made it at first, so nothing is taken up that would have been refused at the beginning. What
//! cannot be used leaves in place what there was.

use std::fs;

use thingpost_host::{ExpiresSoon, ExpiryReminder, POLL_INTERVAL, WatchedFiles};
use tokio::time::{Instant, sleep_until};

use super::Device;
use crate::error::{CliError, one_line};
use crate::files::input_file::InputFile;
use crate::terminal::hang_up::HangUps;

/// Of the files of a device those that decide where it may connect, which way and as whom: all others the component is told, or the
/// host signs with.
const OF_ROUTES: [&str; 4] = ["--cert", "--key", "--ca", "--proxy-user-file"];

/// What makes a device, and of which files.
#[derive(Clone)]
pub struct DeviceSource<'a, P> {
    pub files: Vec<InputFile>,
    pub make: &'a dyn Fn() -> Result<Device<P>, CliError>,
}

/// Notices that files of a device have changed, and makes it anew.
pub struct Reload<'a, P> {
    make: &'a dyn Fn() -> Result<Device<P>, CliError>,
    inputs: Vec<InputFile>,
    files: WatchedFiles,
    /// A file that can be read only once, so that nothing can be made anew.
    fleeting: Option<InputFile>,
    hang_ups: HangUps,
    /// Whether a signal has asked.
    is_asked: bool,
    next: Instant,
    /// What has changed since the device was made last.
    changed: Vec<InputFile>,
    /// Whether some of it waits for the end of a call.
    is_put_off: bool,
    /// Why it could not be made, as it was said last.
    said: Option<String>,
    reminder: ExpiryReminder,
}

/// A device that was made anew, and why.
pub struct Reloaded<P> {
    pub device: Device<P>,
    changed: Vec<InputFile>,
}

/// A device that was made anew and cannot be used.
pub struct NotTakenUp {
    pub error: CliError,
    pub changed: Vec<InputFile>,
}

impl<'a, P> Reload<'a, P> {
    /// Makes the device for the first time, and watches its files. They are looked at before it is made, so that what is replaced
    /// meanwhile is noticed the next time.
    pub fn make(source: DeviceSource<'a, P>) -> Result<(Device<P>, Self), CliError> {
        let reload = Self::of(source);
        Ok(((reload.make)()?, reload))
    }

    fn of(DeviceSource { files: inputs, make }: DeviceSource<'a, P>) -> Self {
        // A process substitution, or the like. What is not there may come.
        let is_fleeting = |input: &InputFile| fs::metadata(&input.path).is_ok_and(|metadata| !metadata.is_file());
        let fleeting = inputs.iter().find(|input| is_fleeting(input)).cloned();
        let watched = inputs.iter().filter(|_| fleeting.is_none()).map(|input| &input.path);
        Self {
            make,
            files: WatchedFiles::new(watched),
            inputs,
            fleeting,
            hang_ups: HangUps::none(),
            is_asked: false,
            next: Instant::now() + POLL_INTERVAL,
            changed: Vec::new(),
            is_put_off: false,
            said: None,
            reminder: ExpiryReminder::default(),
        }
    }

    /// Heeds SIGHUPs too, from now on.
    pub fn heeding_hang_ups(self) -> Self {
        Self { hang_ups: HangUps::listen(), ..self }
    }

    /// Waits until it is time to look at the files: every 10 s, and at a SIGHUP. May be given up and asked for again.
    pub async fn is_due(&mut self) {
        tokio::select! {
            () = sleep_until(self.next) => {}
            () = self.hang_ups.next() => self.is_asked = true,
        }
    }

    /// Whether something has changed that [`Reload::look_amid_call`] has left for the end of the call.
    pub fn is_put_off(&self) -> bool {
        self.is_put_off
    }

    /// As [`Reload::look`], while a call is under way: gives only what has changed of the routes, which needs no other publisher, and
    /// leaves the rest for after the call.
    pub fn look_amid_call(&mut self, say: impl Fn(&str)) -> Option<Reloaded<P>> {
        self.note_changes();
        if !self.changed.is_empty() && !self.changed.iter().any(is_of_routes) {
            self.next = Instant::now() + POLL_INTERVAL;
            self.is_put_off = true;
            return None;
        }
        let mut reloaded = self.look(say)?;
        (reloaded.changed, self.changed) = reloaded.changed.into_iter().partition(is_of_routes);
        self.is_put_off = !self.changed.is_empty();
        Some(reloaded)
    }

    /// Makes the device anew if files have changed, and says through `say` why not if it cannot be made.
    pub fn look(&mut self, say: impl Fn(&str)) -> Option<Reloaded<P>> {
        self.next = Instant::now() + POLL_INTERVAL;
        self.is_put_off = false;
        let is_asked = std::mem::take(&mut self.is_asked);
        if let Some(InputFile { option, path }) = self.fleeting.as_ref().filter(|_| is_asked) {
            let path = path.display();
            say(&format!(
                "thingpost: nothing can be read again, as {option} {path} is no file that stays; give a file"
            ));
        }
        self.note_changes();
        if self.changed.is_empty() {
            if is_asked && self.fleeting.is_none() {
                say("thingpost: none of the files of the device has changed");
            }
            return None;
        }
        match (self.make)() {
            Ok(device) => {
                self.said = None;
                Some(Reloaded { device, changed: std::mem::take(&mut self.changed) })
            }
            Err(error) => {
                self.kept(&self.changed.clone(), &error, is_asked, say);
                None
            }
        }
    }

    fn note_changes(&mut self) {
        for path in self.files.changed() {
            let of_path = self.inputs.iter().filter(|input| input.path == path);
            for input in of_path {
                if !self.changed.iter().any(|known| known.option == input.option) {
                    self.changed.push(input.clone());
                }
            }
        }
    }

    /// Says why what has changed is not taken up, once for each reason, and tries again the next time.
    pub fn refuse(&mut self, NotTakenUp { error, changed }: NotTakenUp, say: impl Fn(&str)) {
        self.kept(&changed, &error, false, say);
        self.changed.extend(changed);
    }

    fn kept(&mut self, changed: &[InputFile], error: &CliError, is_asked: bool, say: impl Fn(&str)) {
        let text = format!("thingpost: {} changed, and what there was stays in use: {error}", listed(changed));
        if is_asked || self.said.as_ref() != Some(&text) {
            say(&one_line(&text));
            self.said = Some(text);
        }
    }

    /// The warning that a certificate ends soon, once a day.
    pub fn reminder(&mut self, expiry: Option<ExpiresSoon>) -> Option<String> {
        let expiry = expiry.filter(|expiry| self.reminder.is_due(expiry))?;
        Some(format!("thingpost: warning: the certificate of --cert {expiry}; renew it"))
    }
}

impl<P> Reloaded<P> {
    /// Whether it may connect elsewhere, or as another.
    pub fn has_other_routes(&self) -> bool {
        self.changed.iter().any(is_of_routes)
    }

    /// Whether it has another secret to show or to sign with.
    pub fn has_other_secrets(&self) -> bool {
        !self.changed.iter().all(is_of_routes)
    }

    /// What is said of it.
    pub fn summary(&self) -> String {
        one_line(&format!("thingpost: taken up: {}", listed(&self.changed)))
    }

    /// The device, and what has changed of its files.
    pub fn into_parts(self) -> (Device<P>, Vec<InputFile>) {
        (self.device, self.changed)
    }
}

fn is_of_routes(input: &InputFile) -> bool {
    OF_ROUTES.contains(&input.option)
}

/// `--cert device.pem, --key key.pem`
fn listed(inputs: &[InputFile]) -> String {
    let listed: Vec<_> =
        inputs.iter().map(|InputFile { option, path }| format!("{option} {}", path.display())).collect();
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use super::super::Network;
    use super::*;

    #[test]
    fn what_is_replaced_while_the_device_is_made_is_noticed() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "old").unwrap();
        let is_first = Cell::new(true);
        let make = || {
            let read = fs::read_to_string(&path).unwrap();
            if is_first.take() {
                fs::write(&path, "new").unwrap();
            }
            Ok(Device {
                platform: read,
                routes: Vec::new(),
                secrets: Arc::default(),
                network: Network::default(),
                files: Vec::new(),
                renewal: None,
                warnings: Vec::new(),
            })
        };
        let files = vec![InputFile { option: "--device-secret-file", path: path.clone() }];
        let (device, mut reload) = Reload::make(DeviceSource { files, make: &make }).unwrap();
        assert_eq!(device.platform, "old");
        let reloaded = reload.look(|_| ()).expect("it was replaced meanwhile");
        assert!(reloaded.has_other_secrets() && !reloaded.has_other_routes());
        assert_eq!(reloaded.device.platform, "new");
        assert!(reload.look(|_| ()).is_none());
    }
}
