/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Borrowers that wait for a frame: how one sleeps, is woken, gives up, and never
 * loses what it was granted meanwhile.
 *
 * What each step stands for:
 *
 *	borrower	Partition::ask() and Partition::wait() in
 *			genp/partition/borrow.rs; wait_until() in genp/sys/task.rs;
 *			genp_prepare_sleep() and genp_sleep() in
 *			genp/sys/glue_task.c
 *	serve		Desk::serve_one() and Desk::wake() in genp/pool/desk.rs
 *	killer		Partition::kill() in genp/partition/close.rs
 *	signals		signal_wake_up() of the kernel
 *
 * `desk` is the lock of genp_desk. A plain store is seen by others at any time
 * later; at the latest when its processor comes to a full barrier or gives a lock
 * up: `late_state` is such a one, of a borrower's state.
 *
 * What is left out: how the books choose (lending.pml); the second look of
 * wait_until() after its timer, which leave() repeats; that a lease ends by force.
 * A borrower either gives its frame back or keeps it for ever, and who has no
 * deadline then waits for ever, unless a signal comes.
 *
 * Promised: who was granted its frame, or whose partition died, or who has a
 * signal or a deadline, comes back; a grant is never lost, whatever else happens.
 *
 *	proof    safe
 *	live     answered              -DLIVE
 *
 * Mistakes, and what must find them:
 *
 *	mistake  check_before_state    -DCHECK_BEFORE_STATE
 *	mistake  no_order_at_all       -DSTATE_WITHOUT_BARRIER -DCHECK_WITHOUT_LOCK
 *	mistake  word_after_check      -DWORD_AFTER_CHECK
 *	mistake  wake_before_resolving -DWAKE_BEFORE_RESOLVING
 *	mistake  signal_before_state   -DSIGNAL_BEFORE_STATE
 *	mistake  kill_without_wake     -DKILL_WITHOUT_WAKE
 *	mistake  give_up_unasked       -DGIVE_UP_UNASKED
 *	mistake  never_answered        -DLIVE -DKILL_WITHOUT_WAKE
 */

#define TASKS	2

mtype = { NONE, WAITS, GRANTED, DIED };
mtype verdict[TASKS] = NONE;
bool word[TASKS];		/* Desk::sleepers */
bool dying;
byte free = 1;

bool desk;
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
	d_step { served == mine && !desk -> desk = true; mine = 0 }
}
inline release()
{
	assert(desk);
	desk = false;
	served = (served + 1) % LOCKERS
}
#else
inline lock()
{
	atomic { !desk -> desk = true }
}
inline release()
{
	assert(desk);
	desk = false
}
#endif

inline barrier(me)
{
	if :: late_state[me] -> running[me] = false; late_state[me] = false :: else fi
}

/* A release: what its processor stored before is seen by the next holder. */
inline unlock(me)
{
	d_step { barrier(me); release() }
}

inline wake(who)
{
	if :: word[who] -> running[who] = true :: else fi
}

/* Under the lock: the frame goes to who waits for it. */
inline serve()
{
	d_step {
		i = 0;
		do
		:: i < TASKS && !(free > 0 && verdict[i] == WAITS) -> i++
		:: else -> break
		od;
		if
		:: i < TASKS ->
#ifdef WAKE_BEFORE_RESOLVING
			wake(i)
#else
			verdict[i] = GRANTED;
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
		:: free > 0 && verdict[i] == WAITS -> verdict[i] = GRANTED; free--
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
	/* ask() */
	lock();
	d_step {
		if
		:: dying -> answer = DIED
		:: !dying && free > 0 -> free--; answer = GRANTED
		:: else ->
			verdict[me] = WAITS;
			answer = WAITS;
#ifndef WORD_AFTER_CHECK
			word[me] = true
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
		lock(); ready = (verdict[me] != WAITS); unlock(me);
#endif
		/* genp_prepare_sleep(): set_current_state() */
		d_step {
			late_state[me] = true;
#ifndef STATE_WITHOUT_BARRIER
			barrier(me)
#endif
		};
#if defined(CHECK_WITHOUT_LOCK)
		ready = (verdict[me] != WAITS);
#elif !defined(CHECK_BEFORE_STATE)
		lock(); ready = (verdict[me] != WAITS); unlock(me);
#endif
#ifndef SIGNAL_BEFORE_STATE
		signalled = pending[me];
#endif
		if :: ready || signalled -> break :: else fi;
#ifdef WORD_AFTER_CHECK
		lock(); word[me] = true; unlock(me);
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
	/* take_word() and leave() */
	lock();
	d_step {
		word[me] = false;
		answer = verdict[me];
#ifdef GIVE_UP_UNASKED
		if :: !ready -> answer = WAITS :: else fi;
#endif
		verdict[me] = NONE
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
			:: verdict[i] == WAITS ->
				verdict[i] = DIED;
#ifndef KILL_WITHOUT_WAKE
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

/* Stores arrive at any time. */
active proctype memory()
{
end:
	do
	:: d_step { late_state[0] -> running[0] = false; late_state[0] = false }
	:: d_step { late_state[1] -> running[1] = false; late_state[1] = false }
	od
}

/* When nothing moves any more, those who sleep do so rightly. */
active proctype rest()
{
	timeout;
	assert(!desk);
	assert(free + has[0] + has[1] == 1);
	assert(!sleeps[0] || !dying && verdict[0] == WAITS && !pending[0] && free == 0);
	assert(!sleeps[1] || !dying && verdict[1] == WAITS && !pending[1] && free == 0)
}

#ifdef LIVE
/* One stands for both. */
#define due	(sleeps[0] && (verdict[0] != WAITS || pending[0]))
ltl answered { [] (due -> <> !sleeps[0]) }
#endif
