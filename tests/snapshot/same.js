'use strict';

// same.js TITLE - compares the two lines that devtools.js or memlab.js printed about a snapshot and its export.
const fs = require('fs');
const assert = require('assert');

const lines = fs.readFileSync(0, 'utf8').split('\n').filter((line) => line.startsWith('{'));
const [original, exported] = lines.map((line) => JSON.parse(line));
assert.strictEqual(lines.length, 2);
assert.strictEqual(exported.nodes, original.nodes);
assert.strictEqual(exported.size, original.size);
assert.ok(exported.edges <= original.edges && exported.edges > original.edges * 0.98, 'only weak edges are left out');
assert.deepStrictEqual(exported.classes, original.classes);
const sizes = new Map(exported.retained.map(([id, , bytes]) => [id, bytes]));
for (const [id, name, bytes] of original.retained.slice(0, 20)) {
  assert.ok(Math.abs(sizes.get(id) - bytes) <= bytes * 0.01, `${name} @${id} retains ${sizes.get(id)} instead of ${bytes}`);
}
console.log(`${process.argv[2]}: ${original.nodes} nodes, ${original.size} bytes, ${original.edges - exported.edges} weak edges left out`);
