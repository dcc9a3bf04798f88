//! The list as a tree: switching, opening and closing, and going through its lines.

use std::sync::Arc;

use super::Desk;
use crate::store::RowId;
use crate::store::groups::Groups;
use crate::ui::action::{Move, TreeAction};
use crate::ui::state::Arrangement;
use crate::ui::table::{Line, Tree};

impl Desk {
    pub(super) fn tree_action(&mut self, action: TreeAction) {
        match action {
            TreeAction::Arrange(arrangement) => self.arrange(arrangement),
            TreeAction::Switch => self.arrange(match self.state.saved.arrangement {
                Arrangement::List => Arrangement::Providers,
                Arrangement::Providers | Arrangement::Programs => Arrangement::List,
            }),
            TreeAction::Sort(order) => self.state.choice.group_order = order,
            TreeAction::Toggle(key) => {
                self.state.tree.group = Some(key);
                let open = !self.state.tree.open.contains(&key);
                self.fold(key, open);
            }
            TreeAction::ToggleHere => {
                if let Some(key) = self.state.tree.group {
                    self.tree_action(TreeAction::Toggle(key));
                }
            }
            TreeAction::Left => self.go_out(),
            TreeAction::Right => self.go_in(),
        }
    }

    fn arrange(&mut self, arrangement: Arrangement) {
        self.state.saved.arrangement = arrangement;
        self.state.choice.arrangement = arrangement;
        self.state.tree.group = None;
        self.state.table.top = 0.0;
        // The selected row is brought into view again where it stands then.
        self.capture.reveal = self.state.selected.is_some();
    }

    /// Takes the groups of a new order; what stands at the upper edge stays there.
    pub(super) fn take_groups(&mut self, groups: Option<Arc<Groups>>) {
        let table = &mut self.state.table;
        let anchor = self.capture.tree.as_ref().and_then(|tree| tree.anchor(table.top.floor() as usize));
        self.capture.tree = groups.map(|groups| Tree::new(groups, &self.state.tree.open));
        let Some(tree) = &self.capture.tree else { return };
        if let Some((key, below)) = anchor.filter(|_| table.top >= 1.0)
            && let Some(line) = tree.line_of(key)
        {
            table.top = (line + below) as f64 + table.top.fract();
        }
    }

    fn fold(&mut self, key: u64, open: bool) {
        let keys = &mut self.state.tree.open;
        if open {
            keys.insert(key)
        } else {
            keys.remove(&key)
        };
        self.rebuild();
        let line = self.capture.tree.as_ref().and_then(|tree| tree.line_of(key));
        self.state.table.cursor = line;
        self.state.table.reveal = line.is_some();
    }

    fn rebuild(&mut self) {
        if let Some(tree) = &mut self.capture.tree {
            *tree = Tree::new(Arc::clone(&tree.groups), &self.state.tree.open);
        }
    }

    /// Where the row at this place of the order stands on screen; in the tree, what is around it is opened.
    pub(super) fn line_of(&mut self, place: usize) -> Option<usize> {
        let Some(tree) = &self.capture.tree else { return Some(place) };
        tree.open_around(place, &mut self.state.tree.open);
        self.rebuild();
        self.capture.tree.as_ref().and_then(|tree| tree.line_of_row(place))
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.capture.tree.as_ref().map_or(self.capture.order.len(), Tree::len)
    }

    /// The row in a line, where one is.
    pub(super) fn row_in(&self, line: usize) -> Option<RowId> {
        let place = match &self.capture.tree {
            None => line,
            Some(tree) => match tree.line(line)? {
                Line::Row(place) => place,
                Line::Group(_) => return None,
            },
        };
        self.capture.order.get(place).map(|id| RowId(*id))
    }

    /// The line that has the cursor, where it is still what it was.
    pub(super) fn cursor(&self) -> Option<usize> {
        if let (Some(key), Some(tree)) = (self.state.tree.group, &self.capture.tree) {
            return tree.line_of(key);
        }
        self.state.table.cursor.filter(|line| self.row_in(*line).is_some() && self.row_in(*line) == self.state.selected)
    }

    /// Puts the cursor on a line: selects the exchange, or the group.
    pub(super) fn put_cursor(&mut self, line: usize, step: Move) {
        if let Some(row) = self.row_in(line) {
            self.select(row);
            self.state.table.follow = step == Move::Last;
        } else if let Some(tree) = &self.capture.tree
            && let Some(Line::Group(at)) = tree.line(line)
        {
            self.state.tree.group = tree.group(at).map(|group| group.key);
        }
        self.state.table.cursor = Some(line);
        self.state.table.reveal = true;
    }

    /// Closes the group that has the cursor; from an exchange or a closed group goes to the group around it.
    fn go_out(&mut self) {
        let (Some(line), Some(tree)) = (self.cursor(), &self.capture.tree) else { return };
        if let Some(key) = self.state.tree.group
            && self.state.tree.open.contains(&key)
        {
            self.fold(key, false);
        } else if let Some(around) = tree.around(line).and_then(|key| tree.line_of(key)) {
            self.put_cursor(around, Move::By(-1));
        }
    }

    /// Opens the group that has the cursor; from an open one goes to the first line in it.
    fn go_in(&mut self) {
        let (Some(line), Some(key)) = (self.cursor(), self.state.tree.group) else { return };
        if self.state.tree.open.contains(&key) {
            self.put_cursor(line + 1, Move::By(1));
        } else {
            self.fold(key, true);
        }
    }
}
