'use strict';

// A native addon asks C++ for more memory than there is: std::bad_alloc, not caught.
const crash = require('./crash.node');

function loadVolume(image) {
  crash.badAlloc(image);
}

setTimeout(function onRequest() {
  loadVolume({ width: 640 });
}, 10);
