# python3: its own tests of json, re, gc, mmap and ctypes, and a workload on its sqlite3.
. "$(dirname "$0")/common"
. "$here/python-tests"
python_tests test_json test_re test_gc test_mmap test_ctypes

cat >database.py <<'X'
import sqlite3, random, threading, hashlib
random.seed(4)
db = sqlite3.connect('file:m?mode=memory&cache=shared', uri=True, check_same_thread=False)
db.execute('create table t(a integer, b text, c blob)')
db.create_function('mix', 2, lambda a, b: hashlib.md5(f'{a}{b}'.encode()).hexdigest())
class longest:
    def __init__(self): self.s = ''
    def step(self, v): self.s = max(self.s, v, key=lambda x: (len(x), x))
    def finalize(self): return self.s
db.create_aggregate('longest', 1, longest)
with db:
    db.executemany('insert into t values(?, ?, ?)', ((random.randrange(999), 'x' * random.randrange(99) + str(i),
        random.randbytes(random.randrange(300))) for i in range(30000)))
db.execute('create index i on t(a, b)')
print(db.execute('select a, count(*), longest(b), max(mix(a, b)) from t group by a order by 2 desc, 1 limit 20').fetchall())
def reader(n, out):
    mine = sqlite3.connect('file:m?mode=memory&cache=shared', uri=True)
    out[n] = sum(len(c) for c, in mine.execute('select c from t where a % 4 = ?', (n,)))
    mine.close()
out = {}
threads = [threading.Thread(target=reader, args=(n, out)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(out.items()))
print(hashlib.sha1('\n'.join(db.iterdump()).encode()).hexdigest())
try: db.execute('select mix(1)')
except sqlite3.OperationalError as e: print(e)
X
both database "$python" database.py
