/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Borrowers that wait for a frame: how one sleeps, is woken, withdraws, and never
 * loses what it was granted in the meantime.
 *
 * What each step stands for:
 *
 *	borrower	Leases::submit() and Leases::wait() in
 *			genp/partition/leases/mod.rs; wait_until() in genp/sys/task.rs;
 *			genp_prepare_sleep() and genp_sleep() in
 *			genp/sys/glue_task.c
 *	serve		Lending::serve_one() and Lending::wake() in genp/pool/lending.rs
 *	killer		Leases::refuse_all() in genp/partition/leases/ending.rs
 *	signals		signal_wake_up() of the kernel
 *
 * `lending_lock` is the lock genp_lending. A plain store becomes visible to others at
 * any later time, at the latest when its processor executes a full barrier or
 * releases a lock: `late_state` is such a store, of a borrower's state.
 *
 * Left out: how the accounting chooses (lending.pml); the second check of
 * wait_until() after its timer, which withdraw() repeats; the revocation of leases. A
 * borrower either returns its frame or keeps it for ever, and a waiter without a
 * deadline then waits for ever, unless a signal comes.
 *
 * Properties: a borrower wakes up if it was granted its frame, if its partition is
 * closed, or if it has a signal or a deadline; a grant is never lost.
 *
 *	proof    safe
 *	live     answered              -DLIVE
 *
 * Mistakes, each of which must be found:
 *
 *	mistake  check_before_state    -DCHECK_BEFORE_STATE
 *	mistake  no_order_at_all       -DSTATE_WITHOUT_BARRIER -DCHECK_WITHOUT_LOCK
 *	mistake  waiter_after_check    -DWAITER_AFTER_CHECK
 *	mistake  wake_before_resolving -DWAKE_BEFORE_RESOLVING
 *	mistake  signal_before_state   -DSIGNAL_BEFORE_STATE
 *	mistake  close_without_wake    -DCLOSE_WITHOUT_WAKE
 *	mistake  withdraw_unasked      -DWITHDRAW_UNASKED
 *	mistake  never_answered        -DLIVE -DCLOSE_WITHOUT_WAKE
 */

#define TASKS	2

mtype = { NONE, WAITS, GRANTED, DIED };
mtype outcome[TASKS] = NONE;
bool waiter[TASKS];		/* Lending::sleepers */
bool dying;
byte free = 1;

bool lending_lock;
bool running[TASKS] = true, late_state[TASKS];
bool pending[TASKS];		/* a signal */
bool sleeps[TASKS];		/* only to check */
bool has[TASKS];		/* has the frame; only to check */

#ifdef LIVE
/* Spinlocks of the kernel are fair: first come, first served. */
byte ticket, served;
#define LOCKERS	4
inline lock()
{
	d_step { mine = ticket; ticket = (ticket + 1) % LOCKERS };
	d_step { served == mine && !lending_lock -> lending_lock = true; mine = 0 }
}
inline release()
{
	assert(lending_lock);
	lending_lock = false;
	served = (served + 1) % LOCKERS
}
#else
inline lock()
{
	atomic { !lending_lock -> lending_lock = true }
}
inline release()
{
	assert(lending_lock);
	lending_lock = false
}
#endif

inline barrier(me)
{
	if :: late_state[me] -> running[me] = false; late_state[me] = false :: else fi
}

/* A release: earlier stores of its processor are visible to the next holder. */
inline unlock(me)
{
	d_step { barrier(me); release() }
}

inline wake(who)
{
	if :: waiter[who] -> running[who] = true :: else fi
}

/* Under the lock: the frame goes to a waiter. */
inline serve()
{
	d_step {
		i = 0;
		do
		:: i < TASKS && !(free > 0 && outcome[i] == WAITS) -> i++
		:: else -> break
		od;
		if
		:: i < TASKS ->
#ifdef WAKE_BEFORE_RESOLVING
			wake(i)
#else
			outcome[i] = GRANTED;
			free--;
			wake(i)
#endif
		:: else
		fi
	};
#ifdef WAKE_BEFORE_RESOLVING
	if
	:: i < TASKS ->
		d_step { release() };
		lock();
		if
		:: free > 0 && outcome[i] == WAITS -> outcome[i] = GRANTED; free--
		:: else
		fi
	:: else
	fi;
#endif
	i = 0
}

