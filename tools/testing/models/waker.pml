/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A waker and its thread: two producers, a thread that sleeps, and the owner, which
 * starts and stops the thread.
 *
 * What each step stands for:
 *
 *	producer	code that leaves work and wakes the thread: Lending::with() in
 *		genp/pool/lending.rs, FreeFrames::give() in genp/frames/free.rs,
 *		PendingEvents::put() in genp/pool/pending.rs; then Waker::wake() in
 *		genp/sys/thread.rs and wake_up_process()
 *	worker	a Worker with ThreadContext::sleep_until() in genp/sys/thread.rs, of which
 *		genp_prepare_sleep() and genp_sleep() in genp/sys/glue_task.c
 *	owner	Thread::spawn(), Thread::stop() and its drop in genp/sys/thread.rs
 *
 * Left out: what the work is (each producer has a flag), and deadlines: the thread
 * sleeps without a timeout, so that only the waker can wake it.
 *
 * The memory model is weaker than Promela's where it matters: a plain store is
 * visible to its own processor at once, and to others at any later time, at the
 * latest when the processor executes a full barrier. `late_state` and `late_pending`
 * are stores of the worker that are not yet visible to others, and `late_work` are
 * those of producers.
 *
 * A producer of low priority may be preempted between the flag and the wake-up, and then
 * does not run before nobody else can.
 *
 * Properties: work that was left is done, whoever else is preempted; a thread that is
 * asked to stop does so; a thread that has exited is never woken. Producers may call
 * wake() before spawn() has returned, but not after stop() was called, see
 * Waker::wake().
 *
 *	proof    safe
 *	live     work_is_done      -DLIVE -DENDLESS
 *
 * Mistakes, each of which must be found:
 *
 *	mistake  flag_before_wake          -DFLAG_BEFORE_WAKE
 *	mistake  check_before_state        -DCHECK_BEFORE_STATE
 *	mistake  state_without_barrier     -DSTATE_WITHOUT_BARRIER
 *	mistake  clear_by_plain_store      -DCLEAR_BY_PLAIN_STORE
 *	mistake  wake_before_publishing    -DWAKE_BEFORE_PUBLISHING
 *	mistake  wake_without_order        -DWAKE_WITHOUT_ORDER
 *	mistake  task_woken_first          -DTASK_WOKEN_FIRST
 *	mistake  spawn_without_wake        -DSPAWN_WITHOUT_WAKE
 *	mistake  stop_seen_before_state    -DSTOP_SEEN_BEFORE_STATE
 *	mistake  stop_while_waking         -DSTOP_WHILE_WAKING
 *	mistake  never_seen                -DLIVE -DENDLESS -DTASK_WOKEN_FIRST
 */

#define PRODUCERS	2
#define ROUNDS	2

bool pending, late_pending;	/* late_pending: a clear is not yet visible */
bool running = true;		/* the worker's state, as others see it */
bool late_state;		/* a "not running" is not yet visible */
bool work[PRODUCERS], late_work[PRODUCERS];
bool preempted;			/* producer 0, between the flag and the wake-up */
bool task;			/* Waker::task is set */
bool stop, ended, freed;
byte producers_left = PRODUCERS;	/* that may still call wake() */

inline barrier_of_worker()
{
	if :: late_state -> running = false; late_state = false :: else fi;
	if :: late_pending -> pending = false; late_pending = false :: else fi
}

inline publish(r)
{
	d_step { assert(!work[r]); late_work[r] = true }
}

inline barrier_of_producer(r)
{
	if :: late_work[r] -> work[r] = true; late_work[r] = false :: else fi
}

/* wake_up_process(): a full barrier, then the check of the state. */
inline wake_task()
{
	d_step {
		assert(!freed);
		running = true
	}
}

/* Full: the xchg of Waker::wake(). */
inline xchg_pending(r, old)
{
	d_step {
#ifndef WAKE_WITHOUT_ORDER
		barrier_of_producer(r);
#endif
		old = pending;
		pending = true
	}
}

