'use strict';

// A native addon writes through a null pointer.
const crash = require('./crash.node');

function drawThumbnail(image) {
  crash.segfault(image);
}

setTimeout(function onRequest() {
  drawThumbnail({ width: 640 });
}, 10);
