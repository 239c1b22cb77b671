// SPDX-License-Identifier: GPL-2.0

//! A set of partitions that becomes what a plan says, or stays as it is.

use toml::Spanned;

use crate::{plan::PartitionPlan, problem::Problem};

/// Who makes and ends partitions: the module, or what tests have in its place.
pub trait Maker {
    /// A partition while it is held.
    type Held;

    /// Makes a partition.
    fn make(&mut self, plan: &PartitionPlan) -> Result<Self::Held, Problem>;

    /// Ends it for all who use it.
    fn end(&mut self, held: Self::Held);
}

/// What became of the set, by names.
#[derive(Debug, Default, PartialEq)]
pub struct Change {
    pub made: Vec<String>,
    pub ended: Vec<String>,
}

/// The partitions that are held, each with its plan. All of them end with the set, the last
/// one first.
pub struct Set<M: Maker> {
    maker: M,
    held: Vec<(PartitionPlan, M::Held)>,
}

impl<M: Maker> Set<M> {
    /// A set of none.
    pub fn new(maker: M) -> Self {
        let held = Vec::new();
        Self { maker, held }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// What is held, in the order in which it was made.
    pub fn held(&self) -> impl Iterator<Item = &M::Held> {
        self.held.iter().map(|(_, held)| held)
    }

    fn find(&self, name: &str) -> Option<&PartitionPlan> {
        let all = self.held.iter().map(|(plan, _)| plan);
        all.into_iter().find(|plan| plan.name == name)
    }

    /// Ends all but the first `keep`; the last one first.
    fn end_after(&mut self, keep: usize) -> Vec<String> {
        let mut names = Vec::new();
        while self.held.len() > keep {
            let Some((plan, held)) = self.held.pop() else {
                break;
            };
            self.maker.end(held);
            names.push(plan.name);
        }
        names
    }

    /// A partition that is held with other figures than the plan has, if there is one.
    fn differing<'p>(&self, plans: &'p [Spanned<PartitionPlan>]) -> Option<&'p str> {
        let plans = plans.iter().map(Spanned::get_ref);
        let differs = |plan: &&PartitionPlan| {
            let held = self.find(&plan.name);
            held.is_some_and(|held| held.as_created() != plan.as_created())
        };
        plans
            .into_iter()
            .find(differs)
            .map(|plan| plan.name.as_str())
    }

    /// Makes what is new in a plan, and then ends what is not in it any more. If one cannot
    /// be made, those made before it end, and the set is as it was.
    pub fn apply(&mut self, plans: &[Spanned<PartitionPlan>]) -> Result<Change, Problem> {
        if let Some(name) = self.differing(plans) {
            return Err(Problem::new(
                "cannot apply the changed plan",
                format!("partition {name} is there with other figures"),
                format!("Nothing has changed. Give it another name, or end it first: genpctl destroy {name}."),
            ));
        }
        let before = self.held.len();
        let mut change = Change::default();
        for plan in plans.iter().map(Spanned::get_ref) {
            let old = self.held.iter().take(before);
            if old.into_iter().any(|(old, _)| old.name == plan.name) {
                continue;
            }
            match self.maker.make(plan) {
                Ok(held) => self.held.push((plan.clone(), held)),
                Err(problem) => {
                    self.end_after(before);
                    return Err(problem.of(&format!("partition {}", plan.name)));
                }
            }
            change.made.push(plan.name.clone());
        }
        let mut kept = Vec::new();
        for (plan, held) in self.held.drain(..) {
            if plans
                .iter()
                .any(|wanted| wanted.get_ref().name == plan.name)
            {
                kept.push((plan, held));
            } else {
                self.maker.end(held);
                change.ended.push(plan.name);
            }
        }
        self.held = kept;
        Ok(change)
    }

    /// Gives up the one of this number, which somebody else destroyed; its name.
    pub fn lose(&mut self, number: usize) -> Option<String> {
        if number >= self.held.len() {
            return None;
        }
        let (plan, held) = self.held.remove(number);
        drop(held);
        Some(plan.name)
    }

    /// Ends all of them.
    pub fn end_all(&mut self) -> Change {
        Change {
            made: Vec::new(),
            ended: self.end_after(0),
        }
    }
}

impl<M: Maker> Drop for Set<M> {
    fn drop(&mut self) {
        self.end_after(0);
    }
}
