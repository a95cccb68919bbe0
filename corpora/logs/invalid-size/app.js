'use strict';
// More parts than an array may have: V8 ends the process though the heap is nearly empty.
const text = 'a,'.repeat(2 ** 27);
console.log(text.split(',').length);
