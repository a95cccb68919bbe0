'use strict';
// Passwords in the environment are in every report.
process.report.writeReport('report.json');
