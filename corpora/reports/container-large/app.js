'use strict';
// The container has 2 GB, the heap may use 60 MB of them.
const rows = [];
for (let i = 0; ; i++) rows.push({ i, text: 'row ' + i });
