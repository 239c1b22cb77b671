/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lending: three borrowers in two partitions, the recall thread, a clock, and a
 * process that destroys a partition.
 *
 * What each step stands for. A d_step is one section under genp_lending,
 * Lending::with() in genp/pool/lending.rs; each ends with end_section().
 *
 *	borrow, grant, unlink, mark_ready, promote_next, serve_one, can_serve, withdraw,
 *	acknowledge		Accounting of the same names in genp/core/accounting/borrowing.rs
 *	claim, complete_return, renew	genp/core/accounting/ending.rs
 *	next_due		Accounting::due() in genp/core/accounting/due.rs
 *	begin_close		Accounting::begin_close() in
 *				genp/core/accounting/commitments.rs, by
 *				Leases::refuse_all() in genp/partition/leases/ending.rs
 *	borrower		Partition::borrow() and return_lease() in
 *				genp/partition/borrow.rs and end.rs; Leases::submit(), wait() and
 *				fill() in genp/partition/leases/mod.rs
 *	end_lease		Partition::end_lease() and revoke_piece() in
 *				genp/partition/end.rs
 *	recall			Recaller::run() in genp/threads/recall.rs and
 *				Revoker::run() in genp/threads/revoke.rs, as one thread
 *	destroy			Partition::destroy() in genp/partition/close.rs
 *	tick			time, which may pass at any point
 *
 * A borrower may stop for ever at any point: it is never scheduled again. Only
 * while the recall thread waits for the genp_windows that it holds (`busy`,
 * `wanted`), and so lends it its priority, does it continue.
 *
 * Left out:
 * - The lists behind a queue and the heap: a head is found by looking at all. The
 *   fuzzers compare the lists with that.
 * - Slots in the table of leases: each borrower has its own. `handle_of` has the
 *   lease of each thread that may hold a stale handle. Slices likewise.
 * - Full tables, renewed reserves and limits, page tables.
 * - How a task sleeps (sleep.pml), how a thread is woken (waker.pml), where frames
 *   lie (free_frames.pml): here a frame is taken from `free_frames`, where it must be.
 * - Absolute times: they are ticks until the event, so that the state stays finite.
 *
 * Properties: frames are neither made nor lost; a granted frame is there when it is
 * taken; no partition has more than its limit; no request overtakes the head; a
 * lease ends before its deadline only by its borrower or with its partition, and no
 * lease ends twice. With time, if the recall thread runs: every waiter is answered,
 * and every lease ends, even if no borrower ever runs again.
 *
 * A stopped borrower is no deadlock (-E); rest() checks the final state.
 *
 *	always   -E
 *	proof    first_come       -DFIRST_COME -DLIMIT_0=3
 *	proof    by_priority      -DLIMIT_0=3 -DPATIENT
 *	proof    destroyed        -DFIRST_COME -DCREW=3 -DDESTROY -DHELP -DREASONS_1=3
 *	proof    reasons          -DFIRST_COME -DCREW=3 -DMAY_STOP -DREASONS_0=3 -DREASONS_1=15
 *	proof    renewed          -DCREW=6 -DMAY_STOP -DRENEW -DTERM=2 -DGRACE=1 -DREASONS_2=12
 *	proof    at_once          -DFIRST_COME -DLIMIT_0=3 -DTIMELESS -DMAY_STOP
 *	live     answered         -DLIVE=1 -DFIRST_COME -DWATCHED=1 -DPATIENT
 *	live     answered_stopped -DLIVE=1 -DFIRST_COME -DCREW=3 -DMAY_STOP -DHELP
 *	live     answered_renewed -DLIVE=3 -DFIRST_COME -DCREW=6 -DMAY_STOP -DRENEW -DTERM=2
 *	live     ends             -DLIVE=2 -DFIRST_COME -DCREW=3 -DMAY_STOP
 *
 * Mistakes, each of which must be found:
 *
 *	mistake  grant_not_counted   -DFIRST_COME -DGRANT_NOT_COUNTED
 *	mistake  charge_kept         -DFIRST_COME -DCHARGE_KEPT
 *	mistake  limit_off_by_one    -DFIRST_COME -DLIMIT_OFF_BY_ONE
 *	mistake  small_ones_first    -DFIRST_COME -DLIMIT_0=3 -DSMALL_ONES_FIRST
 *	mistake  newcomers_first     -DFIRST_COME -DLIMIT_0=3 -DNEWCOMERS_FIRST
 *	mistake  same_generation     -DFIRST_COME -DCREW=3 -DSAME_GENERATION
 *	mistake  unacknowledged_dropped -DFIRST_COME -DCREW=3 -DUNACKNOWLEDGED_DROPPED
 *	mistake  fill_unchecked      -DFIRST_COME -DCREW=3 -DFILL_UNCHECKED
 *	mistake  returned_before_give -DFIRST_COME -DRETURNED_BEFORE_GIVE
 *	mistake  never_promoted      -DFIRST_COME -DCREW=3 -DMAY_STOP -DNEVER_PROMOTED
 *	mistake  woken_for_time_only -DFIRST_COME -DLIMIT_0=3 -DTIMELESS -DMAY_STOP -DWOKEN_FOR_TIME_ONLY
 *	mistake  never_woken_in_time -DFIRST_COME -DCREW=3 -DMAY_STOP -DNEVER_WOKEN_IN_TIME
 *	mistake  claimed_unwatched   -DFIRST_COME -DCREW=3 -DMAY_STOP -DCLAIMED_UNWATCHED
 *	mistake  no_priority_lent    -DFIRST_COME -DCREW=3 -DMAY_STOP -DNO_PRIORITY_LENT
 *	mistake  closed_unwoken      -DFIRST_COME -DCREW=3 -DDESTROY -DHELP -DCLOSED_UNWOKEN
 *	mistake  unhelped            -DFIRST_COME -DCREW=3 -DMAY_STOP -DUNHELPED
 *	mistake  ended_twice         -DFIRST_COME -DCREW=3 -DMAY_STOP -DENDED_TWICE
 *	mistake  never_answered      -DLIVE=1 -DFIRST_COME -DCREW=3 -DMAY_STOP -DNEVER_PROMOTED
 *	mistake  renewed_for_ever    -DLIVE=3 -DFIRST_COME -DCREW=6 -DMAY_STOP -DRENEW -DTERM=2 -DRENEWED_FOR_EVER
 */

