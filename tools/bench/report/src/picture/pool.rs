// SPDX-License-Identifier: GPL-2.0

//! Cost against the size of the pool.

use super::drawing::{about, case_label, comparable, curves, of_curves, values, Picture};
use crate::{
    axis::Axis,
    chart::{unit_names, unit_title},
    labels,
    query::Figures,
};

pub fn draw(figures: &Figures<'_>) -> Vec<Picture> {
    ["page", "region"]
        .iter()
        .filter_map(|case| one(figures, case))
        .collect()
}

fn one(figures: &Figures<'_>, case: &str) -> Option<Picture> {
    let all = comparable(figures, case, "icount");
    // Subjects that take from the machine's memory have no pool that could grow.
    let pools = all.only(|figure| figure.is_ours() || figure.subject.starts_with("gen_pool"));
    let lines = curves(&pools, |figure| figure.pool);
    let (sizes, costs) = values(&lines);
    let unit = pools.0.first()?.unit.clone();
    let mut named = sizes.clone();
    named.sort_by(f64::total_cmp);
    named.dedup();
    let x = Axis::logarithmic("size of the pool", sizes, labels::bytes)?;
    let x = x.naming(&few(&named), labels::bytes);
    let y = Axis::logarithmic(unit_title(&unit), costs, unit_names(&unit))?;
    let title = format!("{}, by size of the pool", case_label(case));
    let subtitle = format!(
        "median at the dearest fill level and state; {}",
        about("icount")
    );
    let file = format!("{case}-pool.svg");
    of_curves(file, title, &subtitle, (x, y), &lines)
}

/// At most nine of them, evenly chosen, so that their labels have room.
fn few(values: &[f64]) -> Vec<f64> {
    let step = values.len().div_ceil(9).max(1);
    values.iter().copied().step_by(step).collect()
}
