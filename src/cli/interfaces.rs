//! `nephoscope interfaces`: what can be captured from.

use std::io::{self, BufWriter, Write as _};

use anyhow::Result;
use serde_json::{Value, json};

use super::READ_WHOLE;
use super::args::{InterfacesArguments, InterfacesFormat};
use crate::capture::{Device, devices};
use crate::model::clean;

/// Prints the interfaces.
pub(super) fn run(arguments: &InterfacesArguments) -> Result<u8> {
    let devices = devices()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match arguments.format {
        InterfacesFormat::Table => out.write_all(table(&devices).as_bytes()),
        InterfacesFormat::Json => {
            let all: Vec<Value> = devices.iter().map(object).collect();
            writeln!(out, "{:#}", Value::Array(all))
        }
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(READ_WHOLE),
    }
}

fn object(device: &Device) -> Value {
    json!({
        "name": device.name,
        "kind": device.kind.word(),
        "state": device.state.words(),
        "link": device.link,
        "addresses": device.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "description": device.description,
    })
}

fn table(devices: &[Device]) -> String {
    let mut rows = vec![["name", "kind", "state", "link", "addresses", "description"].map(str::to_owned)];
    rows.extend(devices.iter().map(|device| {
        let addresses: Vec<String> = device.addresses.iter().map(ToString::to_string).collect();
        [
            clean(device.name.as_bytes()).into_owned(),
            device.kind.word().to_owned(),
            device.state.words().to_owned(),
            device.link.unwrap_or("-").to_owned(),
            if addresses.is_empty() { "-".to_owned() } else { addresses.join(" ") },
            clean(device.description.as_bytes()).into_owned(),
        ]
    }));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{DeviceKind, DeviceState};

    #[test]
    fn columns_stand_under_each_other() {
        let device = |name: &str, link, addresses| Device {
            name: name.to_owned(),
            description: String::new(),
            addresses,
            kind: DeviceKind::Wired,
            state: DeviceState::NoCarrier,
            link,
        };
        let devices = [
            device("eth0", Some("Ethernet"), vec![core::net::IpAddr::from([192, 0, 2, 1])]),
            device("x\u{1b}[1m", None, Vec::new()),
        ];
        assert_eq!(
            table(&devices),
            "name          kind   state       link      addresses  description\n\
             eth0          wired  no carrier  Ethernet  192.0.2.1\n\
             x⟨U+001B⟩[1m  wired  no carrier  -         -\n"
        );
    }
}
