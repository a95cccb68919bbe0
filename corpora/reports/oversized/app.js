'use strict';
// Not the heap limit: an array grows past what one allocation may have.
const events = [];
for (;;) events.push(0);
