'use strict';
// A client without keep-alive limits: hundreds of sockets to one peer. The peer is a process of its own.
const net = require('net'), { fork } = require('child_process');
if (process.argv[2] === 'peer') {
    net.createServer(() => {}).listen(0, '127.0.0.1', function () { process.send(this.address().port); });
} else {
    const peer = fork(__filename, ['peer']);
    peer.on('message', (port) => {
        const sockets = [];
        for (let i = 0; i < 150; i++) sockets.push(net.connect(port, '127.0.0.1'));
        setTimeout(() => { process.report.writeReport('report.json'); peer.kill(); process.exit(0); }, 400);
    });
}
