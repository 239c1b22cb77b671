// SPDX-License-Identifier: GPL-2.0

//! Runs a case from the load of the module to its unload.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use kernel::sim::{
    fail,
    files::{leave_kernel, Kind},
    machine,
    process::Process,
    rounds::Stuck,
    Machine,
};

use crate::{
    actors::Thread,
    case::{Case, Load, Op, DRIVERS, PROCESSES, THREADS},
    check,
    drivers::Driver,
    genp::{pool::config::Params, registry::Registry},
    load::Module,
    serial::Serial,
    world::World,
};

/// What a case came to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// Calls of processes and drivers, and takes and gives in interrupts.
    pub calls: u64,
    /// Those of them that failed.
    pub refused: u64,
    /// Calls whose answers the model predicted.
    pub predicted: u64,
    /// Switches from one task to another.
    pub switches: u64,
    /// Points at which something happened.
    pub happenings: u64,
    /// Interrupts and NMIs.
    pub interrupts: u64,
    /// Allocations that failed.
    pub starved: u64,
    /// Processes that were killed.
    pub deaths: u64,
    /// Pages that got a memory error.
    pub memory_errors: u64,
    /// Loads that measured what recalls cost.
    pub calibrations: u64,
    /// Loads that failed.
    pub failed_loads: u64,
}

impl Sum {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.refused += other.refused;
        self.predicted += other.predicted;
        self.switches += other.switches;
        self.happenings += other.happenings;
        self.interrupts += other.interrupts;
        self.starved += other.starved;
        self.deaths += other.deaths;
        self.memory_errors += other.memory_errors;
        self.calibrations += other.calibrations;
        self.failed_loads += other.failed_loads;
    }
}

/// The parameter `blocks`, if there are any: less than the rest of a node.
const BLOCKS: &[u8] = b"1:8,3:3";

pub(crate) fn params(load: &Load) -> Params {
    Params {
        pool_mib: load.pool_mib,
        max_lease_ms: load.max_lease_ms,
        min_lease_us: 500,
        grace_ms: load.grace_ms,
        recall_prio: 90,
        recall_base_prio: 1,
        recall_share: load.recall_share,
        // Without them they are measured.
        recall_latency_ns: load.recall_ns,
        recall_end_ns: load.recall_ns,
        recall_page_ns: load.recall_ns,
        recall_zero_ns: load.recall_ns,
        recall_serve_ns: load.recall_ns,
        recall_section_ns: load.recall_ns,
        notify_prio: 45,
        refill_prio: 50,
        wait_order: load.wait_order,
        max_waiters: load.max_waiters,
        max_partitions: load.max_partitions,
        max_leases: load.max_leases,
        uid_ceiling_mib: load.uid_ceiling_mib,
        uid_max_partitions: load.uid_max_partitions,
        uid_max_leases: load.uid_max_leases,
        uid_max_waiters: load.uid_max_waiters,
        emergency_pages: load.emergency_pages,
        keep_free_mib: u32::from(!load.range),
        range_base: if load.range {
            kernel::glue::genalloc::BASE
        } else {
            0
        },
        range_mib: u32::from(load.range),
        blocks: if load.blocks { BLOCKS } else { b"" },
    }
}

/// How many tasks sleep in a borrow.
fn sleepers(tasks: &[*mut kernel::sim::task::task_struct]) -> usize {
    // SAFETY: tasks live as long as the machine.
    let tasks = tasks.iter().map(|task| unsafe { &**task });
    tasks
        .filter(|task| task.is_asleep() && task.doing.get() == "borrow")
        .count()
}

/// What must be back when the module is unloaded.
fn check_unloaded(heap: i64) {
    let machine = machine();
    let left = (
        machine.heap() - heap,
        machine.memory.outstanding(),
        machine.memory.vmaps(),
        machine.files.alive(),
    );
    if left != (0, 0, 0, 0) || !machine.range.is_whole() {
        fail(&format!(
            "after the unload there are {} allocations, {} pages, {} maps and {} files left",
            left.0, left.1, left.2, left.3
        ));
    }
}

struct Runner {
    case: Case,
    sum: RefCell<Sum>,
    done: Cell<bool>,
}

impl Runner {
    /// The whole life of the module; in a task.
    fn life(&self) {
        let heap = machine().heap();
        machine().starve(self.case.load.starving);
        let process = machine().processes.create(0);
        if let Some(task) = machine().task() {
            task.process.set(process);
        }
        let module = Module::load(&params(&self.case.load));
        leave_kernel();
        machine().starve(false);
        match module {
            Ok(module) => self.use_it(module),
            Err(_) if self.case.load.starving => self.sum.borrow_mut().failed_loads += 1,
            Err(error) => fail(&format!("the module is not loaded: {error:?}")),
        }
        check_unloaded(heap);
        self.done.set(true);
    }

    fn use_it(&self, module: Module) {
        let machine = machine();
        let measured = module.registry.pool().costs.are_measured();
        self.sum.borrow_mut().calibrations += u64::from(measured);
        let control = machine.files.create(Kind::Control);
        if let Some(steps) = self.case.serial {
            self.serially(&module, control, steps);
            self.unload(module, control);
            return;
        }
        let world = World::new(self.case.load);
        machine.starve(true);
        let ops: Rc<[Op]> = self.case.ops.clone().into();
        let tasks = self.spawn(&world, &ops, control);
        self.watch(&module.registry, &world, &tasks);
        for task in &tasks {
            machine.join(*task);
        }
        machine.starve(false);
        while world.unpin() {}
        {
            let mut sum = self.sum.borrow_mut();
            sum.calls += world.calls.get();
            sum.refused += world.refused.get();
            sum.deaths += world.deaths.get();
        }
        drop(world);
        self.unload(module, control);
    }

