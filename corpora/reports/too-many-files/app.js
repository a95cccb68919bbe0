'use strict';
// Files are opened and never closed, until the limit of the process.
const fs = require('fs');
const open = [];
function openNext() { open.push(fs.openSync(__filename, 'r')); }
for (;;) openNext();
