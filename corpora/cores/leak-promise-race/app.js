const { Poller } = require('./src/poller');
const p = new Poller(); let n = 0;
(async () => { for (;;) { await p.poll(n++); if (n % 1000 === 0) await new Promise(setImmediate); } })();
