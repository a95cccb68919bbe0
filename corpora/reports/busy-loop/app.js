'use strict';
// The loop is blocked: a report in the middle of the work shows overdue timers and a full core.
const net = require('net');
setInterval(function heartbeat() {}, 50);
setTimeout(function timeout() {}, 100);
net.createServer().listen(0, '127.0.0.1');
function sortAll(seconds) {
    const end = process.hrtime()[0] + seconds;
    while (process.hrtime()[0] < end) Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000).sort();
}
setTimeout(() => { sortAll(6); process.report.writeReport('report.json'); process.exit(0); }, 20);
