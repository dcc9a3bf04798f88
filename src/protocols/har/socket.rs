//! The messages of a WebSocket, as Chrome writes them beside an entry (`_webSocketMessages`).

use super::entry::{EntryPlace, decoded};
use super::json::Object;
use crate::model::{Budget, MessageKind, MessageList, PayloadState, Side, Timestamp, WebSocket, WebSocketMessage};

/// Counts and lists them; `None` where the entry has no such list.
pub(super) fn messages(
    told: &Object<'_>,
    bytes: &[u8],
    place: EntryPlace,
    budget: &Budget,
) -> Option<(WebSocket, MessageList)> {
    told.get("_webSocketMessages")?;
    let mut counted = WebSocket::default();
    let mut list = MessageList::default();
    let mut kept = 0_usize;
    for value in told.elements("_webSocketMessages") {
        let Some(message) = value.object(bytes) else { continue };
        let side = if message.text("type").as_deref() == Some(b"send") { Side::Client } else { Side::Server };
        let kind =
            message.integer("opcode").and_then(|code| u8::try_from(code).ok()).map_or(MessageKind::TEXT, MessageKind);
        let data = message.text("data").unwrap_or_default();
        let coded = kind == MessageKind::BINARY || message.text("_encoding").as_deref() == Some(b"base64");
        let payload = if coded { decoded(&data).unwrap_or_else(|| data.to_vec()) } else { data.into_owned() };
        let len = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        // Seconds since 1970.
        let time = message.amount("time").and_then(|s| std::time::Duration::try_from_secs_f64(s).ok());
        let time = time.and_then(|d| i64::try_from(d.as_nanos()).ok()).map_or(place.time, Timestamp);
        let [client, server] = &mut counted.sides;
        let own = if side == Side::Client { client } else { server };
        own.frames = own.frames.saturating_add(1);
        if kind.is_control() {
            own.controls = own.controls.saturating_add(1);
        } else {
            own.messages = own.messages.saturating_add(1);
            own.bytes = own.bytes.saturating_add(len);
        }
        let moment = (place.frame, time);
        if counted.last.is_none_or(|(_, before)| before < time) {
            counted.last = Some(moment);
        }
        if list.messages.len() >= budget.websocket_messages {
            list.unlisted = list.unlisted.saturating_add(1);
            continue;
        }
        kept = kept.saturating_add(payload.len());
        let is_kept = kept <= budget.preview_bytes;
        list.messages.push(WebSocketMessage {
            side,
            kind,
            first: moment,
            last: moment,
            offset: place.at(value.start),
            fragments: 1,
            wire_bytes: len,
            bytes: len,
            compressed: false,
            payload: if is_kept { payload } else { Vec::new() },
            state: if is_kept { PayloadState::Whole } else { PayloadState::NotKept },
        });
    }
    Some((counted, list))
}
