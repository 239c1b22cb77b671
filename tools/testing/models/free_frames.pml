/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames: a frame that the accounting granted is there when it is taken, is
 * zeroed, and has no other owner.
 *
 * What each step stands for:
 *
 *	borrower	FreeFrames::take() and FreeFrames::give() in genp/frames/free.rs, from
 *			Leases::fill() and Partition::end_lease() in
 *			genp/partition/borrow.rs, with a batch of one frame; the
 *			frame is granted under genp_lending before, and its return
 *			is completed there afterwards
 *	scrubber	FreeFrames::scrub() and FreeFrames::release_quarantine() in
 *			genp/frames/free.rs, from genp/threads/scrub.rs
 *	closing		FreeFrames::give_or_quarantine(), from the end of a reserve whose frame
 *			a device still writes to
 *	device		direct I/O into that frame, and its end
 *	failing		a memory error in a frame, and ErrorFinder::look() after it: the
 *			clean frames through FreeFrames::sift_clean()
 *
 * Left out: memory nodes (one list of clean frames stands for all); the order within
 * a list (any frame of it may be taken); priorities: a taker that waits for
 * genp_scrubbing lends its priority to the scrubber.
 *
 * Each of the d_steps at `list` is one section under genp_free_frames.
 *
 * Properties: take() always finds a frame, unless one with an error was promised; no frame
 * has two owners; a frame reaches its owner zeroed; no frame is free while a device writes
 * to it; none is lost. With an error: no frame is taken that the finder has looked at, and
 * in the end the accounting agrees with the lists.
 *
 *	proof    safe
 *	proof    poisoned             -DPOISON -DFRAMES=2
 *	live     served               -DLIVE
 *
 * Mistakes, each of which must be found:
 *
 *	mistake  no_second_try        -DNO_SECOND_TRY
 *	mistake  second_try_unlocked  -DSECOND_TRY_UNLOCKED
 *	mistake  scrub_without_lock   -DSCRUB_WITHOUT_LOCK
 *	mistake  not_zeroed           -DNOT_ZEROED
 *	mistake  given_as_clean       -DGIVEN_AS_CLEAN
 *	mistake  returned_before_give -DRETURNED_BEFORE_GIVE -DFRAMES=2
 *	mistake  no_quarantine        -DNO_QUARANTINE
 *	mistake  quarantine_unchecked -DQUARANTINE_UNCHECKED
 *	mistake  poison_taken         -DPOISON -DFRAMES=2 -DPOISON_TAKEN
 *	mistake  poison_forgotten     -DPOISON -DFRAMES=2 -DPOISON_FORGOTTEN
 *	mistake  never_served         -DLIVE -DKEEP_BATCH
 */

#ifndef FRAMES
#define FRAMES	3
#endif
#define BATCH	2
#define NO_FRAME FRAMES

mtype = { DIRTY, CLEAN, QUARANTINE, TAKEN, RETIRED };
/* The frame FRAMES - 1 is at first that of a reserve. */
mtype list[FRAMES] = DIRTY;
bool written[FRAMES] = true;	/* not zeroed */
bool used[FRAMES];		/* has an owner; only to check */
bool pinned;			/* the last frame, by the device */
byte free = FRAMES - 1;		/* in the accounting */
bool scrubbing;			/* genp_scrubbing */
bool fetches;			/* the first borrower was granted a frame */

#ifdef POISON
byte bad = NO_FRAME;		/* the frame with an error */
bool looked;			/* the finder has looked after it */
byte owed;			/* Accounting::owed */
bool found;			/* it is in no list, and not retired yet; only to check */
#define BAD(frame)	((frame) == bad)
#else
#define BAD(frame)	false
#endif

/* Accounting::set_free() and Accounting::retire(), under genp_lending. */
inline set_free()
{
#ifdef POISON
	if
	:: owed > 0 -> owed--
	:: else -> free++
	fi
#else
	free++
#endif
}

inline retire()
{
#ifdef POISON
	if
	:: free > 0 -> free--
#ifdef POISON_FORGOTTEN
	:: else
#else
	:: else -> owed++
#endif
	fi;
	found = false
#else
	skip
#endif
}

#ifdef QUARANTINE_UNCHECKED
#define UNPINNED	true
#else
#define UNPINNED	!pinned		/* FrameTable::shared() */
#endif

/* An rt_mutex goes to its waiter, not to a task that comes back. */
#ifdef LIVE
byte queued;
#define MAY_SCRUB	(!scrubbing && queued == 0)
#define enqueue()		queued++
#define dequeue()		queued--
#else
#define MAY_SCRUB	!scrubbing
#define enqueue()		skip
#define dequeue()		skip
#endif

inline find(what, found)
{
	found = 0;
	do
	:: found < FRAMES && list[found] != what -> found++
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
		:: frame != NO_FRAME -> list[frame] = TAKEN
#ifdef POISON
		:: else -> excused = owed > 0 || found
#else
		:: else
#endif
		fi
	}
}

