'use strict';
// Buffers, not objects: the heap is small, the process is not.
const uploads = [];
for (let i = 0; i < 240; i++) uploads.push(Buffer.alloc(1024 * 1024, i));
setTimeout(() => { process.report.writeReport('report.json'); process.exit(0); }, 50);
