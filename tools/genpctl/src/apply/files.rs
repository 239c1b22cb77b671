// SPDX-License-Identifier: GPL-2.0

//! The files that are applied: plans of which each partition has a name.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use genp::abi::genp_info;
use toml::Spanned;

use crate::{
    plan::{self, PartitionPlan, PlanFile},
    problem::Problem,
};

fn what(path: &Path) -> String {
    format!("cannot apply {}", path.display())
}

/// The plans of a directory, in the order of their names; a file is itself.
fn plans_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let paths = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut plans = paths.collect::<io::Result<Vec<_>>>()?;
    plans.retain(|path| path.extension() == Some(OsStr::new("toml")));
    plans.sort();
    Ok(plans)
}

/// Refuses a plan for another pool than that of the loaded module.
fn check_pool(plan: &PlanFile, info: &genp_info, what: &str) -> Result<(), Problem> {
    let misfits = plan::misfits(plan, info);
    if misfits.is_empty() {
        return Ok(());
    }
    let parameters = plan::parameters(plan);
    let advice = format!(
        "Load the module with what the plan says, or leave it out of [pool]:\n\
         rmmod genp && modprobe genp {parameters}"
    );
    Err(Problem::new(what, misfits.join("; "), advice))
}

/// The partitions of a plan. Nobody could open one without a name.
fn read_file(path: &Path, info: &genp_info) -> Result<Vec<Spanned<PartitionPlan>>, Problem> {
    let what = what(path);
    let text = fs::read_to_string(path)
        .map_err(|error| Problem::new(what.as_str(), error, "Give the file of a plan."))?;
    let plan = plan::read(&text, &what)?;
    check_pool(&plan, info, &what)?;
    for spanned in &plan.partition {
        if spanned.get_ref().name.is_empty() {
            let line = plan::line_of(&text, spanned.span().start);
            let found = format!("line {line}: a partition without a name");
            return Err(Problem::new(
                what,
                found,
                "Nobody could open it: give it one.",
            ));
        }
    }
    Ok(plan.partition)
}

/// The partitions of all plans, in the order of the files. A plan is refused whose pool is not
/// that of `info`.
pub fn read(paths: &[PathBuf], info: &genp_info) -> Result<Vec<Spanned<PartitionPlan>>, Problem> {
    let mut partitions = Vec::new();
    for path in paths {
        let plans = plans_of(path).map_err(|error| {
            let todo = "Give the file of a plan, or a directory of plans that can be read.";
            Problem::new(what(path), error, todo)
        })?;
        for plan in plans {
            partitions.extend(read_file(&plan, info)?);
        }
    }
    Ok(partitions)
}
