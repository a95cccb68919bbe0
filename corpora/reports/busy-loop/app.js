'use strict';
// The loop is blocked: a report in the middle of the work.
const net = require('net');
setInterval(function heartbeat() {}, 50);
setTimeout(function timeout() {}, 100);
net.createServer().listen(0, '127.0.0.1');
function sortAll(seconds) {
    const end = process.hrtime()[0] + seconds;
    while (process.hrtime()[0] < end) Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000).sort();
    process.report.writeReport('report.json');
    process.exit(0);
}
setTimeout(function exportAll() { sortAll(6); }, 20);
