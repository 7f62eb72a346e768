# sqlite3: inserts, indexes, joins, recursion, full-text search, vacuum; the dump must be the same.
. "$(dirname "$0")/common"
need sqlite3

cat >work.sql <<'X'
PRAGMA cache_size = -20000;
CREATE TABLE a(id INTEGER PRIMARY KEY, k INT, v TEXT, b BLOB);
CREATE TABLE c(id INTEGER PRIMARY KEY, a INT, w REAL);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
    INSERT INTO a SELECT i, (i * 7919) % 10007, printf('%d-%s', i, hex(i * 31337)), zeroblob(i % 97) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90000)
    INSERT INTO c SELECT i, (i * 104729) % 60000, i / 7.0 FROM n;
COMMIT;
CREATE INDEX ak ON a(k);
CREATE INDEX av ON a(v, k);
CREATE INDEX ca ON c(a);
SELECT k, count(*), sum(w), max(v) FROM a JOIN c ON c.a = a.id GROUP BY k ORDER BY 3 DESC, k LIMIT 50;
SELECT count(DISTINCT substr(v, 3, 4)), group_concat(DISTINCT k % 13) FROM a;
UPDATE a SET v = v || v || 'x' WHERE k % 3 = 0;
DELETE FROM c WHERE id % 5 = 1;
SELECT sum(r) FROM (SELECT row_number() OVER (PARTITION BY k % 100 ORDER BY v) AS r FROM a);
CREATE TABLE j AS SELECT json_group_array(json_object('k', k, 'v', v)) AS t FROM a WHERE id % 50 = 0;
SELECT sum(json_extract(value, '$.k')) FROM j, json_each(j.t);
VACUUM;
PRAGMA integrity_check;
.dump
X
run() { rm -f "$1"; sqlite3 "$1" <work.sql; }
run x.db >without
rm -f y.db
under sqlite3 y.db <work.sql >with
same without with
same x.db y.db
loaded sqlite3
