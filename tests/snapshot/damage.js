// damage.js PROGRAM SNAPSHOT WORK RUNS - a real snapshot, cut at many places and damaged at many more: what the program must still say of
// it is known from the whole file. Every run must end in time with exit code 0, 1 or 2 and no finding of a sanitizer.
'use strict';
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

const [program, snapshot, work, runs] = process.argv.slice(2);
const whole = fs.readFileSync(snapshot);
const parsed = JSON.parse(whole.toString());
const at = (key) => whole.indexOf(`"${key}":[`) + key.length + 4;
const nodesAt = at('nodes'), edgesAt = at('edges'), stringsAt = at('strings');
const nodesEnd = whole.indexOf(']', nodesAt), edgesEnd = whole.indexOf(']', edgesAt);
const nodes = parsed.snapshot.node_count - 1; // without the root
const file = path.join(work, 'damaged.heapsnapshot');
let failed = 0;

function fail(what, message) {
    failed++;
    console.log(`${what}: ${message}`);
}

function run(what, bytes, command = 'diagnose') {
    fs.writeFileSync(file, bytes);
    const result = spawnSync(program, [command, file, '--format', 'json', '--no-progress'], { encoding: 'utf8', timeout: 60000, maxBuffer: 1 << 28 });
    if (![0, 1, 2].includes(result.status)) fail(what, `ended with ${result.status} ${result.signal}\n${result.stderr.slice(0, 2000)}`);
    if (result.status === 2 && !/at 0x[0-9a-f]+/.test(result.stderr)) fail(what, `refused without a place: ${result.stderr}`);
    return { status: result.status, says: result.status < 2 ? JSON.parse(result.stdout) : null };
}

const classes = (says) => says.isolates[0].histogram;
const sum = (rows, key) => rows.reduce((total, row) => total + row[key], 0);
const retained = (says) => classes(says)[0].retained;

const truth = run('whole', whole);
if (truth.status !== 0) fail('whole', 'not read completely');

// Cut: the nodes in front of the place are counted, and nothing is claimed that the file does not have.
const cuts = [nodesAt - 300, nodesAt, nodesAt + 40, nodesEnd - 1, nodesEnd, nodesEnd + 1, edgesAt, edgesAt + 1, edgesEnd, edgesEnd + 1, stringsAt,
    stringsAt + 1, whole.length - 1];
const parts = Math.ceil(Math.sqrt(runs));
for (let i = 1; i < parts; i++) {
    cuts.push(nodesAt + Math.floor(((nodesEnd - nodesAt) * i) / parts) + i, edgesAt + Math.floor(((edgesEnd - edgesAt) * i) / parts) + i);
    cuts.push(stringsAt + Math.floor(((whole.length - stringsAt) * i) / parts) + i);
}
for (const cut of cuts) {
    const what = `cut at ${cut}`, { status, says } = run(what, whole.subarray(0, cut));
    const fields = parsed.snapshot.meta.node_fields.length;
    let left = cut <= nodesAt ? 0 : nodes + 1;
    if (cut > nodesAt && cut <= nodesEnd) left = Math.floor(whole.subarray(nodesAt, cut).toString().split(',').slice(0, -1).length / fields);
    if (status !== (left === 0 ? 2 : 1)) fail(what, `exit code ${status}`);
    if (!says) continue;
    const counted = sum(classes(says), 'count');
    if (Math.abs(counted - (left - 1)) > 1) fail(what, `${counted} objects instead of ${left - 1}`);
    if (cut > edgesEnd !== (retained(says) !== null)) fail(what, `retained sizes: ${retained(says)}`);
    if (cut > nodesEnd && sum(classes(says), 'shallow') !== sum(classes(truth.says), 'shallow')) fail(what, 'other sizes');
    if (cut > edgesEnd && says.isolates[0].reachable_bytes !== truth.says.isolates[0].reachable_bytes) fail(what, 'other reachable bytes');
    if (cut <= stringsAt && says.findings.some((finding) => finding.id !== undefined && finding.owner)) fail(what, 'a finding without names');
}

// Damaged: bytes, runs of bytes, numbers. The seed of a run is its number.
let seed = 1;
const random = (limit) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 4294967296) * limit);
};
const pieces = ['', ',', ',,', ']', '"', '-1', '1e999', '18446744073709551615', '1152921504606846976', '\0\0\0\0\0\0\0\0', '[[[[[[[[', '"edges":[1],',
    '{"strings":["x"]}'];
for (let i = 0; i < runs; i++) {
    seed = Math.imul(i + 1, 2654435761) >>> 0;
    const place = nodesAt + random(whole.length - nodesAt), piece = pieces[i % pieces.length], lost = random(3) ? piece.length : random(100000);
    const bytes = Buffer.concat([whole.subarray(0, place), Buffer.from(piece), whole.subarray(place + lost)]);
    run(`damage ${i} at ${place}`, bytes, ['diagnose', 'histogram', 'dominators', 'strings'][i % 4]);
}
console.log(`${cuts.length} cuts, ${runs} damaged files, ${failed} failed`);
process.exit(failed ? 1 : 0);
