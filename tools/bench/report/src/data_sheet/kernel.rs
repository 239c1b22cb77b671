// SPDX-License-Identifier: GPL-2.0

//! Targets of what drivers call.

use super::target::{counted, median, push, worst, Target, ICOUNT};
use crate::query::Figures;

/// The largest ratio of the highest to the lowest median between pools, in one case at one
/// fill level and state.
fn growth_by_pool(pages: &Figures<'_>) -> Option<f64> {
    let settings = pages.different(|f| (f.case.clone(), f.fill, f.state.clone()));
    let growth = |(case, fill, state): (String, Option<f64>, String)| {
        let same = pages.only(|f| f.case == case && f.fill == fill && f.state == state);
        if same.different(|figure| figure.pool).len() < 2 {
            return None;
        }
        Some(same.highest(median)? / same.lowest(median)?)
    };
    settings.into_iter().filter_map(growth).reduce(f64::max)
}

pub fn pages(all: &Figures<'_>) -> Vec<Target> {
    let pages = counted(all, "kernel", "page");
    let ours = pages.subject("genp");
    let mut targets = Vec::new();
    push(
        &mut targets,
        ours.highest(worst).map(|cost| {
            let what = "atomic page, take and give, worst case";
            Target::at_most(what, cost, 200.0, "instructions")
        }),
    );
    push(
        &mut targets,
        growth_by_pool(&ours).map(|growth| {
            let what = "the same, growth from the smallest to the largest pool";
            Target::at_most(what, (growth - 1.0) * 100.0, 5.0, "%")
        }),
    );
    let peer = pages.only(|figure| figure.subject.starts_with("gen_pool"));
    let best = peer.granted().lowest(median);
    push(
        &mut targets,
        ours.highest(median).zip(best).map(|(cost, best)| {
            let what = "the same, median, beside the best case of gen_pool";
            Target::not_above(what, cost, ("gen_pool", best))
        }),
    );
    targets
}

/// The algorithm alone, in pools that no machine here has the memory for.
pub fn depth(all: &Figures<'_>) -> Vec<Target> {
    let pages = all.only(|figure| {
        figure.group == "scale" && figure.machine == ICOUNT && figure.case.starts_with("page")
    });
    let target = growth_by_pool(&pages).map(|growth| {
        let what = "the same, its algorithm alone, growth from 1 MiB to 64 GiB";
        Target::at_most(what, (growth - 1.0) * 100.0, 5.0, "%")
    });
    target.into_iter().collect()
}

pub fn regions(all: &Figures<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    let regions = counted(all, "kernel", "region").subject("genp").granted();
    push(
        &mut targets,
        regions.highest(worst).map(|cost| {
            let what = "region, allocate and free, worst case";
            Target::at_most(what, cost, 450.0, "instructions")
        }),
    );
    let failing = counted(all, "kernel", "region_fail").subject("genp");
    push(
        &mut targets,
        failing
            .highest(median)
            .zip(regions.highest(median))
            .map(|(cost, granted)| {
                let what = "region, a request that is refused";
                Target::not_above(what, cost, ("one that is granted", granted))
            }),
    );
    let objects = counted(all, "kernel", "object").granted();
    let sizes = objects.different(|figure| figure.size);
    // Compared with kmem_cache of the same size: the size with the worst ratio.
    let targets_of = sizes.into_iter().filter_map(|size| {
        let same = objects.only(|figure| figure.size == size);
        let slab = same.subject("kmem_cache").lowest(median)?;
        let what = "object of a cache, allocate and free";
        let cost = same.subject("genp").highest(median)?;
        Some(Target::not_above(what, cost, ("kmem_cache", slab)))
    });
    targets.extend(targets_of.max_by(|a, b| a.share.total_cmp(&b.share)));
    targets
}
