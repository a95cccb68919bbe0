'use strict';
const cache = new Map();
let n = 0;
function handle() { for (let i = 0; i < 400; i++) cache.set('key' + n++, { id: n, payload: 'x'.repeat(50) + n, tags: [n, n + 1] }); }
setInterval(handle, 1);
