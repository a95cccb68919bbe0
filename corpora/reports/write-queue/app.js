'use strict';
// Data is written faster than the peer reads, and nobody waits for 'drain'.
const net = require('net');
const server = net.createServer((socket) => {
    socket.pause();
    for (let i = 0; i < 200; i++) socket.write(Buffer.alloc(65536, i));
    setTimeout(() => { process.report.writeReport('report.json'); process.exit(0); }, 200);
}).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').pause());
