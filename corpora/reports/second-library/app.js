'use strict';
// Another copy of a library that is built into node is loaded beside it.
process.report.writeReport('report.json');
