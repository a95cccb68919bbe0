'use strict';

// damage.js PROGRAM FOLDER COPY RUNS - see damage.
const { spawnSync } = require('child_process');
const fs = require('fs');

const [program, folder, copy, runs] = process.argv.slice(2);
const original = fs.readFileSync(`${folder}/core`);
const WORDS = [2n ** 60n, 2n ** 63n, 2n ** 32n, 0xffffffffffffffffn, 0x7fffffff00000000n, 0xffffffff00000000n, 0n, 1n, 3n];
const FIRST = 0x10000; // behind the headers, which other tests damage
const SECONDS = 120;

let state = 1n;
function random(below) {
  state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
  return Number((state >> 33n) % BigInt(below));
}

function damage(bytes, count) {
  for (let i = 0; i < count; i++) {
    const at = FIRST + 8 * random((bytes.length - FIRST - 8) / 8);
    const other = FIRST + 8 * random((bytes.length - FIRST - 8) / 8);
    const kind = random(3);
    if (kind === 0) bytes.writeBigUInt64LE(WORDS[random(WORDS.length)], at);
    else if (kind === 1 && (bytes[at] & 3) === 1) original.copy(bytes, at, other, other + 8);
    else bytes[at + random(8)] ^= 1 << random(8);
  }
}

let failed = false;
for (let run = 0; run < Number(runs); run++) {
  state = BigInt(run + 1);
  const bytes = Buffer.from(original);
  damage(bytes, [200, 3000, 30000][run % 3]);
  fs.writeFileSync(copy, bytes);
  const args = ['diagnose', copy, '--exe', `${folder}/node`, '--format', 'json'];
  const { status, signal, stderr } = spawnSync(program, args, { timeout: SECONDS * 1000, maxBuffer: 1 << 28 });
  if ([0, 1, 2].includes(status)) continue;
  console.log(`run ${run}: exit code ${status}, signal ${signal}\n${stderr.toString().slice(0, 3000)}`);
  failed = true;
}
console.log(`${runs} damaged cores`);
process.exit(failed ? 1 : 0);
