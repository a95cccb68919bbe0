'use strict';
// Child processes that are never waited for.
const { spawn } = require('child_process');
const children = [];
for (let i = 0; i < 60; i++) children.push(spawn('/bin/sleep', ['20'], { stdio: 'ignore' }));
setTimeout(() => { process.report.writeReport('report.json'); for (const child of children) child.kill(); process.exit(0); }, 200);
