'use strict';
// Connections that are never closed come near the limit of open files.
const net = require('net');
const clients = [];
const server = net.createServer(() => {}).listen(0, '127.0.0.1', () => {
    for (let i = 0; i < 110; i++) clients.push(net.connect(server.address().port, '127.0.0.1'));
    setTimeout(() => { process.report.writeReport('report.json'); process.exit(0); }, 300);
});