#define BORROWERS	3
#define NOBODY		BORROWERS
#define PARTITIONS	2
#define part(b)		((b) / 2)	/* 0 and 1 in one, 2 in the other */

#ifndef LENDABLE
#define LENDABLE	2
#endif
#ifndef TERM
#define TERM		1
#endif
#ifndef GRACE
#define GRACE		0
#endif
#define NEVER		6		/* nothing more is due */
#define OFF		7		/* not on the heap */

mtype = { UNUSED, BUDGET_WAIT, POOL_WAIT, DIED, REFUSED, ACTIVE, RECALLED, ENDING,
	  OVER };

#ifndef LIMIT_0
#define LIMIT_0	2
#endif
#ifndef CREW
#define CREW	7
#endif
/* Which of both, budget alone, frames alone, nothing a borrower may wait for. */
#ifndef REASONS_0
#define REASONS_0 1
#endif
#ifndef REASONS_1
#define REASONS_1 1
#endif
#ifndef REASONS_2
#define REASONS_2 4
#endif
#define REASONS(b)	((b) == 0 -> REASONS_0 : ((b) == 1 -> REASONS_1 : REASONS_2))
/* Which borrower may withdraw at any time, for a deadline or a signal. */
#ifdef PATIENT
#define DEADLINE(b)	false
#else
#define DEADLINE(b)	((b) == 1)
#endif

/* The accounting. */
mtype state[BORROWERS] = UNUSED;
byte wants[BORROWERS];		/* frames */
bool for_budget[BORROWERS], for_pool[BORROWERS];	/* its reasons to wait */
byte arrival[BORROWERS];	/* the order of arrival of all waiters */
bool acknowledged[BORROWERS];
byte due[BORROWERS] = OFF, expires[BORROWERS];
byte limit[PARTITIONS], charged[PARTITIONS];
bool dying[PARTITIONS], ready[PARTITIONS];
byte free = LENDABLE;

