'use strict';
// The heap may grow to more than the container has: the kernel's killer comes first.
const rows = [];
for (let i = 0; i < 1500000; i++) rows.push({ i, text: 'row ' + i });
process.report.writeReport('report.json');
process.exit(0);
