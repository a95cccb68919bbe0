'use strict';
// A sandbox for each request, and all of them kept.
const vm = require('vm');
const sandboxes = [];
for (let i = 0; i < 120; i++) sandboxes.push(vm.createContext({ request: i }));
process.report.writeReport('report.json');