/* Stores become visible, in any order, at any time. */
active proctype memory()
{
	byte r;
end:
	do
	:: d_step { late_state -> running = false; late_state = false }
	:: d_step { late_pending -> pending = false; late_pending = false }
	:: d_step { late_work[0] -> work[0] = true; late_work[0] = false }
	:: d_step { late_work[1] -> work[1] = true; late_work[1] = false }
	od
}

proctype producer(byte r)
{
	byte round;
	bool old, there;

	do
#ifndef ENDLESS
	:: round == ROUNDS -> break
#endif
	:: round < ROUNDS ->
		!work[r] && !late_work[r];
#ifndef ENDLESS
		round++;
#endif
#ifndef WAKE_BEFORE_PUBLISHING
		publish(r);
#endif
#ifdef TASK_WOKEN_FIRST
		if :: task -> wake_task() :: else fi;
		xchg_pending(r, old);
#else
		xchg_pending(r, old);
#ifndef LIVE
		if
		:: r == 0 -> preempted = true; !preempted
		:: true
		fi;
#endif
#ifndef FLAG_BEFORE_WAKE
		old = false;
#endif
		if
		:: old
		:: else ->
			there = task;	/* Acquire */
			if :: there -> wake_task() :: else fi
		fi;
#endif
#ifdef WAKE_BEFORE_PUBLISHING
		publish(r);
#endif
	od;
	producers_left--
}

proctype worker()
{
	bool seen, halt;

work_loop:
	/* The work is taken, under its own locks. */
	work[0] = false;
	work[1] = false;
prepare:
	seen = false;
#ifdef CHECK_BEFORE_STATE
	d_step { barrier_of_worker(); seen = pending; pending = false };
#endif
#ifdef STOP_SEEN_BEFORE_STATE
	halt = stop;
#endif
	/* genp_prepare_sleep(): set_current_state(), a store and a full barrier. */
	d_step {
		late_state = true;
#ifndef STATE_WITHOUT_BARRIER
		barrier_of_worker();
#endif
	};
#ifdef CLEAR_BY_PLAIN_STORE
	seen = pending && !late_pending;
	if :: seen -> late_pending = true :: else fi;
#else
#ifndef CHECK_BEFORE_STATE
	/* A relaxed load, and an xchg only if the flag is set. */
	if
	:: pending -> d_step { barrier_of_worker(); seen = pending; pending = false }
	:: else
	fi;
#endif
#endif
#ifndef STOP_SEEN_BEFORE_STATE
	halt = stop;
#endif
	if
	:: seen || halt ->
		/* genp_finish_sleep() */
		d_step { late_state = false; running = true };
		if
		:: stop -> goto over
		:: else -> goto work_loop
		fi
	:: else
	fi;
	/* genp_sleep(): the scheduler takes a lock after a full barrier. */
	atomic { barrier_of_worker() };
	running;
	goto prepare;
over:
	ended = true
}

/* The CPU hog that preempts producer 0 and lets it run when all others are done. */
active proctype hog()
{
end:
	do
	:: preempted && timeout ->
		assert(!work[1] && !late_work[1]);
		preempted = false
	od
}

active proctype owner()
{
	bool patient;

	run producer(0);
	run producer(1);
	/* Thread::spawn() */
	run worker();
	task = true;		/* Release; but wake_up_process() is a barrier */
#ifndef SPAWN_WITHOUT_WAKE
	wake_task();
#endif
#ifndef STOP_WHILE_WAKING
	producers_left == 0;	/* no producer wakes it any more */
#ifndef ENDLESS
	/* Stop at once, or when no process can move: then all work was done. */
	if
	:: true
	:: patient = true
	fi;
	if
	:: patient ->
		timeout;
		assert(!work[0] && !work[1] && !late_work[0] && !late_work[1])
	:: else
	fi;
#endif
#endif
	/* Thread::stop(): kthread_stop() sets its flag, wakes, and waits. */
	task = false;
	stop = true;
	wake_task();
	ended;
	freed = true
}

#ifdef LIVE
ltl work_is_done { [] (work[0] -> <> !work[0]) && [] (work[1] -> <> !work[1]) }
#endif
