// containers.cc -- what C++ programs do all day: containers of the standard
// library that grow, shrink and cross threads, their contents summed up.
#include "api.h"
#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct alignas(64) line {
    std::uint64_t value[8];
};

START_TEST(vectors_grow)
{
    std::vector<std::vector<std::uint64_t>> all(50);
    for (std::uint64_t i = 0; i < 500000; i++)
        all[i % 50].push_back(i);
    std::uint64_t sum = 0;
    for (auto &one : all) {
        one.shrink_to_fit();
        for (auto x : one)
            sum += x;
    }
    ck_assert_uint_eq(sum, 500000ull * 499999 / 2);
}
END_TEST

START_TEST(maps_churn)
{
    std::map<unsigned, std::string> tree;
    std::unordered_map<std::string, unsigned> hash;
    unsigned x = 1, nwrong = 0;
    for (int i = 0; i < 200000; i++) {
        x = x * 1664525 + 1013904223;
        unsigned key = x >> 20;
        std::string text(key % 200, (char)('a' + key % 26));
        auto found = tree.find(key);
        if (found == tree.end()) {
            tree[key] = text;
            hash[std::to_string(key)] = key;
        } else {
            nwrong += found->second != text || hash.at(std::to_string(key)) != key;
            tree.erase(found);
            hash.erase(std::to_string(key));
        }
    }
    ck_assert_uint_eq(nwrong, 0);
    ck_assert_uint_eq(tree.size(), hash.size());
}
END_TEST

START_TEST(over_aligned_elements)
{
    std::vector<line> lines;
    std::list<std::unique_ptr<line>> list;
    for (std::uint64_t i = 0; i < 20000; i++) {
        lines.push_back(line{{i}});
        list.push_back(std::make_unique<line>(line{{i}}));
        ck_assert(is_aligned(list.back().get(), 64));
    }
    ck_assert(is_aligned(lines.data(), 64));
    std::uint64_t i = 0;
    unsigned nwrong = 0;
    for (auto &one : list) {
        nwrong += one->value[0] != i || lines[i].value[0] != i;
        i++;
    }
    ck_assert_uint_eq(nwrong, 0);
}
END_TEST

// Strings made in one thread, changed and freed in another.
START_TEST(threads_hand_over)
{
    std::vector<std::vector<std::string>> made(4);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; t++)
        threads.emplace_back([&made, t] {
            for (unsigned i = 0; i < 20000; i++)
                made[t].push_back(std::string(i % 300, (char)('a' + t)));
        });
    for (auto &thread : threads)
        thread.join();
    threads.clear();

    std::vector<std::size_t> bytes(4);
    for (unsigned t = 0; t < 4; t++)
        threads.emplace_back([&made, &bytes, t] {
            auto &mine = made[(t + 1) % 4];
            for (auto &text : mine) {
                auto mark = (char)('a' + (t + 1) % 4);
                bytes[t] += (std::size_t)std::count(text.begin(), text.end(), mark);
                text.append(300, 'z');
            }
            mine.clear();
            mine.shrink_to_fit();
        });
    for (auto &thread : threads)
        thread.join();
    std::size_t wanted = 0;
    for (unsigned i = 0; i < 20000; i++)
        wanted += i % 300;
    for (auto n : bytes)
        ck_assert_uint_eq(n, wanted);
}
END_TEST

API_MAIN("containers", vectors_grow, maps_churn, over_aligned_elements, threads_hand_over)
