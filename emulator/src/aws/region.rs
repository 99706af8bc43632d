//! A signature is good for one region, and an endpoint never says which one it is in: it is a part of its name, at a
//! place that differs between the forms such a name has.

/// The region in the name of an endpoint. Nothing for a name that is not AWS's.
pub(super) fn of(server_name: &str) -> Option<String> {
    let name = server_name.to_ascii_lowercase();
    let name = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().find_map(|end| name.strip_suffix(end))?;
    let (before, region) = name.rsplit_once('.')?;
    let service = before.rsplit('.').next()?;
    (matches!(service, "iot" | "iot-fips") && !region.is_empty()).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_has_its_region() {
        for (name, region) in [
            ("a1b2c3-ats.iot.eu-central-1.amazonaws.com", "eu-central-1"),
            ("a1b2c3.iot.us-east-1.AMAZONAWS.com", "us-east-1"),
            ("data-ats.iot.us-west-2.api.aws", "us-west-2"),
            ("data-ats.iot.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
            ("data.ats.iot.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("data.iot-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ] {
            assert_eq!(of(name).as_deref(), Some(region), "{name}");
        }
    }

    #[test]
    fn other_names_have_none() {
        for name in ["localhost", "iot.example.com", "s3.eu-central-1.amazonaws.com", "amazonaws.com", ".iot..api.aws"]
        {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
