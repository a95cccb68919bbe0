'use strict';
// Large answers for a client that does not read.
const net = require('net');
const server = net.createServer((socket) => {
    socket.write(Buffer.alloc(48 * 1024 * 1024));
    setTimeout(() => { process.report.writeReport('report.json'); process.exit(0); }, 200);
}).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').pause());
