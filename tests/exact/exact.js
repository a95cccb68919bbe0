'use strict';

// exact.js NAME CORE SNAPSHOT - compares what core_sizes says of a core with what memlab_sizes.js says of the snapshot that V8
// wrote of the same process: reachable objects and bytes, the 20 objects that retain most, the 20 classes that retain most; each
// within 1 %, the totals within 0.3 %. Prints a line of a table; then the differences. Exit code 1 if totals differ, or more than one of twenty.
//
// Both see the same objects but for what is different by design (docs/heap-graph.md), which is left out here:
//   stores     V8's snapshots hang elements and properties on the object, not on the array that stores them
//   internals  "(array)", "(system)", "(compiled code)", "(object shape)" depend on that, too
//   natives    objects of Node's own C++ heap are in snapshots only
//   payload    of external strings: V8 up to 12 does not count it
const fs = require('fs');

const [name, coreFile, snapshotFile] = process.argv.slice(2);
const [core, snapshot] = [coreFile, snapshotFile].map((file) => JSON.parse(fs.readFileSync(file, 'utf8')));
const TOP = 20;
const SLACK = core.bytes / 2000; // what the process did between the snapshot and its end
const LIMIT = 0.01;
const TOTAL = 0.003; // of objects and bytes of the whole heap
const WIDE = new Map([['(closure)', 0.06], ['system / Context', 0.05]]); // code and hidden classes hang on other things below them
const INTERNAL = new Set(['(array)', '(system)', '(compiled code)', '(object shape)', '(string)', '(synthetic)']);
const INTERNAL_OBJECTS = new Set(['(system)', '(compiled code)', '(object shape)']);
const HOLES = 12 * 65536; // V8 14 has objects of address space only among its read-only ones; snapshots count them as 0 or so

const problems = [];
let failed = false;
const percent = (share) => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(2)} %`;
const near = (ours, theirs, limit = LIMIT) => Math.abs(ours - theirs) <= Math.max(limit * theirs, SLACK);
const isBetter = (a, b) => Math.abs(a) < Math.abs(b);

function totals() {
  const [readOnly, readOnlyBytes] = core.read_only;
  const isSized = snapshot.unsized < readOnly / 4;
  const bytes = core.bytes + (isSized ? readOnlyBytes - (readOnlyBytes > HOLES ? HOLES : 0) : 0);
  const objects = (core.objects + readOnly) / snapshot.objects - 1;
  const shares = [bytes / snapshot.bytes - 1, (bytes + core.strings) / snapshot.bytes - 1];
  const share = isBetter(shares[0], shares[1]) ? shares[0] : shares[1];
  failed ||= Math.abs(objects) > TOTAL || Math.abs(share) > TOTAL;
  if (Math.abs(objects) > TOTAL) problems.push(`objects: ${core.objects + readOnly}, snapshot ${snapshot.objects}`);
  if (Math.abs(share) > TOTAL) problems.push(`bytes: ${bytes}, snapshot ${snapshot.bytes}`);
  return [core.objects + readOnly, percent(objects), percent(share)];
}

const ourTop = core.top.map(([cls, isStore, address, shallow, external, retained, edge]) => {
  return { cls, isStore, at: address, sizes: [shallow, shallow + external], external, retained, edges: [edge] };
});
const theirTop = snapshot.top.map(([cls, type, id, self, retained, edges]) => {
  return { cls, type, isStore: ['array', 'hidden'].includes(type), at: `@${id}`, sizes: [self], retained, edges };
});

function isComparable({ cls, type, isStore, external, edges }) {
  if (type === 'native' || INTERNAL_OBJECTS.has(cls)) return false;
  if (isStore && edges.some((edge) => ['elements', 'properties', 'line_ends'].includes(edge))) return false;
  return !(cls === '(string)' && external);
}

const sameName = (a, b) => a.edges.some((edge) => b.edges.some((other) => edge === other || edge.endsWith(` ${other}`)));

// The object of `others` that is most like it: of the same class and size; under the same name, if there is one.
function counterpart(object, others) {
  const isOfSize = (other) => object.sizes.some((size) => other.sizes.includes(size)) || sameName(object, other);
  const alike = others.filter((other) => other.cls === object.cls && isOfSize(other));
  const distance = (other) => Math.abs(other.retained - object.retained) - (sameName(object, other) ? 0.5 : 0);
  return alike.sort((a, b) => distance(a) - distance(b))[0];
}

function objects(own, others, side) {
  const wanted = own.filter(isComparable).slice(0, TOP);
  let same = 0;
  for (const object of wanted) {
    const other = counterpart(object, others);
    if (other && near(object.retained, other.retained)) {
      same++;
      continue;
    }
    const found = other ? `${other.retained} as ${other.edges.slice(0, 3)} ${other.at}` : 'nothing like it';
    problems.push(`${side}: ${object.cls} ${object.at} ${object.edges.slice(0, 3)} retains ${object.retained}, there ${found}`);
  }
  failed ||= same + 1 < wanted.length;
  return `${same}/${wanted.length}`;
}

function classes() {
  const ours = new Map(core.classes.map(([cls, count, , retained]) => [cls, { count, retained }]));
  const isNative = (cls) => INTERNAL.has(cls) || /^system \/ JSArrayBufferData|^Node \//.test(cls);
  const wanted = snapshot.classes.filter(([cls, count]) => !isNative(cls) && count > 0).slice(0, TOP);
  let same = 0;
  for (const [cls, count, , retained] of wanted) {
    const own = ours.get(cls);
    if (own && near(own.retained, retained, WIDE.get(cls))) same++;
    else problems.push(`class ${cls}: ${own?.count} retain ${own?.retained}, snapshot ${count} retain ${retained}`);
  }
  failed ||= same + 1 < wanted.length;
  return `${same}/${wanted.length}`;
}

const row = [name, ...totals(), objects(theirTop, ourTop, 'snapshot'), objects(ourTop, theirTop, 'core'), classes()];
console.log(`| ${row.join(' | ')} |`);
for (const problem of problems) console.log(`    ${problem}`);
process.exit(failed ? 1 : 0);
