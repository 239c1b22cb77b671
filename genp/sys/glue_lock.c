// SPDX-License-Identifier: GPL-2.0
/* Locks: one call of the kernel in each function. */
#include <linux/lockdep.h>

#include "glue.h"

void genp_raw_lock_init(raw_spinlock_t *lock, const char *name,
			struct lock_class_key *key)
{
#ifdef CONFIG_DEBUG_SPINLOCK
	__raw_spin_lock_init(lock, name, key, LD_WAIT_SPIN);
#else
	raw_spin_lock_init(lock);
#endif
}

unsigned long genp_raw_lock(raw_spinlock_t *lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(lock, flags);
	return flags;
}

bool genp_raw_trylock(raw_spinlock_t *lock, unsigned long *flags)
{
	return raw_spin_trylock_irqsave(lock, *flags);
}

void genp_raw_unlock(raw_spinlock_t *lock, unsigned long flags)
{
	raw_spin_unlock_irqrestore(lock, flags);
}

void genp_raw_assert_held(raw_spinlock_t *lock)
{
	lockdep_assert_held(lock);
}

void genp_pi_lock_init(struct rt_mutex *lock, const char *name,
		       struct lock_class_key *key)
{
	__rt_mutex_init(lock, name, key);
}

void genp_pi_lock(struct rt_mutex *lock)
{
	rt_mutex_lock(lock);
}

bool genp_pi_trylock(struct rt_mutex *lock)
{
	return rt_mutex_trylock(lock);
}

void genp_pi_unlock(struct rt_mutex *lock)
{
	rt_mutex_unlock(lock);
}

void genp_pi_assert_held(struct rt_mutex *lock)
{
	lockdep_assert_held(lock);
}
