// SPDX-License-Identifier: GPL-2.0
/*
 * genp_packets: a driver that keeps packet descriptors in an object cache. An interrupt
 * makes packets and a thread consumes them; there are two kinds:
 *
 *  - bulk packets take descriptors that are in no minimum, and are dropped when there
 *    is none;
 *  - control packets have a minimum of their own, an element pool: as long as no more
 *    than CONTROL_MIN of them are in use there is a descriptor, however many bulk
 *    packets there are.
 *
 *	insmod genp_packets.ko				a partition of its own
 *	insmod genp_packets.ko partition=NAME		one that a process created
 *	echo 10 >/sys/kernel/debug/genp_packets/run
 *	cat /sys/kernel/debug/genp_packets/result
 */
#include <linux/genp.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/platform_device.h>

#include "control.h"
#include "older_kernels.h"

#define DESCRIPTORS	64
#define CONTROL_MIN	8
/* More than the number of descriptors, so that bulk always uses up all. */
#define BULK_PER_TICK	(DESCRIPTORS + 1)

static char *partition;
module_param(partition, charp, 0444);
MODULE_PARM_DESC(partition, "name of a partition to take the memory from; none for one of the driver's own");

static unsigned int period_us = 1000;
module_param(period_us, uint, 0644);
MODULE_PARM_DESC(period_us, "from one interrupt to the next");

enum kind { CONTROL, BULK, NR_KINDS };

/**
 * struct packet - a descriptor
 * @node: in the queue to the thread.
 * @sequence: of its kind, without gaps.
 * @payload: stands for what a device would write.
 */
struct packet {
	struct llist_node node;
	enum kind kind;
	u64 sequence;
	u64 payload[12];
};

/* One kind: the interrupt writes the first half, the thread the second. */
struct traffic {
	u64 sent;
	u64 dropped;
	u64 received;
	u64 out_of_order;
	u64 damaged;
	u64 refused;
};

static struct {
	struct genp_partition *part;
	bool found;
	struct genp_cache *cache;
	struct genp_elements *control;
	struct hrtimer timer;
	struct task_struct *thread;
	struct llist_head queue;
	/* Control packets in use; the minimum is guaranteed for CONTROL_MIN of them. */
	atomic_t control_out;
	/* Control packets within the minimum that got no descriptor. */
	u64 promise_broken;
	struct traffic traffic[NR_KINDS];
	u32 avail_before;
	u32 avail_after;
	unsigned int seconds;
} packets;

static u64 payload_of(const struct packet *packet, unsigned int i)
{
	return packet->sequence * 0x9e3779b97f4a7c15ULL + packet->kind + i;
}

/* Context: any. */
static struct packet *descriptor(enum kind kind)
{
	struct packet *packet;

	if (kind == BULK)
		return genp_cache_alloc(packets.cache);
	packet = genp_element_alloc(packets.control);
	if (packet)
		atomic_inc(&packets.control_out);
	return packet;
}

/* The part of the device: fills a descriptor and queues it to the thread. Context: any. */
static void send(enum kind kind)
{
	struct traffic *traffic = &packets.traffic[kind];
	struct packet *packet = descriptor(kind);
	unsigned int i;

	if (!packet) {
		traffic->dropped++;
		return;
	}
	packet->kind = kind;
	packet->sequence = traffic->sent++;
	for (i = 0; i < ARRAY_SIZE(packet->payload); i++)
		packet->payload[i] = payload_of(packet, i);
	llist_add(&packet->node, &packets.queue);
}

/* Bulk first: it must not affect control packets. Context: hardirq, also on PREEMPT_RT. */
static enum hrtimer_restart interrupt(struct hrtimer *timer)
{
	ktime_t begin = ktime_get(), end;
	u64 dropped = packets.traffic[CONTROL].dropped;
	unsigned int i;

	for (i = 0; i < BULK_PER_TICK; i++)
		send(BULK);
	if (atomic_read(&packets.control_out) < CONTROL_MIN) {
		send(CONTROL);
		packets.promise_broken += packets.traffic[CONTROL].dropped - dropped;
	}
	wake_up_process(packets.thread);
	end = ktime_get();
	hrtimer_set_expires(timer, ktime_add(ktime_add_us(end, period_us),
					     3 * ktime_sub(end, begin)));
	return HRTIMER_RESTART;
}

static void check(const struct packet *packet)
{
	struct traffic *traffic = &packets.traffic[packet->kind];
	unsigned int i;

	if (packet->sequence != traffic->received)
		traffic->out_of_order++;
	traffic->received++;
	for (i = 0; i < ARRAY_SIZE(packet->payload); i++)
		if (packet->payload[i] != payload_of(packet, i)) {
			traffic->damaged++;
			break;
		}
}

static void consume(struct packet *packet)
{
	enum kind kind = packet->kind;
	int error;

	check(packet);
	/* So that a use after this is detected. */
	memset(packet->payload, 0, sizeof(packet->payload));
	if (kind == BULK)
		error = genp_cache_free(packets.cache, packet);
	else
		error = genp_element_free(packets.control, packet);
	if (error)
		packets.traffic[kind].refused++;
	else if (kind == CONTROL)
		atomic_dec(&packets.control_out);
}

static void consume_all(void)
{
	struct llist_node *node = llist_reverse_order(llist_del_all(&packets.queue));
	struct packet *packet, *next;

	llist_for_each_entry_safe(packet, next, node, node)
		consume(packet);
}

