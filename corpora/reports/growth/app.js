'use strict';
// Two reports of one process: sessions and connections grow between them.
const net = require('net');
const sessions = [], clients = [];
const peer = net.createServer(() => {}).listen(0, '127.0.0.1', () => {
    process.report.writeReport('before.json');
    setTimeout(() => {
        for (let i = 0; i < 300000; i++) sessions.push({ id: i, user: 'user-' + i });
        for (let i = 0; i < 30; i++) clients.push(net.connect(peer.address().port, '127.0.0.1'));
    }, 1000);
    setTimeout(() => { process.report.writeReport('report.json'); process.exit(0); }, 2500);
});