/* The lending state besides the accounting. */
byte armed = NEVER, alarm = NEVER;	/* alarm: when the thread wakes by itself */
bool pending;
bool waiter[BORROWERS], awake[BORROWERS];

/* What the locks of the windows protect: whose frames lie in the slice. */
bool busy[PARTITIONS];
bool wanted[PARTITIONS];	/* the recall thread waits for it */
bool filling[BORROWERS];
byte has[BORROWERS];
byte free_frames = LENDABLE;

/* The threads that may hold a handle of a lease that is over. */
byte handle_of[2] = NOBODY;
#define RECALL	0
#define DESTROY_	1

/* Which borrowers are never scheduled again: none, one, or all; threads always are. */
#define THREAD	BORROWERS
#define ALL	(BORROWERS + 1)
byte gone = NOBODY;
#define stopped(b)	((b) < BORROWERS && (gone == (b) || gone == ALL))
#ifdef NO_PRIORITY_LENT
#define kept_from(b, p)	stopped(b)
#else
#define kept_from(b, p)	(stopped(b) && !wanted[p])
#endif

/* For use within a section only. */
hidden byte head, i, j, k, late, first;

#define waits(b)	(state[b] == BUDGET_WAIT || state[b] == POOL_WAIT)
#define runs(b)		(state[b] == ACTIVE || state[b] == RECALLED)
#define lent(b)		(runs(b) || state[b] == ENDING)
#ifdef LIMIT_OFF_BY_ONE
#define has_budget_for(b)	(charged[part(b)] + wants[b] <= limit[part(b)] + 1)
#else
#define has_budget_for(b)	(charged[part(b)] + wants[b] <= limit[part(b)])
#endif
#define any_ready	(ready[0] || ready[1])
#ifdef FIRST_COME
#define precedes(a, b)	(arrival[a] < arrival[b])
#define urgent(a, b)	false
#else
/* The last one is the most urgent; the others are equal. */
#define urgent(a, b)	((a) == BORROWERS - 1 && (b) != BORROWERS - 1)
#define precedes(a, b)	(urgent(a, b) || (!urgent(b, a) && arrival[a] < arrival[b]))
#endif

/* head: the first borrower in state `what`, of a partition or of all. */
inline head_of(what, p)
{
	head = NOBODY;
	for (k : 0 .. BORROWERS - 1) {
		if
		:: state[k] == what && (p == PARTITIONS || part(k) == p) ->
			if
			:: head == NOBODY -> head = k
			:: head != NOBODY && precedes(k, head) -> head = k
			:: else
			fi
		:: else
		fi
	}
}

inline stop_waiting(b)
{
	for (k : 0 .. BORROWERS - 1) {
		if
		:: waits(k) && arrival[k] > arrival[b] -> arrival[k]--
		:: else
		fi
	}
	arrival[b] = 0
}

inline unlink(b)
{
	if
#ifdef CHARGE_KEPT
	:: false
#else
	:: state[b] == POOL_WAIT -> charged[part(b)] = charged[part(b)] - wants[b]
#endif
	:: else
	fi
}

inline grant(b)
{
	/* No request overtakes one that waits for frames and precedes it. */
	head_of(POOL_WAIT, PARTITIONS);
	assert(head == NOBODY || head == b || urgent(b, head));
	stop_waiting(b);
	state[b] = ACTIVE;
	acknowledged[b] = false;
	expires[b] = TERM;
	due[b] = TERM - GRACE;
#ifndef GRANT_NOT_COUNTED
	free = free - wants[b]
#endif
}

inline mark_ready(p)
{
	head_of(BUDGET_WAIT, p);
#ifndef NEVER_PROMOTED
	if
	:: head != NOBODY && has_budget_for(head) -> ready[p] = true
	:: else
	fi
#endif
}

/* Moves one request to the pool's queue, if an account is ready; j: its partition. */
inline promote_next()
{
	j = (ready[0] -> 0 : 1);
	ready[j] = false;
	head_of(BUDGET_WAIT, j);
	if
	:: head != NOBODY && has_budget_for(head) ->
		state[head] = POOL_WAIT;
		charged[j] = charged[j] + wants[head];
		mark_ready(j)
	:: else
	fi
}

