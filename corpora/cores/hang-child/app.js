'use strict';

// execSync of a program that takes long; the loop waits for it.
const { execSync } = require('child_process');

function convert(file) {
  return execSync(`sleep 20; echo ${file}`);
}

setTimeout(function onRequest() {
  console.log('ready');
  convert('report.pdf');
}, 10);
