'use strict';

// A native addon executes an undefined instruction (as a failed assertion of compiled code does).
const crash = require('./crash.node');

function checkInvariant(image) {
  crash.illegal(image);
}

setTimeout(function onRequest() {
  checkInvariant({ width: 640 });
}, 10);