inline promote(p)
{
	mark_ready(p);
	if :: any_ready -> promote_next() :: else fi
}

/* Clears the request, which has no meaning any longer. */
inline forget(b)
{
	for_budget[b] = false;
	for_pool[b] = false;
	awake[b] = false
}

inline drop_lease(b)
{
	state[b] = UNUSED;
	due[b] = OFF;
	acknowledged[b] = false;
	expires[b] = 0;
	forget(b);
	/* The generation changes: handles of the lease are stale. */
#ifndef SAME_GENERATION
	if :: handle_of[0] == b -> handle_of[0] = NOBODY :: else fi;
	if :: handle_of[1] == b -> handle_of[1] = NOBODY :: else fi
#endif
}

inline wake(b)
{
	if :: waiter[b] -> awake[b] = true :: else fi
}

/* A borrower in the pool's queue that is not willing to wait for frames. */
inline find_impatient()
{
	head = NOBODY;
	for (k : 0 .. BORROWERS - 1) {
		if
		:: state[k] == POOL_WAIT && !for_pool[k] -> head = k
		:: else
		fi
	}
}

/* did: whether anything was done. */
inline serve_one()
{
	did = true;
	if
	:: any_ready -> promote_next()
	:: else ->
		head_of(POOL_WAIT, PARTITIONS);
		if
		:: head != NOBODY && wants[head] <= free ->
			i = head;
			grant(i);
			wake(i)
#ifdef SMALL_ONES_FIRST
		:: head == 1 && state[2] == POOL_WAIT && wants[2] <= free ->
			grant(2);
			wake(2)
#endif
		:: head != NOBODY && wants[head] > free ->
			find_impatient();
			if
			:: head != NOBODY ->
				i = head;
				unlink(i);
				stop_waiting(i);
				state[i] = REFUSED;
				mark_ready(part(i));
				wake(i)
			:: else -> did = false
			fi
		:: else -> did = false
		fi
	fi
}

/* first: whether serve_one() would do anything. */
inline can_serve()
{
	head_of(POOL_WAIT, PARTITIONS);
	i = head;
	find_impatient();
	first = any_ready || (i != NOBODY && (wants[i] <= free || head != NOBODY))
}

/* The end of each section: decides whether the recall thread is woken. */
inline end_section()
{
	check();
	j = NEVER;
	for (k : 0 .. BORROWERS - 1) {
		if :: due[k] < j -> j = due[k] :: else fi
	}
	late = j < armed;
	if :: late -> armed = j :: else fi;
	can_serve();
	if
#ifdef WOKEN_FOR_TIME_ONLY
	:: late ->
#elif defined(NEVER_WOKEN_IN_TIME)
	:: first ->
#else
	:: late || first ->
#endif
		pending = true
	:: else
	fi;
	head = 0
}

#define lent_of(b)	(lent(b) -> wants[b] : 0)
#define charge_of(b)	((lent(b) || state[b] == POOL_WAIT) -> wants[b] : 0)

/* The invariants at the end of each section. */
inline check()
{
	assert(free + lent_of(0) + lent_of(1) + lent_of(2) == LENDABLE);
	assert(charged[0] == charge_of(0) + charge_of(1) && charged[1] == charge_of(2));
	assert(charged[0] <= limit[0] && charged[1] <= limit[1]);
	assert(free_frames + has[0] + has[1] + has[2] <= LENDABLE)
}

#ifdef NEWCOMERS_FIRST
#define MAY_PASS(b, first)	true
#else
#define MAY_PASS(b, first)	((first) == NOBODY || urgent(b, first))
#endif

