'use strict';
// One array that grows: the large object space holds it all.
const samples = [];
function record(value) { samples.push(value + 0.5); }
for (let i = 0; ; i++) record(i);
