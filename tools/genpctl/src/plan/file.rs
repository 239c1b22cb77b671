// SPDX-License-Identifier: GPL-2.0

//! The file of a plan: the module's parameters, and the partitions there are to be.

use std::collections::BTreeMap;

use genp_core::{
    block_counts::BlockCounts,
    parameters::{self, PARAMETERS},
    recall_bound::UnitCosts,
};
use serde::{de::Error, Deserialize, Deserializer};
use toml::Spanned;

use crate::{blocks, size, time, values};

/// The only parameter that is a text.
const BLOCKS: &str = "blocks";

/// A plan as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// Parameters of the module; those that are not there have their defaults.
    #[serde(default)]
    pool: BTreeMap<Spanned<String>, Spanned<Setting>>,
    /// Highest number of a processor, plus 1; that of this machine if it is not there.
    pub processors: Option<u32>,
    /// Bytes of a page.
    #[serde(default = "usual_page")]
    pub page_size: u32,
    /// The partitions, in the order in which they are created.
    #[serde(default)]
    pub partition: Vec<Spanned<PartitionPlan>>,
}

/// The value of a parameter of the module.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Setting {
    Number(i64),
    /// Of blocks alone.
    Text(String),
}

fn usual_page() -> u32 {
    4096
}

/// A partition as it is written.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct PartitionPlan {
    /// By which it is opened and told from others; may be empty.
    pub name: String,
    /// Who creates it, for the ceiling per user.
    pub user: String,
    /// Memory of its own.
    #[serde(deserialize_with = "bytes")]
    pub reserve: u64,
    /// Memory it may have on lease.
    #[serde(deserialize_with = "bytes")]
    pub borrow: u64,
    /// Leases it may have, waiting requests included; 0 for the usual number.
    pub max_leases: u32,
    /// The longest term it asks for; the pool's longest if it is not there.
    #[serde(deserialize_with = "some_time")]
    pub term: Option<u64>,
    /// Requests of it that wait at the same time.
    pub waiters: u32,
    /// The longest wait it can afford.
    #[serde(deserialize_with = "some_time")]
    pub wait: Option<u64>,
    /// Leases of it that run out, or are recalled, in a second.
    pub ends_per_second: u32,
    /// Pages of its stock.
    pub stock: u32,
    /// Pages that may grow to.
    pub stock_limit: u32,
    /// Its low watermark.
    pub stock_low: u32,
    /// Its contiguous blocks.
    #[serde(deserialize_with = "some_blocks")]
    pub blocks: BlockCounts,
    /// Permission bits of who may open it; the usual ones if they are not there. This and
    /// the following only matter where the plan is applied.
    #[serde(deserialize_with = "some_mode")]
    pub mode: Option<u32>,
    /// The order of the unit of regions, which is written as a size.
    #[serde(deserialize_with = "some_unit")]
    pub unit: Option<u32>,
    /// Regions it may have; 0 for the usual number.
    pub max_regions: u32,
    /// The memory node to prefer.
    pub node: Option<i32>,
    /// Whether one address space may map the lease window several times.
    pub multimap: bool,
}

impl PartitionPlan {
    /// The same, without what only matters to a plan.
    pub fn as_created(&self) -> Self {
        Self {
            user: String::new(),
            term: None,
            waiters: 0,
            wait: None,
            ends_per_second: 0,
            ..self.clone()
        }
    }
}

/// A number, or a text with a unit.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(u64),
    Text(String),
}

fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    match Amount::deserialize(from)? {
        Amount::Number(bytes) => Ok(bytes),
        Amount::Text(text) => size::parse(&text).map_err(D::Error::custom),
    }
}

fn some_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(from)?;
    time::parse_some(&text).map(Some).map_err(D::Error::custom)
}

fn some_blocks<'de, D: Deserializer<'de>>(from: D) -> Result<BlockCounts, D::Error> {
    let text = String::deserialize(from)?;
    blocks::parse(&text).map_err(D::Error::custom)
}

