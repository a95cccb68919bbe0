'use strict';
const crypto = require('crypto'), fs = require('fs'), zlib = require('zlib');
function hashPassword(p) { return crypto.pbkdf2Sync(p, 'salt', 60000, 64, 'sha512').toString('hex'); }
function validate(rows) { let n = 0; for (let i = 0; i < rows.length; i++) for (let j = 0; j < rows.length; j++) if (rows[i].id === rows[j].parent) n++; return n; }
function handle(i) { const rows = []; for (let k = 0; k < 2500; k++) rows.push({ id: k, parent: (k * 7) % 2500 }); return validate(rows); }
function report() { const big = []; for (let i = 0; i < 60000; i++) big.push({ i, s: 'row ' + i }); return JSON.parse(JSON.stringify(big)).length; }
const keep = [];
function cacheUser(i) { keep.push({ i, blob: 'u'.repeat(100) + i, tags: new Array(20).fill(i) }); }
let n = 0;
const t = setInterval(function tick() { n++; hashPassword('pw' + n); handle(n); if (n % 3 === 0) report(); for (let i = 0; i < 3000; i++) cacheUser(i); if (n === 10) { clearInterval(t); } }, 30);
