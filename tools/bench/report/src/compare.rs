// SPDX-License-Identifier: GPL-2.0

//! Two runs side by side.

use std::collections::BTreeMap;

use clap::Args;

use crate::{
    labels::{in_unit, number},
    run::{Figure, Run},
};

/// What is compared.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// By how many percent a figure may grow; the status is 1 if one grew more
    #[arg(long, default_value_t = 3.0)]
    pub threshold: f64,
    /// Which of its values
    #[arg(long, default_value = "median", value_parser = ["min", "median", "p99", "p999", "max"])]
    pub of: String,
    /// Only figures in this unit; instructions repeat, times do not
    #[arg(long)]
    pub unit: Option<String>,
    /// Only figures of this group
    #[arg(long)]
    pub group: Option<String>,
    /// Only figures of this subject
    #[arg(long)]
    pub subject: Option<String>,
    /// Show what stayed the same as well
    #[arg(long)]
    pub all: bool,
}

/// The result.
pub struct Comparison {
    /// A line for each figure that differs, and a sum.
    pub text: String,
    /// Whether one grew by more than the threshold.
    pub grew: bool,
}

impl Options {
    fn has(&self, figure: &Figure) -> bool {
        let fits =
            |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        fits(&self.unit, &figure.unit)
            && fits(&self.group, &figure.group)
            && fits(&self.subject, &figure.subject)
    }

    fn value(&self, figure: &Figure) -> Option<f64> {
        match self.of.as_str() {
            "min" => figure.min,
            "p99" => figure.p99,
            "p999" => figure.p999,
            "max" => figure.max,
            _ => figure.median,
        }
    }

    /// The values by name, and the unit of each.
    fn values(&self, run: &Run) -> BTreeMap<String, (f64, String)> {
        let wanted = run.figures.iter().filter(|figure| self.has(figure));
        let named = wanted.filter_map(|figure| {
            let value = self.value(figure)?;
            Some((
                format!("{} ({})", figure.name(), figure.unit),
                (value, figure.unit.clone()),
            ))
        });
        named.collect()
    }
}

/// Compares a run with an older one.
pub fn compare(old: &Run, new: &Run, options: &Options) -> Comparison {
    let (old, new) = (options.values(old), options.values(new));
    let mut rows = Vec::new();
    let (mut more, mut less, mut same) = (0, 0, 0);
    for (name, (after, unit)) in &new {
        let Some((before, _)) = old.get(name) else {
            rows.push(format!("    new  {name}: {}", in_unit(*after, unit)));
            continue;
        };
        let growth = growth(*before, *after);
        let grew = exceeds(*after, *before, options.threshold);
        match exceeds(*before, *after, options.threshold) {
            _ if grew => more += 1,
            true => less += 1,
            false => same += 1,
        }
        if growth != 0.0 || options.all {
            let mark = if grew { "!" } else { " " };
            rows.push(format!(
                "{mark}{growth:+6.1} %  {name}: {} -> {}",
                in_unit(*before, unit),
                in_unit(*after, unit)
            ));
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        rows.push(format!("   gone  {name}"));
    }
    rows.push(format!(
        "{more} grew by more than {} %, {less} shrank by more, {same} did not",
        number(options.threshold)
    ));
    let mut text = rows.join("\n");
    text.push('\n');
    Comparison {
        text,
        grew: more > 0,
    }
}

/// Whether `large` is above `small` by more than `percent`.
fn exceeds(large: f64, small: f64, percent: f64) -> bool {
    large > small * (1.0 + percent / 100.0)
}

/// The growth in percent; infinite if the old value was 0.
fn growth(before: f64, after: f64) -> f64 {
    if before == after {
        0.0
    } else if before == 0.0 {
        f64::INFINITY
    } else {
        (after / before - 1.0) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::tests::figure;

    fn run(costs: &[(&str, f64)]) -> Run {
        let one = |&(subject, cost): &(&str, f64)| {
            figure(
                ["kernel", "page", subject, "instructions", "icount"],
                cost,
                2.0 * cost,
            )
        };
        Run {
            figures: costs.iter().map(one).collect(),
            ..Default::default()
        }
    }

    fn options() -> Options {
        Options {
            threshold: 3.0,
            of: "median".into(),
            unit: None,
            group: None,
            subject: None,
            all: false,
        }
    }

    #[test]
    fn growth_over_the_threshold_is_reported_and_counts() {
        let grew = compare(
            &run(&[("genp", 100.0)]),
            &run(&[("genp", 104.0)]),
            &options(),
        );
        assert!(grew.grew);
        assert!(
            grew.text.starts_with("!  +4.0 %  kernel page genp icount"),
            "{}",
            grew.text
        );
        assert!(
            !compare(
                &run(&[("genp", 100.0)]),
                &run(&[("genp", 103.0)]),
                &options()
            )
            .grew
        );
        assert!(
            !compare(
                &run(&[("genp", 104.0)]),
                &run(&[("genp", 10.0)]),
                &options()
            )
            .grew
        );
        assert!(compare(&run(&[("genp", 0.0)]), &run(&[("genp", 1.0)]), &options()).grew);
    }

    #[test]
    fn new_and_gone_figures_are_reported() {
        let compared = compare(
            &run(&[("genp", 100.0)]),
            &run(&[("kmalloc", 7.0)]),
            &options(),
        );
        assert!(!compared.grew);
        assert!(compared
            .text
            .contains("new  kernel page kmalloc icount (instructions): 7"));
        assert!(compared.text.contains("gone  kernel page genp icount"));
    }

    #[test]
    fn only_what_was_asked_for_is_reported() {
        let (old, new) = (run(&[("kmalloc", 10.0)]), run(&[("kmalloc", 20.0)]));
        let subject = Some("genp".into());
        assert!(
            !compare(
                &old,
                &new,
                &Options {
                    subject,
                    ..options()
                }
            )
            .grew
        );
        let unit = Some("ns".into());
        assert!(!compare(&old, &new, &Options { unit, ..options() }).grew);
        let of = "max".into();
        assert!(compare(&old, &new, &Options { of, ..options() })
            .text
            .contains("20 -> 40"));
    }
}
