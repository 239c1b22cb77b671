// SPDX-License-Identifier: GPL-2.0

//! What calls cost: of the module's functions, of the kernel's, and through pointers.

use super::{Bounds, Reasons};
use crate::{
    decode::Step,
    entries::is_like,
    image::{is_named, Place},
    lines::Line,
};

/// Caller and function of an assumption.
pub fn call(never: &str) -> Option<(&str, &str)> {
    never.split_once(" -> ")
}

/// Function and instructions of an assumption on what a call takes.
pub fn given(never: &str) -> Option<(&str, u64)> {
    let (name, instructions) = never.split_once(" = ")?;
    Some((name, instructions.parse().ok()?))
}

impl Bounds<'_> {
    pub(super) fn place_called(&mut self, to: &Place, reasons: &mut Reasons) -> Option<u64> {
        if self.is_left_out(to) {
            return None;
        }
        match to {
            Place::Here(address) if self.image.function_at(*address).is_some() => {
                if let Some((called, _)) = self.called.last_mut() {
                    called.insert(*address);
                }
                match self.of(*address) {
                    Ok(bound) => bound.instructions,
                    Err(more) => {
                        reasons.extend(more);
                        None
                    }
                }
            }
            // The part of the function at the other end of a branch.
            Place::Here(_) => None,
            Place::Elsewhere(symbol) => self.row(symbol, reasons),
        }
    }

    /// What a call costs in place that is made so many times in all: nothing.
    pub(super) fn counted_in_all(
        &mut self,
        to: &Place,
        at: Line,
        times: u64,
        reasons: &mut Reasons,
    ) -> Option<u64> {
        let each = self.place_called(to, reasons)?;
        let name = match to {
            Place::Here(address) => self.name(*address),
            Place::Elsewhere(symbol) => symbol.clone(),
        };
        if let Some((_, totals)) = self.called.last_mut() {
            totals.add_calls(at, name, times, each);
        }
        Some(0)
    }

    /// Whether the function that is looked at does not call this one, by assumption.
    fn is_left_out(&self, to: &Place) -> bool {
        let name = |address: &u64| self.image.function_at(*address);
        let called = match to {
            Place::Here(address) => name(address),
            Place::Elsewhere(symbol) => Some(&**symbol),
        };
        let (Some(called), Some(caller)) = (called, self.open.last().and_then(name)) else {
            return false;
        };
        let mut pairs = self.never.iter().filter_map(|never| call(never));
        pairs.any(|(from, to)| is_named(caller, from) && is_named(called, to))
    }

    pub(super) fn row(&mut self, symbol: &str, reasons: &mut Reasons) -> Option<u64> {
        if self.never.iter().any(|never| never == symbol) {
            return None;
        }
        let settings = self.settings;
        let called = self.longest_of(settings.called_by(symbol), reasons);
        match settings.callee(symbol, &self.source.constants) {
            Ok(bound) => Some(bound.saturating_add(called.unwrap_or(0))),
            Err(reason) => {
                reasons.insert(reason);
                None
            }
        }
    }

    /// What a call through a pointer costs.
    pub(super) fn unknown(
        &mut self,
        name: &str,
        step: &Step,
        reasons: &mut Reasons,
    ) -> Option<u64> {
        let settings = self.settings;
        let mut rows = settings.indirect.iter();
        let Some(row) = rows.find(|row| is_named(name, &row.function)) else {
            reasons.insert(format!(
                "{name}: calls through a pointer at {}",
                self.place(step.address)
            ));
            return None;
        };
        self.longest_of(&row.targets, reasons)
    }

    /// The functions of this name, or that begin with it if it ends with an asterisk.
    fn places(&self, name: &str) -> Vec<Place> {
        if name.ends_with('*') {
            let all = self.image.functions().iter();
            let meant = all.filter(|(_, symbol)| is_like(symbol, name));
            return meant.map(|(address, _)| Place::Here(*address)).collect();
        }
        vec![match self.image.function(name) {
            Ok(address) => Place::Here(address),
            Err(_) => Place::Elsewhere(name.to_owned()),
        }]
    }

    /// The highest cost of some functions.
    fn longest_of(&mut self, names: &[String], reasons: &mut Reasons) -> Option<u64> {
        let mut most = None;
        let all = names.iter().flat_map(|target| self.places(target));
        for to in Vec::from_iter(all) {
            most = most.max(self.place_called(&to, reasons));
        }
        most
    }
}
