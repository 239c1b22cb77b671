// SPDX-License-Identifier: GPL-2.0

//! What connects a driver to the kernel: what runs in thread context, and what does not.

use kernel::{
    impl_has_hr_timer,
    prelude::*,
    time::{
        hrtimer::{
            HrTimer, HrTimerCallback, HrTimerCallbackContext, HrTimerRestart, RelativeHardMode,
            ScopedHrTimerPointer,
        },
        Delta, Monotonic,
    },
};

use super::genp::{Errno, Thread, Tick};

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Error::from_errno(errno.0)
    }
}

/// A driver: it is set up and taken down in thread context.
pub(crate) trait Driver: Sized + Send + Sync + 'static {
    fn init(thread: &mut Thread) -> Result<Self>;
    fn exit(self, thread: &mut Thread);
}

/// The module that has a driver.
pub(crate) struct Loaded<D: Driver>(Option<D>);

impl<D: Driver> kernel::Module for Loaded<D> {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: the kernel loads modules in a thread, without a lock that is a
        // spinlock, and the token does not leave `D::init`.
        let mut thread = unsafe { Thread::new() };
        Ok(Self(Some(D::init(&mut thread)?)))
    }
}

impl<D: Driver> Drop for Loaded<D> {
    fn drop(&mut self) {
        // SAFETY: the kernel unloads modules in a thread as well, and drops this nowhere
        // else.
        let mut thread = unsafe { Thread::new() };
        if let Some(driver) = self.0.take() {
            driver.exit(&mut thread);
        }
    }
}

/// A timer that runs in hardirq, also on PREEMPT_RT.
#[pin_data]
struct Ticker {
    #[pin]
    timer: HrTimer<Self>,
    period: Delta,
    tick: Tick<'static>,
}

impl HrTimerCallback for Ticker {
    type Pointer<'a> = Pin<&'a Self>;

    fn run(this: Pin<&Self>, mut context: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        this.tick.run();
        context.forward_now(this.period);
        HrTimerRestart::Restart
    }
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Ticker {
        mode: RelativeHardMode<Monotonic>, field: self.timer
    }
}

/// Runs `tick` in hardirq once in each period, as long as `body` runs in this thread.
/// ENOMEM. The timer is allocated: one on the stack would have to be annotated as such.
pub(crate) fn with_hard_timer<R>(
    thread: &mut Thread,
    period: Delta,
    tick: Tick<'_>,
    body: impl FnOnce(&mut Thread) -> R,
) -> Result<R> {
    // SAFETY: the timer is cancelled, and its last callback over, when start_scoped()
    // returns. Until then `tick` is borrowed.
    let tick = unsafe { ::core::mem::transmute::<Tick<'_>, Tick<'static>>(tick) };
    let ticker = KBox::pin_init(
        pin_init!(Ticker {
            timer <- HrTimer::new(),
            period,
            tick,
        }),
        GFP_KERNEL,
    )?;
    Ok(ticker.as_ref().start_scoped(period, || body(thread)))
}
