'use strict';

// One of everything in the heap; then V8 itself lists every object, and the process aborts.
globalThis.kept = require('./population').population;
const heaptruth = require('./heaptruth.node');

setTimeout(() => heaptruth.writeAndAbort(), 50);
