/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames themselves: what the books promised is there when it is fetched, is
 * zeroed, and is nobody else's.
 *
 * What each step stands for:
 *
 *	borrower	Store::take() and Store::give() in genp/pool/store.rs, from
 *			Partition::fill() and Partition::end_lease() in
 *			genp/partition/borrow.rs, with a batch of one frame; the
 *			promise is made under genp_desk before, and credited there
 *			afterwards
 *	scrubber	Store::scrub() and Store::release_quarantine() in
 *			genp/pool/store.rs, from genp/pool/scrub.rs
 *	closing		Store::give_or_keep(), from the end of a reserve whose frame
 *			a device still writes to
 *	device		direct I/O into that frame, and its end
 *
 * What is left out: memory nodes (one list of clean frames stands for all); the
 * order within a list (any frame of it may come); priorities: a taker that waits
 * for genp_scrubbing lends its own to the scrubber.
 *
 * Each of the d_steps at `place` is one section under genp_lists.
 *
 * Promised: a taker never goes away with nothing; no frame has two owners; a frame
 * reaches its owner zeroed; none is free while a device writes to it; none is lost.
 *
 *	proof    safe
 *	live     served               -DLIVE
 *
 * Mistakes, and what must find them:
 *
 *	mistake  no_second_look       -DNO_SECOND_LOOK
 *	mistake  look_without_lock    -DLOOK_WITHOUT_LOCK
 *	mistake  scrub_without_lock   -DSCRUB_WITHOUT_LOCK
 *	mistake  not_zeroed           -DNOT_ZEROED
 *	mistake  given_as_clean       -DGIVEN_AS_CLEAN
 *	mistake  credit_before_give   -DCREDIT_BEFORE_GIVE -DFRAMES=2
 *	mistake  no_quarantine        -DNO_QUARANTINE
 *	mistake  quarantine_unlooked  -DQUARANTINE_UNLOOKED
 *	mistake  never_served         -DLIVE -DKEEP_IN_HAND
 */

#ifndef FRAMES
#define FRAMES	3
#endif
#define HANDFUL	2
#define NO_FRAME FRAMES

mtype = { DIRTY, CLEAN, QUARANTINE, TAKEN };
/* The frame FRAMES - 1 is at first that of a reserve. */
mtype place[FRAMES] = DIRTY;
bool written[FRAMES] = true;	/* has somebody's data in it */
bool used[FRAMES];		/* has an owner; only to check */
bool pinned;			/* the last frame, by the device */
byte free = FRAMES - 1;		/* in the books */
bool scrubbing;			/* genp_scrubbing */
bool fetches;			/* the first borrower is promised a frame */

#ifdef QUARANTINE_UNLOOKED
#define LET_GO	true
#else
#define LET_GO	!pinned		/* Frames::shared() */
#endif

/* An rt_mutex goes to who waits for it, not to who comes again. */
#ifdef LIVE
byte wait_for_it;
#define MAY_SCRUB	(!scrubbing && wait_for_it == 0)
#define join()		wait_for_it++
#define leave()		wait_for_it--
#else
#define MAY_SCRUB	!scrubbing
#define join()		skip
#define leave()		skip
#endif

inline find(what, found)
{
	found = 0;
	do
	:: found < FRAMES && place[found] != what -> found++
	:: else -> break
	od
}

inline take()
{
	d_step {
		clean = true;
		find(CLEAN, frame);
		if
		:: frame == NO_FRAME -> clean = false; find(DIRTY, frame)
		:: else
		fi;
		if
		:: frame != NO_FRAME -> place[frame] = TAKEN
		:: else
		fi
	}
}

proctype borrower()
{
	byte frame;
	bool clean;

again:
	/* The desk promises. */
	atomic {
		free > 0 -> free--;
		if :: _pid == 1 -> fetches = true :: else fi
	};
	take();
#ifndef NO_SECOND_LOOK
	if
	:: frame == NO_FRAME ->
#ifndef LOOK_WITHOUT_LOCK
		join();
		atomic { !scrubbing -> scrubbing = true; leave() };
#endif
		take();
#ifndef LOOK_WITHOUT_LOCK
		scrubbing = false
#endif
	:: else
	fi;
#endif
	assert(frame != NO_FRAME);
	if :: _pid == 1 -> fetches = false :: else fi;
	d_step {
#ifndef NOT_ZEROED
		if :: !clean -> written[frame] = false :: else fi;
#endif
		assert(!used[frame] && !written[frame]);
		assert(frame != FRAMES - 1 || !pinned);
		used[frame] = true;
		written[frame] = true
	};
	/* It is used, until its end. */
#ifdef CREDIT_BEFORE_GIVE
	free++;
#endif
	d_step {
		used[frame] = false;
#ifdef GIVEN_AS_CLEAN
		place[frame] = CLEAN
#else
		place[frame] = DIRTY
#endif
	};
#ifndef CREDIT_BEFORE_GIVE
	free++;
#endif
	d_step { frame = 0; clean = false };
	goto again
}

proctype scrubber()
{
	byte hand[HANDFUL], i, n;

end:	do
	:: atomic {
#ifndef SCRUB_WITHOUT_LOCK
		MAY_SCRUB -> scrubbing = true;
#endif
		n = 0 };
		d_step {
			do
			:: n < HANDFUL ->
				find(DIRTY, i);
				if
				:: i == NO_FRAME -> break
				:: else -> place[i] = TAKEN; hand[n] = i; n++
				fi
			:: else -> break
			od;
			i = 0
		};
		do
		:: i < n -> written[hand[i]] = false; i++
		:: else -> break
		od;
#ifdef KEEP_IN_HAND
		if :: n > 0 -> false :: else fi;
#endif
		do
		:: n > 0 -> d_step { n--; place[hand[n]] = CLEAN; hand[n] = 0 }
		:: else -> break
		od;
		i = 0;
#ifndef SCRUB_WITHOUT_LOCK
		scrubbing = false;
#endif
		/* release_quarantine(), and commit_less() at the desk */
		d_step {
			if
			:: place[FRAMES - 1] == QUARANTINE && LET_GO ->
				place[FRAMES - 1] = DIRTY;
				n = 1
			:: else
			fi
		};
		d_step { free = free + n; n = 0 }
	od
}

proctype closing()
{
	bool freed;

	/* retire(), and empty_reserve(), by who closes the partition */
	d_step {
		if
#ifndef NO_QUARANTINE
		:: pinned -> place[FRAMES - 1] = QUARANTINE
#endif
		:: else -> place[FRAMES - 1] = DIRTY; freed = true
		fi
	};
	if :: freed -> free++ :: else fi
}

proctype device()
{
	do
	:: pinned -> written[FRAMES - 1] = true
	:: pinned = false -> break
	od
}

init {
	atomic {
		place[FRAMES - 1] = TAKEN;
		if :: pinned = true :: true fi;
		run borrower();
		run borrower();
		run scrubber();
		run closing();
		if :: pinned -> run device() :: else fi
	}
}

#ifdef LIVE
ltl served { [] (fetches -> <> !fetches) }
#endif
