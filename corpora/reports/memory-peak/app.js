'use strict';
// Once much memory, given back since.
(function exportAll() { for (let i = 0, all = []; i < 400; i++) all.push(Buffer.alloc(1024 * 1024, i)); })();
gc();
setTimeout(() => { gc(); process.report.writeReport('report.json'); process.exit(0); }, 300);