fn some_mode<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(from)?;
    values::mode(&text).map(Some).map_err(D::Error::custom)
}

fn some_unit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(from)?;
    values::unit(&text).map(Some).map_err(D::Error::custom)
}

/// What is wrong with a file, and in which line.
#[derive(Debug, PartialEq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// The line of a place in a text.
pub fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|&&byte| byte == b'\n').count()
}

/// Reads a plan.
pub fn read(text: &str) -> Result<PlanFile, Fault> {
    let plan: PlanFile = toml::from_str(text).map_err(|error| Fault {
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        what: error.message().to_owned(),
    })?;
    for (name, value) in &plan.pool {
        let fault = |what| Fault {
            line: line_of(text, name.span().start),
            what,
        };
        if name.get_ref() == BLOCKS {
            match value.get_ref() {
                Setting::Text(text) => blocks::parse(text).map_err(fault)?,
                Setting::Number(_) => {
                    return Err(fault(
                        "blocks: must be a text, as in \"9:2,4:16\"".to_owned(),
                    ))
                }
            };
            continue;
        }
        let Some(known) = parameters::named(name.get_ref()) else {
            let names: Vec<_> = PARAMETERS.iter().map(|known| known.name).collect();
            let what = format!(
                "no parameter {}; there are {} {BLOCKS}",
                name.get_ref(),
                names.join(" ")
            );
            return Err(fault(what));
        };
        let (least, most) = match known.name {
            "grace_ms" => (known.least, plan.parameter("max_lease_ms")),
            _ => (known.least, known.most),
        };
        let sound = match value.get_ref() {
            Setting::Number(number) => (least..=most).contains(number),
            Setting::Text(_) => false,
        };
        if !sound {
            let what = format!("{}: must be {least} to {most} (EINVAL)", known.name);
            return Err(fault(what));
        }
    }
    if plan.page_size == 0 || plan.processors == Some(0) {
        let what = "page_size and processors are not 0".to_owned();
        return Err(Fault { line: 1, what });
    }
    Ok(plan)
}

impl PlanFile {
    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> i64 {
        let given = self.given().find(|(key, _)| *key == name);
        given
            .map(|(_, value)| value)
            .or_else(|| parameters::named(name).map(|known| known.default))
            .unwrap_or(0)
    }

    /// The parameters that are in the file, by their names, but for the blocks.
    pub fn given(&self) -> impl Iterator<Item = (&str, i64)> {
        let each = self.pool.iter();
        each.filter_map(|(name, value)| match value.get_ref() {
            Setting::Number(number) => Some((name.get_ref().as_str(), *number)),
            Setting::Text(_) => None,
        })
    }

    /// The contiguous blocks that the module takes.
    pub fn blocks(&self) -> BlockCounts {
        let text = self.pool.values().find_map(|value| match value.get_ref() {
            Setting::Text(text) => Some(text),
            Setting::Number(_) => None,
        });
        // It was read before.
        text.and_then(|text| blocks::parse(text).ok())
            .unwrap_or_default()
    }

    /// As [`Self::parameter`], for a count: its limits are those of 32 bits.
    pub fn count(&self, name: &str) -> u32 {
        u32::try_from(self.parameter(name)).unwrap_or(0)
    }

    /// The unit costs that are given, 0 for others.
    pub fn costs(&self) -> UnitCosts {
        costs_by_name(|name| u64::try_from(self.parameter(name)).ok())
    }
}

/// Unit costs from where `value` finds them by the name of their parameter.
pub fn costs_by_name(value: impl Fn(&str) -> Option<u64>) -> UnitCosts {
    let cost = |name| value(name).unwrap_or(0);
    UnitCosts {
        latency_ns: cost("recall_latency_ns"),
        end_ns: cost("recall_end_ns"),
        page_ns: cost("recall_page_ns"),
        zero_ns: cost("recall_zero_ns"),
        serve_ns: cost("recall_serve_ns"),
        section_ns: cost("recall_section_ns"),
    }
}