static int consumer(void *unused)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		if (llist_empty(&packets.queue))
			schedule();
		__set_current_state(TASK_RUNNING);
		consume_all();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static bool is_good(void)
{
	const struct traffic *traffic;
	enum kind kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		traffic = &packets.traffic[kind];
		if (!traffic->sent || traffic->sent != traffic->received ||
		    traffic->out_of_order || traffic->damaged || traffic->refused)
			return false;
	}
	/* Unless bulk packets were dropped the minimum was not tested. */
	return packets.traffic[BULK].dropped && !packets.promise_broken &&
	       packets.avail_before == packets.avail_after;
}

static int run(unsigned int seconds)
{
	memset(packets.traffic, 0, sizeof(packets.traffic));
	packets.promise_broken = 0;
	packets.avail_before = genp_cache_avail(packets.cache);
	init_llist_head(&packets.queue);
	hrtimer_setup(&packets.timer, interrupt, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	packets.thread = kthread_run(consumer, NULL, "genp_packets");
	if (IS_ERR(packets.thread))
		return PTR_ERR(packets.thread);
	hrtimer_start(&packets.timer, us_to_ktime(period_us), HRTIMER_MODE_REL_HARD);
	control_wait(seconds);
	hrtimer_cancel(&packets.timer);
	kthread_stop(packets.thread);
	consume_all();
	packets.avail_after = genp_cache_avail(packets.cache);
	packets.seconds = seconds;
	return is_good() ? 0 : -EIO;
}

static void show_row(struct seq_file *out, const char *name, u64 control, u64 bulk)
{
	seq_printf(out, "%-26s%14llu%14llu\n", name, control, bulk);
}

static void show(struct seq_file *out)
{
	const struct traffic *control = &packets.traffic[CONTROL], *bulk = &packets.traffic[BULK];

	if (!packets.seconds) {
		seq_puts(out, "not run yet: echo SECONDS >run\n");
		return;
	}
	seq_printf(out, "%-26s%14s%14s\n", "", "control", "bulk");
	show_row(out, "sent in hardirq", control->sent, bulk->sent);
	show_row(out, "dropped", control->dropped, bulk->dropped);
	show_row(out, "received in a thread", control->received, bulk->received);
	show_row(out, "out of order", control->out_of_order, bulk->out_of_order);
	show_row(out, "damaged", control->damaged, bulk->damaged);
	show_row(out, "not taken back", control->refused, bulk->refused);
	seq_printf(out, "%-26s%14llu\n", "minimum not kept", packets.promise_broken);
	seq_printf(out, "%-26s%14u\n", "free objects before", packets.avail_before);
	seq_printf(out, "%-26s%14u\n", "free objects afterwards", packets.avail_after);
	seq_printf(out, "%-26s%14s\n", "verdict", is_good() ? "good" : "BAD");
}

static struct control control = { .run = run, .show = show };

/* A partition of our own is destroyed with the device; one that was found is put. */
static int get_partition(struct device *dev)
{
	struct genp_spec spec = {
		.name = "genp_packets",
		.reserve = 64 * 1024,
		.node = GENP_ANY_NODE,
	};

	packets.found = partition;
	packets.part = partition ? genp_partition_find(partition) :
				   devm_genp_partition_create(dev, &spec);
	if (IS_ERR(packets.part))
		return dev_err_probe(dev, PTR_ERR(packets.part), "no partition %s\n",
				     partition ?: "of its own");
	return 0;
}

static void put_partition(struct device *dev)
{
	struct genp_outstanding left;

	if (packets.found && genp_partition_put(packets.part, &left))
		dev_err(dev, "%u regions were not freed\n", left.regions);
}

static int packets_probe(struct platform_device *device)
{
	int error = get_partition(&device->dev);

	if (error)
		return error;
	packets.cache = genp_cache_create(packets.part, sizeof(struct packet), SMP_CACHE_BYTES, DESCRIPTORS);
	error = PTR_ERR_OR_ZERO(packets.cache);
	if (error)
		goto put;
	packets.control = genp_elements_create(packets.cache, CONTROL_MIN);
	error = PTR_ERR_OR_ZERO(packets.control);
	if (error)
		goto destroy;
	control_create(&control);
	return 0;

destroy:
	genp_cache_destroy(packets.cache);
put:
	put_partition(&device->dev);
	return dev_err_probe(&device->dev, error, "no descriptors\n");
}

static void packets_remove(struct platform_device *device)
{
	control_remove(&control);
	if (genp_elements_destroy(packets.control) || genp_cache_destroy(packets.cache))
		dev_err(&device->dev, "descriptors are still out\n");
	put_partition(&device->dev);
}

static struct platform_driver packets_driver = {
	.probe = packets_probe,
	.remove = packets_remove,
	.driver = { .name = "genp_packets" },
};
static struct platform_device *packets_device;

/* There is no such hardware, so the module registers the device as well. */
static int __init packets_init(void)
{
	int error = platform_driver_register(&packets_driver);

	if (error)
		return error;
	packets_device = platform_device_register_simple("genp_packets", PLATFORM_DEVID_NONE, NULL, 0);
	error = PTR_ERR_OR_ZERO(packets_device);
	if (!error && !packets_device->dev.driver) {
		platform_device_unregister(packets_device);
		error = -ENODEV;
	}
	if (error)
		platform_driver_unregister(&packets_driver);
	return error;
}

static void __exit packets_exit(void)
{
	platform_device_unregister(packets_device);
	platform_driver_unregister(&packets_driver);
}

module_init(packets_init);
module_exit(packets_exit);
MODULE_AUTHOR("GenP developers");
MODULE_DESCRIPTION("Packet descriptors from an object cache, in hardirq");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(GENP_NAMESPACE);
