/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bell and its thread: two ringers, a thread that parks, and who starts and
 * stops it.
 *
 * What each step stands for:
 *
 *	ringer	whoever leaves work and rings: Front::with() in genp/pool/desk.rs,
 *		Store::give() in genp/pool/store.rs, Outbox::put() in
 *		genp/pool/post.rs; then Bell::ring() in genp/sys/thread.rs and
 *		wake_up_process()
 *	worker	a Worker with Parker::park_until() in genp/sys/thread.rs, of which
 *		genp_prepare_sleep() and genp_sleep() in genp/sys/glue_task.c
 *	owner	Thread::spawn(), Thread::stop() and its drop in genp/sys/thread.rs
 *
 * What is left out: what the work is (a flag of each ringer's), and deadlines: the
 * thread parks for ever, so that nothing but the bell can save it.
 *
 * Memory is weaker than Promela's where it matters: a plain store is seen by its
 * own processor at once and by others at any time later, or when the processor
 * comes to a full barrier. So `late_state` and `late_rung` are stores of the
 * worker's that are still on their way, and `late_news` are those of ringers.
 *
 * Promised: work that was left is seen; a thread that shall stop does; nobody
 * wakes a thread that is no more. Ringers may ring before spawn() has returned,
 * but not after stop() was called, see Bell::ring().
 *
 *	proof    safe
 *	live     seen              -DLIVE -DENDLESS
 *
 * Mistakes, and what must find them:
 *
 *	mistake  check_before_state        -DCHECK_BEFORE_STATE
 *	mistake  state_without_barrier     -DSTATE_WITHOUT_BARRIER
 *	mistake  clear_by_plain_store      -DCLEAR_BY_PLAIN_STORE
 *	mistake  ring_before_publishing    -DRING_BEFORE_PUBLISHING
 *	mistake  ring_without_order        -DRING_WITHOUT_ORDER
 *	mistake  wake_before_ring          -DWAKE_BEFORE_RING
 *	mistake  spawn_without_wake        -DSPAWN_WITHOUT_WAKE
 *	mistake  stop_seen_before_state    -DSTOP_SEEN_BEFORE_STATE
 *	mistake  stop_while_ringing        -DSTOP_WHILE_RINGING
 *	mistake  never_seen                -DLIVE -DENDLESS -DWAKE_BEFORE_RING
 */

#define RINGERS	2
#define ROUNDS	2

bool rung, late_rung;		/* late_rung: a clear is on its way */
bool running = true;		/* the worker's state, as others see it */
bool late_state;		/* a "not running" is on its way */
bool news[RINGERS], late_news[RINGERS];
bool task;			/* Bell::task is set */
bool stop, ended, freed;
byte busy = RINGERS;		/* ringers that may still ring */

inline barrier_of_worker()
{
	if :: late_state -> running = false; late_state = false :: else fi;
	if :: late_rung -> rung = false; late_rung = false :: else fi
}

inline publish(r)
{
	d_step { assert(!news[r]); late_news[r] = true }
}

inline barrier_of_ringer(r)
{
	if :: late_news[r] -> news[r] = true; late_news[r] = false :: else fi
}

/* wake_up_process(): a full barrier, and then a look at the state. */
inline wake()
{
	d_step {
		assert(!freed);
		running = true
	}
}

/* Full: the xchg of Bell::ring(). */
inline xchg_ring(r, old)
{
	d_step {
#ifndef RING_WITHOUT_ORDER
		barrier_of_ringer(r);
#endif
		old = rung;
		rung = true
	}
}

/* Stores arrive, in any order, at any time. */
active proctype memory()
{
	byte r;
end:
	do
	:: d_step { late_state -> running = false; late_state = false }
	:: d_step { late_rung -> rung = false; late_rung = false }
	:: d_step { late_news[0] -> news[0] = true; late_news[0] = false }
	:: d_step { late_news[1] -> news[1] = true; late_news[1] = false }
	od
}

proctype ringer(byte r)
{
	byte round;
	bool old, there;

	do
#ifndef ENDLESS
	:: round == ROUNDS -> break
#endif
	:: round < ROUNDS ->
		!news[r] && !late_news[r];
#ifndef ENDLESS
		round++;
#endif
#ifndef RING_BEFORE_PUBLISHING
		publish(r);
#endif
#ifdef WAKE_BEFORE_RING
		if :: task -> wake() :: else fi;
		xchg_ring(r, old);
#else
		xchg_ring(r, old);
		if
		:: old
		:: else ->
			there = task;	/* Acquire */
			if :: there -> wake() :: else fi
		fi;
#endif
#ifdef RING_BEFORE_PUBLISHING
		publish(r);
#endif
	od;
	busy--
}

proctype worker()
{
	bool seen, halt;

work:
	/* The work: what was left is taken, under locks of its own. */
	news[0] = false;
	news[1] = false;
park:
	seen = false;
#ifdef CHECK_BEFORE_STATE
	d_step { barrier_of_worker(); seen = rung; rung = false };
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
	seen = rung && !late_rung;
	if :: seen -> late_rung = true :: else fi;
#else
#ifndef CHECK_BEFORE_STATE
	/* Relaxed, and an xchg only if it is worth it. */
	if
	:: rung -> d_step { barrier_of_worker(); seen = rung; rung = false }
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
		:: else -> goto work
		fi
	:: else
	fi;
	/* genp_sleep(): the scheduler takes a lock behind a full barrier. */
	atomic { barrier_of_worker() };
	running;
	goto park;
over:
	ended = true
}

active proctype owner()
{
	bool patient;

	run ringer(0);
	run ringer(1);
	/* Thread::spawn() */
	run worker();
	task = true;		/* Release; but wake_up_process() is a barrier */
#ifndef SPAWN_WITHOUT_WAKE
	wake();
#endif
#ifndef STOP_WHILE_RINGING
	busy == 0;		/* nobody rings any more */
#ifndef ENDLESS
	/* It stops at once, or when nothing moves any more: then all work was seen. */
	if
	:: true
	:: patient = true
	fi;
	if
	:: patient ->
		timeout;
		assert(!news[0] && !news[1] && !late_news[0] && !late_news[1])
	:: else
	fi;
#endif
#endif
	/* Thread::stop(): kthread_stop() sets its flag, wakes, and waits. */
	task = false;
	stop = true;
	wake();
	ended;
	freed = true
}

#ifdef LIVE
ltl seen { [] (news[0] -> <> !news[0]) && [] (news[1] -> <> !news[1]) }
#endif
