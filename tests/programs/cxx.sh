# A C++ program: new and delete of all kinds, exceptions, containers, threads, bad_alloc.
. "$(dirname "$0")/common"
need "${CXX:=c++}" g++

cat >t.cc <<'X'
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>
struct alignas(256) wide { char c[300]; };
struct thrower { std::string s; explicit thrower(int i) : s(100, 'x') { if (i % 3 == 0) throw std::runtime_error(s + std::to_string(i)); } };
static unsigned long work(unsigned seed)
{
    unsigned x = seed;
    auto rnd = [&x](unsigned n) { x = x * 1103515245 + 12345; return (x >> 8) % n; };
    unsigned long sum = 0;
    std::map<std::string, std::vector<int>> m;
    std::unordered_map<int, std::shared_ptr<std::list<int>>> u;
    std::deque<std::unique_ptr<wide>> d;
    for (int i = 0; i < 40000; i++) {
        m[std::to_string(rnd(3000)) + std::string(rnd(60), 'k')].push_back(i);
        auto &l = u[rnd(700)];
        if (!l) l = std::make_shared<std::list<int>>();
        l->push_back(i);
        if (rnd(9) == 0) l.reset();
        d.push_back(std::make_unique<wide>());
        if (reinterpret_cast<std::uintptr_t>(d.back().get()) % 256) throw std::logic_error("alignment");
        if (d.size() > 200) d.pop_front();
        try { thrower t(rnd(100)); sum += t.s.size(); } catch (const std::exception &e) { sum += std::string(e.what()).size(); }
        if (m.size() > 2500) m.erase(m.begin(), std::next(m.begin(), 500));
    }
    for (auto &e : m) sum += std::accumulate(e.second.begin(), e.second.end(), e.first.size());
    for (auto &e : u) if (e.second) sum += e.second->size();
    return sum;
}
static int handled;
int main()
{
    std::vector<std::future<unsigned long>> f;
    for (unsigned i = 0; i < 4; i++) f.push_back(std::async(std::launch::async, work, i));
    for (auto &r : f) std::printf("%lu\n", r.get());
    volatile std::size_t huge = SIZE_MAX / 4;
    try { char *p = new char[huge]; std::printf("%p\n", (void *)p); } catch (const std::bad_alloc &) { std::puts("bad_alloc"); }
    std::printf("%d\n", new (std::nothrow) char[huge] == nullptr);
    std::set_new_handler([] { if (++handled == 3) std::set_new_handler(nullptr); });
    try { ::operator new(huge); } catch (const std::bad_alloc &) { std::printf("handled %d\n", handled); }
    std::set_new_handler([] { throw std::runtime_error("handler"); });
    try { ::operator new(huge, std::align_val_t(64)); } catch (const std::runtime_error &e) { std::puts(e.what()); }
    std::set_new_handler(nullptr);
    for (std::size_t a = 16; a <= 65536; a *= 2) {
        void *p = ::operator new(a * 3 + 1, std::align_val_t(a)), *q = ::operator new[](7, std::align_val_t(a), std::nothrow);
        std::printf("%d", (reinterpret_cast<std::uintptr_t>(p) | reinterpret_cast<std::uintptr_t>(q)) % a == 0);
        ::operator delete(p, a * 3 + 1, std::align_val_t(a)); ::operator delete[](q, std::align_val_t(a));
    }
    delete new int(3); delete[] new std::string[50]; ::operator delete(nullptr);
    ::operator delete(::operator new(0)); ::operator delete(::operator new(100), std::size_t(100));
    std::ostringstream o; for (int i = 0; i < 100000; i++) o << i; std::printf("\n%zu\n", o.str().size());
    std::vector<std::string> v; for (int i = 0; i < 200000; i++) v.push_back("a string that is too long to be inside " + std::to_string(i % 1000));
    std::sort(v.begin(), v.end()); v.erase(std::unique(v.begin(), v.end()), v.end()); std::printf("%zu\n", v.size());
    std::thread([] { try { throw std::string(1000, 'e'); } catch (const std::string &s) { std::printf("%zu\n", s.size()); } }).join();
    std::exception_ptr p; try { throw std::range_error("kept"); } catch (...) { p = std::current_exception(); }
    std::thread([p] { try { std::rethrow_exception(p); } catch (const std::exception &e) { std::puts(e.what()); } }).join();
}
X
$CXX -std=c++17 -O1 -fno-builtin -w -pthread t.cc -o t
both cxx ./t
grep -q '^handled 3' cxx.with || fail "the new handler"
loaded t
