'use strict';
// Buffers fill the container; the heap limit fits.
const parts = [];
for (let i = 0; i < 196; i++) parts.push(Buffer.alloc(1024 * 1024, i));
process.report.writeReport('report.json');
process.exit(0);
