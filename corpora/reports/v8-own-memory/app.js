'use strict';
// A generated function of a hundred thousand lines is optimised while a report is asked for.
const v8 = require('v8');
const lines = Array.from({ length: 12000 }, (_, i) => `a = (a * ${i % 97} + b[${i % 50}]) | 0; b[${i % 50}] = a ^ ${i};`);
const generated = new Function('a', 'b', lines.join('\n') + '\nreturn a;');
const b = new Array(50).fill(1);
const end = Date.now() + 120000;
while (Date.now() < end && v8.getHeapStatistics().malloced_memory < 80e6) generated(1, b);
process.report.writeReport('report.json');
process.exit(0);