    /// The ioctl fuzzer's steps, with its model.
    fn serially(&self, _module: &Module, control: *mut kernel::sim::files::file, steps: usize) {
        let serial = Serial::new(control);
        let calls = serial.calls.clone();
        let (seed, gone) = (self.case.seed, self.case.gone.clone());
        let task = machine().spawn("serial", false, move || serial.run(seed, steps, &gone));
        machine().start(task);
        machine().join(task);
        let mut sum = self.sum.borrow_mut();
        let (made, refused) = calls.get();
        sum.calls += made;
        sum.refused += refused;
        sum.predicted += made;
    }

    /// Everything has ended: all must be back, and the module can go.
    fn unload(&self, module: Module, control: *mut kernel::sim::files::file) {
        let machine = machine();
        let observer = machine.processes.create(0);
        let fd = observer.open(control);
        if let Some(control) = observer.hold(fd) {
            check::all_back(&module.registry, &control);
        }
        observer.close(fd);
        let pool = module.stop();
        check::frames(&pool);
        drop(pool);
    }

    fn spawn(
        &self,
        world: &Rc<World>,
        ops: &Rc<[Op]>,
        control: *mut kernel::sim::files::file,
    ) -> Vec<*mut kernel::sim::task::task_struct> {
        let machine = machine();
        let mut tasks = Vec::new();
        for number in 0..PROCESSES * THREADS {
            let actor = number / THREADS;
            let process: &'static Process = world.actors[actor].process;
            if number % THREADS == 0 {
                // SAFETY: the control file is there; each process opens it once.
                unsafe { (*control).take() };
                process.open(control);
            }
            let (world_of, ops) = (world.clone(), ops.clone());
            let name = format!("process {actor}.{}", number % THREADS);
            let task = machine.spawn(&name, false, move || {
                Thread::new(world_of, number, 0).run(&ops)
            });
            // SAFETY: just made.
            unsafe {
                (*task).process.set(process);
                (*task).prio.set(20 + 10 * number as i32);
            }
            world.actors[actor].tasks.borrow_mut().push(task as usize);
            tasks.push(task);
        }
        for number in 0..DRIVERS {
            let (world, ops) = (world.clone(), ops.clone());
            let actor = PROCESSES * THREADS + number;
            tasks.push(machine.spawn(&format!("driver {number}"), false, move || {
                Driver::new(world, number, actor).run(&ops);
            }));
        }
        for task in &tasks {
            machine.start(*task);
        }
        tasks
    }

    /// Signals those who wait for long, after it was checked that they have reason to.
    fn watch(
        &self,
        registry: &Registry,
        world: &World,
        tasks: &[*mut kernel::sim::task::task_struct],
    ) {
        /// Longer than any lease.
        const LONG: u64 = 2_500_000_000;

        let (mut unserved, mut overdue, mut forgotten) =
            (Stuck::default(), Stuck::default(), Stuck::default());
        let (mut untold, mut untold_after) = (Stuck::default(), None);
        let errors = &registry.pool().errors;
        // SAFETY: tasks live as long as the machine.
        while tasks.iter().any(|task| unsafe { !(**task).has_ended() }) {
            let calls = world.calls.get();
            machine().sleep_for(LONG);
            if check::error_untold(registry) {
                untold_after = Some(errors.reported());
            }
            // Who just made the partition has another look made.
            if untold.lasts(untold_after == Some(errors.reported())) {
                fail("a memory error was looked for, and its owner was not told");
            }
            if world.calls.get() != calls {
                (unserved, overdue, forgotten) = Default::default();
                continue;
            }
            let now = machine().now();
            let (can_serve, due, waiters) = registry.pool().lending.with(|state| {
                let accounting = &state.accounting;
                (
                    accounting.can_serve(),
                    accounting.next_due(),
                    accounting.totals().waiters as usize,
                )
            });
            let is_late = due.is_some_and(|due| due + LONG / 2 < now);
            let is_forgotten = sleepers(tasks) > waiters;
            if unserved.lasts(can_serve) {
                fail("a waiter can be served, and nobody does it");
            }
            if overdue.lasts(is_late) {
                fail("a lease is long due, and nobody ends it");
            }
            if forgotten.lasts(is_forgotten) {
                fail("who waited for a lease got it or was refused, and sleeps on");
            }
            // A signal would end what is to be seen once more.
            if !can_serve && !is_late && !is_forgotten {
                tasks.iter().for_each(|task| machine().signal(*task));
            }
        }
    }
}

/// Gives the machine the memory that a case is to have.
pub(crate) fn set_up_memory(load: &Load) {
    let memory = &machine().memory;
    memory.set_up(load.nodes, 64 + 256 * load.pool_mib as usize);
    memory.whole.set(load.blocks);
    memory.untold.set(load.untold);
}

/// Runs a case. A violation does not return.
pub fn run(case: Case) -> Sum {
    let machine = Machine::install(case.plan);
    set_up_memory(&case.load);
    machine.range.used.set(case.load.range);
    let runner = Rc::new(Runner {
        case,
        sum: RefCell::default(),
        done: Cell::new(false),
    });
    let life = runner.clone();
    let task = machine.spawn("insmod", false, move || life.life());
    machine.start(task);
    machine.run();
    if !runner.done.get() {
        fail("the case did not come to its end");
    }
    let mut sum = runner.sum.borrow().clone();
    sum.switches = machine.switches.get();
    sum.happenings = machine.happenings.get();
    sum.interrupts = machine.interrupted.get();
    sum.starved = machine.refused.get();
    sum.memory_errors = machine.memory.errors.get().into();
    sum
}
