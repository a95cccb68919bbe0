// One of everything an event loop can wait for; Node lists its handles in a diagnostic report, then the process aborts.
const fs = require('fs');
const http = require('http');
const net = require('net');
const dgram = require('dgram');
const { spawn } = require('child_process');

class Warmup {
    async load(gate) {
        await gate;
    }
}

function heartbeat() {}
function refresh() {}

const server = http.createServer(function onRequest(request, response) {
    waitForAnswer(request, response);
});

function waitForAnswer() {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e6)'], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.on('error', () => {}); // Debian's root directory has no /proc
    process.on('SIGUSR2', () => {});
    const watcher = fs.watch('.', () => {});
    const udp = dgram.createSocket('udp4');
    udp.bind(0, () => {
        setInterval(heartbeat, 30000);
        for (let i = 0; i < 3; i++) setTimeout(refresh, 60000);
        setTimeout(refresh, 90000).unref();
        clearTimeout(setTimeout(refresh, 70000));
        const gates = [1, 2, 3, 4].map(() => new Promise(() => {}));
        for (const gate of gates) new Warmup().load(gate);
        setTimeout(() => {
            process.report.writeReport('report.json');
            child.kill('SIGKILL');
            globalThis.kept = [watcher, gates];
            process.abort();
        }, 200);
    });
}

server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    http.get({ host: '127.0.0.1', port, path: '/slow' });
    net.connect(port, '127.0.0.1'); // says nothing
});
