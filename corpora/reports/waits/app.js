'use strict';
// Hangs without work: one pending read of standard input of a child keeps it alive, everything else is done.
const { spawn } = require('child_process');
const child = spawn('/bin/sleep', ['100'], { stdio: ['ignore', 'pipe', 'ignore'] });
child.stdout.on('data', () => {});
setTimeout(() => console.log('ready'), 200).unref();
