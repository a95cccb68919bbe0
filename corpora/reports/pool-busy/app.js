'use strict';
// The CPU goes to the thread pool, not to the loop.
const { pbkdf2 } = require('crypto');
let running = 0;
for (let i = 0; i < 4; i++) (function next() { pbkdf2('secret', 'salt', 400000, 64, 'sha512', next); running++; })();
setTimeout(() => { process.report.writeReport('report.json'); process.exit(0); }, 5000);
