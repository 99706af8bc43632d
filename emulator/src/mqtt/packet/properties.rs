//! A property says nothing of its length: who does not know all of them cannot read past one. So here are all of them,
//! although few are looked at.

use super::reader::Reader;

/// How long a client may be silent that the server has given another keep-alive.
pub(super) const SERVER_KEEP_ALIVE: u8 = 0x13;

/// The properties of one packet that are asked about here. Those of another kind of packet are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::mqtt) struct Properties<'a> {
    pub(in crate::mqtt) payload_format: Option<u8>,
    pub(in crate::mqtt) message_expiry: Option<u32>,
    pub(in crate::mqtt) content_type: Option<&'a str>,
    pub(in crate::mqtt) response_topic: Option<&'a str>,
    pub(in crate::mqtt) correlation_data: Option<&'a [u8]>,
    pub(in crate::mqtt) session_expiry: Option<u32>,
    pub(in crate::mqtt) receive_maximum: Option<u16>,
    pub(in crate::mqtt) topic_alias: Option<u16>,
    pub(in crate::mqtt) user: Vec<(&'a str, &'a str)>,
}

impl<'a> Properties<'a> {
    /// Reads them with their length. Nothing when they are not properties.
    pub(super) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let length = reader.variable()?;
        let mut reader = Reader::new(reader.take(length as usize)?);
        let mut properties = Self::default();
        while !reader.is_empty() {
            properties.read_one(&mut reader)?;
        }
        Some(properties)
    }

    /// Those of a CONNACK, as they are on the wire and without their length, but for the server's keep-alive.
    pub(super) fn without_server_keep_alive(reader: &mut Reader<'a>) -> Option<Vec<u8>> {
        let length = reader.variable()?;
        let mut reader = Reader::new(reader.take(length as usize)?);
        let mut others = Vec::new();
        while !reader.is_empty() {
            let before = reader.rest();
            Self::default().read_one(&mut reader)?;
            let one = &before[..before.len() - reader.rest().len()];
            if one.first() != Some(&SERVER_KEEP_ALIVE) {
                others.extend_from_slice(one);
            }
        }
        Some(others)
    }

    fn read_one(&mut self, reader: &mut Reader<'a>) -> Option<()> {
        match reader.variable()? {
            0x01 => self.payload_format = Some(reader.byte()?),
            0x02 => self.message_expiry = Some(reader.four_bytes()?),
            0x03 => self.content_type = Some(reader.text()?),
            0x08 => self.response_topic = Some(reader.text()?),
            0x09 => self.correlation_data = Some(reader.binary()?),
            0x11 => self.session_expiry = Some(reader.four_bytes()?),
            0x21 => self.receive_maximum = Some(reader.two_bytes()?),
            0x23 => self.topic_alias = Some(reader.two_bytes()?),
            0x26 => self.user.push((reader.text()?, reader.text()?)),
            // Subscription identifier.
            0x0b => drop(reader.variable()?),
            // Will delay interval, maximum packet size.
            0x18 | 0x27 => drop(reader.four_bytes()?),
            // Server keep alive, topic alias maximum.
            0x13 | 0x22 => drop(reader.two_bytes()?),
            // Assigned client identifier, authentication method, response information, server reference, reason string.
            0x12 | 0x15 | 0x1a | 0x1c | 0x1f => drop(reader.text()?),
            // Authentication data.
            0x16 => drop(reader.binary()?),
            // Request problem or response information, maximum QoS, and what is available.
            0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2a => drop(reader.byte()?),
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_properties_of_a_message_are_read() {
        let bytes = b"\x23\x01\x01\x02\x00\x00\x00\x3c\x03\x00\x01c\x08\x00\x01r\x09\x00\x01d\x26\x00\x01k\x00\x01v\x26\x00\x01k\x00\x01w\x23\x00";
        // One byte short of the alias: nothing.
        assert_eq!(Properties::read(&mut Reader::new(bytes)), None);
        let mut whole = bytes.to_vec();
        whole[0] += 1;
        whole.extend([5, 0xaa]);
        let mut reader = Reader::new(&whole);
        let expected = Properties {
            payload_format: Some(1),
            message_expiry: Some(60),
            content_type: Some("c"),
            response_topic: Some("r"),
            correlation_data: Some(b"d"),
            topic_alias: Some(5),
            user: vec![("k", "v"), ("k", "w")],
            ..Properties::default()
        };
        assert_eq!(Properties::read(&mut reader), Some(expected));
        assert_eq!(reader.rest(), [0xaa]);
    }

    #[test]
    fn a_property_that_nobody_knows_makes_the_rest_unreadable() {
        assert_eq!(Properties::read(&mut Reader::new(&[2, 0x7e, 0])), None);
        assert_eq!(Properties::read(&mut Reader::new(&[0])), Some(Properties::default()));
        assert_eq!(Properties::read(&mut Reader::new(&[])), None);
    }
}
