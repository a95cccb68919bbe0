'use strict';
// A database in a mapped file that is larger than what the system keeps of it in memory.
const { search } = require('./addon.node');
search();
process.report.writeReport('report.json');
