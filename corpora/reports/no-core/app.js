'use strict';
// Out of memory, and the limits of the process forbid a core.
const all = [];
for (let i = 0; ; i++) all.push({ i });
