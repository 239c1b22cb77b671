// SPDX-License-Identifier: GPL-2.0

//! Objects of a cache and elements of a pool on it that several callers give back at once,
//! once too often: a driver's misuse.

use core::{cell::Cell, ffi::c_void};
use std::{collections::BTreeSet, rc::Rc};

use kernel::sim::{fail, files::leave_kernel, machine, task::task_struct};

use super::{
    case::Case,
    genp::sys::{
        abi::{genp_cache, genp_elements, genp_outstanding, genp_partition, genp_spec, genp_stat},
        glue,
    },
    scene,
};

const ESTALE: i32 = -116;
/// Objects of the cache, and how many of them are the pool's minimum.
const OBJECTS: u32 = 4;
const MINIMUM: u32 = 2;

/// A call that gives something back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToCache,
    ToPool,
}

/// A partition with a cache and an element pool.
#[derive(Clone, Copy)]
struct Scene {
    part: *mut genp_partition,
    cache: *mut genp_cache,
    elements: *mut genp_elements,
}

impl Scene {
    fn new() -> Self {
        let spec = genp_spec {
            reserve: 1 << 14,
            node: super::genp::sys::abi::GENP_ANY_NODE,
            ..genp_spec::default()
        };
        // SAFETY: arguments of ours; nothing fails here.
        unsafe {
            let part = glue::genp_partition_create(&spec);
            let cache = glue::genp_cache_create(part, 64, 0, OBJECTS);
            let elements = glue::genp_elements_create(cache, MINIMUM);
            Self {
                part,
                cache,
                elements,
            }
        }
    }

    fn take(&self, way: Way) -> *mut c_void {
        // SAFETY: of ours.
        unsafe {
            match way {
                Way::ToCache => glue::genp_cache_alloc(self.cache),
                Way::ToPool => glue::genp_element_alloc(self.elements),
            }
        }
    }

    fn give(&self, way: Way, object: *mut c_void) -> i32 {
        // SAFETY: of ours; only the address of the object is looked at.
        unsafe {
            match way {
                Way::ToCache => glue::genp_cache_free(self.cache, object),
                Way::ToPool => glue::genp_element_free(self.elements, object),
            }
        }
    }

    /// Takes as many as there are; fails if one comes twice, or is missing.
    fn check_all_once(&self) {
        let mut all = BTreeSet::new();
        let mut taken = Vec::new();
        for way in [Way::ToPool, Way::ToCache] {
            loop {
                let object = self.take(way);
                if object.is_null() {
                    break;
                }
                if !all.insert(object as usize) {
                    fail("an object has two owners");
                }
                taken.push((way, object));
            }
        }
        if all.len() != OBJECTS as usize {
            fail(&format!("of {OBJECTS} objects {} are left", all.len()));
        }
        for (way, object) in taken {
            if self.give(way, object) != 0 {
                fail("an object is not taken back");
            }
        }
    }

    fn check_counted(&self, refused: u64) {
        let mut stat = genp_stat::default();
        // SAFETY: of ours.
        unsafe { glue::genp_partition_stat(self.part, &mut stat) };
        if stat.stale_handles != refused {
            fail(&format!(
                "{refused} were refused, and {} counted",
                stat.stale_handles
            ));
        }
    }

    fn end(self) {
        let mut left = genp_outstanding::default();
        // SAFETY: of ours, and nothing of them is in use.
        let ends = unsafe {
            [
                glue::genp_elements_destroy(self.elements),
                glue::genp_cache_destroy(self.cache),
                glue::genp_partition_destroy(self.part, &mut left),
            ]
        };
        if ends != [0; 3] {
            fail("what is not in use is not destroyed");
        }
        leave_kernel();
    }
}

/// Gives one object back by several tasks at once, rightly by one of them.
fn strife(scene: Scene) -> u64 {
    let rng = machine().rng();
    let ways = [Way::ToCache, Way::ToPool];
    let way = rng.pick(&ways);
    // Others are in use, so that the minimum misses some or not.
    let others: Vec<_> = (0..rng.below(OBJECTS.into()))
        .map(|_| rng.pick(&ways))
        .map(|way| (way, scene.take(way)))
        .filter(|(_, object)| !object.is_null())
        .collect();
    let object = scene.take(way);
    let (accepted, refused) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let mut tasks: Vec<*mut task_struct> = Vec::new();
    let mut calls = vec![way, way];
    calls.extend([rng.pick(&ways)]);
    for way in calls.into_iter().filter(|_| !object.is_null()) {
        let (accepted, refused) = (accepted.clone(), refused.clone());
        let free = move || match scene.give(way, object) {
            0 => accepted.set(accepted.get() + 1),
            ESTALE => refused.set(refused.get() + 1),
            other => fail(&format!("an object that is free is refused by {other}")),
        };
        tasks.push(machine().spawn("freer", false, free));
    }
    for (way, object) in others {
        let free = move || {
            if scene.give(way, object) != 0 {
                fail("an object is not taken back");
            }
        };
        tasks.push(machine().spawn("user", false, free));
    }
    tasks.iter().for_each(|task| machine().start(*task));
    tasks.iter().for_each(|task| machine().join(*task));
    if !object.is_null() && accepted.get() != 1 {
        fail(&format!("an object is taken back {} times", accepted.get()));
    }
    refused.get()
}

fn play() {
    let scene = Scene::new();
    let mut refused = 0;
    for _ in 0..20 {
        refused += strife(scene);
        scene.check_counted(refused);
        scene.check_all_once();
    }
    scene.end();
}

/// Runs a case. A violation does not return.
pub fn run(seed: u64) {
    let mut case = Case::new(seed);
    case.load.blocks = false;
    scene::run(case, |_| play());
}
