'use strict';

// Catastrophic backtracking inside an iterator: no function on the stack has the expression as its receiver.
const WORDS = /(\w+\s?)+;/g;

function statements(text) {
  return [...text.matchAll(WORDS)];
}

setTimeout(function onUpload() {
  console.log('ready');
  statements('a'.repeat(60));
}, 10);
