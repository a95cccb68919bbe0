'use strict';
// Keeps a known amount of memory that one function allocated; much more is allocated and given back.
const v8 = require('v8');
const fs = require('fs');

class Session { constructor(i) { this.id = i; this.rows = new Array(100).fill(i); this.note = { i }; } }
const sessions = globalThis.sessions = []; // alive until the end

function rememberSession(i) { sessions.push(new Session(i)); }

function passing() { let sum = 0; for (let i = 0; i < 2000; i++) sum += [i, i + 1, i + 2].length; return sum; }

global.gc();
const before = v8.getHeapStatistics().used_heap_size;
for (let i = 0; i < 30000; i++) { rememberSession(i); if (i % 10 === 0) passing(); }
global.gc();
const planted = v8.getHeapStatistics().used_heap_size - before;
fs.writeFileSync('truth.json', JSON.stringify({ function: 'rememberSession', constructor: 'Session', bytes: planted }));