active [TASKS] proctype borrower()
{
	byte me = _pid, i, mine;
	bool mortal, ready, signalled;
	mtype answer;

again:
	if :: mortal = true :: mortal = false fi;
	/* submit() */
	lock();
	d_step {
		if
		:: dying -> answer = DIED
		:: !dying && free > 0 -> free--; answer = GRANTED
		:: else ->
			outcome[me] = WAITS;
			answer = WAITS;
#ifndef WAITER_AFTER_CHECK
			waiter[me] = true
#endif
		fi
	};
	unlock(me);
	if
	:: answer == GRANTED -> goto use
	:: answer == DIED -> goto out
	:: else
	fi;
	/* wait_until() */
	sleeps[me] = true;
	do
	::
#ifdef SIGNAL_BEFORE_STATE
		signalled = pending[me];
#endif
#ifdef CHECK_BEFORE_STATE
		lock(); ready = (outcome[me] != WAITS); unlock(me);
#endif
		/* genp_prepare_sleep(): set_current_state() */
		d_step {
			late_state[me] = true;
#ifndef STATE_WITHOUT_BARRIER
			barrier(me)
#endif
		};
#if defined(CHECK_WITHOUT_LOCK)
		ready = (outcome[me] != WAITS);
#elif !defined(CHECK_BEFORE_STATE)
		lock(); ready = (outcome[me] != WAITS); unlock(me);
#endif
#ifndef SIGNAL_BEFORE_STATE
		signalled = pending[me];
#endif
		if :: ready || signalled -> break :: else fi;
#ifdef WAITER_AFTER_CHECK
		lock(); waiter[me] = true; unlock(me);
#endif
		/* genp_sleep() */
		atomic { barrier(me) };
endless:	if
		:: running[me]
		:: mortal -> break
		fi
	od;
	/* genp_finish_sleep() */
	atomic { late_state[me] = false; running[me] = true };
	pending[me] = false;
	/* take_waiter() and withdraw() */
	lock();
	d_step {
		waiter[me] = false;
		answer = outcome[me];
#ifdef WITHDRAW_UNASKED
		if :: !ready -> answer = WAITS :: else fi;
#endif
		outcome[me] = NONE
	};
	unlock(me);
	d_step { sleeps[me] = false; ready = false; signalled = false; mortal = false };
	if
	:: answer == GRANTED -> goto use
	:: answer == DIED -> goto out
	:: else -> goto again
	fi;
use:
	has[me] = true;
	if
	:: goto keep
	:: true
	fi;
	/* end_lease() */
	lock();
	d_step { has[me] = false; free++ };
	serve();
	unlock(me);
	goto again;
keep:
	/* It never runs again. */
end:	false;
out:
	skip
}

active proctype killer()
{
	byte i, mine;

	if :: true :: goto out fi;
	lock();
	d_step {
		dying = true;
		for (i : 0 .. TASKS - 1) {
			if
			:: outcome[i] == WAITS ->
				outcome[i] = DIED;
#ifndef CLOSE_WITHOUT_WAKE
				wake(i)
#endif
			:: else
			fi
		}
	};
	d_step { release() };
out:
	skip
}

active proctype signals()
{
	byte who;

	if :: who = 0 :: who = 1 fi;
	pending[who] = true;
	/* wake_up_state(): a full barrier first */
	running[who] = true
}

/* Stores become visible at any time. */
active proctype memory()
{
end:
	do
	:: d_step { late_state[0] -> running[0] = false; late_state[0] = false }
	:: d_step { late_state[1] -> running[1] = false; late_state[1] = false }
	od
}

/* When no process can move, every sleeper has a reason to sleep. */
active proctype rest()
{
	timeout;
	assert(!lending_lock);
	assert(free + has[0] + has[1] == 1);
	assert(!sleeps[0] || !dying && outcome[0] == WAITS && !pending[0] && free == 0);
	assert(!sleeps[1] || !dying && outcome[1] == WAITS && !pending[1] && free == 0)
}

#ifdef LIVE
/* One stands for both. */
#define due	(sleeps[0] && (outcome[0] != WAITS || pending[0]))
ltl answered { [] (due -> <> !sleeps[0]) }
#endif
