//! The facts as they grow, kept within the budget.

use core::net::IpAddr;

use super::key_log_file::no_core_dumps;
use super::numbers::{narrow, wide};
use super::tail::file_and_offset;
use super::{CaptureFacts, Comment, Counters, Interface, Skipped};
use crate::model::{Budget, FrameNo, Limit, LimitHit, LinkType, Secret, Timestamp};

/// Skipped stretches listed one by one; further ones are added up in a last entry.
const MAX_SKIPPED: usize = 1_000;
/// Sections without an end must not fill memory: bytes of an interface's name or description that are kept.
const MAX_INTERFACE_TEXT: usize = 512;
/// What an entry of a list costs beside its text, in bytes.
const ENTRY_BYTES: usize = 64;

/// The facts with what is left of their budgets.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) facts: CaptureFacts,
    /// Key logs found since they were last taken.
    pub(super) fresh_secrets: Vec<Secret>,
    /// The number of a spool's file that is read; 0 where there is one only.
    pub(super) file: u64,
    /// Captured bytes of one frame that are handed on.
    pub(super) frame_bytes: u32,
    /// Longest block that is read.
    pub(super) block_bytes: u32,
    /// Longest entry of a HAR file that is read.
    pub(super) entry_bytes: usize,
    max_interfaces: usize,
    comment_bytes: usize,
    secret_bytes: usize,
}

impl Notes {
    pub(super) fn new(facts: CaptureFacts, budget: &Budget) -> Self {
        Self {
            facts,
            fresh_secrets: Vec::new(),
            file: 0,
            frame_bytes: narrow(budget.frame_bytes),
            block_bytes: narrow(budget.block_bytes),
            entry_bytes: budget.entry_bytes,
            max_interfaces: budget.interfaces,
            comment_bytes: budget.comment_bytes,
            secret_bytes: budget.secret_bytes,
        }
    }

    /// The number of the next frame; `None` when numbers run out.
    #[inline]
    pub(super) fn number(&mut self) -> Option<FrameNo> {
        self.facts.frames = self.facts.frames.checked_add(1)?;
        Some(FrameNo(self.facts.frames))
    }

    /// Widens the capture's time by a frame's.
    #[inline]
    pub(super) fn time(&mut self, time: Timestamp) {
        if self.facts.first_time.is_none_or(|first| time < first) {
            self.facts.first_time = Some(time);
        }
        if self.facts.last_time.is_none_or(|last| time > last) {
            self.facts.last_time = Some(time);
        }
    }

    /// Counts a limit that was reached.
    pub(super) fn limit(&mut self, limit: Limit) {
        let first_frame = FrameNo(self.facts.frames);
        if let Some(hit) = self.facts.limits.iter_mut().find(|hit| hit.limit == limit) {
            hit.count = hit.count.saturating_add(1);
        } else {
            self.facts.limits.push(LimitHit { limit, count: 1, first_frame });
        }
    }

    /// Records a stretch that could not be read; stretches that touch and have one reason become one.
    pub(super) fn skipped(&mut self, offset: u64, len: u64, why: &str) {
        let in_file = (self.file > 0).then(|| format!("{why} (in file {} of the ring)", self.file));
        let offset = if self.file > 0 { file_and_offset(offset).1 } else { offset };
        let why = in_file.as_deref().unwrap_or(why);
        let full = self.facts.skipped.len() >= MAX_SKIPPED;
        if let Some(last) = self.facts.skipped.last_mut() {
            let touches = last.offset.saturating_add(last.len) == offset && last.why == why;
            if touches {
                last.len = last.len.saturating_add(len);
                return;
            }
            if full {
                "further damage, from here on added up".clone_into(&mut last.why);
                last.len = last.len.saturating_add(len);
                return;
            }
        }
        self.facts.skipped.push(Skipped { offset, len, why: why.to_owned() });
    }

    /// Adds an interface; `false` when there are too many.
    pub(super) fn interface(&mut self, mut interface: Interface) -> bool {
        let link = LinkType(interface.link);
        if self.facts.interfaces.len() >= self.max_interfaces {
            self.limit(Limit::Interfaces);
            return false;
        }
        // Distinct link types are at most as many as numbers, and real files have one to three: a list will do up to a
        // point where a file only wants to cost time.
        if self.facts.link_types.len() < 256 && !self.facts.link_types.contains(&link) {
            self.facts.link_types.push(link);
        }
        interface.name.truncate(MAX_INTERFACE_TEXT);
        interface.description.truncate(MAX_INTERFACE_TEXT);
        self.facts.interfaces.push(interface);
        true
    }

    pub(super) fn comment(&mut self, frame: Option<FrameNo>, text: &[u8]) {
        if self.afford(text.len()) {
            self.facts.comments.push(Comment { frame, text: text.to_vec() });
        }
    }

    pub(super) fn name(&mut self, address: IpAddr, name: &[u8]) {
        if self.afford(name.len()) {
            self.facts.names.push((address, name.to_vec()));
        }
    }

    pub(super) fn secrets(&mut self, text: &[u8]) {
        match self.secret_bytes.checked_sub(text.len().saturating_add(ENTRY_BYTES)) {
            Some(left) => {
                self.secret_bytes = left;
                no_core_dumps();
                self.facts.secrets = self.facts.secrets.saturating_add(1);
                self.fresh_secrets.push(Secret::new(text));
            }
            None => self.limit(Limit::SecretBytes),
        }
    }

    /// What the interface counted since its section began, in place of what it had counted `before`.
    pub(super) fn counters(&mut self, now: Counters, before: Counters) {
        let sum = self.facts.counters.get_or_insert_default();
        let change = |sum: &mut u64, now: u64, before: u64| *sum = sum.saturating_sub(before).saturating_add(now);
        change(&mut sum.received, now.received, before.received);
        change(&mut sum.dropped_by_interface, now.dropped_by_interface, before.dropped_by_interface);
        change(&mut sum.accepted, now.accepted, before.accepted);
        change(&mut sum.dropped_by_kernel, now.dropped_by_kernel, before.dropped_by_kernel);
    }

    /// The last record of a file is not whole, and another file follows.
    pub(super) fn cut_between(&mut self, at: u64) {
        let len = core::mem::take(&mut self.facts.cut_tail_bytes);
        if len > 0 {
            self.skipped(at, len, "the file ends inside a record");
        }
    }

    /// The last record of the file is not whole.
    pub(super) fn cut_tail(&mut self, len: usize) {
        self.facts.cut_tail_bytes = wide(len);
    }

    fn afford(&mut self, len: usize) -> bool {
        let Some(left) = self.comment_bytes.checked_sub(len.saturating_add(ENTRY_BYTES)) else {
            self.limit(Limit::CommentBytes);
            return false;
        };
        self.comment_bytes = left;
        true
    }
}
