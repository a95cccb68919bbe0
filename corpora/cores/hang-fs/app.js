'use strict';

// readFileSync of a named pipe nobody writes to.
const { execFileSync } = require('child_process');
const fs = require('fs');

execFileSync('mkfifo', ['config.fifo']);

function loadConfig(path) {
  return fs.readFileSync(path, 'utf8');
}

setTimeout(function onReload() {
  console.log('ready');
  loadConfig('config.fifo');
}, 10);
