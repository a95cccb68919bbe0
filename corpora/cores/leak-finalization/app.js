const { Pool } = require('./src/pool');
const p = new Pool(); let n = 0;
(function loop() { for (let i = 0; i < 200; i++) p.acquire(n++); setImmediate(loop); })();
