'use strict';

// Catastrophic backtracking in a hot expression: V8 has compiled it to machine code before the fatal input arrives.
const TAGS = /^(([a-z])+.)+[A-Z]$/;

function validate(text) {
  return TAGS.test(text);
}

for (let i = 0; i < 1000; i++) validate(`some tags number ${i}`);

setTimeout(function onSubmit() {
  console.log('ready');
  validate('a'.repeat(60));
}, 10);
