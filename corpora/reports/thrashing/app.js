'use strict';
// The container is so small that the pages of node's own binary are thrown out and read again and again.
const rows = [];
for (let i = 0; i < 24; i++) rows.push(Buffer.alloc(1024 * 1024, i));
const names = () => Array.from({ length: 2000 }, (_, i) => JSON.parse(JSON.stringify({ name: 'n' + i, at: new Date(i).toISOString() })));
const { createHash } = require('crypto'), zlib = require('zlib');
let turns = 0;
setInterval(() => {
    names().sort((a, b) => a.name.localeCompare(b.name));
    createHash('sha512').update(zlib.gzipSync(rows[turns % 24])).digest();
    new Intl.DateTimeFormat('de').format(turns);
    for (const row of rows) row[turns % 1000]++;
    if (++turns === 60) { process.report.writeReport('report.json'); process.exit(0); }
}, 5);