/* The borrower has a request, whose reasons are set; may_wait. */
inline borrow(b)
{
	d_step {
		!stopped(b);
		head_of(BUDGET_WAIT, part(b));
		first = head == NOBODY || urgent(b, head);
		head_of(POOL_WAIT, PARTITIONS);
		i = head;
		if
		:: dying[part(b)] -> skip
		:: else ->
			first = first && has_budget_for(b);
			if
			:: first && !any_ready && MAY_PASS(b, i) && wants[b] <= free ->
				charged[part(b)] = charged[part(b)] + wants[b];
				grant(b)
			:: else ->
				j = 1;
				for (k : 0 .. BORROWERS - 1) {
					if :: waits(k) -> j++ :: else fi
				}
				if
				:: first && for_pool[b] ->
					state[b] = POOL_WAIT;
					charged[part(b)] = charged[part(b)] + wants[b];
					arrival[b] = j;
					waiter[b] = true;
					awake[b] = false
				:: !first && for_budget[b] ->
					state[b] = BUDGET_WAIT;
					arrival[b] = j;
					waiter[b] = true;
					awake[b] = false
				:: else
				fi
			fi
		fi;
		answer = state[b];
		if
		:: answer == UNUSED -> forget(b); answer = (dying[part(b)] -> DIED : UNUSED)
		:: else
		fi;
		end_section()
	}
}

/* take_waiter() and withdraw(); answer: the state before. */
inline withdraw(b)
{
	d_step {
		!stopped(b);
		waiter[b] = false;
		answer = state[b];
		assert(answer != UNUSED);
		if
		:: waits(b) || answer == DIED || answer == REFUSED ->
			if :: waits(b) -> unlink(b); stop_waiting(b) :: else fi;
			drop_lease(b);
			promote(part(b))
		:: answer == OVER -> drop_lease(b)
		:: else
		fi;
		end_section()
	}
}

/* The first section of fill(): under genp_windows, one section under genp_lending. */
inline acknowledge(b)
{
	atomic {
		!busy[part(b)] && !stopped(b);
		d_step {
			answer = state[b];
			assert(answer != UNUSED);
			if
			:: runs(b) -> acknowledged[b] = true; filling[b] = true
			:: answer == ENDING -> acknowledged[b] = true
			:: answer == OVER -> drop_lease(b)
			:: else -> assert(false)
			fi;
			end_section()
		}
	}
}

/* The rest of fill(): a batch is one frame. answer: OVER when it is done. */
inline fetch(b)
{
	atomic {
		!busy[part(b)] && !stopped(b);
		d_step {
			if
#ifdef FILL_UNCHECKED
			:: true ->
#else
			:: filling[b] ->
#endif
				assert(free_frames > 0);
				free_frames--;
				has[b]++;
				answer = (has[b] < wants[b] -> ACTIVE : OVER)
			:: else -> answer = OVER
			fi
		}
	}
}

/*
 * Ends a lease if its handle is `good`. who: its borrower, or a thread. In two pieces, each
 * under genp_windows: begin_end() unmaps the first one after claim(), and whoever comes
 * next, which may be anybody, unmaps the last one with end_piece().
 */
inline end_lease(b, who, good)
{
	/* With the first piece, in which nobody stops: the last one has that. */
	atomic {
		wait_for_windows(b, who);
		d_step {
			did = runs(b) && good;
			if
			:: did ->
				assert(who == b || expires[b] == 0 || dying[part(b)]);
				state[b] = ENDING;
				filling[b] = false;
#ifdef CLAIMED_UNWATCHED
				due[b] = NEVER;
#endif
			:: else
			fi;
			end_section()
		}
	};
#ifdef UNHELPED
	if :: did -> end_piece(b, who, good) :: else fi
#else
	end_piece(b, who, good)
#endif
}

/* The recall thread lends the holder of the lock priority. */
inline wait_for_windows(b, who)
{
	if
	:: who == THREAD && busy[part(b)] -> wanted[part(b)] = true
	:: else
	fi;
	!busy[part(b)] && !stopped(who);
	if :: who == THREAD -> wanted[part(b)] = false :: else fi
}

