/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * libgenp for C++17: containers with their memory in the reserve of a partition.
 *
 *   genp::partition part = genp::create(2 << 20);
 *   genp::memory_resource resource(part.get());
 *   std::pmr::vector<int> numbers(&resource);
 *   std::list<int, genp::allocator<int>> others(part.get());
 *
 * What genp.h says of genp_alloc(), genp_aligned_alloc() and genp_free() holds for what they
 * do: no system call, no page fault, a bound on the instructions. A partition outlives its
 * resources and allocators, and these outlive their containers.
 *
 * Deallocation does not throw. What is no live block, or was overwritten, ends the program
 * by std::abort(), as the C library does. In a forked child, whose parent the partition
 * belongs to, it does nothing, so that destructors can run there.
 */
#ifndef GENP_HPP
#define GENP_HPP

#include <genp.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <memory_resource>
#include <new>
#include <system_error>

namespace genp
{

/* Ends a partition. */
struct destroyer {
	void operator()(genp_partition_t *part) const noexcept { genp_destroy(part); }
};

/* A partition with an owner. */
using partition = std::unique_ptr<genp_partition_t, destroyer>;

/* As genp_create(); std::system_error with its errno. */
inline partition create(std::size_t reserve, std::size_t borrow_limit = 0)
{
	partition part(genp_create(reserve, borrow_limit));

	if (!part)
		throw std::system_error(errno, std::generic_category(), "genp_create");
	return part;
}

namespace detail
{

/* std::bad_alloc if there is no memory. */
inline void *allocate(genp_partition_t *part, std::size_t bytes, std::size_t align)
{
	void *block = align <= 16 ? genp_alloc(part, bytes) : genp_aligned_alloc(part, align, bytes);

	if (!block)
		throw std::bad_alloc();
	return block;
}

inline void deallocate(void *block) noexcept
{
	if (genp_free(block) && errno != ECHILD)
		std::abort();
}

} // namespace detail

/* The heap of a partition, for the containers of std::pmr. */
class memory_resource final : public std::pmr::memory_resource
{
public:
	explicit memory_resource(genp_partition_t *part) noexcept : part_(part) {}

	/* The partition that it allocates from. */
	genp_partition_t *partition() const noexcept { return part_; }

private:
	void *do_allocate(std::size_t bytes, std::size_t align) override
	{
		return detail::allocate(part_, bytes, align);
	}

	void do_deallocate(void *block, std::size_t, std::size_t) override
	{
		detail::deallocate(block);
	}

	bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
		auto same = dynamic_cast<const memory_resource *>(&other);

		return same && same->part_ == part_;
	}

	genp_partition_t *part_;
};

/* The same as an allocator, without virtual functions. */
template <class T> class allocator
{
public:
	using value_type = T;
	using propagate_on_container_copy_assignment = std::true_type;
	using propagate_on_container_move_assignment = std::true_type;
	using propagate_on_container_swap = std::true_type;
	using is_always_equal = std::false_type;

	allocator(genp_partition_t *part) noexcept : part_(part) {}
	template <class U> allocator(const allocator<U> &other) noexcept : part_(other.partition()) {}

	[[nodiscard]] T *allocate(std::size_t count)
	{
		if (count > std::numeric_limits<std::size_t>::max() / sizeof(T))
			throw std::bad_array_new_length();
		return static_cast<T *>(detail::allocate(part_, count * sizeof(T), alignof(T)));
	}

	void deallocate(T *block, std::size_t) noexcept { detail::deallocate(block); }

	/* The partition that it allocates from. */
	genp_partition_t *partition() const noexcept { return part_; }

private:
	genp_partition_t *part_;
};

template <class T, class U> bool operator==(const allocator<T> &a, const allocator<U> &b) noexcept
{
	return a.partition() == b.partition();
}

template <class T, class U> bool operator!=(const allocator<T> &a, const allocator<U> &b) noexcept
{
	return !(a == b);
}

} // namespace genp

#endif /* GENP_HPP */