proctype borrower()
{
	byte frame;
	bool clean;
#ifdef POISON
	bool excused;
#endif

again:
	/* The accounting promises a frame. */
	atomic {
		free > 0 -> free--;
		if :: _pid == 1 -> fetches = true :: else fi
	};
#ifdef POISON
retake:
#endif
	take();
#ifndef NO_SECOND_TRY
	if
	:: frame == NO_FRAME ->
#ifndef SECOND_TRY_UNLOCKED
		enqueue();
		atomic { !scrubbing -> scrubbing = true; dequeue() };
#endif
		take();
#ifndef SECOND_TRY_UNLOCKED
		scrubbing = false
#endif
	:: else
	fi;
#endif
#ifdef POISON
#ifdef POISON_TAKEN
#define FOUND(frame)	false
#else
#define FOUND(frame)	BAD(frame)
#endif
	if
	:: frame == NO_FRAME ->
		/* It was promised. What was promised to us goes back, and pays. */
		d_step { assert(excused); set_free(); frame = 0; clean = false; excused = false };
		goto again
	:: frame != NO_FRAME && FOUND(frame) ->
		d_step { list[frame] = RETIRED; found = true };
		d_step { retire(); frame = 0; clean = false };
		goto retake
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
#ifdef POISON
		assert(!BAD(frame) || !looked);
#endif
		used[frame] = true;
		written[frame] = true
	};
	/* It is used, until its end. */
#ifdef RETURNED_BEFORE_GIVE
	set_free();
#endif
	d_step {
		used[frame] = false;
#ifdef GIVEN_AS_CLEAN
		list[frame] = CLEAN
#else
		list[frame] = DIRTY
#endif
	};
#ifndef RETURNED_BEFORE_GIVE
	d_step { set_free() };
#endif
	d_step { frame = 0; clean = false };
	goto again
}

proctype scrubber()
{
	byte batch[BATCH], i, n;

end:	do
	:: atomic {
#ifndef SCRUB_WITHOUT_LOCK
		MAY_SCRUB -> scrubbing = true;
#endif
		n = 0 };
		d_step {
			do
			:: n < BATCH ->
				find(DIRTY, i);
				if
				:: i == NO_FRAME -> break
				:: else -> list[i] = TAKEN; batch[n] = i; n++
				fi
			:: else -> break
			od;
			i = 0
		};
		do
		:: i < n && !BAD(batch[i]) -> written[batch[i]] = false; i++
#ifdef POISON
		:: i < n && BAD(batch[i]) ->
			/* sift() */
			d_step { list[batch[i]] = RETIRED; found = true };
			d_step { retire() };
			n--;
			batch[i] = batch[n];
			batch[n] = 0
#endif
		:: else -> break
		od;
#ifdef KEEP_BATCH
		if :: n > 0 -> false :: else fi;
#endif
		do
		:: n > 0 -> d_step { n--; list[batch[n]] = CLEAN; batch[n] = 0 }
		:: else -> break
		od;
		i = 0;
#ifndef SCRUB_WITHOUT_LOCK
		scrubbing = false;
#endif
		/* release_quarantine(), and commit_less() under genp_lending */
		d_step {
			if
			:: list[FRAMES - 1] == QUARANTINE && UNPINNED ->
				list[FRAMES - 1] = DIRTY;
				n = 1
			:: else
			fi
		};
		d_step { if :: n == 1 -> set_free(); n = 0 :: else fi }
	od
}

proctype closing()
{
	bool freed;

	/* retire(), and empty_reserve(), by who closes the partition */
	d_step {
		if
#ifndef NO_QUARANTINE
		:: pinned -> list[FRAMES - 1] = QUARANTINE
#endif
		:: else -> list[FRAMES - 1] = DIRTY; freed = true
		fi
	};
	if :: freed -> d_step { set_free() } :: else fi
}

proctype device()
{
	do
	:: pinned -> written[FRAMES - 1] = true
	:: pinned = false -> break
	od
}

#ifdef POISON
/* Once, in any frame. Whoever has one keeps it; it is free sometime. */
proctype failing()
{
	if :: bad = 0 :: bad = 1 fi;
	/* sift_clean() */
	atomic { MAY_SCRUB -> scrubbing = true };
	d_step {
		if
		:: list[bad] == CLEAN -> list[bad] = RETIRED; found = true
		:: else
		fi
	};
	scrubbing = false;
	if :: found -> d_step { retire() } :: else fi;
	/* From now on it is taken by nobody who looks at what it takes. */
	d_step {
		if
		:: list[bad] != TAKEN -> looked = true
		:: else
		fi
	}
}
#endif

init {
	atomic {
		list[FRAMES - 1] = TAKEN;
		if :: pinned = true :: true fi;
		run borrower();
		run borrower();
		run scrubber();
		run closing();
		if :: pinned -> run device() :: else fi;
#ifdef POISON
		run failing()
#endif
	}
}

#ifdef LIVE
ltl served { [] (fetches -> <> !fetches) }
#endif