/* The last piece, by whoever finds the lease being ended. */
inline end_piece(b, who, good)
{
	atomic {
		wait_for_windows(b, who);
		d_step {
#ifdef ENDED_TWICE
			did = did || (state[b] == ENDING && good);
#else
			did = state[b] == ENDING && good;
#endif
			busy[part(b)] = did
		}
	};
	if
	:: did ->
#ifdef RETURNED_BEFORE_GIVE
		return_section(b, who);
		give_section(b, who);
#else
		give_section(b, who);
		return_section(b, who);
#endif
		d_step { !kept_from(who, part(b)); busy[part(b)] = false; did = false };
#ifdef HELP
		serve(who)
#else
		skip
#endif
	:: else
	fi
}

/* unmapped(), give() */
inline give_section(b, who)
{
	d_step {
		!kept_from(who, part(b));
		free_frames = free_frames + has[b];
		has[b] = 0
	}
}

/* complete_return(), and one is served at once */
inline return_section(b, who)
{
	d_step {
		!kept_from(who, part(b));
		assert(state[b] == ENDING);
		due[b] = OFF;
		charged[part(b)] = charged[part(b)] - wants[b];
		free = free + wants[b];
#ifdef UNACKNOWLEDGED_DROPPED
		drop_lease(b);
#else
		if
		:: acknowledged[b] -> drop_lease(b)
		:: else -> state[b] = OVER
		fi;
#endif
		promote(part(b));
		serve_one();
		end_section()
	}
}

inline serve(who)
{
	did = true;
	do
	:: did -> d_step { !stopped(who); serve_one(); end_section() }
	:: !did -> break
	od
}

#ifdef RENEWED_FOR_EVER
#define MAY_RENEW	true
#else
#define MAY_RENEW	(head == NOBODY)
#endif

inline renew(b)
{
	d_step {
		!stopped(b);
		head_of(POOL_WAIT, PARTITIONS);
		if
		:: runs(b) && !dying[part(b)] && expires[b] > 0 && MAY_RENEW ->
			state[b] = ACTIVE;
			expires[b] = TERM;
			due[b] = TERM - GRACE
		:: else
		fi;
		end_section()
	}
}

proctype borrower(byte me)
{
	bool did;
	mtype answer;

again:
	atomic {
		answer = UNUSED;
		/* What it is willing to wait for, and whether it has a deadline. */
		if
		:: REASONS(me) & 1 -> for_budget[me] = true; for_pool[me] = true
		:: REASONS(me) & 2 -> for_budget[me] = true
		:: REASONS(me) & 4 -> for_pool[me] = true
		:: REASONS(me) & 8
		fi;
		borrow(me)
	};
	if
	:: answer == DIED -> goto out
	:: answer == UNUSED -> goto again
	:: answer == ACTIVE -> goto fill
	:: else
	fi;
	/* wait_until() */
	if
	:: awake[me]
	:: DEADLINE(me)
	fi;
	withdraw(me);
	if
	:: answer == ACTIVE || answer == RECALLED || answer == ENDING -> goto fill
	:: else
	fi;
#ifdef HELP
	serve(me);
#endif
	goto again;
fill:
	acknowledge(me);
	if
	/* Its entry is not free before; the next request of a process has another one. */
	:: answer == ENDING || answer == OVER -> state[me] != ENDING; goto again
	:: else
	fi;
	do
	:: fetch(me); if :: answer == OVER -> break :: else fi
	od;
	/* The program uses the lease, unless it runs too late. */
	do
#ifdef RENEW
	:: renew(me)
#endif
	:: break
	od;
	end_lease(me, me, true);
	goto again;
out:
	skip
}

active proctype recall()
{
	bool did, revoke;
	byte c;

	do
	:: atomic {
			/* Accounting::due(), and next() */
			if
			:: due[0] == 0 -> c = 0
			:: due[1] == 0 -> c = 1
			:: due[2] == 0 -> c = 2
			:: else -> c = NOBODY
			fi;
			d_step {
				revoke = false;
				if
				:: c == NOBODY
				:: c != NOBODY && state[c] == ACTIVE && expires[c] > 0 && !dying[part(c)] ->
					state[c] = RECALLED;
					due[c] = expires[c]
				:: else ->
					revoke = true;
					due[c] = NEVER;
					handle_of[RECALL] = c
				fi;
				end_section()
			}
		};
		if
		:: revoke ->
			end_lease(c, THREAD, handle_of[RECALL] == c);
			atomic { handle_of[RECALL] = NOBODY; revoke = false; c = 0 }
		:: !revoke && c == NOBODY ->
			serve(THREAD);
			/* arm() */
			skip;
			d_step {
				armed = NEVER;
				for (k : 0 .. BORROWERS - 1) {
					if :: due[k] < armed -> armed = due[k] :: else fi
				};
				alarm = armed;
				end_section()
			};
			/* sleep_until() */
			d_step { pending || alarm == 0; pending = false; alarm = NEVER }
		:: else
		fi
	od
}

