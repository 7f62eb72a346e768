# node: worker threads, typed arrays passed between them, zlib, crypto, JSON, child processes.
. "$(dirname "$0")/common"
need node nodejs

cat >main.js <<'X'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto');
function work(seed) {
  let x = seed; const rnd = n => (x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff, (x >>> 8) % n);
  const h = crypto.createHash('sha256'), map = new Map();
  for (let i = 0; i < 20000; i++) {
    const k = 'k' + rnd(5000);
    map.set(k, (map.get(k) || '') + String.fromCharCode(97 + rnd(26)).repeat(rnd(40)));
    if (!rnd(3)) map.delete('k' + rnd(5000));
  }
  const text = JSON.stringify([...map].sort());
  for (let i = 0; i < 6; i++) {
    const z = zlib.deflateSync(text.slice(rnd(1000)), { level: 1 + i });
    h.update(zlib.inflateSync(z));
    h.update(Buffer.alloc(1 + rnd(200000), i));
  }
  const back = JSON.parse(text);
  h.update(back.map(e => e[1].replace(/(.)\1+/g, '$1')).join());
  return h.digest('hex');
}
if (isMainThread) {
  let left = 12, out = [];
  const start = seed => {
    const w = new Worker(__filename, { workerData: seed });
    w.on('message', m => out.push(seed + ' ' + m.digest + ' ' + m.data.byteLength));
    w.on('error', e => { console.error(e); process.exit(3); });
    w.on('exit', () => { if (--left === 0) finish(); else if (next < 12) start(next++); });
  };
  let next = 4;
  for (let i = 0; i < 4; i++) start(i);
  const finish = () => {
    console.log(out.sort().join('\n'));
    const child = require('child_process').spawnSync(process.execPath, ['-e', 'console.log(Buffer.alloc(1e6, 7).reduce((a, b) => a + b))']);
    console.log(child.stdout.toString().trim());
    const gone = new Worker('setInterval(() => Buffer.alloc(1000), 1)', { eval: true });
    gone.on('online', () => setTimeout(() => gone.terminate().then(c => console.log('terminated', c)), 50));
  };
} else {
  const digest = work(workerData), data = new ArrayBuffer(1 << 20);
  parentPort.postMessage({ digest, data }, [data]);
}
X
both node node main.js
[ "$(wc -l <node.with)" = 14 ] || fail "node wrote $(wc -l <node.with) lines"
loaded node
