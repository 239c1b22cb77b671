// SPDX-License-Identifier: GPL-2.0

//! Runs a case: starts the actors, controls them, checks what is left.

use std::sync::atomic::Ordering::SeqCst;

use harness::{abi::genp_info, calls, machine, now, pool, process, SEC};

use crate::{
    actor::{self, Setup},
    model::Model,
    step::{Case, Kind, Mode, Step},
    wire,
    world::{World, ACTORS},
};

/// The timeout of a step on a slow machine. Only there to end a broken run.
const PATIENCE: u64 = 90 * SEC;

/// The runner of cases.
pub struct Runner {
    world: &'static World,
    control: i32,
    /// The pool when it is not in use.
    idle: genp_info,
    user_mode: bool,
    /// Whether to record code coverage.
    pub traced: bool,
}

/// An actor as the runner sees it.
struct ActorProcess {
    pid: i32,
    orders: (i32, i32),
    answers: (i32, i32),
}

impl Drop for ActorProcess {
    fn drop(&mut self) {
        for fd in [self.orders.0, self.orders.1, self.answers.0, self.answers.1] {
            calls::close(fd);
        }
    }
}

fn socket_pair() -> (i32, i32) {
    let mut fds = [0; 2];
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: room for two numbers.
    let done = unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()) };
    assert!(done == 0, "socketpair: errno {}", calls::errno());
    (fds[0], fds[1])
}

impl Runner {
    /// A runner on a pool that is not in use.
    pub fn new(traced: bool) -> Result<Self, String> {
        let control = calls::open_control().map_err(|errno| {
            let name = calls::errno_name(errno);
            format!("/dev/genp cannot be opened: {name}. Is the module loaded?")
        })?;
        let idle = calls::info(control).map_err(|errno| format!("GENP_GET_INFO: {errno}"))?;
        if idle.partitions != 0 {
            return Err("the pool is in use; results cannot be predicted".into());
        }
        Ok(Self {
            world: process::share::<World>(),
            control,
            idle,
            user_mode: machine::is_user_mode(),
            traced,
        })
    }

    /// The shared data with the counters.
    pub fn world(&self) -> &'static World {
        self.world
    }

    /// Runs a case; returns what was wrong.
    pub fn run(&self, case: &Case) -> Result<(), String> {
        self.world.begin();
        let setup = Setup {
            world: self.world,
            control: self.control,
            pool: self.idle,
            inboxes: std::array::from_fn(|_| socket_pair()),
            mode: case.mode,
            traced: self.traced,
        };
        let done = match case.mode {
            Mode::Serial => self.serial(&setup, &case.steps),
            Mode::Storm => self.storm(&setup, &case.steps),
        };
        for (here, there) in setup.inboxes {
            calls::close(here);
            calls::close(there);
        }
        self.world.wrong().map_or(Ok(()), Err)?;
        done?;
        pool::wait_restored(self.control, &self.idle)
    }

    fn spawn(&self, id: usize, setup: &Setup, steps: &[Step]) -> ActorProcess {
        let (orders, answers) = (wire::pipe(), wire::pipe());
        let pid = process::child(|| {
            calls::close(orders.1);
            calls::close(answers.0);
            actor::serve(id, *setup, steps, orders.0, answers.1)
        });
        ActorProcess {
            pid,
            orders,
            answers,
        }
    }

    fn serial(&self, setup: &Setup, steps: &[Step]) -> Result<(), String> {
        // Messages are faster on one processor.
        process::pin_to(0);
        let mut model = Model::new(self.idle, self.user_mode);
        let mut actors: Vec<_> = (0..ACTORS).map(|id| self.spawn(id, setup, steps)).collect();
        let done = self.one_by_one(&mut model, setup, steps, &mut actors);
        for actor in &actors {
            process::end(actor.pid);
        }
        process::unpin();
        done
    }

    fn one_by_one(
        &self,
        model: &mut Model,
        setup: &Setup,
        steps: &[Step],
        actors: &mut [ActorProcess],
    ) -> Result<(), String> {
        for (at, step) in steps.iter().enumerate() {
            self.observe(model)
                .map_err(|text| format!("before step {at}, {step}: {text}"))?;
            let id = step.actor as usize;
            if step.kind == Kind::Kill {
                process::end(actors[id].pid);
                model.died(id);
                actors[id] = self.spawn(id, setup, steps);
                self.world.tried[Kind::Kill as usize].fetch_add(1, SeqCst);
                continue;
            }
            self.order(&actors[id], at)
                .map_err(|text| format!("step {at}, {step}: {text}"))?;
            if let Some(wrong) = self.world.wrong() {
                return Err(format!("step {at}, {step}: {wrong}"));
            }
            model
                .judge(step, &self.world.replies[id].get())
                .map_err(|text| format!("step {at}: {text}"))?;
        }
        self.observe(model)
            .map_err(|text| format!("after the last step: {text}"))
    }

    /// Lets an actor execute a step.
    fn order(&self, actor: &ActorProcess, at: usize) -> Result<(), String> {
        wire::put(actor.orders.1, at as u32);
        let limit = now() + PATIENCE;
        while !wire::ready(actor.answers.0, 100) {
            if let Some(status) = process::try_reap(actor.pid) {
                return Err(format!("the actor died, with status {status:#x}"));
            }
            if now() > limit {
                return Err("the call does not return".into());
            }
        }
        match wire::take(actor.answers.0) {
            Some(_) => Ok(()),
            None => Err("the actor exited".into()),
        }
    }

    /// Compares the pool with the model. Background work is given time: leases that end,
    /// pages that are released from quarantine.
    fn observe(&self, model: &mut Model) -> Result<(), String> {
        let limit = now() + pool::PATIENCE;
        loop {
            let info = calls::info(self.control).map_err(|errno| format!("errno {errno}"))?;
            match model.observe(&info) {
                Err(text) if now() > limit => return Err(text),
                Err(_) => process::pause(2),
                Ok(()) => return Ok(()),
            }
        }
    }

    fn storm(&self, setup: &Setup, steps: &[Step]) -> Result<(), String> {
        let pids: Vec<_> = (0..ACTORS)
            .map(|id| process::child(|| actor::rush(id, *setup, steps)))
            .collect();
        let mut failed = Ok(());
        for (id, &pid) in pids.iter().enumerate() {
            match process::reap_within(pid, PATIENCE) {
                Some(0) => {}
                Some(_) if self.world.killed[id].load(SeqCst) != 0 => {}
                Some(status) => failed = Err(format!("actor {id} died, with status {status:#x}")),
                None => {
                    failed = Err(format!("actor {id} does not exit"));
                    process::end(pid);
                }
            }
        }
        failed
    }
}