/* Without time no waiter is served by the end of a lease. */
#ifndef TIMELESS
#define passes(t)	((t) > 0 && (t) < NEVER)

active proctype tick()
{
	do
	:: d_step {
		passes(armed) || passes(alarm) || passes(expires[0]) || passes(expires[1]) || passes(expires[2]);
		for (k : 0 .. BORROWERS - 1) {
			if :: passes(due[k]) -> due[k]-- :: else fi;
			if :: passes(expires[k]) -> expires[k]-- :: else fi
		};
		if :: passes(armed) -> armed-- :: else fi;
		if :: passes(alarm) -> alarm-- :: else fi
	}
	od
}
#endif

#ifdef MAY_STOP
/* A borrower is never scheduled again, from any time on. */
active proctype fate()
{
	if
	:: CREW & 1 -> gone = 0
	:: CREW & 2 -> gone = 1
	:: CREW & 4 -> gone = 2
	:: gone = ALL
	:: true
	fi
}
#endif

#ifdef DESTROY
active proctype destroy()
{
	bool did;
	byte c;

	if :: true :: goto out fi;
	/* begin_close(), then close_slice() for each */
	d_step {
		dying[0] = true;
		end_section()
	};
	c = 0;
	do
	:: c < 2 ->
		d_step {
			if
			:: waits(c) ->
				unlink(c);
				stop_waiting(c);
				state[c] = DIED;
#ifndef CLOSED_UNWOKEN
				wake(c)
#endif
			:: runs(c) -> due[c] = 0
			:: else
			fi;
			end_section()
		};
		c++
	:: else -> break
	od;
	/* end_leases() */
	c = 0;
	do
	:: c < 2 ->
		handle_of[DESTROY_] = c;
		end_lease(c, THREAD, handle_of[DESTROY_] == c);
		handle_of[DESTROY_] = NOBODY;
		c++
	:: else -> break
	od;
out:
	skip
}
#endif

#ifdef LIVE
byte watched;
#else
/* When no process can move, all frames are free, and no borrower that can run waits. */
active proctype rest()
{
	timeout;
	d_step {
#ifdef TIMELESS
		can_serve();
		assert(!first)
#else
		assert(free == LENDABLE && free_frames == LENDABLE);
		for (k : 0 .. BORROWERS - 1) {
			assert(!waits(k) && (!waiter[k] || stopped(k)))
		}
#endif
	}
}
#endif

init {
	atomic {
		limit[0] = LIMIT_0;
		limit[1] = 2;
		wants[0] = 1;
		wants[1] = 2;
		wants[2] = 1;
		if :: CREW & 1 -> run borrower(0) :: else fi;
		if :: CREW & 2 -> run borrower(1) :: else fi;
		if :: CREW & 4 -> run borrower(2) :: else fi;
#ifdef LIVE
#ifdef WATCHED
		watched = WATCHED
#else
		if
		:: CREW & 1 -> watched = 0
		:: CREW & 2 -> watched = 1
		:: CREW & 4 -> watched = 2
		fi
#endif
#endif
	}
}

#ifdef LIVE
#if LIVE == 1
ltl answered { [] (waits(watched) -> <> !waits(watched)) }
#elif LIVE == 2
ltl ends { [] (lent(watched) -> <> !lent(watched)) }
#else
/* A waiter for the budget of its own partition may never be answered: see above. */
#define stands(b)	(state[b] == POOL_WAIT)
ltl answered_by_pool { [] (stands(watched) -> <> !stands(watched)) }
#endif
#endif
