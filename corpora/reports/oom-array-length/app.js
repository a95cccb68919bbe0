'use strict';
// Not the heap limit: one allocation that V8 refuses.
function explode() { const all = []; for (;;) all.push(...new Array(120000).fill(all.length)); }
explode();
