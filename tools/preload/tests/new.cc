// SPDX-License-Identifier: MIT OR Apache-2.0
// What C++ asks of malloc: new with alignment, handlers and exceptions.
#include <cstdint>
#include <cstdio>
#include <memory_resource>
#include <new>
#include <thread>
#include <vector>

static int calls;

struct alignas(256) Wide {
	char bytes[300];
};

static bool too_large()
{
	volatile std::size_t most = PTRDIFF_MAX;

	try {
		delete[] new char[most];
	} catch (const std::bad_alloc &) {
		return !new (std::nothrow) char[most];
	}
	return false;
}

static bool with_handler()
{
	volatile std::size_t most = PTRDIFF_MAX;

	std::set_new_handler([] {
		if (++calls == 3)
			throw 7;
	});
	try {
		delete[] new char[most];
	} catch (int thrown) {
		std::set_new_handler(nullptr);
		return thrown == 7 && calls == 3;
	}
	return false;
}

static bool aligned()
{
	for (int i = 0; i < 100; i++) {
		auto *one = new Wide, *some = new Wide[3];
		auto *page = ::operator new(100, std::align_val_t(4096));

		if ((std::uintptr_t)one % 256 || (std::uintptr_t)some % 256 || (std::uintptr_t)page % 4096)
			return false;
		delete one;
		delete[] some;
		::operator delete(page, std::align_val_t(4096));
	}
	return true;
}

static void with_pmr()
{
	std::pmr::unsynchronized_pool_resource pool;
	std::pmr::vector<std::pmr::vector<int>> all(&pool);

	for (int i = 0; i < 300; i++)
		all.emplace_back(i);
}

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 8; i++)
		threads.emplace_back(with_pmr);
	for (auto &thread : threads)
		thread.join();
	if (!too_large() || !with_handler() || !aligned()) {
		std::puts("wrong");
		return 1;
	}
	return 0;
}
