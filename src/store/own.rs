//! Lists that snapshots share, written to by the one who owns them.

use std::sync::Arc;

/// A shared list to write to. Where a snapshot has it too it is copied, with room for `capacity`: a copy that is as long as
/// its content would be moved again by the next push into twice the room it needs, and blocks of many sizes leave holes in
/// memory that nothing else fits into, which in a live capture of hours add up.
pub(super) fn own<T: Clone>(shared: &mut Arc<Vec<T>>, capacity: usize) -> &mut Vec<T> {
    if Arc::get_mut(shared).is_none() {
        let mut copy = Vec::with_capacity(capacity.max(shared.len()));
        copy.extend_from_slice(shared);
        *shared = Arc::new(copy);
    }
    Arc::make_mut(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_room_of_the_first_list() {
        let mut list = Arc::new(Vec::with_capacity(8));
        for n in 0..8 {
            let snapshot = Arc::clone(&list);
            own(&mut list, 8).push(n);
            assert_eq!((snapshot.len(), list.len(), list.capacity()), (n, n + 1, 8));
        }
        let place = list.as_ptr();
        own(&mut list, 8)[0] = 9;
        assert_eq!((list.as_ptr(), list.first()), (place, Some(&9)), "nobody shares it: it is not copied");
    }
}
