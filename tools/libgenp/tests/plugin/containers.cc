// SPDX-License-Identifier: MIT OR Apache-2.0
/* Containers of C++ in a partition. */
extern "C" {
#include "plugin.h"
}
#include "genp.hpp"
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#define CASE_CXX extern "C" CASE

static const std::size_t reserve = 4 << 20;

static std::uint64_t used(const genp::partition &part)
{
	genp_heap_stat stat{};

	stat.size = sizeof(stat);
	return genp_get_heap_stat(part.get(), 0, &stat) ? ~0ULL : stat.used;
}

CASE_CXX containers_of_pmr_lie_in_the_reserve(void)
{
	auto part = genp::create(reserve);
	genp::memory_resource resource(part.get()), same(part.get());
	CHECK(resource == same && !(resource == *std::pmr::new_delete_resource()));
	{
		std::pmr::vector<int> numbers(&resource);
		std::pmr::unordered_map<int, std::pmr::string> names(&resource);

		for (int i = 0; i < 10000; i++) {
			numbers.push_back(i);
			names.emplace(i, std::string(40, static_cast<char>('a' + i % 26)));
		}
		CHECK(genp_has(part.get(), numbers.data()));
		for (int i = 0; i < 10000; i++) {
			CHECK(numbers[static_cast<std::size_t>(i)] == i);
			CHECK(names[i][39] == 'a' + i % 26 && genp_has(part.get(), names[i].data()));
		}
		CHECK(used(part) > 10000 * 40);
	}
	CHECK(used(part) == 0);
	return 0;
}

struct alignas(256) wide {
	char bytes[300];
};

CASE_CXX the_allocator_serves_any_type(void)
{
	auto part = genp::create(reserve), other = genp::create(reserve);
	genp::allocator<int> mine(part.get()), his(other.get());
	genp::allocator<wide> rebound(mine);
	CHECK(mine == rebound && mine != his);
	{
		std::vector<wide, genp::allocator<wide>> wides(20, rebound);
		std::map<int, int, std::less<int>, genp::allocator<std::pair<const int, int>>> map(part.get());
		std::list<int, genp::allocator<int>> a(100, 1, mine), b(50, 2, his);

		for (const auto &one : wides)
			CHECK(reinterpret_cast<std::uintptr_t>(&one) % 256 == 0 && genp_has(part.get(), &one));
		for (int i = 0; i < 1000; i++)
			map[i] = -i;
		CHECK(genp_has(part.get(), &map[999]) && map[999] == -999);
		/* Blocks go back where they came from, whoever has them. */
		a.swap(b);
		CHECK(genp_has(other.get(), &a.front()) && genp_has(part.get(), &b.front()));
		a = std::move(b);
		CHECK(a.size() == 100 && a.get_allocator() == mine);
		b = a;
		CHECK(b.size() == 100 && b.get_allocator() == mine);
	}
	CHECK(used(part) == 0 && used(other) == 0);
	return 0;
}

CASE_CXX a_full_heap_is_bad_alloc(void)
{
	auto part = genp::create(reserve);
	genp::memory_resource resource(part.get());
	std::pmr::vector<std::pmr::string> all(&resource);
	genp::allocator<std::uint64_t> words(part.get());
	int caught = 0;

	try {
		for (;;)
			all.emplace_back(1000, 'x');
	} catch (const std::bad_alloc &) {
		caught++;
	}
	CHECK(all.size() > 1000);
	try {
		(void)words.allocate(SIZE_MAX / 4);
	} catch (const std::bad_array_new_length &) {
		caught++;
	}
	try {
		(void)genp::create(SIZE_MAX);
	} catch (const std::system_error &error) {
		caught += error.code().value() == E2BIG;
	}
	CHECK(caught == 3);
	all.clear();
	all.shrink_to_fit();
	CHECK(used(part) == 0);
	return 0;
}

CASE_CXX threads_share_a_resource(void)
{
	auto part = genp::create(reserve);
	genp::memory_resource resource(part.get());
	std::vector<std::thread> threads;
	bool right[4] = {};

	for (bool &good : right)
		threads.emplace_back([&resource, &good] {
			bool well = true;

			for (int round = 0; round < 200; round++) {
				std::pmr::list<std::pmr::string> list(&resource);

				for (int i = 0; i < 100; i++)
					list.emplace_back(static_cast<std::size_t>(50 + i), 'y');
				for (const auto &one : list)
					well = well && one.back() == 'y';
			}
			good = well;
		});
	for (auto &thread : threads)
		thread.join();
	CHECK(right[0] && right[1] && right[2] && right[3] && used(part) == 0);
	return 0;
}
