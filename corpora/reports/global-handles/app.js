'use strict';
// An addon that does not release its references.
const { remember } = require('./addon.node');
for (let i = 0; i < 400000; i++) remember({ id: i });
process.report.writeReport('report.json');
