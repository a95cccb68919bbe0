'use strict';

// Loaded before the application (see env): gives memory back when V8 has written its snapshot, so that the core is
// about as large as it would be without.
const v8 = require('v8');
const trim = require('./trim.node');

const { writeHeapSnapshot } = v8;

v8.writeHeapSnapshot = (...args) => {
  const file = writeHeapSnapshot(...args);
  trim();
  return file;
};
