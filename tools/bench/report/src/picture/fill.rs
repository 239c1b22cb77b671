// SPDX-License-Identifier: GPL-2.0

//! Cost against the fill level.

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

/// In the largest pool that was measured at more than one fill level of GenP.
fn one(figures: &Figures<'_>, case: &str) -> Option<Picture> {
    // At 100 % nothing is granted, except by subjects without a pool.
    let all = comparable(figures, case, "icount");
    let all = all.only(|figure| figure.fill.is_some_and(|fill| fill < 100.0));
    let pool = largest_common_pool(&all)?;
    let same = all.only(|figure| figure.pool == Some(pool));
    let lines = curves(&same, |figure| figure.fill);
    let (fills, costs) = values(&lines);
    let unit = same.0.first()?.unit.clone();
    let x = Axis::linear("how full the pool is", 0.0, 100.0);
    let mut fills = fills;
    fills.sort_by(f64::total_cmp);
    fills.dedup();
    let x = x.naming(&fills, |fill| format!("{fill} %"));
    let y = Axis::logarithmic(unit_title(&unit), costs, unit_names(&unit))?;
    let title = format!("{}, by fill level", case_label(case));
    let subtitle = format!(
        "median of the dearest state; pool of {}; {}",
        labels::bytes(pool),
        about("icount")
    );
    let file = format!("{case}-fill.svg");
    of_curves(file, title, &subtitle, (x, y), &lines)
}

/// The largest pool with figures of most subjects: some are too slow to fill a larger
/// one, or have no memory for it.
fn largest_common_pool(figures: &Figures<'_>) -> Option<f64> {
    let pools = figures.different(|figure| figure.pool);
    let subjects = |pool: f64| {
        figures
            .only(|figure| figure.pool == Some(pool))
            .subjects()
            .len()
    };
    let most = pools.iter().flatten().map(|&pool| subjects(pool)).max()?;
    let common = pools
        .into_iter()
        .flatten()
        .filter(|&pool| subjects(pool) == most);
    common.reduce(f64::max)
}
